"""A fit's readers: labels, criteria from their definitions, singular fits that say so.

Tolerances: readers of one record 1e-12; criteria against scipy's densities 1e-9.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from support.core_cases import LINKS, RESPONSE, STRUCTURES, frame, log_density, mean, model
from support.stored_fits import effects, fitted

import hierwidgets as hw


@cache
def fit(kind="binomial", link="logit", structure="slope"):
    return model(kind, link, structure).maximize()


# --- readers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("structure", STRUCTURES)
def test_labels(structure):
    found = fit(structure=structure)
    names = ["Intercept", "x"]
    assert found.fixef.index.tolist() == found.std_error.index.tolist() == names
    assert found.vcov.index.tolist() == found.vcov.columns.tolist() == names
    assert found.ranef.columns.tolist() == ["group", "term", "level", "mode", "sd"]
    assert found.coef.columns.tolist() == ["group", "term", "level", "estimate"]
    assert found.varcorr.columns.tolist() == ["group", "term", "other", "sd", "corr"]
    assert len(found.ranef) == sum(t.J * t.k for t in found.design.terms)
    assert not found.ranef.duplicated(["group", "term", "level"]).any()
    assert (found.ranef["sd"] >= 0).all()
    assert found.std_error.to_numpy() == pytest.approx(np.sqrt(np.diag(found.vcov)))


@pytest.mark.parametrize("structure", STRUCTURES)
def test_coef_is_fixed_part_plus_mode(structure):
    """Coefficients that do not vary over a group are listed too, the same for each level."""
    found = fit(structure=structure)
    both = found.coef.merge(found.ranef, how="left", on=["group", "term", "level"])
    expected = both["term"].map(found.fixef.to_dict()).fillna(0.0) + both["mode"].fillna(0.0)
    assert both["estimate"].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-12)
    for term in found.design.terms:
        assert set(both.loc[both["group"] == term.group, "term"]) >= {"Intercept", "x"}


def test_varcorr_is_the_covariance_of_theta():
    found = fit(structure="three")
    for term, L in zip(found.design.terms, found.design.template.factors(found.theta), strict=True):
        own = found.varcorr[found.varcorr["group"] == term.group]
        sds = own[own["other"].isna()].set_index("term")["sd"]
        assert sds.to_dict() == pytest.approx(
            dict(zip(term.names, np.sqrt(np.diag(L @ L.T)), strict=True))
        )
        pairs = own[own["other"].notna()]
        assert len(pairs) == sum(len(block) * (len(block) - 1) // 2 for block in term.blocks)
        for row in pairs.itertuples():
            i, j = term.names.index(row.term), term.names.index(row.other)
            assert row.corr * sds.iloc[i] * sds.iloc[j] == pytest.approx((L @ L.T)[i, j])


def test_a_gaussian_fit_ends_with_the_residual():
    found = hw.lmer("x ~ w + (1 | g)", frame())
    last = found.varcorr.iloc[-1]
    assert last["group"] == "Residual"
    assert last["sd"] == found.sigma


# --- criteria ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "link"), LINKS)
def test_criteria_by_their_definitions(kind, link):
    """k counts theta and beta; the conditional deviance is twice the gap to the saturated fit."""
    found, data = fit(kind, link), frame()
    assert found.nobs == len(data)
    assert found.n_parameters == 5
    assert found.aic == pytest.approx(-2 * found.loglik + 10)
    assert found.bic == pytest.approx(-2 * found.loglik + 5 * np.log(90))
    mu = mean(link, found.predict(data, scale="link")["estimate"].to_numpy())[0]
    rate = data["s"] / data["n"] if kind == "binomial" else data["count"]
    best = log_density(kind, data, rate).sum()
    gap = 2 * (best - log_density(kind, data, mu).sum())
    assert found.conditional_deviance == pytest.approx(gap, rel=1e-9)
    assert found.dic == pytest.approx(2 * gap + 2 * found.loglik)


@pytest.mark.parametrize("reml", [True, False])
def test_gaussian_criteria(reml):
    found = hw.lmer("x ~ w + (1 | g)", frame(), reml=reml)
    assert found.n_parameters == 4
    residual = frame()["x"] - found.predict(frame())["estimate"]
    n, s2 = len(residual), found.sigma**2
    expected = n * np.log(2 * np.pi * s2) + (residual**2).sum() / s2
    assert found.conditional_deviance == pytest.approx(expected, rel=1e-9)


def test_fitted_values_in_the_order_and_with_the_index_of_the_data():
    data = frame().sample(frac=1, random_state=4)
    found = hw.glmer(f"{RESPONSE['binomial']} ~ x + (1 + x | g)", data)
    again = fit().fitted.reindex(data.index)
    assert found.fitted.index.equals(data.index)
    assert found.fitted.to_numpy() == pytest.approx(again.to_numpy(), abs=1e-5)


# --- singular fits ------------------------------------------------------------------------------


def flat():
    """Forty groups that do not differ: as many successes in each."""
    g = np.repeat(np.arange(40), 6)
    return pd.DataFrame({"y": np.tile([0, 1, 0, 1, 0, 1], 40), "g": g, "x": np.tile(range(6), 40)})


def test_an_sd_of_0_is_named():
    found = hw.glmer("y ~ 1 + (1 | g)", flat())
    assert found.converged
    assert found.singular
    assert found.collapsed == ("the sd of Intercept over g is 0",)
    assert found.theta == pytest.approx([0.0], abs=1e-4)
    assert found.ranef["mode"].to_numpy() == pytest.approx(np.zeros(40), abs=1e-6)
    pooled = flat()["y"].mean()
    assert found.fixef["Intercept"] == pytest.approx(np.log(pooled / (1 - pooled)), abs=1e-6)
    assert found.std_error["Intercept"] == pytest.approx(1 / np.sqrt(240 * 0.25), rel=1e-4)
    assert "singular: the sd of Intercept over g is 0" in str(found.summary())


def test_an_sd_of_0_of_a_gaussian_fit_is_named():
    data = flat().assign(y=flat()["y"] + 0.1 * flat()["x"])
    assert hw.lmer("y ~ x + (1 | g)", data).collapsed == ("the sd of Intercept over g is 0",)


def test_a_correlation_of_1_is_named_and_nothing_else_is():
    assert fitted("rainey").collapsed == (
        "the correlation of Intercept and district_competitiveness over election_id is 1",
    )
    assert fitted("uk1").collapsed == ()
    assert not fitted("uk1").singular


def test_stored_effects_are_matched_by_label():
    """Reference levels are ordered by rate, ours by name: nothing may hang on the order."""
    ours = {(r.group, r.term, r.level): r.mode for r in fitted("uk1_agq9").ranef.itertuples()}
    stored = effects("uk1_agq9")
    assert ours.keys() == stored.keys()
    assert list(ours) != list(stored)
    assert ours == pytest.approx({k: mode for k, (mode, _) in stored.items()}, abs=1e-5)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_the_direction_that_collapsed_is_named_in_any_unit(unit):
    rng = np.random.default_rng(1)
    g, x = rng.integers(0, 10, 300), rng.normal(size=300)
    b = rng.normal(size=10)
    y = rng.random(300) < 1 / (1 + np.exp(-(b[g] + x * (1 - 0.4 * b[g]))))
    found = hw.glmer("y ~ x + (x | g)", pd.DataFrame({"y": y, "x": x * unit, "g": g}))
    assert found.collapsed == ("the correlation of Intercept and x over g is -1",)
