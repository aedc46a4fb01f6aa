"""Laws that hold for every fit, whatever the data.

Tolerances: two fits of the same model by different numbers of rows or labels meet where the search
stops, that is, within 1e-6 of each other in estimates and 1e-8 in log-likelihood (relative).
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import special

import hierwidgets as hw
from hierwidgets.likelihood.estimate import fixed_only


@cache
def made():
    rng = np.random.default_rng(51)
    n, J = 240, 12
    g, x = rng.integers(0, J, n), rng.normal(size=n)
    eta = -0.3 + 0.8 * x + 0.9 * rng.normal(size=J)[g]
    trials = rng.integers(1, 6, n)
    return pd.DataFrame(
        {
            "g": [f"g{i:02d}" for i in g],
            "h": rng.integers(0, 4, n),
            "x": x,
            "y": rng.binomial(1, special.expit(eta)),
            "trials": trials,
            "won": rng.binomial(trials, special.expit(eta)),
            "count": rng.poisson(np.exp(eta)),
            "z": eta + rng.normal(size=n),
        }
    )


KINDS = {
    "binomial": lambda data: hw.glmer("y ~ x + (1 | g)", data),
    "quadrature": lambda data: hw.glmer("y ~ x + (1 | g)", data, n_agq=9),
    "trials": lambda data: hw.glmer("p(won, trials) ~ x + (1 | g)", data),
    "poisson": lambda data: hw.glmer("count ~ x + (1 | g)", data, "poisson"),
    "gaussian": lambda data: hw.lmer("z ~ x + (1 | g)", data),
    "slopes": lambda data: hw.glmer("y ~ x + (1 + x | g) + (1 | h)", data),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


@cache
def fitted(kind):
    return KINDS[kind](made())


def same(a, b, rel=1e-5):
    assert a.loglik == pytest.approx(b.loglik, rel=1e-8)
    assert a.fixef.to_dict() == pytest.approx(b.fixef.to_dict(), rel=rel, abs=1e-6)
    assert a.std_error.to_dict() == pytest.approx(b.std_error.to_dict(), rel=1e-4)
    assert np.abs(a.theta) == pytest.approx(np.abs(b.theta), abs=1e-5)


@every_kind
def test_permuting_rows_changes_nothing(kind):
    shuffled = made().sample(frac=1, random_state=3)
    fit, again = fitted(kind), KINDS[kind](shuffled)
    same(fit, again)
    ours, theirs = fit.fitted, again.fitted
    assert theirs.index.equals(shuffled.index)
    assert theirs.sort_index().to_numpy() == pytest.approx(ours.to_numpy(), abs=1e-5, rel=1e-5)


@every_kind
def test_relabelling_levels_changes_nothing(kind):
    names = dict(zip(sorted(set(made()["g"])), "lkjihgfedcba", strict=True))
    fit, again = fitted(kind), KINDS[kind](made().assign(g=made()["g"].map(names)))
    same(fit, again)
    first = fit.ranef[fit.ranef["group"] == "g"].assign(level=lambda r: r["level"].map(names))
    both = first.merge(again.ranef, on=["group", "term", "level"], validate="1:1")
    assert len(both) == len(first)
    assert both["mode_x"].to_numpy() == pytest.approx(both["mode_y"].to_numpy(), abs=1e-5)
    assert both["sd_x"].to_numpy() == pytest.approx(both["sd_y"].to_numpy(), abs=1e-5)


@every_kind
@pytest.mark.parametrize("unit", [1e6, 1e-6])
def test_the_unit_of_a_predictor(kind, unit):
    fit, again = fitted(kind), KINDS[kind](made().assign(x=made()["x"] * unit))
    reml = np.log(unit) if kind == "gaussian" else 0.0  # half of log|X'X| is part of it
    assert again.loglik + reml == pytest.approx(fit.loglik, rel=1e-8)
    assert again.fixef["x"] * unit == pytest.approx(fit.fixef["x"], rel=1e-4)
    assert again.std_error["x"] * unit == pytest.approx(fit.std_error["x"], rel=1e-3)
    assert again.converged


@pytest.mark.parametrize("kind", ["binomial", "quadrature", "slopes"])
def test_swapping_the_outcomes_flips_the_coefficients(kind):
    fit, again = fitted(kind), KINDS[kind](made().assign(y=1 - made()["y"]))
    assert again.loglik == pytest.approx(fit.loglik, rel=1e-8)
    assert again.beta == pytest.approx(-fit.beta, rel=1e-5, abs=1e-6)
    assert again.ranef["mode"].to_numpy() == pytest.approx(-fit.ranef["mode"], abs=1e-5)


def test_the_event_decides_which_outcome_counts():
    data = made().assign(y=made()["y"].map({0: "no", 1: "yes"}))
    yes, no = (hw.glmer("y ~ x + (1 | g)", data, event=e) for e in ("yes", "no"))
    same(yes, fitted("binomial"))
    assert no.beta == pytest.approx(-yes.beta, rel=1e-5)


@pytest.mark.parametrize("n_agq", [1, 9])
def test_rows_and_sums_agree_up_to_the_counting_constant(n_agq):
    data = made().assign(x=made()["x"].round())
    rows = hw.glmer("y ~ x + (1 | g)", data, n_agq=n_agq)
    counts = data.groupby(["g", "x"])["y"].agg(won="sum", n="size").reset_index()
    sums = hw.glmer("p(won, n) ~ x + (1 | g)", counts, n_agq=n_agq)
    ways = np.log(special.comb(counts["n"], counts["won"])).sum()
    assert sums.loglik - ways == pytest.approx(rows.loglik, rel=1e-9)
    assert sums.beta == pytest.approx(rows.beta, rel=1e-6)
    assert sums.theta == pytest.approx(rows.theta, rel=1e-5)
    assert (rows.nobs, sums.nobs) == (240, len(counts))
    assert rows.conditional_deviance - sums.conditional_deviance > 0  # other saturated models


def test_whole_weights_are_repeated_rows():
    often = np.tile([1, 2, 3], 80)
    weighted = hw.glmer("y ~ x + (1 | g)", made(), weights=often)
    same(weighted, hw.glmer("y ~ x + (1 | g)", made().loc[made().index.repeat(often)]))


@pytest.mark.parametrize("kind", ["binomial", "poisson", "gaussian"])
def test_an_offset_of_a_constant_moves_the_intercept(kind):
    call, formula, family = {
        "binomial": (hw.glmer, "y ~ x + (1 | g)", {"family": "binomial"}),
        "poisson": (hw.glmer, "count ~ x + (1 | g)", {"family": "poisson"}),
        "gaussian": (hw.lmer, "z ~ x + (1 | g)", {}),
    }[kind]
    fit, moved = fitted(kind), call(formula, made(), offset=np.full(240, 2.0), **family)
    assert moved.loglik == pytest.approx(fit.loglik, rel=1e-8)
    assert moved.fixef["Intercept"] + 2 == pytest.approx(fit.fixef["Intercept"], abs=1e-5)


def test_a_predictor_with_a_hundred_levels():
    rng = np.random.default_rng(6)
    data = pd.DataFrame({"c": np.arange(1200) % 100, "g": rng.integers(0, 30, 1200)})
    data["c"] = data["c"].map("c{:03d}".format)
    data["z"] = rng.normal(size=1200)
    data["y"] = rng.integers(0, 2, 1200)
    linear = hw.lmer("z ~ c + (1 | g)", data)
    assert len(linear.fixef) == 100
    assert linear.converged
    groups = hw.glmer("y ~ 1 + (1 | c) + (1 | g)", data)
    assert groups.converged
    assert len(groups.ranef) == 130


def test_one_observation_per_level():
    """The sd of single 0/1 rows hides in the shape of the integral: the search must still end."""
    data = made().assign(g=range(240))
    fit = hw.glmer("y ~ x + (1 | g)", data)
    d = fit.design
    plain = fit.family.loglik(d.y, d.trials, d.X @ fixed_only(d, fit.family)).sum()
    assert fit.loglik >= plain - 1e-6  # the sd could always be 0
    assert len(fit.ranef) == 240
    counts = hw.glmer("p(won, trials) ~ x + (1 | g)", data)  # here it is overdispersion
    assert counts.converged
    assert counts.theta[0] > 0


def test_a_frame_is_never_changed():
    data = made().copy(deep=True)
    for make in KINDS.values():
        make(data)
    pd.testing.assert_frame_equal(data, made())


def test_a_model_is_a_description():
    model = hw.Model("z ~ x + (1 | g)", made())
    assert repr(model) == "Model(z ~ x + (1 | g), gaussian; 240 rows, 12 g)"
    reml, ml = model.maximize(), model.maximize(reml=False)
    assert (reml.reml, ml.reml) == (True, False)
    assert reml.sigma > ml.sigma
    again = model.maximize()
    assert again.loglik == reml.loglik
    assert (again.beta == reml.beta).all()
    with pytest.raises(AttributeError):
        model.formula = "z ~ 1"
