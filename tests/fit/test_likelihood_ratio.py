"""Nested fits against R's anova() and against simulation.

Chi-squares follow the log-likelihoods, which agree to 1e-5 (see test_structures).
"""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from support.paths import REFERENCE

import hierwidgets as hw
from hierwidgets.errors import DataError, FitError

STORED = json.loads((REFERENCE / "structures.json").read_text())["comparisons"]


@cache
def frame(name):
    return pd.read_csv(REFERENCE / "structures" / f"{name}.csv")


@cache
def lmer(formula, reml=False, weights=None, offset=None):
    return hw.lmer(formula, frame("gaussian"), reml=reml, weights=weights, offset=offset)


@cache
def glmer(formula, link="logit", n_agq=1):
    return hw.glmer(formula, frame("binary"), link=link, n_agq=n_agq)


def by_family(s, which):
    return lmer(s[which]) if s["family"] == "gaussian" else glmer(s[which])


@pytest.mark.parametrize("s", STORED, ids=lambda s: s["full"])
def test_anova(s):
    found = hw.compare(by_family(s, "simple"), by_family(s, "full"))
    assert found.chi_square == pytest.approx(s["chisq"], abs=2e-5)
    assert found.df == s["df"]
    plain = stats.chi2.sf(found.chi_square, found.df)
    assert plain == pytest.approx(s["p_value"], rel=1e-4)
    for column, key in (
        ("parameters", "npar"),
        ("loglik", "logLik"),
        ("aic", "AIC"),
        ("bic", "BIC"),
    ):
        assert found.table[column].tolist() == pytest.approx(s[key], abs=1e-5)


def test_competitiveness_in_the_uk():
    uk = hw.load("uk")
    small = hw.glmer("contacted ~ (1 | district_id)", uk, event="Contacted")
    large = hw.glmer(
        "contacted ~ district_competitiveness + (1 | district_id)", uk, event="Contacted"
    )
    found = hw.compare(small, large)
    assert (round(found.chi_square, 1), found.df) == (16.6, 1)
    assert found.p == pytest.approx(stats.chi2.sf(found.chi_square, 1))
    other = hw.compare(large, small)
    pd.testing.assert_frame_equal(found.table, other.table)
    assert str(found) == str(other)


# --- on the boundary ---


def mixture(x, below, above):
    tail = float(x <= 0) if below == 0 else stats.chi2.sf(x, below)
    return 0.5 * tail + 0.5 * stats.chi2.sf(x, above)


@pytest.mark.parametrize(
    ("small", "large", "dfs"),
    [
        ("y_three ~ x + (1 | g) + (1 | h)", "y_three ~ x + (1 | g) + (1 | h) + (1 | k)", (0, 1)),
        ("y_crossed ~ 1 + (1 | g)", "y_crossed ~ x + (1 | g) + (1 | k)", (1, 2)),
        ("y_crossed ~ x + (1 | g)", "y_crossed ~ x + (1 + x | g)", (1, 2)),
        ("y_slopes ~ x + (1 | g)", "y_slopes ~ x + (1 + x || g)", (0, 1)),
        ("y_crossed ~ 1 + (1 | g)", "y_crossed ~ x + (1 + x | g)", (2, 3)),
    ],
)
def test_one_sd_of_zero_is_a_mixture(small, large, dfs):
    found = hw.compare(lmer(small), lmer(large))
    assert found.df == dfs[1]
    assert found.p == pytest.approx(mixture(found.chi_square, *dfs), abs=1e-12)
    assert f"{dfs[0]} and {dfs[1]} df" in found.notes[0]


def test_two_sds_of_zero_are_called_conservative():
    found = hw.compare(
        lmer("y_three ~ x + (1 | g)"), lmer("y_three ~ x + (1 | g) + (1 | h) + (1 | k)")
    )
    assert found.df == 2
    assert found.p == pytest.approx(stats.chi2.sf(found.chi_square, 2))
    assert "conservative" in found.notes[0]


def test_a_correlation_alone_is_not_on_the_boundary():
    found = hw.compare(lmer("y_slopes ~ x + (1 + x || g)"), lmer("y_slopes ~ x + (1 + x | g)"))
    assert (found.df, found.p) == (1, pytest.approx(stats.chi2.sf(found.chi_square, 1)))


def test_no_gain_at_all_has_p_one():
    large = lmer("y_crossed ~ x + (1 | g) + (1 | k)")
    assert large.singular
    assert hw.compare(lmer("y_crossed ~ x + (1 | g)"), large).p == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
def test_p_values_of_the_mixture_are_uniform_below_a_half():
    """400 data sets without a second group effect: Monte Carlo error .011 at 5 %."""
    rng = np.random.default_rng(3)
    n, reps = 400, 400
    data = pd.DataFrame({"g": np.arange(n) % 40, "h": rng.permutation(n) % 50})
    p = []
    for _ in range(reps):
        data["y"] = rng.normal(size=40)[data["g"]] + rng.normal(size=n)
        fits = [hw.lmer(f"y ~ 1 + (1 | g){h}", data, reml=False) for h in ("", " + (1 | h)")]
        p.append(hw.compare(*fits).p)
    for level in (0.05, 0.1, 0.25):
        share = np.mean(np.array(p) < level)
        assert abs(share - level) < 3.5 * np.sqrt(level * (1 - level) / reps)


def test_same_levels_under_another_name_are_the_same_group():
    data = frame("gaussian").assign(other=frame("gaussian")["g"].str.upper())
    small = hw.lmer("y_slopes ~ x + (1 | g)", data, reml=False)
    large = hw.lmer("y_slopes ~ x + (1 + x | other)", data, reml=False)
    assert hw.compare(small, large).df == 2


def test_another_coding_of_the_same_predictors_is_nested():
    small = lmer("y_factor ~ z + (1 | g)")
    large = lmer("y_factor ~ 0 + z + x + (1 | g)")
    assert hw.compare(small, large).df == 1


@pytest.mark.parametrize("shift", [0.0, 3.0, 2018.0])
def test_another_origin_of_a_predictor_is_nested(shift):
    """Also within a group's effects, where they are correlated; z + (x | g) adds two columns."""
    moved = frame("gaussian").assign(year=3 * frame("gaussian")["x"] + shift)
    small = lmer("y_slopes ~ x + (1 + x | g)")
    large = hw.lmer("y_slopes ~ z + year + (1 + year | g)", moved, reml=False)
    expected = hw.compare(small, lmer("y_slopes ~ z + x + (1 + x | g)"))
    found = hw.compare(small, large)
    assert found.df == 2
    assert found.chi_square == pytest.approx(expected.chi_square, abs=1e-4)
    apart = hw.lmer("y_slopes ~ z + year + (1 + year || g)", moved, reml=False)
    assert np.isnan(hw.compare(small, apart).table["p"].iloc[1])


def test_a_singular_smaller_model_is_named():
    found = hw.compare(lmer("y_flat ~ 1 + (1 | g)"), lmer("y_flat ~ x + (1 | g)"))
    assert "the sd of Intercept over g is 0" in found.notes[-1]


def test_reml_with_the_same_fixed_part():
    small, large = lmer("y_slopes ~ x + (1 | g)", True), lmer("y_slopes ~ x + (1 + x | g)", True)
    gain = 2 * (large.loglik - small.loglik)
    assert hw.compare(small, large).chi_square == pytest.approx(gain)


# --- more than two, not nested, REML ---


def test_each_nested_pair_in_order():
    formulas = [
        "y_three ~ 1 + (1 | g)", "y_three ~ x + (1 | g)", "y_three ~ x + (1 | g) + (1 | h)",
        "y_three ~ x + (1 | g) + (1 | h) + (1 | k)",
    ]  # fmt: skip
    fits = [lmer(f) for f in formulas]
    found = hw.compare(*fits[::-1])
    assert found.table.index.tolist() == formulas
    assert found.table["against"].isna().tolist() == [True, False, False, False]
    assert found.table["against"].tolist()[1:] == formulas[:-1]
    for small, large, row in zip(fits, fits[1:], found.table.iloc[1:].itertuples(), strict=False):
        pair = hw.compare(small, large)
        assert (row.chi_square, row.df, row.p) == (pair.chi_square, pair.df, pair.p)
        assert f"{row.Index} against {row.against}: {pair.notes[0]}" in found.notes
    with pytest.raises(FitError, match=r"4 fits have no single p; table\['p'\]"):
        _ = found.p


def test_three_as_anova():
    """anova(a, b, c) of lme4 tests each against the one above, by the plain chi-square."""
    fits = [lmer(f"y_slopes ~ {f}") for f in ("1 + (1 | g)", "x + (1 | g)", "x + z + (1 | g)")]
    table = hw.compare(*fits).table
    logliks = np.array([fit.loglik for fit in fits])
    assert table["chi_square"].to_numpy()[1:] == pytest.approx(2 * np.diff(logliks))
    assert table["df"].tolist()[1:] == [1, 2]
    p = stats.chi2.sf(2 * np.diff(logliks), [1, 2])
    assert table["p"].to_numpy()[1:] == pytest.approx(p, rel=1e-9)


def test_a_fit_is_tested_against_the_nearest_that_it_contains():
    a, b, c = (lmer(f"y_slopes ~ {f} + (1 | g)") for f in ("1", "x", "z"))
    found = hw.compare(c, b, a)
    texts = [fit.design.formula.text for fit in (a, b, c)]
    assert found.table["against"].tolist()[1:] == [texts[0], texts[0]]
    assert found.table["chi_square"].iloc[2] == pytest.approx(2 * (c.loglik - a.loglik))
    assert f"{texts[2]} against {texts[0]}: p: chi-square with 2 df." in found.notes


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ("y_slopes ~ z + (1 | g)", r"only the first has the predictors \['x'\]"),
        ("y_slopes ~ 1 + (1 | h)", "only the first has effects of 'h'"),
        ("y_slopes ~ 1 + (0 + x | g)", "what varies over 'g' in the first does not in the second"),
        ("y_slopes ~ I(2 * x) + (1 | g)", "they have the same number of parameters"),
        ("y_slopes ~ x + (1 | g)", "they have the same number of parameters"),
    ],
)
def test_where_neither_contains_the_other_there_are_criteria_alone(other, why):
    fits = sorted((lmer("y_slopes ~ x + (1 | g)"), lmer(other)), key=lambda f: f.n_parameters)
    found = hw.compare(*fits)
    assert found.table["aic"].tolist() == [fit.aic for fit in fits]
    assert found.table["bic"].tolist() == [fit.bic for fit in fits]
    assert found.table[["chi_square", "df", "p"]].isna().all(axis=None)
    assert len(found.notes) == 1
    with pytest.raises(FitError, match=f"there is no p: No test: .*{why}"):
        _ = found.p
    assert found.notes[0] in str(found)


def test_links_are_not_nested():
    found = hw.compare(
        glmer("y_scalar ~ 1 + (1 | g)"), glmer("y_scalar ~ x + (1 | g)", link="probit")
    )
    assert "their links are logit and probit" in found.notes[0]
    assert found.table["p"].isna().all()


@pytest.mark.parametrize("first", [True, False])
def test_reml_is_fitted_again_where_fixed_parts_differ(first):
    formulas = ("y_slopes ~ 1 + (1 | g)", "y_slopes ~ x + (1 | g)", "y_slopes ~ x + (1 + x | g)")
    fits = [lmer(formulas[0], first), *(lmer(f, True) for f in formulas[1:])]
    found = hw.compare(*fits)
    expected = hw.compare(*(lmer(f) for f in formulas))
    columns = ["loglik", "aic", "bic", "chi_square", "df", "p"]
    pd.testing.assert_frame_equal(found.table[columns], expected.table[columns], rtol=1e-9)
    assert found.notes[-1].startswith("Fitted again by maximum likelihood, since")
    assert found.notes[-1].endswith(f"{', '.join(formulas[not first :])}.")
    assert fits[1].reml
    assert not any("Fitted again" in note for note in expected.notes)


def test_rows_dropped_are_counted():
    holes = frame("gaussian").copy()
    holes.loc[:4, "x"] = np.nan
    whole = hw.lmer("y_slopes ~ 1 + (1 | g)", holes, reml=False)
    fewer_rows = hw.lmer("y_slopes ~ x + (1 | g)", holes, reml=False, missing="drop")
    with pytest.raises(DataError, match="360 and 355 observations, after 0 and 5 were dropped"):
        hw.compare(whole, fewer_rows)


# --- print ---


def test_print_and_html():
    found = hw.compare(lmer("y_slopes ~ x + (1 | g)"), lmer("y_slopes ~ x + (1 + x | g)"))
    lines = str(found).splitlines()
    assert lines[0].split() == [
        "model",
        "parameters",
        "logLik",
        "AIC",
        "BIC",
        "chi-square",
        "df",
        "p",
    ]
    assert lines[2].split()[-3:] == ["2", "<", "0.001"]
    page = found._repr_html_()
    assert page.count('scope="row"') == 2
    assert page.count('scope="col"') == 8
    assert "&lt; 0.001" in page
    assert "<caption>" in page


# --- bad calls ---


def test_bad_arguments():
    fit = lmer("y_slopes ~ x + (1 | g)")
    with pytest.raises(DataError, match="takes fits; one is a str"):
        hw.compare(fit, "y ~ x")
    for fits in ((), (fit,)):
        with pytest.raises(DataError, match=f"two or more fits; {len(fits)} given"):
            hw.compare(*fits)
    with pytest.raises(DataError, match="one is a DataFrame"):
        hw.compare(frame("gaussian"), fit)


def fewer():
    return hw.lmer("y_slopes ~ x + (1 | g)", frame("gaussian").iloc[:300], reml=False)


def shuffled():
    y = frame("gaussian")["y_slopes"].to_numpy()[::-1]
    return hw.lmer("y_slopes ~ x + (1 | g)", frame("gaussian").assign(y_slopes=y), reml=False)


@pytest.mark.parametrize(
    ("other", "error", "message"),
    [
        (fewer, DataError, "360 and 300 observations|300 and 360 observations"),
        (shuffled, DataError, "different responses"),
        (lambda: lmer("y_crossed ~ (1 | g)"), DataError, "'y_crossed' and 'y_slopes'"),
        (lambda: lmer("y_slopes ~ 1 + (1 | g)", weights="w"), DataError, "different prior weights"),
        (lambda: lmer("y_slopes ~ 1 + (1 | g)", offset="o"), DataError, "different offsets"),
    ],
)  # fmt: skip
def test_what_is_not_comparable(other, error, message):
    with pytest.raises(error, match=message):
        hw.compare(lmer("y_slopes ~ x + (1 | g)"), other())


def test_likelihoods_of_two_kinds():
    one = glmer("y_scalar ~ 1 + (1 | g)")
    with pytest.raises(FitError, match="n_agq is 1 in one fit and 9 in the other"):
        hw.compare(one, glmer("y_scalar ~ x + (1 | g)", n_agq=9))
    counts = hw.glmer("y_scalar ~ 1 + (1 | g)", frame("binary"), "poisson")
    with pytest.raises(FitError, match="of a binomial and a poisson model are not"):
        hw.compare(one, counts)
