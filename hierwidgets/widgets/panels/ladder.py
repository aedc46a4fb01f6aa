"""The pictures of the ladder: elections of one rule, and one of them down to its respondents."""

from collections.abc import Sequence
from typing import Any

import bqplot
import numpy as np

from hierwidgets.base.arrays import Array, expit
from hierwidgets.base.palette import GREY, ORANGE, PINK, RULES, Style
from hierwidgets.widgets.numbers.ladder.draws import Election
from hierwidgets.widgets.numbers.ladder.parameters import Rates
from hierwidgets.widgets.parts.charts import figure, half_width, outlines, plot_size, put, upright
from hierwidgets.widgets.parts.legend import legend

__all__ = ["PLACES", "DistrictsPanel", "ElectionsPanel", "ladder_key", "rule_looks"]

ELECTION, DISTRICT, RESPONDENTS = ORANGE, PINK, GREY  # as in the lecture's figure
PLACES = np.linspace(0.0, 1.0, 41)  # of competitiveness, where curves are drawn
TICKS = np.array([0.0, 0.5, 1.0])
DOT, DIAMOND = 22.0, 34.0  # square pixels
AIR = 0.03  # a mark at an end is whole


def rule_looks(rules: Sequence[str]) -> list[Style]:
    """The colour and dashes of each of two rules: by name, or of others in their order."""
    return [RULES[name] for name in (rules if set(rules) == set(RULES) else RULES)]


class _Panel:
    """Axes from 0 to 1 both ways, the rule's typical curve and one election's own."""

    def __init__(self, name: str, rule: str, look: Style) -> None:
        self.look = look
        self.x, self.y = (
            bqplot.LinearScale(min=-AIR, max=1 + AIR, allow_padding=False) for _ in range(2)
        )
        self.typical = self._line(
            look.color, stroke_width=2.5, line_style="solid" if look.linestyle == "-" else "dashed"
        )
        self.own = self._line(ELECTION, stroke_width=3, line_style="dotted")
        self._build()
        axes = [
            bqplot.Axis(
                scale=self.x, grid_lines="none", tick_values=TICKS, tick_format="~g",
                label=f"competitiveness, {rule}", label_offset="32px",
            ),
            upright(
                bqplot.Axis(
                    scale=self.y, grid_lines="none", tick_values=TICKS, tick_format="~g",
                    label="contact rate", label_offset="32px",
                )
            ),
        ]  # fmt: skip
        self.figure = half_width(figure(name, "245px", self._marks(), axes, bottom=44))

    def _build(self) -> None:
        """The marks of this picture alone."""

    def _marks(self) -> list[bqplot.Mark]:
        return [self.typical, self.own]

    def _line(self, color: str, **look: Any) -> bqplot.Lines:
        scales = {"x": self.x, "y": self.y}
        return bqplot.Lines(scales=scales, x=[0.0, 1.0], y=[0.0, 0.0], colors=[color], **look)

    def _show_curves(self, typical: Array, line: Array) -> None:
        put(self.typical, x=PLACES, y=typical)
        put(self.own, x=PLACES, y=expit(line[0] + line[1] * PLACES))


class ElectionsPanel(_Panel):
    """All elections drawn under a rule, around its typical curve; `show` brings it to a state.

    Parameters
    ----------
    name
        The figure's class, by which its text alternative finds it.
    rule
        The rule's name.
    look
        Its colour and line style.

    Attributes
    ----------
    figure
        To be shown.
    typical, band, others, own
        The rule's curve, the middle 90 % of elections, those drawn, and the first of them.
    """

    def _build(self) -> None:
        self.others = self._line(ELECTION, stroke_width=1, opacities=[0.75])
        self.band = self._line(
            self.look.color, stroke_width=0, fill="inside", fill_colors=[self.look.color],
            fill_opacities=[0.22], close_path=True,
        )  # fmt: skip

    def _marks(self) -> list[bqplot.Mark]:
        return [self.band, self.others, self.own, self.typical]

    def show(self, rates: Rates, lines: Array) -> None:
        """Rates at `PLACES`, and intercept and slope of each election's line (K, 2)."""
        self._show_curves(rates.typical, lines[0])
        ends = np.concatenate([rates.election_low, rates.election_high[::-1]])
        put(self.band, x=np.concatenate([PLACES, PLACES[::-1]]), y=ends)
        gap = np.full((len(lines), 1), np.nan)
        curves = np.hstack([expit(lines[:, :1] + lines[:, 1:] * PLACES), gap])
        x = np.tile(np.append(PLACES, np.nan), len(lines))
        put(self.others, x=x[:-1], y=curves.ravel()[:-1])


class DistrictsPanel(_Panel):
    """The first election of a rule: its curve, its districts, and what respondents say.

    Parameters
    ----------
    name, rule, look
        As in `ElectionsPanel`.

    Attributes
    ----------
    figure
        To be shown.
    typical, own
        The rule's curve and the election's.
    districts, respondents
        Rates of the districts as dots, shares of their respondents as diamonds: one path each.
    shown
        What is shown.
    """

    shown: Election

    def _build(self) -> None:
        self.districts = self._line(
            DISTRICT, stroke_width=1, fill="inside", fill_colors=[DISTRICT], fill_opacities=[1.0]
        )
        self.respondents = self._line(RESPONDENTS, stroke_width=1.5)

    def _marks(self) -> list[bqplot.Mark]:
        return [self.respondents, self.own, self.typical, self.districts]

    def show(self, typical: Array, line: Array, found: Election) -> None:
        """The rule's curve at `PLACES`, the election's intercept and slope, its districts."""
        self.shown = found
        self._show_curves(typical, line)
        per_pixel = tuple((1 + 2 * AIR) / side for side in plot_size(self.figure))
        at = found.competitiveness
        for mark, marker, area, height in (
            (self.districts, "circle", DOT, found.rate),
            (self.respondents, "diamond", DIAMOND, found.share),
        ):
            x, y = outlines(marker, area, at, height, (per_pixel[0], per_pixel[1]))
            put(mark, x=x, y=y)


def ladder_key(rules: Sequence[str]) -> str:
    """The key of all four pictures, from the top of the ladder down."""
    looks = dict(zip(rules, rule_looks(rules), strict=True))

    def line(color: str, width: float, dashes: str = "none") -> str:
        look = f'stroke="{color}" stroke-width="{width}" stroke-dasharray="{dashes}"'
        return f'<path d="M0 8h26" {look}/>'

    band = "".join(
        f'<rect x="{2 + 11 * i}" y="2" width="11" height="12" fill="{look.color}" '
        'fill-opacity="0.22"/>'
        for i, look in enumerate(looks.values())
    )
    keys = [
        *((f"typical, {name}", line(look.color, 2.5, "none" if look.linestyle == "-" else "6 4"))
          for name, look in looks.items()),
        ("90 % of elections", band),
        ("elections drawn", line(ELECTION, 1)),
        ("one of them", line(ELECTION, 3, "2 3")),
        ("its districts", f'<circle cx="13" cy="8" r="3.5" fill="{DISTRICT}"/>'),
        ("shares of their respondents",
         f'<path d="M13 2l3.5 6-3.5 6-3.5-6z" fill="none" stroke="{RESPONDENTS}"/>'),
    ]  # fmt: skip
    return legend(keys, width=26)
