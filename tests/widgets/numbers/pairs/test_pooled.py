"""Heights and slopes, own and partially pooled, held against lme4's formulas and brute force.

Tolerances: the fit's modes come from the same search from another start, which ends where the
decrement is below 1e-15: 1e-6. Closed forms of a Gaussian fit: 1e-9, for the matrices are small.
Own lines against scipy's general search: 1e-5, where that one stops.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats
from scipy.special import expit

import hierwidgets as hw
from hierwidgets.course.models import REGIONS
from hierwidgets.course.studies import regions
from hierwidgets.errors import DataError
from hierwidgets.widgets import slope_frame
from hierwidgets.widgets.numbers.pairs.own import exists
from hierwidgets.widgets.numbers.pairs.pooled import (
    Spread,
    ellipse,
    kept,
    moved,
    pooled,
    prepare,
)


@pytest.fixture(scope="module")
def survey():
    return regions.survey()[0]


@pytest.fixture(scope="module")
def groups(survey):
    return prepare(hw.glmer(REGIONS, survey))


@pytest.fixture(scope="module")
def linear():
    """Twelve schools of different sizes, with a person's other predictor and weights."""
    rng = np.random.default_rng(3)
    school = np.repeat(np.arange(12), rng.integers(2, 12, size=12))
    x, z = rng.normal(size=(2, len(school)))
    line = rng.multivariate_normal([1, 0.5], [[1, 0.4], [0.4, 0.6]], size=12)[school]
    y = line[:, 0] + line[:, 1] * x + 0.3 * z + rng.normal(size=len(school))
    w = rng.integers(1, 4, size=len(school)).astype(float)
    return pd.DataFrame({"y": y, "x": x, "z": z, "school": school, "w": w})


def by_school(frame):
    return [part for _, part in frame.groupby("school")]


# --- partial pooling ----------------------------------------------------------------------


def test_at_the_fits_spread_they_are_its_modes(groups):
    modes = groups.fit.ranef.pivot(index="level", columns="term", values="mode")
    modes = modes.loc[groups.levels, ["Intercept", "decades"]].to_numpy()
    np.testing.assert_allclose(pooled(groups, groups.fitted) - groups.centre, modes, atol=1e-6)
    coef = groups.fit.varcorr
    np.testing.assert_allclose(groups.fitted[:2], coef["sd"].dropna())
    assert groups.fitted.corr == pytest.approx(coef["corr"].dropna().item())


@pytest.mark.parametrize("spread", [Spread(0.7, 1.3, -0.4), Spread(2.0, 0.1, 0.9)])
def test_a_gaussian_fit_gives_the_posterior_mean(linear, spread):
    fit = hw.lmer("y ~ x + z + (1 + x | school)", linear, weights="w")
    found = pooled(prepare(fit), spread)
    s0, s1, corr = spread
    G = np.array([[s0**2, corr * s0 * s1], [corr * s0 * s1, s1**2]])
    beta = fit.fixef
    for part, line in zip(by_school(linear), found, strict=True):
        Z = np.column_stack([np.ones(len(part)), part["x"]])
        centre = beta[["Intercept", "x"]].to_numpy()
        V = Z @ G @ Z.T + np.diag(fit.sigma**2 / part["w"])
        rest = part["y"] - Z @ centre - beta["z"] * part["z"]
        b = G @ Z.T @ np.linalg.solve(V, rest)
        np.testing.assert_allclose(line, centre + b, rtol=1e-9)


def test_a_mode_is_the_top_of_the_penalised_likelihood(groups, survey):
    spread = Spread(0.5, 0.6, -0.7)
    found = pooled(groups, spread)
    G = np.array([[0.25, -0.21], [-0.21, 0.36]])
    for row in (0, 50):
        part = survey[survey["region"] == groups.levels[row]]

        def lost(line, part=part):
            eta = line[0] + line[1] * part["decades"]
            away = line - groups.centre
            fits = stats.bernoulli(expit(eta)).logpmf(part["contacted"]).sum()
            return -fits + 0.5 * away @ np.linalg.solve(G, away)

        best = optimize.minimize(lost, groups.centre, method="BFGS", options={"gtol": 1e-7})
        np.testing.assert_allclose(found[row], best.x, atol=1e-5)


def test_ends_of_the_dial(groups):
    alone = pooled(groups, Spread(0.0, 0.0, 0.0))
    np.testing.assert_array_equal(alone, np.tile(groups.centre, (120, 1)))
    heights = pooled(groups, Spread(0.8, 0.0, 0.5))
    assert np.ptp(heights[:, 1]) == 0 < np.ptp(heights[:, 0])
    wide = pooled(groups, Spread(500.0, 500.0, 0.0))
    has = np.abs(groups.own).max(axis=1) < 3
    np.testing.assert_allclose(wide[has], groups.own[has], atol=1e-3)
    for corr in (-1.0, 1.0):
        line = (pooled(groups, Spread(0.8, 0.4, corr)) - groups.centre) / [0.8, 0.4]
        np.testing.assert_allclose(line[:, 1], corr * line[:, 0], atol=1e-9)


def test_where_the_search_begins_does_not_matter(groups):
    first = pooled(groups, Spread(0.3, 0.9, 0.2))
    pooled(groups, Spread(4.0, 2.0, -1.0))
    np.testing.assert_allclose(pooled(groups, Spread(0.3, 0.9, 0.2)), first, atol=1e-6)


def test_groups_are_drawn_onto_the_axis_of_a_thin_ellipse(groups):
    for corr in (-0.9, 0.9):
        spread = Spread(0.8, 0.35, corr)
        lines = pooled(groups, spread)
        thin = kept(groups, lines, spread)
        assert thin.across < 0.3 < 0.7 < thin.along
        own, now = groups.own, lines
        has = ~np.isnan(own[:, 0])
        z = (own[has] - groups.centre) / [0.8, 0.35], (now[has] - groups.centre) / [0.8, 0.35]
        across = [np.median(np.abs(one[:, 0] - np.sign(corr) * one[:, 1])) for one in z]
        assert thin.across == pytest.approx(across[1] / across[0])
    away = np.abs(lines - groups.own)[has]
    np.testing.assert_array_equal(moved(groups, lines), np.median(away, axis=0))
    assert np.isnan(kept(groups, lines, Spread(0.0, 1.0, 0.0))).all()


def test_the_ellipse_holds_its_share(groups):
    spread = Spread(0.8, 0.35, 0.6)
    G = np.array([[0.64, 0.168], [0.168, 0.1225]])
    for level in (0.5, 0.9):
        points = np.stack(ellipse(groups, spread, level), axis=1) - groups.centre
        far = np.einsum("ij,jk,ik->i", points, np.linalg.inv(G), points)
        np.testing.assert_allclose(far, stats.chi2(2).ppf(level))


# --- own lines ----------------------------------------------------------------------------


def test_own_lines_are_those_of_a_general_search(groups, survey):
    for row in (3, 77, 119):
        part = survey[survey["region"] == groups.levels[row]]

        def lost(line, part=part):
            eta = line[0] + line[1] * part["decades"]
            return -stats.bernoulli(expit(eta)).logpmf(part["contacted"]).sum()

        best = optimize.minimize(lost, [0.0, 0.0], method="BFGS", options={"gtol": 1e-8})
        np.testing.assert_allclose(groups.own[row], best.x, atol=1e-5)


def test_own_lines_of_a_gaussian_fit_are_least_squares(linear):
    fit = hw.lmer("y ~ x + z + (1 + x | school)", linear, weights="w")
    for part, line in zip(by_school(linear), prepare(fit).own, strict=True):
        rest = part["y"] - fit.fixef["z"] * part["z"]
        slope, height = np.polyfit(part["x"], rest, 1, w=np.sqrt(part["w"]))
        np.testing.assert_allclose(line, [height, slope], rtol=1e-8)


def answers(*parts):
    """Groups from pairs of places and answers, with enough others to be fitted."""
    rng = np.random.default_rng(1)
    rows = [
        (f"g{i}", x, y) for i, (xs, ys) in enumerate(parts) for x, y in zip(xs, ys, strict=True)
    ]
    rows += [
        (f"h{k}", x, int(rng.random() < 0.5)) for k in range(12) for x in (-1.0, 0.0, 1, 2) * 3
    ]
    return pd.DataFrame(rows, columns=["g", "x", "y"])


def test_who_has_no_line_of_their_own():
    data = answers(
        ([0, 1, 2, 3], [0, 1, 0, 1]),  # they overlap
        ([0, 1, 2, 3], [0, 0, 1, 1]),  # all who say yes are above
        ([0, 1, 1, 2], [0, 0, 1, 1]),  # they meet at one place
        ([0, 1, 2, 3], [1, 1, 1, 1]),
        ([1, 1, 1, 1], [0, 1, 0, 1]),  # one place
    )
    groups = prepare(hw.glmer("y ~ x + (1 + x | g)", data))
    assert exists(groups.fit)[:5].tolist() == [True, False, False, False, False]
    assert np.isnan(groups.own[1:5]).all()
    assert np.isfinite(groups.own[0]).all()
    assert groups.without >= 4
    assert np.isfinite(pooled(groups, groups.fitted)).all()


def test_who_has_no_line_of_their_own_in_counts():
    parts = [([0, 1, 2], [0, 2, 0]), ([0, 1, 2], [0, 0, 3]), ([0, 1, 2], [0, 1, 3]),
             ([0, 1, 2], [0, 0, 0])]  # fmt: skip
    data = answers(*parts)
    groups = prepare(hw.glmer("y ~ x + (1 + x | g)", data, family="poisson"))
    assert exists(groups.fit)[:4].tolist() == [True, False, True, False]


# --- the frame and what it refuses --------------------------------------------------------


def test_the_frame_has_both_lines(groups):
    frame = slope_frame(groups.fit, corr=-0.5)
    found = pooled(groups, groups.fitted._replace(corr=-0.5))
    np.testing.assert_allclose(frame[["intercept", "slope"]], found, atol=1e-6)
    np.testing.assert_array_equal(frame[["own_intercept", "own_slope"]], groups.own)
    assert (frame["n"] == 30).all()
    assert groups.without == frame["own_slope"].isna().sum() == 2
    with pytest.raises(DataError, match="a correlation from -1 to 1"):
        slope_frame(groups.fit, corr=2)


def test_other_fits_are_refused(linear):
    for formula in (
        "y ~ x + (1 | school)",
        "y ~ x + (1 + x || school)",
        "y ~ 1 + (1 + x | school)",
    ):
        with pytest.raises(DataError, match=r"\(1 \+ x \| group\)|no fixed coefficient"):
            prepare(hw.lmer(formula, linear))
    with pytest.raises(DataError, match="a DataFrame was given"):
        prepare(linear)
