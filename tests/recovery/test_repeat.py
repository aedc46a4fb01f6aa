"""One repetition: its outcomes, and its three estimators.

- Against other routes to the estimates (the public functions of the package, statsmodels): 1e-10,
  or 1e-6 where both sides come from a search.
- Figures of many repetitions against closed forms: within 4.5 Monte Carlo errors (one false
  alarm in 1e5).
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from scipy.special import expit
from support.recoveries import FINLAND, LINEAR, SMALL, assert_near, judged, recover, three_designs

import hierwidgets as hw
from hierwidgets.recovery import Setup, repeat


@pytest.mark.parametrize("setup", [SMALL, LINEAR], ids=lambda s: s.name)
def test_outcomes_have_their_mean_and_variance(setup):
    made = repeat.prepare(setup, (5,))
    drawn = [repeat.draw(setup, made, np.random.default_rng(s)) for s in range(3000)]
    truth, y = (np.array(part) for part in zip(*drawn, strict=True))
    if setup.family == "binomial":
        z = (y - made.sizes * truth) / np.sqrt(made.sizes * truth * (1 - truth))
    else:
        z = (y - truth[:, made.codes] - setup.beta * made.x) / setup.residual_sd
    for values, expected in ((z, 0), (z**2, 1)):
        mean = values.mean(axis=1)
        assert abs(mean.mean() - expected) < 4.5 * mean.std() / np.sqrt(len(mean))
    effects = truth if setup.family == "gaussian" else np.log(truth / (1 - truth))
    shift = made.x * setup.beta if setup.family == "binomial" else 0.0
    e = (effects - setup.mu - shift) / setup.sigma
    assert stats.kstest(e.ravel(), stats.norm.cdf).pvalue > 1e-4


def test_a_design_without_a_predictor_is_prepared_once_for_all_seeds():
    repeat.prepare.cache_clear()
    for seed in range(3):
        hw.simulate_and_recover(Setup(n=7, J=6), reps=2, seed=seed, progress=False)
    assert repeat.prepare.cache_info().misses == 1


# --- the estimators, by other routes ------------------------------------------------------


def kept(result, design, rep):
    draws = result.draws.query("design == @design and rep == @rep")
    return {name: part.reset_index(drop=True) for name, part in draws.groupby("estimator")}


def respondents(one):
    """A row per respondent, from the proportions of a repetition."""
    n = one["no_pooling"]["n"].to_numpy()
    y = np.rint(one["no_pooling"]["estimate"] * n).astype(int)
    frame = pd.DataFrame({"group": np.repeat(np.arange(len(n)), n)})
    frame["y"] = np.concatenate([np.arange(size) < k for k, size in zip(y, n, strict=True)])
    return frame


COLUMNS = ["estimate", "conf_low", "conf_high"]


def test_no_and_complete_pooling_are_the_package_s():
    one = kept(three_designs(), "finland", 4)
    data = respondents(one)
    for name in ("no_pooling", "complete_pooling"):
        expected = getattr(hw, name)(data, "y", "group", level=0.9)
        assert one[name][COLUMNS].to_numpy() == pytest.approx(expected[COLUMNS].to_numpy())


def test_partial_pooling_is_the_package_s():
    one = kept(three_designs(), "finland", 4)
    fit = hw.glmer("y ~ (1 | group)", respondents(one), n_agq=3)
    eta, sd = fit.fixef["Intercept"] + fit.ranef["mode"], fit.ranef["sd"]
    z = stats.norm.ppf(0.95)
    expected = expit(np.column_stack([eta, eta - z * sd, eta + z * sd]))
    assert one["partial_pooling"][COLUMNS].to_numpy() == pytest.approx(expected, rel=1e-6)
    row = three_designs().estimates.query("design == 'finland' and rep == 4").iloc[0]
    assert row["mu"] == pytest.approx(fit.fixef["Intercept"], rel=1e-6)
    assert row["sigma"] == pytest.approx(fit.varcorr["sd"][0], rel=1e-6)


@pytest.mark.parametrize("setup", [FINLAND, LINEAR], ids=lambda s: s.name)
def test_the_full_interval_is_that_of_predict(setup):
    plan = repeat.Plan(setup, 1, 0.9, (5,))
    made = repeat.prepare(setup, plan.x_seed)
    _, y = repeat.draw(setup, made, np.random.default_rng(2))
    rows, full, _, _ = repeat._partial(plan, made, y)
    if setup.family == "binomial":
        data = pd.DataFrame({"group": made.codes, "y": y, "n": made.sizes})
        fit = hw.glmer("p(y, n) ~ (1 | group)", data)
    else:
        data = pd.DataFrame({"group": made.codes, "y": y, "x": made.x})
        fit = hw.lmer("y ~ x + (1 | group)", data)
    new = pd.DataFrame({"group": np.arange(len(made.sizes)), "x": 0.0})
    expected = fit.predict(new, interval=0.9)
    assert rows[0] == pytest.approx(expected["estimate"].to_numpy(), rel=1e-6)
    limits = expected[["conf_low", "conf_high"]].to_numpy().T
    assert full == pytest.approx(limits, rel=1e-5)


@pytest.mark.parametrize("beta", [None, 0.5])
def test_linear_estimators_are_least_squares(beta):
    setup = Setup(n=(1, 5, 8, 12, 4), sigma=0.7, beta=beta, family="gaussian")
    made = repeat.prepare(setup, (5,))
    _, y = repeat.draw(setup, made, np.random.default_rng(2))
    no, complete = repeat._linear(made, y, 0.8)
    indicators = pd.get_dummies(pd.Series(made.codes)).to_numpy(float)
    ones = np.ones((len(y), 1))
    for found, columns in ((no.T, indicators), (complete.T[:1], ones)):
        X = columns if beta is None else np.column_stack([columns, made.x])
        fit = sm.OLS(y, X).fit()
        k = columns.shape[1]
        expected = np.column_stack([fit.params, fit.conf_int(0.2)])[:k]
        assert found == pytest.approx(expected, rel=1e-10)
    assert (complete == complete[:, :1]).all()


def test_complete_pooling_with_a_predictor_is_a_logistic_regression():
    made = repeat.prepare(SMALL, (5,))
    _, y = repeat.draw(SMALL, made, np.random.default_rng(2))
    no, complete = repeat._binary(made, y, 0.9)
    X = sm.add_constant(made.x)
    fit = sm.GLM(np.column_stack([y, made.sizes - y]), X, sm.families.Binomial()).fit()
    frame = fit.get_prediction(X).summary_frame(alpha=0.1)
    expected = frame[["mean", "mean_ci_lower", "mean_ci_upper"]].to_numpy().T
    assert complete == pytest.approx(expected, rel=1e-6)
    assert no[0] == pytest.approx(y / made.sizes)


# --- closed forms -------------------------------------------------------------------------


@cache
def balanced():
    """Equal n, no predictor: everything is known."""
    setup = Setup(n=6, J=12, mu=2.0, sigma=0.5, residual_sd=1.5, family="gaussian", name="b")
    return setup, recover(setup, reps=200, keep=0)


def test_linear_no_pooling_has_the_error_of_a_group_mean():
    setup, result = balanced()
    assert_near(result, "no_pooling", "rmse", setup.residual_sd / np.sqrt(6))
    assert_near(result, "no_pooling", "bias", 0.0)
    assert_near(result, "no_pooling", "coverage", 0.9)  # the t interval is exact


def test_linear_complete_pooling_has_the_error_of_the_grand_mean():
    setup, result = balanced()
    variance = setup.sigma**2 * (1 - 1 / 12) + setup.residual_sd**2 / 72
    assert_near(result, "complete_pooling", "rmse", np.sqrt(variance))


def test_the_largest_of_normal_means():
    """E max of J standard normals gives the winner's curse of equal groups."""
    setup, result = balanced()
    error = setup.residual_sd**2 / 6
    total = setup.sigma**2 + error
    grid = np.linspace(-8, 8, 20_001)
    density = 12 * stats.norm.pdf(grid) * stats.norm.cdf(grid) ** 11
    largest = np.trapezoid(grid * density, grid)
    assert_near(result, "no_pooling", "bias_of_largest", error / np.sqrt(total) * largest)


def test_linear_partial_pooling_is_close_to_the_best_linear_predictor():
    """With known variances its error is at least the conditional sd."""
    setup, result = balanced()
    weight = setup.sigma**2 / (setup.sigma**2 + setup.residual_sd**2 / 6)
    within = weight * setup.residual_sd**2 / 6
    known = within + (1 - weight) ** 2 * (setup.sigma**2 + setup.residual_sd**2 / 6) / 12
    value = judged(result)["b", "partial_pooling", "rmse"]
    error = judged(result, "mc_error")["b", "partial_pooling", "rmse"]
    assert np.sqrt(known) - 4.5 * error < value < 1.1 * np.sqrt(known)


@cache
def linear():
    return recover(LINEAR, reps=100, keep=0)


def test_linear_slope_and_residual_sd_are_recovered():
    found = linear().parameters.set_index("parameter")
    for parameter in ("mu", "beta"):
        row = found.loc[parameter]
        assert abs(row["estimate"] - row["truth"]) < 4.5 * row["mc_error"]
    row = found.loc["residual_sd"]
    # the REML estimate is unbiased for the variance, so to second order in its own sd
    assert abs(row["estimate"] + row["sd"] ** 2 / 2 - 1) < 4.5 * row["mc_error"]


def test_no_pooling_with_a_slope_has_the_variance_of_least_squares():
    x_seed = np.random.SeedSequence(1).spawn(1)[0].spawn(2)[0].generate_state(4).tolist()
    made = repeat.prepare(LINEAR, tuple(x_seed))
    X = np.column_stack([pd.get_dummies(pd.Series(made.codes)).to_numpy(float), made.x])
    variance = np.diag(np.linalg.inv(X.T @ X))[:-1]
    assert_near(linear(), "no_pooling", "rmse", np.sqrt(variance.mean()))


def test_binary_no_pooling_has_the_error_of_a_proportion():
    setup = Setup(n=9, J=20, sigma=1.2, name="p")
    result = recover(setup, reps=100, keep=0)
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    p = expit(1.2 * nodes)
    variance = (weights * p * (1 - p)).sum() / weights.sum() / 9
    assert_near(result, "no_pooling", "rmse", np.sqrt(variance))
    assert_near(result, "no_pooling", "bias", 0.0)


def test_without_differences_complete_pooling_wins():
    table = judged(recover(Setup(n=10, J=10, sigma=0, name="same"), reps=60, keep=0))["same"]
    assert table["complete_pooling", "rmse"] < table["partial_pooling", "rmse"]
    assert table["partial_pooling", "rmse"] < table["no_pooling", "rmse"]
    assert table["complete_pooling", "best"] > table["partial_pooling", "best"]


def test_where_sigma_is_0_partial_and_complete_pooling_tie():
    result = recover(Setup(n=10, J=10, sigma=0, name="same"), reps=20, keep=20)
    zero = result.estimates.query("sigma < 1e-4")["rep"]
    assert len(zero) > 5
    wide = result.draws.pivot(index=["rep", "group"], columns="estimator", values="estimate")
    gap = (wide["partial_pooling"] - wide["complete_pooling"]).abs()
    assert gap.loc[list(zero)].max() < 1e-6
    best = judged(result).xs("best", level="measure")["same"]
    assert best["complete_pooling"] >= len(zero) / 2 / 20
    assert best.sum() == pytest.approx(1)
