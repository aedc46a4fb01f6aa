"""Quadrature within Laplace for nested designs, against brute force.

Tolerances: 1e-7 where both sides are the same quantity computed twice (scipy's adaptive
integration asks for 1e-12, and the outer curvature is differenced); the comparison of
approximations with the exact likelihood is an inequality.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, optimize

import hierwidgets as hw
from hierwidgets.likelihood.blocks import layout
from hierwidgets.likelihood.laplace import laplace
from hierwidgets.likelihood.nested import is_nested, nested, outer_value
from hierwidgets.spec.families import family

THETA, BETA = np.array([1.3, 0.8]), np.array([-0.4, 0.6])


def tiny(seed: int = 2, link: str = "logit") -> tuple[pd.DataFrame, hw.Model]:
    """Two elections, three districts each, one to three 0/1 rows a district."""
    rng = np.random.default_rng(seed)
    rows = []
    for e in range(2):
        for d in range(3):
            for _ in range(rng.integers(1, 4)):
                rows.append((f"e{e}", f"e{e}d{d}", rng.normal(), rng.integers(0, 2)))
    frame = pd.DataFrame(rows, columns=["election", "district", "x", "y"])
    frame.loc[:1, "y"] = [0, 1]
    model = hw.Model("y ~ x + (1 | district) + (1 | election)", frame, "binomial", link=link)
    return frame, model


def inner_log(frame: pd.DataFrame, v: float, inverse) -> float:
    """Sum over the districts of one election of the exact log integral over u."""
    total = 0.0
    for _, rows in frame.groupby("district"):
        eta = BETA[0] + BETA[1] * rows["x"].to_numpy() + THETA[1] * v
        sign = 2.0 * rows["y"].to_numpy() - 1.0

        def integrand(u: float, eta=eta, sign=sign) -> float:
            p = inverse(eta + THETA[0] * u)
            return float(np.prod(np.where(sign > 0, p, 1 - p)) * np.exp(-0.5 * u * u))

        value, _ = integrate.quad(integrand, -12, 12, epsabs=1e-13, epsrel=1e-12, limit=200)
        total += np.log(value / np.sqrt(2 * np.pi))
    return total


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_outer_laplace_of_exact_inner_integrals(link: str) -> None:
    frame, model = tiny(link=link)

    def inverse(eta):
        return model.family.link.inverse(eta)[0]

    expected = 0.0
    for _, rows in frame.groupby("election"):
        found = optimize.minimize_scalar(
            lambda v, rows=rows: 0.5 * v * v - inner_log(rows, v, inverse),
            bracket=(-1, 1),
            options={"xtol": 1e-10},
        )
        h, at = 1e-3, [inner_log(rows, found.x + k * 1e-3, inverse) for k in (-2, -1, 0, 1, 2)]
        second = (-at[0] + 16 * at[1] - 30 * at[2] + 16 * at[3] - at[4]) / (12 * h * h)
        expected += 2 * found.fun + np.log(1 - second)
    value, _, _ = outer_value(layout(model.design), model.family, THETA, BETA, 40)
    assert value == pytest.approx(expected, abs=2e-7)


def test_closer_to_the_exact_likelihood_than_laplace() -> None:
    frame, model = tiny()

    def inverse(eta):
        return 1 / (1 + np.exp(-eta))

    exact = 0.0
    for _, rows in frame.groupby("election"):
        value, _ = integrate.quad(
            lambda v, rows=rows: np.exp(inner_log(rows, v, inverse) - 0.5 * v * v),
            -10,
            10,
            epsrel=1e-9,
        )
        exact -= 2 * np.log(value / np.sqrt(2 * np.pi))
    lay = layout(model.design)
    by_laplace = laplace(lay, model.family, THETA, BETA).neg2loglik
    by_nested = outer_value(lay, model.family, THETA, BETA, 25)[0]
    assert abs(by_nested - exact) < 0.5 * abs(by_laplace - exact)


def test_gradient_is_the_difference_of_values() -> None:
    _, model = tiny()
    lay = layout(model.design)
    value = nested(lay, model.family, THETA, BETA, 9)
    x = np.concatenate([THETA, BETA])
    for i in range(4):
        h = 1e-4 * np.eye(4)[i]
        ends = [outer_value(lay, model.family, *np.split(x + s * h, [2]), 9)[0] for s in (1, -1)]
        assert value.gradient[i] == pytest.approx((ends[0] - ends[1]) / 2e-4, abs=2e-5)


def test_outer_slopes_that_vary_within_a_district() -> None:
    """The general form: an outer coefficient on a predictor that differs between rows."""
    frame, _ = tiny()
    model = hw.Model("y ~ x + (1 | district) + (0 + x | election)", frame, "binomial")
    lay = layout(model.design)
    reference = 0.0
    for _, rows in frame.groupby("election"):

        def penalised(v: float, rows=rows) -> float:
            total = -0.5 * v * v
            for _, part in rows.groupby("district"):
                eta = BETA[0] + (BETA[1] + THETA[1] * v) * part["x"].to_numpy()
                y = part["y"].to_numpy()

                def integrand(u: float, eta=eta, y=y) -> float:
                    p = 1 / (1 + np.exp(-(eta + THETA[0] * u)))
                    return float(np.prod(np.where(y == 1, p, 1 - p)) * np.exp(-0.5 * u * u))

                value, _ = integrate.quad(integrand, -12, 12, epsabs=1e-13, epsrel=1e-12)
                total += np.log(value / np.sqrt(2 * np.pi))
            return total

        found = optimize.minimize_scalar(lambda v: -penalised(v), bracket=(-1, 1))
        at = [penalised(found.x + k * 1e-3) for k in (-2, -1, 0, 1, 2)]
        second = (-at[0] + 16 * at[1] - 30 * at[2] + 16 * at[3] - at[4]) / (12 * 1e-6)
        reference += 2 * found.fun + np.log(-second)
    value = outer_value(lay, family("binomial"), THETA, BETA, 40)[0]
    assert value == pytest.approx(reference, abs=2e-7)


def test_what_is_nested() -> None:
    frame, model = tiny()
    assert is_nested(layout(model.design))
    crossed = frame.assign(district=["a", "b", "c"] * (len(frame) // 3) + ["a"] * (len(frame) % 3))
    crossed_model = hw.Model("y ~ x + (1 | district) + (1 | election)", crossed, "binomial")
    assert not is_nested(layout(crossed_model.design))
    with pytest.raises(hw.FormulaError, match="n_agq=5 needs one coefficient"):
        crossed_model.maximize(n_agq=5)


def test_several_countries_district_sd_grows_with_quadrature() -> None:
    model = hw.Model(
        "contacted ~ district_competitiveness * electoral_rules + (1 | election_id/district_id)",
        hw.load("rainey2015"),
        "binomial",
        event="Contacted",
    )
    fits = [model.maximize(n_agq=q) for q in (1, 9, 15)]
    sd = [fit.varcorr["sd"].iloc[0] for fit in fits]
    assert sd[0] < sd[1]
    assert sd[1] == pytest.approx(sd[2], abs=1e-5)
    assert fits[1].loglik == pytest.approx(fits[2].loglik, abs=1e-4)
