"""Simulate and recover.

- Estimates of one repetition against other routes to them (the public functions of the package,
  statsmodels): 1e-10, or 1e-6 where both sides come from a search.
- Figures of many repetitions against closed forms: within 4.5 Monte Carlo errors (one false
  alarm in 1e5). Against an independent program's figures for the same designs, which have Monte
  Carlo errors of their own (300 and 100 repetitions) and are rounded: within 3.5 combined errors
  plus the rounding.
- The same seeds on any executor: equal to the last bit.
"""

import pickle
import warnings
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import cache
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import tqdm.auto
from scipy import stats
from scipy.special import expit

import hierwidgets as hw
from hierwidgets.errors import DataError, FitError, FitWarning, FormulaError
from hierwidgets.recovery import SHAPES, Recovery, Setup, repeat, run
from hierwidgets.recovery import runs as _run

FINLAND = Setup(n="finland", mu=-1.3717, sigma=0.31, name="finland")
SMALL = Setup(n=12, J=8, mu=-0.5, sigma=0.6, beta=0.8, name="small")
LINEAR = Setup(n=(3, 5, 8, 12, 4), sigma=0.7, beta=0.5, family="gaussian", name="linear")
ESTIMATORS = ("no_pooling", "partial_pooling", "complete_pooling")


def recover(designs, **given):
    return hw.simulate_and_recover(designs, **{"seed": 1, "progress": False} | given)


@cache
def mixed():
    return recover([FINLAND, SMALL, LINEAR], reps=10, keep=10, n_agq=3)


def same(a: Recovery, b: Recovery) -> None:
    for what in ("table", "parameters", "by_size", "estimates", "draws", "failures"):
        pd.testing.assert_frame_equal(getattr(a, what), getattr(b, what), check_exact=True)
    pd.testing.assert_series_equal(a.reps_done, b.reps_done)


def cells(result, measure="estimate"):
    return result.table.set_index(["design", "estimator", "measure"])[measure]


# --- what is true -------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "J"), [("finland", 14), ("uk", 253)])
def test_patterns_are_those_of_the_data(name, J):
    counts = hw.load(name)["district_id"].value_counts().to_numpy()
    assert Setup(n=name).sizes == Setup(n=name, J=J).sizes == tuple(sorted(counts))
    few = Setup(n=name, J=7).sizes
    assert set(few) <= set(counts)
    assert abs(np.median(few) - np.median(counts)) <= 0.25 * np.median(counts)


def test_sizes_and_labels():
    assert Setup(n=3, J=4).sizes == (3, 3, 3, 3)
    assert Setup(n=np.array([2, 9])).sizes == (2, 9)
    assert Setup(n=[2, 9]) == Setup(n=(2, 9), J=2).__class__(n=(2, 9))
    assert Setup(n=[2, 9], mu=1).label == "n=2 to 9, 2 groups, mu=1, sigma=1"
    assert Setup(n=3, J=4, shape="t").label == "n=3, 4 groups, mu=0, sigma=1, t"
    assert Setup(n=3, J=4, name="mine").label == "mine"
    label = "n=3, 4 groups, mu=0, sigma=1, beta=2, residual_sd=1"
    assert Setup(n=3, J=4, beta=2, family="gaussian").label == label


def clusters(x):
    sd = np.sqrt(1 - 0.81)
    return 0.5 * stats.norm.cdf(x, -0.9, sd) + 0.5 * stats.norm.cdf(x, 0.9, sd)


@pytest.mark.parametrize(
    ("shape", "cdf"),
    [
        ("normal", stats.norm.cdf),
        ("t", stats.t(4, scale=np.sqrt(0.5)).cdf),
        ("two clusters", clusters),
        ("skewed", stats.expon(loc=-1).cdf),
    ],
)
def test_shapes_are_what_they_are_called(shape, cdf):
    drawn = SHAPES[shape](np.random.default_rng(3), 20_000)
    assert stats.kstest(drawn, cdf).pvalue > 1e-4
    grid = np.linspace(-400, 400, 800_001)  # the law itself: mean 0, sd 1
    density = np.diff(cdf(grid))
    middle = (grid[1:] + grid[:-1]) / 2
    assert middle @ density == pytest.approx(0, abs=1e-4)
    assert middle**2 @ density == pytest.approx(1, abs=1e-4)


def test_every_shape_is_tested():
    assert set(SHAPES) == {"normal", "t", "two clusters", "skewed"}


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
    one = kept(mixed(), "finland", 4)
    data = respondents(one)
    for name in ("no_pooling", "complete_pooling"):
        expected = getattr(hw, name)(data, "y", "group", level=0.9)
        assert one[name][COLUMNS].to_numpy() == pytest.approx(expected[COLUMNS].to_numpy())


def test_partial_pooling_is_the_package_s():
    one = kept(mixed(), "finland", 4)
    fit = hw.glmer("y ~ (1 | group)", respondents(one), n_agq=3)
    eta, sd = fit.fixef["Intercept"] + fit.ranef["mode"], fit.ranef["sd"]
    z = stats.norm.ppf(0.95)
    expected = expit(np.column_stack([eta, eta - z * sd, eta + z * sd]))
    assert one["partial_pooling"][COLUMNS].to_numpy() == pytest.approx(expected, rel=1e-6)
    row = mixed().estimates.query("design == 'finland' and rep == 4").iloc[0]
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


# --- the measures -------------------------------------------------------------------------


def test_measures_are_what_the_draws_say():
    result = mixed()
    table, draws = cells(result), result.draws
    draws["error"] = draws["estimate"] - draws["truth"]
    draws["square"] = draws["error"] ** 2
    draws["in"] = draws["truth"].between(draws["conf_low"], draws["conf_high"])
    draws["width"] = draws["conf_high"] - draws["conf_low"]
    means = draws.groupby(["design", "estimator"])[["square", "error", "in", "width"]].mean()
    by_rep = draws.groupby(["design", "rep", "estimator"])["square"].mean().unstack()
    best = by_rep.le(1.000001 * by_rep.min(axis=1), axis=0)[list(ESTIMATORS)]
    best = best.div(best.sum(axis=1), axis=0).groupby("design").mean()
    for (design, estimator), row in means.iterrows():
        assert table[design, estimator, "rmse"] == pytest.approx(np.sqrt(row["square"]))
        assert table[design, estimator, "bias"] == pytest.approx(row["error"])
        assert table[design, estimator, "coverage"] == pytest.approx(row["in"])
        assert table[design, estimator, "width"] == pytest.approx(row["width"])
        assert table[design, estimator, "best"] == pytest.approx(best.loc[design, estimator])


def test_the_largest_raw_estimate_and_its_ties():
    result = recover(Setup(n=2, J=30, sigma=0.5), reps=5, keep=5)
    draws, expected = result.draws, {name: [] for name in ESTIMATORS}
    for _, one in draws.groupby("rep"):
        raw = one[one["estimator"] == "no_pooling"].set_index("group")["estimate"]
        top = raw.index[raw == raw.max()]
        for name, part in one.groupby("estimator"):
            at = part.set_index("group").loc[top]
            expected[name].append((at["estimate"] - at["truth"]).mean())
    assert any(len(v) for v in expected.values())
    found = result.table.query("measure == 'bias_of_largest'").set_index("estimator")["estimate"]
    for name in ESTIMATORS:
        assert found[name] == pytest.approx(np.mean(expected[name]))


def test_errors_by_size_add_up_to_the_whole():
    result = mixed()
    for (design, estimator), part in result.by_size.groupby(["design", "estimator"]):
        whole = np.sqrt(np.average(part["rmse"] ** 2, weights=part["groups"]))
        assert cells(result)[design, estimator, "rmse"] == pytest.approx(whole)
        whole = np.average(part["bias"], weights=part["groups"])
        assert cells(result)[design, estimator, "bias"] == pytest.approx(whole, abs=1e-12)
    finland = result.by_size.query("design == 'finland' and estimator == 'no_pooling'")
    assert list(finland["n"]) == sorted(set(Setup(n="finland").sizes))
    draws = result.draws.query("design == 'finland' and estimator == 'no_pooling'")
    square = ((draws["estimate"] - draws["truth"]) ** 2).groupby(draws["n"]).mean()
    assert finland["rmse"].to_numpy() ** 2 == pytest.approx(square.to_numpy())


def test_monte_carlo_errors_are_those_of_a_jackknife():
    result = recover(SMALL, reps=60, keep=60)
    draws = result.draws.query("estimator == 'partial_pooling'")
    square = ((draws["estimate"] - draws["truth"]) ** 2).groupby(draws["rep"]).mean().to_numpy()
    n = len(square)
    left = np.sqrt((square.sum() - square) / (n - 1))
    jackknife = np.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum())
    found = cells(result, "mc_error")["small", "partial_pooling", "rmse"]
    assert found == pytest.approx(jackknife, rel=0.03)  # the delta method's own error at n = 60
    inside = draws["truth"].between(draws["conf_low"], draws["conf_high"])
    share = inside.groupby(draws["rep"]).mean()
    found = cells(result, "mc_error")["small", "partial_pooling", "coverage"]
    assert found == pytest.approx(share.sem())


def test_parameters_are_means_of_the_estimates():
    result = mixed()
    table = result.parameters.set_index(["design", "parameter"])
    assert list(table.loc["finland"].index) == ["mu", "sigma"]
    assert list(table.loc["small"].index) == ["mu", "sigma", "beta"]
    assert list(table.loc["linear"].index) == ["mu", "sigma", "beta", "residual_sd"]
    for (design, parameter), row in table.iterrows():
        values = result.estimates.loc[result.estimates["design"] == design, parameter]
        assert row["estimate"] == pytest.approx(values.mean())
        assert row["mc_error"] == pytest.approx(values.sem())
        assert row["sd"] == pytest.approx(values.std())
        assert row["q95"] == pytest.approx(values.quantile(0.95))
        if parameter == "sigma":
            assert row["zero"] == pytest.approx((values < 1e-4).mean())
        else:
            assert np.isnan(row["zero"])
    assert table["zero"].max() > 0  # some repetition has an estimate of 0


# --- closed forms -------------------------------------------------------------------------


@cache
def balanced():
    """Equal n, no predictor: everything is known."""
    setup = Setup(n=6, J=12, mu=2.0, sigma=0.5, residual_sd=1.5, family="gaussian", name="b")
    return setup, recover(setup, reps=200, keep=0)


def near(result, estimator, measure, expected):
    design = next(iter(result.setups))
    value = cells(result)[design, estimator, measure]
    assert abs(value - expected) < 4.5 * cells(result, "mc_error")[design, estimator, measure]


def test_linear_no_pooling_has_the_error_of_a_group_mean():
    setup, result = balanced()
    near(result, "no_pooling", "rmse", setup.residual_sd / np.sqrt(6))
    near(result, "no_pooling", "bias", 0.0)
    near(result, "no_pooling", "coverage", 0.9)  # the t interval is exact


def test_linear_complete_pooling_has_the_error_of_the_grand_mean():
    setup, result = balanced()
    variance = setup.sigma**2 * (1 - 1 / 12) + setup.residual_sd**2 / 72
    near(result, "complete_pooling", "rmse", np.sqrt(variance))


def test_the_largest_of_normal_means():
    """E max of J standard normals gives the winner's curse of equal groups."""
    setup, result = balanced()
    error = setup.residual_sd**2 / 6
    total = setup.sigma**2 + error
    grid = np.linspace(-8, 8, 20_001)
    density = 12 * stats.norm.pdf(grid) * stats.norm.cdf(grid) ** 11
    largest = np.trapezoid(grid * density, grid)
    near(result, "no_pooling", "bias_of_largest", error / np.sqrt(total) * largest)


def test_linear_partial_pooling_is_close_to_the_best_linear_predictor():
    """With known variances its error is at least the conditional sd."""
    setup, result = balanced()
    weight = setup.sigma**2 / (setup.sigma**2 + setup.residual_sd**2 / 6)
    within = weight * setup.residual_sd**2 / 6
    known = within + (1 - weight) ** 2 * (setup.sigma**2 + setup.residual_sd**2 / 6) / 12
    value = cells(result)["b", "partial_pooling", "rmse"]
    error = cells(result, "mc_error")["b", "partial_pooling", "rmse"]
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
    near(linear(), "no_pooling", "rmse", np.sqrt(variance.mean()))


def test_binary_no_pooling_has_the_error_of_a_proportion():
    setup = Setup(n=9, J=20, sigma=1.2, name="p")
    result = recover(setup, reps=100, keep=0)
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    p = expit(1.2 * nodes)
    variance = (weights * p * (1 - p)).sum() / weights.sum() / 9
    near(result, "no_pooling", "rmse", np.sqrt(variance))
    near(result, "no_pooling", "bias", 0.0)


def test_without_differences_complete_pooling_wins():
    table = cells(recover(Setup(n=10, J=10, sigma=0, name="same"), reps=60, keep=0))["same"]
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
    best = cells(result).xs("best", level="measure")["same"]
    assert best["complete_pooling"] >= len(zero) / 2 / 20
    assert best.sum() == pytest.approx(1)


# --- seeds and executors ------------------------------------------------------------------


def test_the_seed_decides():
    a, b = recover(SMALL, reps=4), recover(SMALL, reps=4)
    same(a, b)
    other = recover(SMALL, reps=4, seed=2)
    assert (a.estimates["mu"] != other.estimates["mu"]).all()


def test_more_repetitions_begin_with_the_same():
    few, many = recover([SMALL, LINEAR], reps=4), recover([SMALL, LINEAR], reps=9)
    pd.testing.assert_frame_equal(
        few.estimates, many.estimates.query("rep < 4").reset_index(drop=True), check_exact=True
    )


def test_a_seed_sequence_may_have_spawned_before():
    root = np.random.SeedSequence(7)
    first = recover(SMALL, reps=3, seed=root)
    root.spawn(2)
    same(first, recover(SMALL, reps=3, seed=root))
    same(first, recover(SMALL, reps=3, seed=7))
    assert recover(SMALL, reps=3, seed=[1, 2]).reps_done["small"] == 3


@pytest.mark.parametrize("chunk", [3, 100])
def test_chunks_do_not_matter(chunk):
    same(mixed(), recover([FINLAND, SMALL, LINEAR], reps=10, keep=10, n_agq=3, chunk=chunk))


def test_threads_give_the_same():
    with ThreadPoolExecutor(2) as pool:
        found = recover([FINLAND, SMALL, LINEAR], reps=10, keep=10, n_agq=3, executor=pool)
    same(mixed(), found)


def test_processes_give_the_same():
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        found = recover([FINLAND, SMALL, LINEAR], reps=10, keep=10, n_agq=3, executor=pool, chunk=4)
    same(mixed(), found)


def on_dask(processes):
    from distributed import Client, LocalCluster

    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, processes=processes, dashboard_address=None
    )
    with cluster, Client(cluster) as client:
        return recover(
            [FINLAND, SMALL, LINEAR], reps=10, keep=10, n_agq=3, executor=client.get_executor()
        )


def test_a_dask_cluster_gives_the_same():
    same(mixed(), on_dask(processes=False))


@pytest.mark.slow
def test_a_dask_cluster_of_processes_gives_the_same():
    same(mixed(), on_dask(processes=True))


# --- progress, stopping, failing ----------------------------------------------------------


def test_run_hands_over_what_there_is():
    steps = list(run([SMALL, LINEAR], reps=5, seed=1, chunk=2))
    assert [list(r.reps_done) for r in steps] == [[2, 0], [2, 2], [4, 2], [4, 4], [5, 4], [5, 5]]
    same(steps[-1], recover([SMALL, LINEAR], reps=5))
    first = steps[0].table
    assert first.query("design == 'small'")["estimate"].notna().all()
    assert first.query("design == 'linear'")["estimate"].isna().all()
    assert "2 of 5 repetitions" in repr(steps[0])
    assert not steps[-1].stopped


def test_run_on_an_executor_ends_with_everything():
    with ThreadPoolExecutor(2) as pool:
        *_, last = run([SMALL, LINEAR], reps=5, seed=1, executor=pool, chunk=1)
    same(last, recover([SMALL, LINEAR], reps=5))


class Idle(Executor):
    """Does its first `able` tasks when they come in, and none of the others."""

    def __init__(self, able, error=None):
        self.able, self.error, self.futures = able, error, []

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        self.futures.append(future)
        if len(self.futures) <= self.able:
            future.set_result(fn(*args, **kwargs))
        elif self.error is not None:
            future.set_exception(self.error)
        return future


def test_run_comes_back_while_nothing_happens_and_closes_cleanly():
    idle = Idle(able=1)
    steps = run(SMALL, reps=6, seed=1, executor=idle, chunk=2)
    counts = [next(steps).reps_done["small"] for _ in range(3)]
    assert counts == [2, 2, 2]
    steps.close()
    assert [future.cancelled() for future in idle.futures] == [False, True, True]


def test_run_checks_its_arguments_at_once():
    with pytest.raises(DataError, match="reps=0"):
        run(SMALL, reps=0, seed=1)


def interrupt_at(monkeypatch, n):
    calls = []

    def perform(task):
        calls.append(task)
        if len(calls) > n:
            raise KeyboardInterrupt
        return repeat.repeat(task.plan, task.seeds, task.keep)

    monkeypatch.setattr(_run, "perform", perform)


def test_an_interrupt_keeps_what_is_done(monkeypatch):
    whole = recover([SMALL, LINEAR], reps=9)
    interrupt_at(monkeypatch, 7)
    with pytest.warns(FitWarning, match="interrupted: 7 of 18 repetitions are done, and kept"):
        result = recover([SMALL, LINEAR], reps=9)
    assert result.reps_done.to_dict() == {"small": 4, "linear": 3}
    assert result.stopped.startswith("interrupted")
    assert "interrupted: 7 of 18" in repr(result)
    expected = whole.estimates.query("rep < 3 or (rep == 3 and design == 'small')")
    pd.testing.assert_frame_equal(
        result.estimates, expected.reset_index(drop=True), check_exact=True
    )


def test_an_interrupt_before_anything_is_done_is_an_interrupt(monkeypatch):
    interrupt_at(monkeypatch, 0)
    with pytest.raises(KeyboardInterrupt):
        recover(SMALL, reps=3)


def test_an_interrupt_cancels_what_is_pending(monkeypatch):
    idle, waits, wait = Idle(able=2), [], _run.wait

    def interrupted(*args, **kwargs):
        waits.append(1)
        if len(waits) > 1:
            raise KeyboardInterrupt
        return wait(*args, **kwargs)

    monkeypatch.setattr(_run, "wait", interrupted)
    with pytest.warns(FitWarning, match="interrupted: 4 of 8"):
        result = recover(SMALL, reps=8, executor=idle, chunk=2)
    assert result.reps_done["small"] == 4
    assert [future.cancelled() for future in idle.futures] == [False, False, True, True]


def test_an_interrupt_that_reaches_a_worker_first():
    idle = Idle(able=1, error=KeyboardInterrupt())
    with pytest.warns(FitWarning, match="interrupted: 2 of 6"):
        assert recover(SMALL, reps=6, executor=idle, chunk=2).reps_done["small"] == 2


def test_an_executor_that_breaks_midway_keeps_what_is_done():
    idle = Idle(able=2, error=OSError("the disk is full"))
    with pytest.warns(FitWarning, match=r"failed \(OSError: the disk is full\): 4 of 6"):
        result = recover(SMALL, reps=6, executor=idle, chunk=2)
    assert result.reps_done["small"] == 4
    *_, last = run(SMALL, reps=6, seed=1, executor=Idle(2, OSError("x")), chunk=2)
    assert last.reps_done["small"] == 4
    assert "OSError" in last.stopped


def test_an_executor_that_never_worked():
    with pytest.raises(FitError, match="failed before any repetition was done"):
        recover(SMALL, reps=6, executor=Idle(0, OSError("x")))
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(FitError, match="cannot schedule new futures after shutdown"):
        recover(SMALL, reps=6, executor=pool)


def test_failures_are_counted_and_left_out():
    rare = Setup(n=2, J=3, mu=-2.5, sigma=0.2, name="rare")
    with pytest.warns(FitWarning, match="repetitions could not be fitted and are left out") as said:
        result = recover([rare, SMALL], reps=30, keep=30)
    failed = result.failures
    assert 0 < len(failed) < 30
    assert set(failed["design"]) == {"rare"}
    assert failed["message"].str.contains("0 in every row").any()
    assert f"{len(failed)} of 60" in str(said[0].message)
    assert result.reps_done.to_dict() == {"rare": 30, "small": 30}
    assert len(result.estimates.query("design == 'rare'")) == 30 - len(failed)
    assert f"30 of 30 repetitions, {len(failed)} failed" in repr(result)
    assert result.draws.query("design == 'rare'")["rep"].nunique() == 30 - len(failed)
    assert result.table["estimate"].notna().all()


def test_nothing_could_be_fitted():
    never = Setup(n=1, J=2, mu=-40.0, sigma=0.0)
    with pytest.warns(FitWarning, match="3 of 3 repetitions could not be fitted"):
        result = recover(never, reps=3)
    assert result.table["estimate"].isna().all()
    assert result.parameters["estimate"].isna().all()
    assert result.by_size["rmse"].isna().all()
    assert result.draws.empty
    assert "3 failed" in repr(result)


def test_one_repetition_has_no_monte_carlo_error():
    result = recover(SMALL, reps=1)
    assert result.table["estimate"].notna().all()
    assert result.table["mc_error"].isna().all()
    assert result.parameters["mc_error"].isna().all()


def test_fits_that_do_not_converge_are_counted_and_kept(monkeypatch):
    partial = repeat._partial
    monkeypatch.setattr(repeat, "_partial", lambda *given: (*partial(*given)[:3], False))
    with pytest.warns(FitWarning, match="4 of 4 fits did not converge; they are kept"):
        result = recover(SMALL, reps=4)
    assert result.unsettled["small"] == 4
    assert not result.estimates["converged"].any()
    assert result.table["estimate"].notna().all()


def test_the_bar_moves(monkeypatch, capsys):
    bars = []

    class Bar(tqdm.auto.tqdm):
        def close(self):
            if self not in bars:
                bars.append(self)
            super().close()

    monkeypatch.setattr(tqdm.auto, "tqdm", Bar)
    recover([SMALL, LINEAR], reps=3, progress=True)
    assert [(bar.total, bar.n, bar.disable) for bar in bars[:1]] == [(6, 6, True)]
    assert "simulate and recover" in capsys.readouterr().err
    recover(SMALL, reps=3)
    assert not capsys.readouterr().err


def test_a_good_run_is_quiet_and_can_be_stored():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = recover(SMALL, reps=3)
    same(result, pickle.loads(pickle.dumps(result)))
    assert result.draws["rep"].unique().tolist() == [0]
    assert recover(SMALL, reps=3, keep=0).draws.empty
    assert recover(SMALL, reps=3, keep=2, chunk=2).draws["rep"].nunique() == 2


# --- what may be given --------------------------------------------------------------------


def test_designs_come_in_several_forms():
    plain = {"n": 12, "J": 8, "mu": -0.5, "sigma": 0.6, "beta": 0.8}
    one = recover(SMALL, reps=2).estimates["mu"]
    for designs in (plain, [plain], {"a": plain}, {"a": SMALL}, [SMALL], (SMALL,)):
        assert (recover(designs, reps=2).estimates["mu"] == one).all()
    assert list(recover({"a": plain, "b": LINEAR}, reps=2).setups) == ["a", "b"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n": "sweden"}, r"n='sweden' is not a pattern.*\['finland', 'uk'\]"),
        ({"n": 0, "J": 3}, "n=0; give a whole number of observations"),
        ({"n": 2.5, "J": 3}, "n=2.5; give a whole"),
        ({"n": True, "J": 3}, "n=True; give a whole"),
        ({"n": 5}, "n=5 is the size of every group; say how many there are with J"),
        ({"n": None}, "n=None; give a whole number, a sequence"),
        ({"n": [5]}, "n holds 1 sizes; a design needs two"),
        ({"n": [5, 0]}, r"n\[1\]=0; give a whole"),
        ({"n": [5, 4], "J": 3}, "n holds 2 sizes and J=3"),
        ({"n": 5, "J": 1}, "J=1; give a whole number of groups, 2 or larger"),
        ({"n": 5, "J": 2.0}, "J=2.0; give a whole number of groups"),
        ({"n": 5, "J": 3, "sigma": -1}, "sigma=-1; it must be 0 or above 0"),
        ({"n": 5, "J": 3, "sigma": np.nan}, "sigma=nan is not a number"),
        ({"n": 5, "J": 3, "mu": "0"}, "mu='0' is not a number"),
        ({"n": 5, "J": 3, "beta": np.inf}, "beta=inf is not a number"),
        ({"n": 5, "J": 3, "residual_sd": 0}, "residual_sd=0; it must be above 0"),
        ({"n": 5, "J": 3, "family": "poisson"}, r"family='poisson'.*\['binomial', 'gaussian'\]"),
        ({"n": 5, "J": 3, "shape": "uniform"}, "shape='uniform' is not known; choose one of"),
        ({"n": 5, "J": 3, "name": 3}, "name=3; a design's name is text"),
        ({"n": 1, "J": 3, "family": "gaussian"}, "3 observations in 3 groups leave none"),
    ],
)
def test_bad_setup(given, message):
    with pytest.raises(DataError, match=message):
        Setup(**given)


@pytest.mark.parametrize(
    ("designs", "message"),
    [
        ([], r"designs=\[\]; give a Setup, a list of them, or a dict"),
        ("finland", "designs='finland'; give a Setup"),
        ({}, "a design needs n"),
        ({"J": 3}, "a design needs n"),
        ({"n": 5, "J": 3, "sd": 1}, "a design has no 'sd'; it has"),
        ([SMALL, 3], "3 is not a design; give a Setup, or a dict"),
        ([SMALL, SMALL], "several designs are labelled 'small'; tell them apart by name"),
        ({3: SMALL}, "a design is named 3; names are text"),
    ],
)
def test_bad_designs(designs, message):
    with pytest.raises(DataError, match=message):
        recover(designs)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"reps": 0}, DataError, "reps=0; give a whole number, 1 or larger"),
        ({"reps": 2.0}, DataError, "reps=2.0"),
        ({"keep": -1}, DataError, "keep=-1; give a whole number, 0 or larger"),
        ({"chunk": 0}, DataError, "chunk=0"),
        ({"level": 90}, DataError, "level=90; a confidence level lies between 0 and 1"),
        ({"seed": None}, DataError, "seed=None is not a seed"),
        ({"seed": -1}, DataError, "seed=-1 is not a seed"),
        ({"seed": "x"}, DataError, "seed='x' is not a seed"),
        ({"executor": 4}, DataError, "executor=4 is not a concurrent.futures.Executor"),
        ({"n_agq": 0}, FitError, "n_agq=0 is not a number of quadrature points"),
        ({"designs": LINEAR, "n_agq": 5}, FormulaError, "a Gaussian model is integrated exactly"),
    ],
)
def test_bad_arguments(given, error, message):
    with pytest.raises(error, match=message):
        recover(given.pop("designs", SMALL), **given)


# --- calibration --------------------------------------------------------------------------


def agrees(value, error, before, spread, reps, digits):
    """Two simulations of the same: `before` is rounded and of `reps` repetitions."""
    both = np.hypot(error, spread / np.sqrt(reps))
    assert abs(value - before) < 3.5 * both + 0.5 * 10.0**-digits, (value, before, both)


def check_before(result, reps, figures):
    design = next(iter(result.setups))
    done = result.reps_done[design]
    errors, values = cells(result, "mc_error"), cells(result)
    for (estimator, measure), (before, digits) in figures.items():
        error = errors[design, estimator, measure]
        agrees(
            values[design, estimator, measure], error, before, error * np.sqrt(done), reps, digits
        )


@pytest.mark.slow
def test_finland_s_figures():
    result = recover(FINLAND, reps=2000, keep=0, n_agq=25)
    figures = {
        ("no_pooling", "rmse"): (0.053, 3),
        ("partial_pooling", "rmse"): (0.038, 3),
        ("complete_pooling", "rmse"): (0.049, 3),
        ("partial_pooling", "best"): (0.84, 2),
        ("no_pooling", "coverage"): (0.88, 2),
        ("partial_pooling", "coverage"): (0.75, 2),
        ("no_pooling", "bias_of_largest"): (0.076, 3),
        ("partial_pooling", "bias_of_largest"): (-0.005, 3),
    }
    check_before(result, 300, figures)
    zero = result.parameters.set_index("parameter").loc["sigma"]
    spread = np.sqrt(zero["zero"] * (1 - zero["zero"]))
    agrees(zero["zero"], zero["zero_mc_error"], 0.08, spread, 300, 2)


@cache
def uk(n_agq):
    setup = Setup(n="uk", mu=-0.8682, sigma=0.8036, name="uk")
    return recover(setup, reps=500, keep=500, n_agq=n_agq)


@pytest.mark.slow
def test_the_uk_s_figures():
    figures = {
        ("no_pooling", "rmse"): (0.306, 3),
        ("partial_pooling", "rmse"): (0.139, 3),
        ("complete_pooling", "rmse"): (0.158, 3),
        ("partial_pooling", "best"): (0.99, 2),
        ("no_pooling", "coverage"): (0.43, 2),
        ("partial_pooling", "coverage"): (0.88, 2),
    }
    check_before(uk(25), 100, figures)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("estimator", "before"), [("no_pooling", 0.585), ("partial_pooling", 0.029)]
)
def test_the_uk_s_largest(estimator, before):
    """The other program took one of the groups that tie, which has a larger error of its own."""
    draws = uk(25).draws
    raw = draws[draws["estimator"] == "no_pooling"].set_index(["rep", "group"])["estimate"]
    one = raw.groupby("rep").idxmax()
    at = draws[draws["estimator"] == estimator].set_index(["rep", "group"]).loc[one]
    spread = (at["estimate"] - at["truth"]).std()
    value, error = (
        cells(uk(25), what)["uk", estimator, "bias_of_largest"] for what in ("estimate", "mc_error")
    )
    agrees(value, error, before, spread, 100, 3)


@pytest.mark.slow
@pytest.mark.parametrize(("n_agq", "before"), [(25, 0.815), (1, 0.724)])
def test_the_uk_s_sigma(n_agq, before):
    row = uk(n_agq).parameters.set_index("parameter").loc["sigma"]
    agrees(row["estimate"], row["mc_error"], before, row["sd"], 100, 3)


@pytest.mark.slow
def test_laplace_is_too_small_on_the_same_draws():
    both = [uk(n_agq).estimates["sigma"] for n_agq in (1, 25)]
    gap = both[0] - both[1]
    assert gap.mean() + 4.5 * gap.sem() < 0
    assert (uk(1).draws["truth"] == uk(25).draws["truth"]).all()


@pytest.mark.slow
@pytest.mark.parametrize("family", ["binomial", "gaussian"])
def test_with_many_large_groups_every_parameter_and_interval_is_right(family):
    """Biases of order 1 / J and 1 / n are below the Monte Carlo error here."""
    setup = Setup(n=60, J=150, mu=-0.4, sigma=0.6, beta=0.5, family=family, name="large")
    result = recover(setup, reps=150, keep=0, n_agq=5 if family == "binomial" else 1)
    for _, row in result.parameters.iterrows():
        slack = 0.01 * setup.sigma if row["parameter"] == "sigma" else 0.0  # (p + 1) / (2 J)
        assert abs(row["estimate"] - row["truth"]) < 4.5 * row["mc_error"] + slack
    near(result, "partial_pooling", "coverage_full", 0.9)


@pytest.mark.slow
def test_monte_carlo_errors_are_the_spread_between_runs():
    setup = Setup(n=6, J=10, sigma=0.5, family="gaussian", name="g")
    runs = [recover(setup, reps=40, keep=0, seed=s) for s in range(60)]
    values = pd.DataFrame([cells(r)["g"] for r in runs])
    errors = pd.DataFrame([cells(r, "mc_error")["g"] for r in runs])
    ratio = values.var() / (errors**2).mean()
    low, high = stats.chi2.ppf([5e-5, 1 - 5e-5], 59) / 59
    measured = ratio.drop(index="best", level="measure")
    assert measured.between(low, high).all(), measured


def test_a_design_without_a_predictor_is_prepared_once_for_all_seeds():
    repeat.prepare.cache_clear()
    for seed in range(3):
        hw.simulate_and_recover(Setup(n=7, J=6), reps=2, seed=seed, progress=False)
    assert repeat.prepare.cache_info().misses == 1
