"""The electoral rules have one colour and one kind of line, whoever draws them."""

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

import hierwidgets as hw
from hierwidgets.base import palette
from hierwidgets.base.palette import RULES
from hierwidgets.course.figures.boundary import extended_lines, pair_ellipses
from hierwidgets.course.figures.effects import quantity_panels
from hierwidgets.course.figures.models import Line, coding_panels, election_panels, generative_steps
from hierwidgets.course.models import SEVERAL_COUNTRIES

PACKAGE = Path(hw.__file__).parent
COLOURS = {n for n in palette.__all__ if str(getattr(palette, n)).startswith("#")}
MARKERS = {"o": "circle", "s": "square"}
DASHES = {"solid": "-", "dashed": "--", "dotted": ":"}
Looks = set[tuple[str, str]]
WANTED = {rule: (look.color, look.linestyle) for rule, look in RULES.items()}


# --- in the code ---


def own_colours(tree: ast.AST) -> list[int]:
    """Lines of dictionaries that give a rule a colour: a name of the palette's, or "#rrggbb"."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Dict):
            continue
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value in RULES and coloured(value):
                found.append(node.lineno)
    return sorted(set(found))


def coloured(value: ast.AST) -> bool:
    nodes = list(ast.walk(value))
    names = {n.id for n in nodes if isinstance(n, ast.Name)}
    names |= {n.attr for n in nodes if isinstance(n, ast.Attribute)}
    texts = [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return bool(names & COLOURS) or any(text.startswith("#") for text in texts)


def test_no_other_file_gives_the_rules_colours() -> None:
    places = {
        str(path.relative_to(PACKAGE)): own_colours(ast.parse(path.read_text(encoding="utf-8")))
        for path in PACKAGE.rglob("*.py")
    }
    assert [place for place, lines in places.items() if lines] == ["base/palette.py"]


def test_other_colours_are_found() -> None:
    for look in ("ORANGE", "palette.PINK", "(GREEN, '-')", "'#123456'", "Style('#123456', 'o')"):
        assert own_colours(ast.parse(f"looks = {{'SMD': {look}, 'PR': 0}}")) == [1]
    assert own_colours(ast.parse("means = {'SMD': np.array([0, 1]), 'PR': ORANGES}")) == []


# --- in the figures ---


def looks(axes: Any) -> Looks:
    """Colour and kind of every curve that is drawn."""
    curves = [line for line in axes.lines if len(line.get_xdata()) > 1]
    return {(to_hex(line.get_color()), line.get_linestyle()) for line in curves}


def test_figures_of_elections() -> None:
    frame = pd.DataFrame(
        {
            "election_id": ["A", "A", "B", "B"],
            "electoral_rules": ["SMD", "SMD", "PR", "PR"],
            "district_competitiveness": [0.2, 0.8, 0.2, 0.8],
            "rate": 0.3,
            "estimate": 0.3,
            "n": 9,
        }
    )
    panels = election_panels(frame, [Line("typical,", frame, of_rule=True)]).axes
    assert [looks(axes) for axes in panels] == [{WANTED["SMD"]}, {WANTED["PR"]}]
    numbers = np.array([-3.0, 1.0, 4.0, -3.0])
    for axes in coding_panels(numbers, numbers).axes:
        assert looks(axes) == set(WANTED.values())


@pytest.mark.parametrize("rule", RULES)
def test_figure_of_one_election(rule: str) -> None:
    made = pd.DataFrame({"comp": [0.4, 0.8], "alpha": [0.0, 1.0], "n": [4, 5], "y": [1, 3]})
    first, second, *_ = generative_steps(made, (-2.0, 2.0), (-1.0, 1.0), rule).axes
    assert looks(first) == {WANTED[rule]}
    assert WANTED[rule] in looks(second)


def test_figures_of_the_boundary_and_of_effects() -> None:
    frame = pd.DataFrame(
        {
            "name": ["A", "B"], "rules": ["PR", "SMD"], "height": [0.0, 1.0], "slope": [1.0, 2.0],
            "intercept": [0.0, 1.0], "var_height": 1.0, "cov": 0.2, "var_slope": 1.0,
        }
    )  # fmt: skip
    assert looks(extended_lines(frame, None, (0.2, 0.9)).axes[0]) == set(WANTED.values())
    axes = pair_ellipses({"at 0": frame}, ["height"]).axes[0]
    assert looks(axes) == set(WANTED.values())
    markers = {line.get_marker() for line in axes.lines if len(line.get_xdata()) == 1}
    assert markers == {look.marker for look in RULES.values()}
    curves = pd.DataFrame(
        {
            "x": [0.0, 1.0] * 2, "series": ["PR"] * 2 + ["SMD"] * 2,
            "estimate": 0.2, "conf_low": 0.1, "conf_high": 0.3,
        }
    )  # fmt: skip
    assert looks(quantity_panels({"rate": curves}).axes[0]) == set(WANTED.values())


# --- in the instruments ---


def look(mark: Any) -> tuple[str, str]:
    return mark.colors[0], DASHES[mark.line_style]


def test_instrument_of_the_effect() -> None:
    fit = hw.glmer(SEVERAL_COUNTRIES, hw.load("rainey2015"), event="Contacted")
    effect = hw.widgets.CompetitivenessEffect(fit, "district_competitiveness")
    assert list(effect.curves.names.values()) == list(RULES)[::-1]
    for i, rule in effect.curves.names.items():
        assert look(effect.curves.curves[i]) == WANTED[rule]
        assert effect.curves.marks[i].marker == MARKERS[RULES[rule].marker]
    (row,) = effect.facets
    assert set(row.line.colors) == {WANTED["SMD"][0]}
    assert set(row.dashed.colors) == {WANTED["PR"][0]}
    assert (row.line.line_style, row.dashed.line_style) == ("solid", "dashed")
    effect.close()


def test_instrument_of_the_ladder() -> None:
    ladder = hw.widgets.GenerativeLadder()
    for panels in (ladder.elections, ladder.districts):
        assert [look(panel.typical) for panel in panels] == [WANTED[rule] for rule in ladder.rules]
    assert [panel.band.colors[0] for panel in ladder.elections] == [
        WANTED[rule][0] for rule in ladder.rules
    ]
    ladder.close()
