"""Simulated elections, districts and respondents against the normal distribution and quadrature.

With n draws an average is known to about 4 sd / sqrt(n), which is the tolerance in each test.
"""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from hierwidgets.widgets.numbers.ladder.draws import (
    DISTRICTS,
    ELECTIONS,
    MOST_PEOPLE,
    draws,
    election,
    election_lines,
)
from hierwidgets.widgets.numbers.ladder.parameters import Parameters, line_sd, rule_line

SOME = Parameters(-3.1, 0.7, 4.3, -3.1, 0.5, 1.2, -0.7, 0.4)
FIXED = SOME._replace(sd_intercept=0.0, sd_slope=0.0)


@pytest.mark.parametrize("corr", [-1.0, -0.7, 0.0, 0.4, 1.0])
@pytest.mark.parametrize("second", [False, True])
def test_lines_have_the_moments_they_should(corr, second):
    n = 200_000
    setting = SOME._replace(corr=corr)
    normal = np.random.default_rng(1).standard_normal((n, 2))
    lines = election_lines(setting, second, normal)
    far = 4 / np.sqrt(n)
    np.testing.assert_allclose(lines.mean(axis=0), rule_line(setting, second), atol=1.2 * far)
    np.testing.assert_allclose(lines.std(axis=0), [0.5, 1.2], rtol=far)
    assert np.corrcoef(lines.T)[0, 1] == pytest.approx(corr, abs=far)
    for x in (0.0, 0.3, 1.0):
        sd = float(line_sd(setting, np.array(x)))
        assert (lines @ [1, x]).std() == pytest.approx(sd, rel=far)
        mean, _ = quad(lambda z, x=x, sd=sd: expit(np.dot(rule_line(setting, second), [1, x])
                       + sd * z) * norm.pdf(z), -9, 9)  # fmt: skip
        assert expit(lines @ [1, x]).mean() == pytest.approx(mean, abs=0.5 * far)


def test_rates_and_shares_average_to_the_integral():
    """Over 500 seeds: rates of districts, and shares of few and of many respondents."""
    found = {n: [election(FIXED, False, draws(s), (0.6, 0.6), n) for s in range(500)]
             for n in (1, 8, 100)}  # fmt: skip
    middle = np.dot(rule_line(FIXED, False), [1, 0.6])
    mean, square = (
        quad(lambda z, p=p: expit(middle + 0.4 * z) ** p * norm.pdf(z), -9, 9)[0] for p in (1, 2)
    )
    for n, made in found.items():
        rates, shares = (np.concatenate([one[i] for one in made]) for i in (1, 2))
        far = 4 / np.sqrt(len(rates))
        between = square - mean**2
        assert rates.mean() == pytest.approx(mean, abs=far * np.sqrt(between))
        assert rates.var() == pytest.approx(between, rel=2 * far)
        total = between + (mean - square) / n  # and the binomial's own
        assert shares.mean() == pytest.approx(mean, abs=far * np.sqrt(total))
        assert shares.var() == pytest.approx(total, rel=2 * far)


def test_it_is_the_same_election_above_and_below():
    drawn = draws(3)
    for second in (False, True):
        found = election(SOME._replace(sd_district=0.0), second, drawn, (0.3, 0.9), 8)
        line = election_lines(SOME, second, drawn.elections[int(second)])[0]
        rates = expit(line[0] + line[1] * found.competitiveness)
        np.testing.assert_allclose(found.rate, rates, atol=1e-12)
        assert found.competitiveness.min() >= 0.3
        assert found.competitiveness.max() <= 0.9


@pytest.mark.parametrize("name", Parameters._fields)
def test_a_small_turn_moves_everything_a_little(name):
    drawn = draws(5)
    before = election(SOME, True, drawn, (0.3, 0.9), 8)
    turned = SOME._replace(**{name: getattr(SOME, name) + 1e-6})
    after = election(turned, True, drawn, (0.3, 0.9), 8)
    assert np.abs(after.rate - before.rate).max() < 1e-5
    np.testing.assert_array_equal(after.competitiveness, before.competitiveness)
    assert np.abs(after.share - before.share).max() <= 1 / 8


def test_a_higher_intercept_takes_nobody_back():
    drawn = draws(5)
    low = election(SOME, False, drawn, (0.3, 0.9), 100)
    high = election(SOME._replace(delta_00=-2.0), False, drawn, (0.3, 0.9), 100)
    assert (high.share >= low.share).all()
    assert high.share.mean() > low.share.mean() + 0.1


def test_a_seed_gives_the_same_draws_and_another_gives_others():
    one, again, other = draws(7), draws(7), draws(8)
    np.testing.assert_array_equal(one.respondents, again.respondents)
    assert not np.isclose(one.elections, other.elections).any()
    assert one.elections.shape == (2, ELECTIONS, 2)
    assert one.respondents.shape == (2, DISTRICTS, MOST_PEOPLE)
