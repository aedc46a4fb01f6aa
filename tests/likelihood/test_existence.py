"""Where there is no maximum, words; where there is one, no refusal.

Tolerances: the supremum of outcomes constant within levels is counted by hand; an integral over
400,000 points is exact to 1e-9.
"""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.likelihood.blocks import layout
from hierwidgets.likelihood.estimate import objective
from hierwidgets.likelihood.existence import spanned


def levels(ones=9, zeros=8, rows=6):
    rng = np.random.default_rng(2)
    g = np.repeat(np.arange(ones + zeros), rows)
    y = (g < ones).astype(int)
    return pd.DataFrame(
        {
            "g": g, "y": y, "won": 3 * y, "tried": 3, "x": rng.normal(size=len(g)),
            "z": rng.normal(size=len(g)), "count": rng.poisson(3, len(g)),
            "h": np.tile(np.arange(rows), ones + zeros), "id": np.arange(len(g)), "k": g % 4,
            "coin": rng.integers(0, 2, len(g)),
        }
    )  # fmt: skip


@pytest.mark.parametrize("n_agq", [1, 9])
@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
@pytest.mark.parametrize("formula", ["y ~ 1 + (1 | g)", "y ~ x + (1 | g)",
                                     "p(won, tried) ~ 1 + (1 | g)"])  # fmt: skip
def test_outcomes_constant_within_every_level_are_refused(formula, link, n_agq):
    with pytest.raises(hw.FitError, match=r"within every level of 'g'.*no finite maximum"):
        hw.glmer(formula, levels(), link=link, n_agq=n_agq)


@pytest.mark.parametrize("bars", ["(x | g)", "(x || g)", "(1 | g) + (1 | h)", "(1 | k) + (1 | g)"])
def test_beside_other_terms_too(bars):
    with pytest.raises(hw.FitError, match="'g'"):
        hw.glmer(f"y ~ x + {bars}", levels())


def test_the_likelihood_does_rise_to_its_supremum():
    """``9 log(9 / 17) + 8 log(8 / 17)``, by integrals over a fine grid."""
    u = np.linspace(-12, 12, 400_001)
    weight = np.exp(-0.5 * u**2) / np.sqrt(2 * np.pi) * (u[1] - u[0])
    highest = 9 * np.log(9 / 17) + 8 * np.log(8 / 17)

    def best(sd):
        def at(mu):
            up, down = -np.logaddexp(0, -(mu + sd * u)), -np.logaddexp(0, mu + sd * u)
            return 9 * np.log(weight @ np.exp(6 * up)) + 8 * np.log(weight @ np.exp(6 * down))

        return max(at(mu) for mu in sd * np.linspace(-0.2, 0.3, 26))

    rising = [best(sd) for sd in (2, 5, 10, 30, 100, 1000)]
    assert np.all(np.diff(rising) > 0)
    assert highest - 0.1 < rising[-1] < highest


def test_slopes_that_separate_within_every_level_are_refused():
    data = levels().assign(y=lambda d: ((d["x"] > 0) ^ (d["g"] % 2 == 0)).astype(int))
    with pytest.raises(hw.FitError, match=r"without exception.*no finite maximum"):
        hw.glmer("y ~ 1 + (0 + x | g)", data)


def test_single_trials_and_other_groups_are_not_refused():
    assert hw.glmer("coin ~ x + (1 | id)", levels()).converged
    assert hw.glmer("y ~ 1 + (1 | h)", levels()).singular


@pytest.mark.parametrize("n_agq", [5, 9, 25, 99])
def test_quadrature_says_where_it_fails(n_agq):
    """One exception in all: the sd is in the tens, and levels are far from normal.

    Fewer than five nodes are, as Laplace's one, a coarse integral by choice.
    """
    data = levels()
    data.loc[0, "y"] = 0
    fit = hw.glmer("y ~ 1 + (1 | g)", data, n_agq=n_agq)
    fine = objective(layout(fit.design), fit.family, 60)
    off = abs(-0.5 * fine(fit.theta, fit.beta, None).neg2loglik - fit.loglik)
    assert not fit.converged or off < 0.25
    assert fit.loglik < 0


@pytest.mark.parametrize("formula", ["z ~ C(k) + (1 | k)", "z ~ C(k) + (1 | k) + (1 | g)",
                                     "z ~ C(k) * x + (x | k)"])  # fmt: skip
def test_a_fixed_part_that_spans_the_levels(formula):
    data = levels()
    assert spanned(hw.Model(formula, data).design) == ("k",)
    with pytest.raises(hw.FitError, match=r"every level of 'k'.*flat"):
        hw.lmer(formula, data)
    fit = hw.lmer(formula, data, reml=False)
    assert fit.singular
    assert fit.varcorr.query("group == 'k' and term == 'Intercept'")["sd"].iloc[0] < 1e-4


def test_the_restricted_likelihood_is_flat_there():
    from hierwidgets.likelihood.gaussian import evaluate, products

    P = products(hw.Model("z ~ C(k) + (1 | k)", levels()).design)
    values = [evaluate(P, np.array([sd]), True).value for sd in (0.1, 1.0, 10.0)]
    assert np.ptp(values) < 1e-8


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_counts_and_rates_by_level_have_an_sd_of_zero(family):
    response = {"binomial": "coin", "poisson": "count"}[family]
    fit = hw.glmer(f"{response} ~ C(k) + (1 | k)", levels(), family)
    assert fit.theta[0] < 1e-4
