"""The gallery: every widget once more, each with something to try and the way to its lecture."""

import re
from typing import Any

from support.notebooks import cells, cells_of, has_widget, tags
from support.paths import LECTURES

from hierwidgets import widgets
from hierwidgets.widgets.parts.instrument import Instrument

GALLERY = LECTURES / "widgets.ipynb"


def instruments() -> set[str]:
    """The names of all widgets that the package offers."""
    found = {name: getattr(widgets, name) for name in widgets.__all__}
    return {
        n for n, kind in found.items() if isinstance(kind, type) and issubclass(kind, Instrument)
    }


def made_in(cell: Any) -> list[str]:
    made = re.findall(r"hw\.widgets\.(\w+)\(", cell.source)
    return [name for name in made if name in instruments()]


def test_the_gallery_shows_every_widget_once() -> None:
    shown = [cell for cell in cells_of(GALLERY) if has_widget(cell)]
    assert sorted(name for cell in shown for name in made_in(cell)) == sorted(instruments())
    assert all(len(made_in(cell)) == 1 for cell in shown)
    lines = [re.findall(r"^hw\.widgets\..*\)$", cell.source, re.MULTILINE) for cell in shown]
    assert all(len(found) == 1 for found in lines), "one line makes a widget"


def test_the_gallery_says_what_to_try_and_where_it_is_explained() -> None:
    found = cells_of(GALLERY)
    for i in (i for i, cell in enumerate(found) if has_widget(cell)):
        text = found[i - 1].source
        assert text.startswith("## ")
        lectures = re.findall(r"\]\((\d\db?-[\w-]+)\.ipynb", text)
        assert lectures, text[:40]
        assert any(made_in(found[i])[0] in cell.source for cell in cells(lectures[0])), text[:40]
        told = re.sub(r"^#.*$", "", text.partition("Explained in")[0], flags=re.MULTILINE)
        assert 2 <= len(re.findall(r"[.?!](?:\s|$)", told)) <= 5, text[:40]


def test_the_gallery_opens_with_its_goals_and_asks_nothing() -> None:
    first = cells_of(GALLERY)[0].source
    goals = first.partition("**After this page you can**")[2]
    assert len(re.findall(r"^- ", goals, re.MULTILINE)) >= 3
    assert "ithout a running kernel" in first
    assert not any({"exercise", "solution"} & tags(cell) for cell in cells_of(GALLERY))
