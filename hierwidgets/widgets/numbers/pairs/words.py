"""What the instrument of slopes says: of the spread, of how far groups move, of one group."""

import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.widgets.numbers.boundary.words import plural

from .pooled import Groups, Spread, kept, moved

__all__ = [
    "group_words", "moved_words", "picture_words", "rows", "spread_words", "thin_words",
    "without_words",
]  # fmt: skip

THIN = 0.75  # a correlation beyond it makes a thin ellipse


def spread_words(spread: Spread, fitted: bool = False) -> str:
    """The spread in words, and whether it is the fit's.

    Examples
    --------
    >>> spread_words(Spread(0.8, 0.35, -0.6))
    'Sd of intercepts 0.80, sd of slopes 0.35, correlation −0.60.'
    """
    start = "At the fit: sd" if fitted else "Sd"
    return (
        f"{start} of intercepts {spread.sd_intercept:.2f}, sd of slopes {spread.sd_slope:.2f}, "
        f"correlation {_signed(spread.corr)}."
    )


def moved_words(groups: Groups, lines: Array) -> str:
    """How far groups are moved by partial pooling."""
    intercept, slope = moved(groups, lines)
    if not np.isfinite(intercept):
        return "No group has a line of its own."
    return (
        f"Half of the {plural(groups.group)} move by more than {intercept:.2f} in the intercept, "
        f"half by more than {slope:.2f} in the slope."
    )


def thin_words(groups: Groups, lines: Array, spread: Spread) -> str:
    """What the ellipse keeps along its axis and across it, and what a thin one does."""
    many = plural(groups.group)
    if min(spread[:2]) <= 0:
        one = "intercepts" if spread.sd_intercept <= 0 else "slopes"
        return f"With an sd of 0 all {one} are one, and a correlation means nothing."
    found = kept(groups, lines, spread)
    if not np.isfinite(found).all():
        return ""
    shares = (
        f"{found.along:.0%} of their distance from the centre along the ellipse's axis and "
        f"{found.across:.0%} across it"
    )
    if abs(spread.corr) < THIN:
        return f"The {many} keep {shares}."
    high = "steep" if spread.corr > 0 else "flat"
    return (
        f"The ellipse is thin: {many} keep {shares}, so they line up along it, and a high "
        f"intercept is taken for a {high} slope."
    )


def without_words(groups: Groups, outside: int) -> str:
    """Groups without a line of their own, and how many own lines lie outside the picture."""
    said = []
    if groups.without:
        has, its = ("has", "its") if groups.without == 1 else ("have", "their")
        said.append(f"{groups.without} of {len(groups.levels)} {has} no line of {its} own")
    if outside:
        lie = "own line lies" if outside == 1 else "own lines lie"
        said.append(f"{outside} {lie} outside the picture")
    return f"{'; '.join(said)}." if said else ""


def group_words(groups: Groups, lines: Array, row: int) -> str:
    """One group's two lines."""
    name, now, own = groups.levels[row], lines[row], groups.own[row]
    pooled = f"intercept {_signed(now[0])} and slope {_signed(now[1])}"
    if np.isnan(own[0]):
        return f"{name} (n = {groups.n[row]:g}): no line of its own, partial pooling {pooled}."
    return (
        f"{name} (n = {groups.n[row]:g}): own intercept {_signed(own[0])} and slope "
        f"{_signed(own[1])}, partial pooling {pooled}."
    )


def picture_words(groups: Groups, lines: Array, spread: Spread) -> str:
    """The picture for those who do not see it."""
    half, most = (f"{level} %" for level in (50, 90))
    return (
        f"Intercept across and slope in {groups.slope} upwards of {len(groups.levels)} "
        f"{plural(groups.group)}, each an arrow from its own line to partial pooling. Centre at "
        f"{_signed(groups.centre[0])} and {_signed(groups.centre[1])}; the ellipses for {half} "
        f"and {most} lean {_lean(spread)}. Intercepts after pooling from "
        f"{_span(lines[:, 0])}, slopes from {_span(lines[:, 1])}."
    )


def rows(groups: Groups, lines: Array) -> list[list[str]]:
    """The table: name, n, own intercept and slope, partially pooled ones."""
    return [
        [
            str(level),
            f"{n:g}",
            *("none" if np.isnan(value) else _signed(value) for value in (*own, *now)),
        ]
        for level, n, own, now in zip(groups.levels, groups.n, groups.own, lines, strict=True)
    ]


def _lean(spread: Spread) -> str:
    if abs(spread.corr) < 0.05 or min(spread[:2]) <= 0:
        return "neither way"
    return "upwards to the right" if spread.corr > 0 else "downwards to the right"


def _span(values: Array) -> str:
    return f"{_signed(values.min())} to {_signed(values.max())}"


def _signed(value: float) -> str:
    text = f"{value:.2f}".replace("-", "−")
    return "0.00" if text == "−0.00" else text
