"""Standard errors and intervals by the delta method.

Closed forms to 1e-10, relative; simulations to four Monte Carlo standard errors, computed beside
them.
"""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from support.crossed_groups import grouped
from support.stored_fits import fitted

import hierwidgets as hw
from hierwidgets.likelihood.laplace import conditional_modes
from hierwidgets.spec import rows as predict


@pytest.fixture(scope="module")
def uk():
    return fitted("uk1")


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


def test_ratios_have_intervals_on_the_log_scale(uk):
    at = pd.DataFrame({"district_competitiveness": [0.5]})
    change = {"district_competitiveness": [0.5, 0.9]}
    ratio = hw.comparisons(uk, change, at, re_formula="~0", comparison="ratio").iloc[0]
    log = hw.comparisons(uk, change, at, re_formula="~0", comparison="lnratio").iloc[0]
    for column in ("estimate", "conf_low", "conf_high"):
        assert ratio[column] == pytest.approx(np.exp(log[column]), rel=1e-12)
    assert ratio["std_error"] == pytest.approx(log["std_error"] * ratio["estimate"], rel=1e-12)


def test_without_group_effects_conditioning_on_them_changes_nothing():
    several = fitted("rainey")
    at = pd.DataFrame({"district_competitiveness": [0.3, 0.8]})
    answers = [
        hw.comparisons(
            several, {"electoral_rules": ["PR", "SMD"]}, at, re_formula="~0", conditional=known
        )["std_error"].to_numpy()
        for known in (False, True)
    ]
    assert answers[0] == pytest.approx(answers[1], rel=1e-10)


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
