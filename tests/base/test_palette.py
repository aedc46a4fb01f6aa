"""Colours stand out on a light and on a dark page, and can be told apart by colour-blind readers.

Contrast is that of WCAG 2.1, which asks for 3 for marks. How colours look without one kind of
cone: Machado, Oliveira and Fernandes (2009), IEEE Transactions on Visualization and Computer
Graphics 15(6), for all of it missing; how far two are apart is measured in CIE Lab.
"""

import pytest
from support.colours import CONES, GROUNDS, apart, contrast

from hierwidgets.base import palette

INSTRUMENTS = (
    "GREEN", "ORANGE", "PURPLE", "PINK", "BROWN", "GREY", "LIGHT_GREY",
)  # fmt: skip


@pytest.mark.parametrize("ground", GROUNDS)
def test_colours_of_instruments_stand_out_in_both_themes(ground: str) -> None:
    colours = {name: getattr(palette, name) for name in INSTRUMENTS}
    colours |= {f"blue {i}": blue for i, blue in enumerate(palette.BLUES)}
    for name, colour in colours.items():
        assert contrast(colour, GROUNDS[ground]) >= 3, name


@pytest.mark.parametrize("missing", CONES)
def test_the_three_kinds_of_pooling_differ_for_every_eye(missing: str) -> None:
    kinds = list(palette.STYLES.values())
    for i, one in enumerate(kinds):
        for other in kinds[:i]:
            assert apart(one.color, other.color, missing) > 30


@pytest.mark.parametrize("missing", CONES)
def test_the_two_electoral_rules_differ_for_every_eye(missing: str) -> None:
    assert apart(palette.RULES["SMD"].color, palette.RULES["PR"].color, missing) > 30


def test_the_two_electoral_rules_differ_without_colour() -> None:
    for look in ("marker", "linestyle"):
        assert len({getattr(style, look) for style in palette.RULES.values()}) == 2


def test_the_three_kinds_of_pooling_differ_without_colour() -> None:
    for look in ("marker", "linestyle"):
        assert len({getattr(style, look) for style in palette.STYLES.values()}) == 3


def test_the_measures_know_what_is_known() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert apart("#000000", "#ffffff", "none") == pytest.approx(100, abs=0.1)
    assert apart("#ff0000", "#00ff00", "none") == pytest.approx(170.6, abs=0.5)
    red, olive = "#c4463a", "#8a7a2f"
    assert apart(red, olive, "deuteranope") < apart(red, olive, "none") / 2
