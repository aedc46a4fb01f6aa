"""Probabilities of a moved fit against those of the frames, which predict and compare anew.

Tolerance: rounding, rtol 1e-12.
"""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from support.effect_models import X, invented

import hierwidgets as hw
from hierwidgets.widgets.numbers.effect import heights
from hierwidgets.widgets.numbers.effect.frames import change_frame, curve_frame
from hierwidgets.widgets.numbers.effect.heights import Heights
from hierwidgets.widgets.numbers.effect.moved import held_at
from hierwidgets.widgets.numbers.effect.setting import TARGETS, setting


@pytest.fixture(scope="module")
def compared():
    data = invented().assign(rule=lambda d: np.where(d["g"] % 3 == 0, "old", "new"))
    return hw.glmer("y ~ x * rule + z + (1 | g)", data)


def close(found, wanted):
    pd.testing.assert_frame_equal(found, wanted, rtol=1e-12, check_dtype=False)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ["alone", "compared"])
def test_they_are_those_of_the_frames(uk, compared, name, target):
    fit, predictor = (uk, X) if name == "alone" else (compared, "x")
    shown = setting(fit, predictor)
    assert (shown.compare is None) == (name == "alone")
    quick, at = Heights(shown), np.linspace(*shown.x_range, 7)
    for sigma in (0.2, 1.5):
        moved = held_at(fit, sigma, {1: 0.4})
        there = dataclasses.replace(shown, model=moved)
        close(
            quick.curve(moved, target, at),
            curve_frame(there, "probability", at, target=target, level=None),
        )
        low, high = at[1], at[4]
        close(
            quick.changes(moved, target, low, high),
            change_frame(there, low, high, target=target, level=None),
        )


def test_rows_are_made_once_for_each_place(uk, monkeypatch):
    shown, made = setting(uk, X), []
    rows_at = heights.rows_at
    monkeypatch.setattr(heights, "rows_at", lambda *given: made.append(1) or rows_at(*given))
    quick, at = Heights(shown), np.linspace(*shown.x_range, 7)
    for sigma in (0.2, 0.4, 0.8):
        moved = held_at(uk, sigma)
        quick.curve(moved, "typical", at)
        quick.changes(moved, "typical", 0.5, 0.7)
    assert len(made) == 2
    quick.changes(moved, "typical", 0.5, 0.8)
    quick.curve(moved, "new", at)
    assert len(made) == 4
