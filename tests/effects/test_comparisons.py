"""Comparisons and slopes.

Tolerances: closed forms (Henderson's equations, chain rule) to 1e-8 and central differences of
the conditional modes to 1e-6, both relative; simulations to four Monte Carlo standard errors,
computed beside them. The posterior quantities of the several-countries model only bound ours:
the ML fit is singular and has no prior, so it must lie inside their 90 % intervals.
"""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.special import expit

import hierwidgets as hw
from hierwidgets.likelihood import blocks
from hierwidgets.likelihood.joint_covariance import Functionals, effect_rows, joint_covariance
from hierwidgets.likelihood.laplace import conditional_modes
from hierwidgets.likelihood.prediction import derivative
from hierwidgets.spec import rows as predict

SEVERAL = (
    "contacted ~ district_competitiveness * electoral_rules + (1 | district_id)"
    " + (1 + district_competitiveness | election_id)"
)


def grouped(seed, groups=30, size=20, family="binomial", other=6):
    """Rows with a numeric x, a text arm, two crossed grouping factors and a response."""
    rng = np.random.default_rng(seed)
    n = groups * size
    g, h = np.repeat(np.arange(groups), size), rng.integers(0, other, n)
    x = rng.normal(size=n)
    arm = rng.choice(["a", "b", "c"], n)
    b = rng.normal(size=(groups, 2)) @ np.array([[0.6, 0.2], [0.0, 0.4]])
    eta = -0.3 + 0.5 * x + 0.4 * (arm == "b") + b[g, 0] + b[g, 1] * x
    eta += 0.5 * rng.normal(size=other)[h]
    draw = {
        "binomial": lambda: rng.binomial(1, expit(eta)),
        "poisson": lambda: rng.poisson(np.exp(0.5 * eta)),
        "gaussian": lambda: eta + rng.normal(size=n),
    }
    names = {"x": x, "arm": arm, "g": [f"g{i:02d}" for i in g], "h": [f"h{i}" for i in h]}
    return pd.DataFrame({"y": draw[family](), **names})


@pytest.fixture(scope="module")
def uk():
    formula = "contacted ~ district_competitiveness + (1 | district_id)"
    return hw.glmer(formula, hw.load("uk"), event="Contacted")


@pytest.fixture(scope="module")
def finland():
    return hw.glmer("contacted ~ (1 | district_id)", hw.load("finland"), event="Contacted")


@pytest.fixture(scope="module")
def several():
    return hw.glmer(SEVERAL, hw.load("rainey2015"), event="Contacted")


@pytest.fixture(scope="module")
def crossed():
    return hw.glmer("y ~ x * arm + (1 + x | g) + (1 | h)", grouped(1))


def everything(fit):
    """The joint covariance of (beta, b), dense."""
    p, sizes = len(fit.beta), [t.J * t.k for t in fit.design.terms]
    q = sum(sizes)
    unit = sparse.eye_array(p + q, format="csc")
    at = p + np.concatenate([[0], np.cumsum(sizes)])
    effects = tuple(unit[:, a:b].tocsr() for a, b in itertools.pairwise(at))
    return Functionals(np.vstack([np.eye(p), np.zeros((q, p))]), effects)


def joint_of(fit, covariance=None):
    covariance = fit.covariance if covariance is None else covariance
    return joint_covariance(fit.design, fit.family, fit.theta, fit.beta, covariance, fit.sigma)


# --- the joint covariance -----------------------------------------------------------------


@pytest.mark.parametrize("reml", [True, False])
def test_gaussian_joint_covariance_is_the_inverse_of_the_mixed_model_equations(reml):
    data = grouped(2, family="gaussian")
    fit = hw.lmer("y ~ x + arm + (1 + x | g) + (1 | h)", data, reml=reml)
    m = len(fit.theta)
    given = fit.covariance.copy()
    given[:m] = given[:, :m] = 0.0  # theta known
    design = fit.design
    Z = np.hstack(
        [
            np.einsum("ij,ik->ijk", np.eye(t.J)[t.codes], t.Z).reshape(len(design.y), -1)
            for t in design.terms
        ]
    )
    G = [
        np.kron(np.eye(t.J), fit.sigma**2 * L @ L.T)
        for t, L in zip(design.terms, design.template.factors(fit.theta), strict=True)
    ]
    W = np.hstack([design.X, Z])
    equations = W.T @ W / fit.sigma**2
    at = design.X.shape[1]
    for block in G:
        part = slice(at, at + len(block))
        equations[part, part] += np.linalg.inv(block)
        at += len(block)
    expected = np.linalg.inv(equations)
    found = joint_of(fit, given).matrix(everything(fit))
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-8 * np.abs(expected).max())


FITS = {
    "logit": lambda: hw.glmer("y ~ x + arm + (1 + x | g) + (1 | h)", grouped(3)),
    "probit": lambda: hw.glmer("y ~ x + (1 | g) + (1 | h)", grouped(3), link="probit"),
    "cloglog": lambda: hw.glmer("y ~ x + (1 + x || g)", grouped(3), link="cloglog"),
    "poisson": lambda: hw.glmer("y ~ x + (1 + x | g)", grouped(4, family="poisson"), "poisson"),
    "gaussian": lambda: hw.lmer("y ~ x + (1 + x | g) + (1 | h)", grouped(4, family="gaussian")),
    "quadrature": lambda: hw.glmer("y ~ x + (1 | g)", grouped(5), n_agq=7),
}


@pytest.mark.parametrize("name", FITS)
def test_derivative_through_the_modes_is_a_finite_difference(name):
    fit = FITS[name]()
    new = predict.rows_of(fit.design, None, predict.kept_columns(fit.design, None), "error")
    expected = derivative(fit.design, fit.family, new, fit.theta, fit.beta)
    found = np.hstack([np.zeros((len(new.X), len(fit.theta))), new.X])
    for Z, slope in zip(effect_rows(fit.design, new), joint_of(fit).slopes, strict=True):
        found += Z @ slope
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", FITS)
def test_variance_of_single_rows_is_that_of_predict(name):
    fit = FITS[name]()
    new = predict.rows_of(fit.design, None, predict.kept_columns(fit.design, None), "error")
    variance = joint_of(fit).variance(Functionals(new.X, effect_rows(fit.design, new)))
    expected = fit.predict(scale="link", interval=0.9)["std_error"]
    assert np.sqrt(variance) == pytest.approx(expected.to_numpy(), rel=1e-6)


def test_variances_are_the_diagonal_of_the_matrix(crossed, several):
    for fit in (crossed, several):
        given = everything(fit)
        matrix = joint_of(fit).matrix(given)
        assert joint_of(fit).variance(given) == pytest.approx(np.diag(matrix), rel=1e-10, abs=1e-14)


def test_sparse_algebra_gives_the_dense_answer(monkeypatch):
    fit = hw.glmer("y ~ x + (1 + x | g) + (1 | h)", grouped(6))
    expected = joint_of(fit).matrix(everything(fit))
    monkeypatch.setattr(blocks, "DENSE_LIMIT", 0)
    known = joint_of(fit)
    assert known.blocks.lay.sparse
    assert known.matrix(everything(fit)) == pytest.approx(expected, rel=1e-9, abs=1e-12)


# --- simulation ---------------------------------------------------------------------------


def draws_of(fit, new, scale, n, seed):
    """eta (n, rows) with parameters drawn, effects at their modes there, and noise about them.

    Deviations are shrunk by `scale`, so that what is not linear in them vanishes.
    """
    rng = np.random.default_rng(seed)
    m = len(fit.theta)
    root = np.linalg.cholesky(fit.covariance)
    d = fit.family.derivatives(fit.design.y, fit.design.trials, fit.modes.eta)
    (term,) = fit.design.terms
    L = fit.design.template.factors(fit.theta)[0]
    information = np.zeros((term.J, term.k, term.k))
    np.add.at(
        information, term.codes, d.weight[:, None, None] * term.Z[:, :, None] * term.Z[:, None, :]
    )
    spread = np.linalg.inv(np.eye(term.k) + L.T @ information @ L)  # of u given parameters
    noise = L @ np.linalg.cholesky(spread)
    out = np.empty((n, len(new.X)))
    for i in range(n):
        moved = np.concatenate([fit.theta, fit.beta]) + scale * root @ rng.normal(size=len(root))
        modes = conditional_modes(fit.design, fit.family, moved[m:], moved[:m])
        b = modes.b[0] + scale * np.einsum("jkl,jl->jk", noise, rng.normal(size=(term.J, term.k)))
        own = np.einsum("ij,ij->i", new.Z[0], b[new.codes[0]])
        out[i] = new.X @ moved[m:] + own
    return out


def test_standard_errors_are_the_spread_of_joint_draws():
    fit = hw.glmer("y ~ x + (1 + x | g)", grouped(7, groups=20, size=60))
    assert not fit.singular
    rows = pd.DataFrame({"g": ["g00", "g07", "g13"], "x": [0.0, 0.5, 1.0]})
    kept = predict.kept_columns(fit.design, None)
    n, scale = 3000, 0.05
    at = [rows.assign(x=-1.0), rows.assign(x=1.0), rows.assign(x=rows["x"] - 1e-3)]
    at.append(rows.assign(x=rows["x"] + 1e-3))
    new = predict.rows_of(fit.design, pd.concat(at), kept, "error")
    mu = expit(draws_of(fit, new, scale, n, seed=11)).reshape(n, 4, 3)
    margin = 4 / np.sqrt(2 * n)
    difference = hw.comparisons(fit, {"x": [-1.0, 1.0]}, rows)["std_error"].to_numpy()
    drawn = (mu[:, 1] - mu[:, 0]).std(axis=0) / scale
    assert drawn == pytest.approx(difference, rel=margin)
    slope = hw.slopes(fit, "x", rows)["std_error"].to_numpy()
    assert ((mu[:, 3] - mu[:, 2]) / 2e-3).std(axis=0) / scale == pytest.approx(slope, rel=margin)
    average = hw.comparisons(fit, {"x": [-1.0, 1.0]}, rows, average=True)["std_error"].item()
    drawn = (mu[:, 1] - mu[:, 0]).mean(axis=1).std() / scale
    assert drawn == pytest.approx(average, rel=margin)


def test_intervals_cover_the_truth_of_simulated_groups():
    """Parametric simulation: the 90 % interval of each group's own difference and slope.

    Coverage over 40 groups and 60 data sets; groups of a data set share its estimates, so the
    Monte Carlo error is taken from the data sets' own coverages.
    """
    rng = np.random.default_rng(5)
    groups, size, reps = 40, 40, 60
    g = np.repeat(np.arange(groups), size)
    x = np.tile(np.linspace(-1, 1, size), groups)
    at = pd.DataFrame({"g": np.arange(groups), "x": 0.5})
    joint_hits, slope_hits, known_hits = [], [], []
    for _ in range(reps):
        b = rng.normal(size=(groups, 2)) * [0.7, 0.6]
        truth_low = expit(-0.2 + b[:, 0] - (0.8 + b[:, 1]))
        truth_high = expit(-0.2 + b[:, 0] + 0.8 + b[:, 1])
        y = rng.binomial(1, expit(-0.2 + 0.8 * x + b[g, 0] + b[g, 1] * x))
        fit = hw.glmer("y ~ x + (1 + x || g)", pd.DataFrame({"y": y, "x": x, "g": g}))
        truth = truth_high - truth_low
        for hits, conditional in ((joint_hits, False), (known_hits, True)):
            found = hw.comparisons(fit, {"x": [-1, 1]}, at, conditional=conditional)
            inside = (found["conf_low"] <= truth) & (truth <= found["conf_high"])
            hits.append(inside.mean())
        mu = expit(-0.2 + b[:, 0] + 0.5 * (0.8 + b[:, 1]))
        slope, found = mu * (1 - mu) * (0.8 + b[:, 1]), hw.slopes(fit, "x", at)
        slope_hits.append(((found["conf_low"] <= slope) & (slope <= found["conf_high"])).mean())
    for hits in (joint_hits, slope_hits):
        error = np.std(hits) / np.sqrt(reps)
        assert abs(np.mean(hits) - 0.9) < 4 * error
    assert np.mean(known_hits) < 0.6  # what leaving out the effects' uncertainty costs


# --- the quantities -----------------------------------------------------------------------


def test_a_difference_is_that_of_two_predictions(crossed):
    rows = grouped(1).head(40)
    found = hw.comparisons(crossed, {"arm": ["a", "c"]}, rows)
    hi, lo = (crossed.predict(rows.assign(arm=arm))["estimate"] for arm in "ca")
    assert found["estimate"].to_numpy() == pytest.approx((hi - lo).to_numpy(), rel=1e-12)
    assert list(found.columns) == [
        "term", "contrast", *rows.columns, "estimate", "std_error", "conf_low", "conf_high",
    ]  # fmt: skip
    assert set(found["contrast"]) == {"c - a"}


def test_on_the_link_scale_the_standard_error_is_that_of_the_coefficient(uk):
    at = pd.DataFrame({"district_competitiveness": [0.1]})
    found = hw.comparisons(uk, "district_competitiveness", at, re_formula="~0", scale="link")
    name = "district_competitiveness"
    assert found["estimate"].item() == pytest.approx(uk.fixef[name], rel=1e-12)
    assert found["std_error"].item() == pytest.approx(uk.std_error[name], rel=1e-12)
    odds = hw.comparisons(uk, name, at, re_formula="~0", comparison="lnor")
    assert odds["estimate"].item() == pytest.approx(uk.fixef[name], rel=1e-10)
    assert odds["std_error"].item() == pytest.approx(uk.std_error[name], rel=1e-10)
    assert found["conf_high"].item() == pytest.approx(
        uk.fixef[name] + 1.6448536269514722 * uk.std_error[name], rel=1e-12
    )


def test_slopes_obey_the_chain_rule(crossed):
    rows = grouped(1).head(50)
    found = hw.slopes(crossed, "x", rows)["estimate"].to_numpy()
    p = crossed.predict(rows)["estimate"].to_numpy()
    b = crossed.coef.query("group == 'g' and term == 'x'").set_index("level")["estimate"]
    arms = crossed.fixef.reindex([f"x:arm[T.{arm}]" for arm in rows["arm"]]).fillna(0.0)
    expected = p * (1 - p) * (b.loc[rows["g"]].to_numpy() + arms.to_numpy())
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_a_slope_is_the_limit_of_small_differences(crossed):
    rows = grouped(1).head(20)
    step = 1e-3
    small = hw.comparisons(crossed, {"x": step}, rows)
    slope = hw.slopes(crossed, "x", rows)
    for column in ("estimate", "std_error"):
        expected = slope[column].to_numpy()
        assert small[column].to_numpy() / step == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("term", ["bs(x, df=5)", "x + I(x**2)", "log(x)", "poly(x, 2)"])
def test_slopes_of_transformed_predictors_at_the_edges_of_the_data(term):
    data = grouped(8, family="gaussian")
    data["x"] = np.exp(data["x"] / 3)
    fit = hw.lmer(f"y ~ {term} + (1 | g)", data)
    x = np.sort(data["x"].to_numpy())[[0, 1, 300, -2, -1]]
    rows = pd.DataFrame({"x": x})
    found = hw.slopes(fit, "x", rows, re_formula="~0")["estimate"].to_numpy()
    h = 1e-3 * np.ptp(x)
    toward = np.where(x > x.mean(), -h, h)  # one-sided, third order, to the inside
    value = [
        fit.predict(rows.assign(x=x + k * toward), re_formula="~0")["estimate"].to_numpy()
        for k in range(4)
    ]
    weights = np.array([-11 / 6, 3, -3 / 2, 1 / 3])
    expected = sum(w * v for w, v in zip(weights, value, strict=True)) / toward
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-4 * np.abs(expected).max())


def test_averages_are_means_and_their_variance_counts_covariances(crossed):
    rows = grouped(1).head(60)
    each = hw.comparisons(crossed, {"x": [-1, 1]}, rows)
    overall = hw.comparisons(crossed, {"x": [-1, 1]}, rows, average=True)
    assert overall["estimate"].item() == pytest.approx(each["estimate"].mean(), rel=1e-12)
    assert list(overall.columns[:3]) == ["term", "contrast", "estimate"]
    by = hw.comparisons(crossed, {"x": [-1, 1]}, rows, by="g")
    expected = each.groupby("g")["estimate"].mean()
    assert by.set_index("g")["estimate"].to_dict() == pytest.approx(expected.to_dict(), rel=1e-12)
    two = hw.comparisons(crossed, {"x": [-1, 1]}, rows, by=["g", "arm"])
    assert len(two) == len(rows[["g", "arm"]].drop_duplicates())
    same = pd.concat([rows.head(1)] * 5)
    repeated = hw.comparisons(crossed, {"x": [-1, 1]}, same, average=True)
    alone = hw.comparisons(crossed, {"x": [-1, 1]}, rows.head(1))
    assert repeated["std_error"].item() == pytest.approx(alone["std_error"].item(), rel=1e-10)


def linear_combination(fit, rows, weights):
    """Estimate and standard error of ``sum of weights * mu``, from the dense joint matrix."""
    new = predict.rows_of(fit.design, rows, predict.kept_columns(fit.design, None), "error")
    eta = predict.linear_predictor(new, fit.beta, fit.modes.b)
    W = np.hstack([new.X, *(Z.toarray() for Z in effect_rows(fit.design, new))])
    mu, dmu = fit.family.link.inverse(eta)
    row = (weights * dmu) @ W
    return weights @ mu, np.sqrt(row @ joint_of(fit).matrix(everything(fit)) @ row)


def test_second_differences(crossed):
    row = pd.DataFrame({"x": [0.3], "arm": ["a"], "g": ["g03"], "h": ["h2"]})
    found = hw.comparisons(crossed, {"x": [-1, 1]}, row, across={"arm": ["a", "b"]})
    corners = pd.concat([row.assign(arm=arm, x=x) for arm in "ab" for x in (-1, 1)])
    estimate, se = linear_combination(crossed, corners, np.array([1.0, -1.0, -1.0, 1.0]))
    assert found["estimate"].item() == pytest.approx(estimate, rel=1e-10)
    assert found["std_error"].item() == pytest.approx(se, rel=1e-8)
    assert found["term"].item() == "x:arm"
    assert found["contrast"].item() == "(1 - -1):(b - a)"
    slope = hw.slopes(crossed, "x", row, across={"arm": ["a", "b"]})["estimate"].item()
    each = [hw.slopes(crossed, "x", row.assign(arm=arm))["estimate"].item() for arm in "ab"]
    assert slope == pytest.approx(each[1] - each[0], rel=1e-10)
    ratio = hw.comparisons(
        crossed, {"x": [-1, 1]}, row, across={"arm": ["a", "b"]}, comparison="ratio"
    )
    mu = crossed.predict(corners)["estimate"].to_numpy()
    assert ratio["estimate"].item() == pytest.approx(mu[3] / mu[2] / (mu[1] / mu[0]), rel=1e-10)


def test_cross_changes_variables_together(crossed):
    row = pd.DataFrame({"x": [0.3], "arm": ["a"], "g": ["g03"], "h": ["h2"]})
    change = {"x": [-1, 1], "arm": ["a", "b"]}
    together = hw.comparisons(crossed, change, row, cross=True)
    ends = pd.concat([row.assign(x=-1, arm="a"), row.assign(x=1, arm="b")])
    estimate, se = linear_combination(crossed, ends, np.array([-1.0, 1.0]))
    assert together[["estimate", "std_error"]].to_numpy()[0] == pytest.approx([estimate, se])
    apart = hw.comparisons(crossed, change, row)
    assert apart["term"].tolist() == ["x", "arm"]


def test_ratios_have_intervals_on_the_log_scale(uk):
    at = pd.DataFrame({"district_competitiveness": [0.5]})
    change = {"district_competitiveness": [0.5, 0.9]}
    ratio = hw.comparisons(uk, change, at, re_formula="~0", comparison="ratio").iloc[0]
    log = hw.comparisons(uk, change, at, re_formula="~0", comparison="lnratio").iloc[0]
    for column in ("estimate", "conf_low", "conf_high"):
        assert ratio[column] == pytest.approx(np.exp(log[column]), rel=1e-12)
    assert ratio["std_error"] == pytest.approx(log["std_error"] * ratio["estimate"], rel=1e-12)


def test_ways_to_change_a_variable(crossed):
    rows = grouped(1).head(3)
    every = hw.comparisons(crossed, "arm", rows, interval=None)
    assert every["contrast"].drop_duplicates().tolist() == ["b - a", "c - a"]
    pairs = hw.comparisons(crossed, {"arm": "pairwise"}, rows, interval=None)
    assert pairs["contrast"].drop_duplicates().tolist() == ["b - a", "c - a", "c - b"]
    assert "std_error" not in every
    sd = crossed.design.data["x"].std()
    half = rows.assign(x=rows["x"] + sd / 2), rows.assign(x=rows["x"] - sd / 2)
    expected = crossed.predict(half[0])["estimate"] - crossed.predict(half[1])["estimate"]
    found = hw.comparisons(crossed, {"x": "sd"}, rows)["estimate"]
    assert found.to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-12)
    low, high = np.percentile(crossed.design.data["x"], [25, 75])
    quartiles = hw.comparisons(crossed, {"x": "iqr"}, rows)["estimate"]
    given = hw.comparisons(crossed, {"x": [low, high]}, rows)["estimate"]
    assert quartiles.to_numpy() == pytest.approx(given.to_numpy(), rel=1e-12)


def test_without_group_effects_conditioning_on_them_changes_nothing(several):
    at = pd.DataFrame({"district_competitiveness": [0.3, 0.8]})
    answers = [
        hw.comparisons(
            several, {"electoral_rules": ["PR", "SMD"]}, at, re_formula="~0", conditional=known
        )["std_error"].to_numpy()
        for known in (False, True)
    ]
    assert answers[0] == pytest.approx(answers[1], rel=1e-10)


def test_two_districts_compared(finland):
    change = {"district_id": ["District 312", "District 309"]}
    found = hw.comparisons(finland, change, pd.DataFrame({"row": [1]})).iloc[0]
    rows = pd.DataFrame({"district_id": ["District 312", "District 309"]})
    estimate, se = linear_combination(finland, rows, np.array([-1.0, 1.0]))
    assert [found["estimate"], found["std_error"]] == pytest.approx([estimate, se], rel=1e-8)
    fixed = hw.comparisons(finland, change, pd.DataFrame({"row": [1]}), conditional=True)
    assert fixed["std_error"].item() < 0.2 * se


def test_unseen_levels_sampled(uk):
    at = pd.DataFrame({"district_id": ["new"], "district_competitiveness": [0.7]})
    two = {"district_id": ["new", "newer"]}
    found = hw.comparisons(uk, two, at, new_levels="sample", scale="link").iloc[0]
    sd = uk.varcorr["sd"].iloc[0]
    assert found["std_error"] == pytest.approx(np.sqrt(2) * sd, rel=1e-10)
    change = {"district_competitiveness": [0.5, 0.9]}
    same = [
        hw.comparisons(uk, change, at, new_levels=how, scale="link")["std_error"].item()
        for how in ("sample", "population")
    ]
    assert same[0] == pytest.approx(same[1], rel=1e-12)  # one effect, in both copies of the row


def test_an_offset_goes_along():
    data = grouped(9, family="poisson").assign(exposure=lambda d: np.log(1 + d.index % 5))
    named = hw.glmer("y ~ x + (1 | g)", data, "poisson", offset="exposure")
    given = hw.glmer("y ~ x + (1 | g)", data, "poisson", offset=data["exposure"].to_numpy())
    expected = np.exp(named.predict(scale="link")["estimate"] - named.fixef["x"] * data["x"])
    expected *= np.expm1(named.fixef["x"])
    for fit in (named, given):
        found = hw.comparisons(fit, {"x": [0, 1]})["estimate"]
        assert found.to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-8)


def test_the_frame_given_stays_as_it_is(crossed):
    rows = grouped(1).head(5)
    before = rows.copy(deep=True)
    hw.comparisons(crossed, {"arm": ["a", "b"]}, rows)
    hw.slopes(crossed, "x", rows)
    pd.testing.assert_frame_equal(rows, before)


# --- the several-countries model of the lecture -------------------------------------------


def test_several_countries_quantities_lie_in_the_posterior_intervals(several):
    at = pd.DataFrame({"district_competitiveness": [0.3, 0.8]})
    rules = {"electoral_rules": ["PR", "SMD"]}
    first = hw.comparisons(several, rules, at, re_formula="~0")["estimate"]
    assert -0.10 < first[0] < 0.15
    assert 0.14 < first[1] < 0.58
    x = "district_competitiveness"
    both = pd.DataFrame({x: [0.8, 0.8], "electoral_rules": ["PR", "SMD"]})
    effects = hw.slopes(several, x, both, re_formula="~0")
    assert -0.03 < effects["estimate"][0] < 0.55
    assert 0.65 < effects["estimate"][1] < 1.26
    second = hw.slopes(several, x, both.head(1), across=rules, re_formula="~0").iloc[0]
    assert 0.33 < second["estimate"] < 1.15
    assert second["conf_low"] > 0
    beta = several.fixef.to_numpy()
    by_hand = expit(beta @ [1, 0.8, 1, 0.8]) - expit(beta @ [1, 0.8, 0, 0])
    assert first[1] == pytest.approx(by_hand, rel=1e-12)


# --- bad calls ----------------------------------------------------------------------------

ROW = pd.DataFrame({"x": [0.1], "arm": ["a"], "g": ["g03"], "h": ["h2"]})
BAD = [
    (lambda f: hw.comparisons(f, "z", ROW), "'z' is not a predictor"),
    (lambda f: hw.comparisons(f, "y", ROW), "'y' is not a predictor"),
    (lambda f: hw.comparisons(f, {"arm": ["a", "d"]}, ROW), "'d', which the fit has not seen"),
    (lambda f: hw.comparisons(f, {"g": ["g03", "zz"]}, ROW), "'zz', which the fit has not seen"),
    (lambda f: hw.comparisons(f, {"x": ["low", "high"]}, ROW), "'low' is not one it can be"),
    (lambda f: hw.comparisons(f, {"x": [0, np.nan]}, ROW), "nan is not one it can be set to"),
    (lambda f: hw.comparisons(f, {"x": [1, 1]}, ROW), "between 1 and itself"),
    (lambda f: hw.comparisons(f, {"x": [0, 1, 2]}, ROW), "3 were given"),
    (lambda f: hw.comparisons(f, {"x": "two"}, ROW), "not 'two'"),
    (lambda f: hw.comparisons(f, {"x": 0}, ROW), "not 0"),
    (lambda f: hw.comparisons(f, {"arm": 1}, ROW), "'arm' holds levels"),
    (lambda f: hw.comparisons(f, {}, ROW), "variables is empty"),
    (lambda f: hw.comparisons(f, 7, ROW), "a int was given"),
    (lambda f: hw.comparisons(f, "x", ROW, interval=95), "interval=95 is not a level"),
    (lambda f: hw.comparisons(f, "x", ROW, comparison="lift"), "comparison='lift'; choose"),
    (lambda f: hw.comparisons(f, "x", ROW, scale="odds"), "scale='odds'; choose"),
    (lambda f: hw.comparisons(f, "x", ROW, scale="link", comparison="ratio"), "is for scale="),
    (lambda f: hw.comparisons(f, "x", ROW, by="country"), "by='country': columns are"),
    (lambda f: hw.comparisons(f, "x", ROW, cross=True), "name at least two"),
    (lambda f: hw.comparisons(f, "x", ROW, across="x"), "'x' is already compared"),
    (lambda f: hw.comparisons(f, "x", ROW, across={"arm": ["a", "b"], "x": 1}), "takes one"),
    (lambda f: hw.comparisons(f, "x", ROW.drop(columns="h")), "'h' is not in the data"),
    (lambda f: hw.comparisons(f, "x", ROW.drop(columns="x")), "'x' is not in newdata"),
    (lambda f: hw.comparisons(f, "x", ROW.head(0)), "newdata has no rows"),
    (lambda f: hw.comparisons(f, "x", [1, 2]), "a list was given"),
    (lambda f: hw.comparisons(f, "x", ROW.assign(arm=None)), "of 1: {'arm': 1}"),
    (lambda f: hw.comparisons(f, "x", ROW.assign(x="a")), "'x' must be numbers in newdata"),
    (lambda f: hw.comparisons(f, "x", ROW.assign(term=1)), "already has the columns"),
    (lambda f: hw.comparisons(f, "x", ROW, re_formula="~ (1 | q)"), "names the group 'q'"),
    (lambda f: hw.comparisons(f, "x", ROW, new_levels="guess"), "new_levels='guess'"),
    (lambda f: hw.comparisons("fit", "x", ROW), "a str was given"),
    (lambda f: hw.slopes(f, "arm", ROW), "'arm' holds levels and has no slope"),
    (lambda f: hw.slopes(f, "g", ROW), "'g' holds levels and has no slope"),
    (lambda f: hw.slopes(f, "z", ROW), "'z' is not a predictor"),
    (lambda f: hw.slopes(f, {"x": 1}, ROW, interval=1.0), "interval=1.0 is not a level"),
    (lambda f: hw.slopes(f, "x", ROW.assign(x=np.nan)), "of 1: {'x': 1}"),
    (lambda f: hw.slopes(f.predict(), "x", ROW), "a DataFrame was given"),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_bad_calls_say_what_was_given(crossed, call, message):
    with pytest.raises(hw.HierwidgetsError) as caught:
        call(crossed)
    assert message in str(caught.value)


def test_a_ratio_needs_positive_outcomes():
    fit = hw.lmer("y ~ x + (1 | g)", grouped(2, family="gaussian"))
    with pytest.raises(hw.DataError, match="needs expected outcomes above 0"):
        hw.comparisons(fit, {"x": [-5, 5]}, comparison="ratio")
    with pytest.raises(hw.DataError, match="between 0 and 1"):
        hw.comparisons(fit, {"x": [4, 5]}, comparison="lnor")
