"""Draws where a predictor's zero is elsewhere.

Default priors are on the centred design, so a predictor of the fixed part may start anywhere: the
chains are the same to rounding. An sd's prior is on the coefficient as the formula writes it, so
that of a slope of the year holds the intercept of the year 0 to a few units: another model.
"""

import pytest
from support.waves import moved, waves

import hierwidgets as hw

pytest.importorskip("nutpie")


def test_a_shifted_predictor_of_the_fixed_part_gives_the_same_draws():
    here, there = (
        hw.Model("b ~ x + (1 | country)", data, "binomial")
        .sample(chains=2, tune=300, draws=200, seed=1, progress=False)
        .summary()["estimate"]
        for data in (waves(), moved(waves(), 1e6, 1.0))
    )
    for name in ("x", "sd Intercept | country"):
        assert there[name] == pytest.approx(here[name], rel=1e-3)
