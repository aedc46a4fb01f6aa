"""Changes put together value by value, against `comparisons` made for the two values.

Tolerance: rounding, rtol 1e-10.
"""

import pandas as pd
import pytest
from support.effect_models import X, invented

import hierwidgets as hw
from hierwidgets.errors import DataError
from hierwidgets.widgets.numbers.effect import changes
from hierwidgets.widgets.numbers.effect.changes import Changes
from hierwidgets.widgets.numbers.effect.frames import change_frame
from hierwidgets.widgets.numbers.effect.setting import TARGETS, setting


@pytest.fixture(scope="module")
def compared():
    data = invented().assign(rule=lambda d: ["old" if g % 3 == 0 else "new" for g in d["g"]])
    return hw.glmer("y ~ x * rule + z + (1 | g)", data)


@pytest.fixture(scope="module")
def drawn():
    return hw.load_posterior("rainey2015")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ["alone", "compared", "drawn"])
def test_they_are_those_of_comparisons(uk, compared, drawn, name, target):
    model = {"alone": uk, "compared": compared, "drawn": drawn}[name]
    shown = setting(model, "x" if name == "compared" else X, average_draws=200)
    low, high = shown.x_range
    together = Changes(shown)
    for first, last in ((low, high), (high, low), (low, 0.5 * (low + high)), (low, high)):
        wanted = change_frame(shown, first, last, target=target, level=0.8)
        found = together.frame(first, last, target, 0.8)
        pd.testing.assert_frame_equal(found, wanted, rtol=1e-10, check_dtype=False)


def test_a_value_is_answered_once(uk, monkeypatch):
    shown, asked = setting(uk, X), []
    rows_at = changes.rows_at
    monkeypatch.setattr(changes, "rows_at", lambda *given: asked.append(1) or rows_at(*given))
    monkeypatch.setattr(changes, "MOST", 3)
    together = Changes(shown)
    for high in (0.5, 0.6):
        together.frame(0.3, high, "typical", 0.9)
    assert len(asked) == 3
    together.frame(0.5, 0.7, "typical", 0.9)  # one too many to keep: the oldest goes
    together.frame(0.6, 0.7, "typical", 0.9)
    assert len(asked) == 4
    together.frame(0.3, 0.7, "typical", 0.9)
    assert len(asked) == 5


def test_what_has_no_change_is_refused(uk):
    with pytest.raises(DataError, match=r"both values of .* are 0\.5; give two"):
        Changes(setting(uk, X)).frame(0.5, 0.5, "typical", 0.9)
