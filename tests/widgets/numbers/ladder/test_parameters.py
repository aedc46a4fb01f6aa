"""What the ladder's parameters imply, held against matrices, scipy's normal and quadrature.

Tolerances: 1e-12 for algebra, 1e-9 for quadrature; the share of districts is an average over 400
places, good to 1e-5.
"""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit, logit
from scipy.stats import norm

from hierwidgets.widgets.numbers.ladder.parameters import (
    Parameters,
    closest,
    ladder_frame,
    line_sd,
    rates_at,
    recoded,
    rule_line,
    share_below,
)

SOME = Parameters(-3.1, 0.7, 4.3, -3.1, 0.5, 1.2, -0.7, 0.4)
X = np.linspace(0, 1, 11)


RNG = np.random.default_rng(4)
SETTINGS = [
    Parameters(
        *RNG.normal(0, 4, 4), *RNG.uniform(0, 3, 2), RNG.uniform(-1, 1), RNG.uniform(0, 2)
    )
    for _ in range(20)
]  # fmt: skip
every = pytest.mark.parametrize("setting", SETTINGS)


@every
def test_both_codings_predict_the_same(setting):
    """Four columns times four numbers, with a dummy of PR and with one of SMD."""
    delta, beta = np.array(setting.coefficients), np.array(recoded(setting.coefficients))
    for pr in (0, 1):
        smd = 1 - pr
        equations = np.column_stack([np.ones(11), np.full(11, pr), X, pr * X]) @ delta
        software = np.column_stack([np.ones(11), np.full(11, smd), X, smd * X]) @ beta
        np.testing.assert_allclose(expit(equations), expit(software), rtol=0, atol=1e-12)
        intercept, slope = rule_line(setting, bool(pr))
        np.testing.assert_allclose(intercept + slope * X, equations, rtol=0, atol=1e-12)
    np.testing.assert_allclose(recoded(recoded(setting.coefficients)), delta, rtol=0, atol=1e-12)


@every
def test_lines_lie_apart_as_their_covariance_says(setting):
    s0, s1, rho = setting.sd_intercept, setting.sd_slope, setting.corr
    sigma = np.array([[s0**2, rho * s0 * s1], [rho * s0 * s1, s1**2]])
    rows = np.column_stack([np.ones(11), X])
    np.testing.assert_allclose(
        line_sd(setting, X) ** 2, np.einsum("ij,jk,ik->i", rows, sigma, rows), atol=1e-12
    )
    at, fine = closest(setting), np.linspace(0, 1, 10_001)
    least = fine[line_sd(setting, fine).argmin()]
    assert least in (0, 1) if at is None else abs(least - at) < 1e-4


def test_with_a_correlation_of_minus_one_all_lines_can_meet():
    fan = SOME._replace(sd_intercept=0.6, sd_slope=1.2, corr=-1.0)
    assert closest(fan) == 0.5
    assert line_sd(fan, np.array([0.5])) == pytest.approx(0, abs=1e-8)
    assert closest(fan._replace(sd_slope=0.0)) is None
    assert closest(fan._replace(corr=0.5)) is None


@pytest.mark.parametrize("second", [False, True])
def test_ends_are_quantiles_of_the_normal_distribution(second):
    rates, (intercept, slope) = rates_at(SOME, second, X), rule_line(SOME, second)
    elections = norm(intercept + slope * X, line_sd(SOME, X))
    districts = norm(intercept + slope * X, np.sqrt(line_sd(SOME, X) ** 2 + 0.4**2))
    for share, low, high in ((0.05, "election_low", "district_low"),
                             (0.95, "election_high", "district_high")):  # fmt: skip
        np.testing.assert_allclose(getattr(rates, low), expit(elections.ppf(share)), atol=1e-12)
        np.testing.assert_allclose(getattr(rates, high), expit(districts.ppf(share)), atol=1e-12)
    np.testing.assert_allclose(rates.typical, expit(elections.median()), atol=1e-12)


@pytest.mark.parametrize("second", [False, True])
@pytest.mark.parametrize("rate", [0.05, 0.2, 0.6])
def test_districts_below_a_rate_by_quadrature(second, rate):
    intercept, slope = rule_line(SOME, second)

    def below(x):
        sd = np.hypot(line_sd(SOME, x), SOME.sd_district)
        return norm.cdf(logit(rate), intercept + slope * x, sd)

    wanted = quad(below, 0.3, 0.9, epsabs=1e-10)[0] / 0.6
    assert share_below(SOME, second, (0.3, 0.9), rate) == pytest.approx(wanted, abs=1e-5)


def test_without_any_spread_a_district_is_below_or_not():
    flat = Parameters(logit(0.1), 0.0, logit(0.3) - logit(0.1), 0.0, 0, 0, 0, 0)
    crossing = (logit(0.2) - logit(0.1)) / (logit(0.3) - logit(0.1))
    assert share_below(flat, False, (0.0, 1.0), 0.2) == pytest.approx(crossing, abs=1 / 400)
    assert share_below(flat, False, (0.0, 1.0), 0.9) == 1
    rates = rates_at(flat, False, X)
    np.testing.assert_array_equal(rates.typical, rates.district_high)


def test_the_frame_has_a_row_for_each_rule_and_place():
    frame = ladder_frame(SOME, ("SMD", "PR"))
    assert frame["rule"].tolist() == ["SMD"] * 3 + ["PR"] * 3
    row = frame.iloc[4]
    assert row["competitiveness"] == 0.5
    assert row["typical"] == pytest.approx(expit(-3.1 + 0.7 + 0.5 * (4.3 - 3.1)))
    assert row["district_low"] < row["election_low"] < row["typical"] < row["election_high"]
