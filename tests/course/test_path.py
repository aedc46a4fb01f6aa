"""The way through the course: what counts as core, and what a class of it costs."""

from pathlib import Path

import nbformat
import nbformat.v4 as v4
import pytest
from nbformat import write
from support.notebooks import EXISTING
from support.paths import LECTURES

from hierwidgets.course.path import (
    CLASSES,
    CORE,
    OPTIONAL,
    SHORT,
    class_table,
    main,
    sections,
)


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    """A lecture of a title, a core section with a part, an optional one with a core part, and one
    without a mark."""
    told = v4.new_output("display_data", {"text/markdown": "Told in *four* words."})
    folded = v4.new_code_cell(
        "say.it()", metadata={"jupyter": {"source_hidden": True}}, outputs=[told]
    )

    def marked(text: str, path: str, **more: int) -> object:
        return v4.new_markdown_cell(text, metadata={"hierwidgets": {"path": path, **more}})

    cells = [
        v4.new_markdown_cell("# 1 · A title of words"),
        marked("## One · core\n\nThree more words $a + b$.", CORE, short=2),
        v4.new_code_cell("x = 1\n\nhw.widgets.PoolingDial(fit)"),
        v4.new_markdown_cell("```r\n# a comment, no heading\nfit <- 1\n```\n\nIn R"),
        v4.new_markdown_cell("### A part of it\n\nTwo words"),
        folded,
        marked("## Two · optional\n\nword", OPTIONAL),
        v4.new_code_cell('hw.exercises.check("01-rates", ...)'),
        marked("### But this · core\n\nword", CORE),
        v4.new_markdown_cell("## Unmarked"),
    ]
    path = tmp_path / "01-made-up.ipynb"
    write(v4.new_notebook(cells=cells), path)
    return path


def test_sections_of_a_made_up_lecture(made_up: Path) -> None:
    title, one, part, two, but, none = sections(made_up)
    paths = [section.path for section in (title, one, part, two, but, none)]
    assert paths == [CORE, CORE, CORE, OPTIONAL, CORE, ""]
    assert [title.title, one.title, two.title] == ["1 · A title of words", "One", "Two"]
    assert (one.words, one.lines, one.widgets) == (7, 2, ("PoolingDial",))
    assert (part.words, part.lines, part.hidden) == (10, 0, 1)
    assert two.exercises == ("01-rates",)
    assert [one.short, part.short, two.short] == [2, 2, 0]


def test_classes_count_the_core_alone(made_up: Path) -> None:
    row = class_table(made_up.parent)[0]
    every = {section.title: section.words for section in sections(made_up)}
    assert row["words"] == sum(every.values()) - every["Two"] - every["Unmarked"]
    assert row["lines"] == 2
    assert row["exercises"] == []
    assert row["skip"] == ["Two"]


def test_the_command_prints_a_line_for_each_class(made_up: Path, capsys) -> None:
    assert main(made_up.parent) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(CLASSES)
    assert lines[0].startswith("class 1 (lectures 00, 01): 26 words")


def test_every_lecture_is_in_one_class() -> None:
    assert [number for numbers in CLASSES for number in numbers] == [n[:2] for n in EXISTING]


# --- the lectures as they are -------------------------------------------------------------

MOST_WORDS, MOST_LINES, MINUTES = 1500, 120, 75
MOST_HIDDEN = 6  # bars of hidden code in a lecture
NUMBERED = sorted(LECTURES.glob("[0-9]*-*.ipynb"))


@pytest.mark.parametrize("number", range(1, len(CLASSES) + 1))
def test_the_core_fits_a_class(number: int) -> None:
    row = class_table(LECTURES)[number - 1]
    assert row["class"] == number
    assert 900 < row["words"] <= MOST_WORDS
    assert row["lines"] <= MOST_LINES
    assert row["minutes"] < MINUTES / 3  # the rest is for bets, instruments and exercises
    assert row["widgets"]
    assert row["exercises"]


def test_the_short_version_fits_two_classes_of_90_minutes() -> None:
    every = [section for path in NUMBERED for section in sections(path)]
    for short in SHORT:
        mine = [section for section in every if section.short == short]
        assert 1000 < sum(section.words for section in mine) < 2200
        assert sum(section.lines for section in mine) <= MOST_LINES


@pytest.mark.parametrize("path", NUMBERED, ids=lambda path: path.stem)
def test_every_section_says_what_it_is(path: Path) -> None:
    found = sections(path)
    assert [section.title for section in found if section.path not in (CORE, OPTIONAL)] == []
    assert sum(section.hidden for section in found) <= MOST_HIDDEN
    for cell in nbformat.read(path, as_version=4).cells:
        told = cell.metadata.get("hierwidgets", {}).get("path")
        if told and cell.cell_type == "markdown" and not cell.source.startswith("# "):
            assert any(f"· {told}" in line for line in cell.source.splitlines() if "#" in line)
