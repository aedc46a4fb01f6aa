"""A class outline: what the core says, asks and draws, in order, and nothing else."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import nbformat.v4 as v4
import pytest
from support.paths import LECTURES

from hierwidgets.course import slides
from hierwidgets.course.path import CORE, OPTIONAL

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


def marked(text: str, path: str) -> Any:
    return v4.new_markdown_cell(text, metadata={"hierwidgets": {"path": path}})


@pytest.fixture
def lecture(tmp_path: Path) -> Path:
    """A core section with a guess, a table, a figure and a part; one optional, one unmarked."""
    table = v4.new_output("execute_result", {"text/html": "<table>secret</table>"})
    figure = v4.new_output("execute_result", {"image/png": PNG}, execution_count=3)
    figure.metadata = {"image/png": {"alt": "two points"}}
    caption = v4.new_output("display_data", {"text/markdown": "**Figure 1.** The answer is 4."})
    cells = [
        v4.new_markdown_cell("# 4 · A title\n\n**The question.** What?\n\nYou need an hour."),
        marked("## Three kinds · core\n\nSee [lecture 3](03-x.ipynb#A) [it](https://a.b).", CORE),
        v4.new_markdown_cell("More.\n\n**Guess first.** 2 or 3?\n\n<details>\n\nTwo\n\n</details>"),
        v4.new_code_cell("secret = 2", outputs=[table, figure, caption]),
        v4.new_markdown_cell("### A part of it\n\nThese are:\n\n1. one\n\n2. two\n\nAnd more."),
        marked("## Depth · optional\n\nsecret", OPTIONAL),
        v4.new_code_cell("1", outputs=[figure]),
        v4.new_markdown_cell("## Unmarked\n\n```r\n# secret\n```\n\n- a\n- b"),
    ]  # fmt: skip
    path = tmp_path / "04-a-title.ipynb"
    nbformat.write(v4.new_notebook(cells=cells), path)
    return path


def test_the_outline_of_a_made_up_lecture(lecture: Path) -> None:
    notebook = slides.outline(lecture)
    nbformat.validate(notebook)
    kinds = [cell.metadata["slideshow"]["slide_type"] for cell in notebook.cells]
    assert kinds == ["slide", "slide", "subslide", "subslide", "slide"]
    title, kinds_, figure, part, unmarked = notebook.cells
    assert title.source.startswith("# 4 · A title\n\n**The question.** What?\n\n<style>")
    assert kinds_.source == (
        "## Three kinds\n\nSee lecture 3 [it](https://a.b).\n\n**Guess first.** 2 or 3?"
    )
    assert figure.source == (
        "![two points](attachment:figure.png)\n\n"
        '<div class="caption">\n\n**Figure 1.** The answer is 4.\n\n</div>'
    )
    assert figure.attachments == {"figure.png": {"image/png": PNG}}
    assert part.source == "### A part of it\n\nThese are:\n\n1. one\n\n2. two"
    assert unmarked.source == "## Unmarked\n\n- a\n- b"
    assert "secret" not in nbformat.writes(notebook)


def test_an_opening_takes_what_it_announces_and_a_guess_stays_alone() -> None:
    def told(source: str) -> str:
        return slides._told("", [v4.new_markdown_cell(source)])[1]

    assert told("It is written\n\n$$\na\n$$\n\nAnd more.") == "It is written\n\n$$\na\n$$"
    assert told("**Guess first.** Why?\n\nBecause.") == "**Guess first.** Why?"
    assert told("So:\n\n**Guess first.** Why?\n\nHm.") == "So:\n\n**Guess first.** Why?"
    assert told("One.\n\nTwo.\n\n**Guess first.** Why?") == "One.\n\n**Guess first.** Why?"


def test_slides_are_written_whole(lecture: Path, tmp_path: Path) -> None:
    page = slides.write(lecture, tmp_path / "a folder" / "slides")
    assert page.name == "04-a-title.slides.html"
    html = page.read_text(encoding="utf-8")
    assert html.count("<section") >= 5
    assert 'alt="two points"' in html
    assert f"data:image/png;base64,{PNG[:20]}" in html
    assert "secret" not in html
    assert "<strong>Figure 1.</strong>" in html
    outline = page.with_name("04-a-title.outline.ipynb")
    assert nbformat.read(outline, as_version=4).cells == slides.outline(lecture).cells


def test_nbconvert_reads_the_outline(lecture: Path, tmp_path: Path) -> None:
    """What an instructor has edited becomes slides by Jupyter's own command."""
    slides.write(lecture, tmp_path)
    command = [
        *(sys.executable, "-m", "nbconvert", "--to", "slides", "--no-input"),
        str(tmp_path / "04-a-title.outline.ipynb"),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert "2 or 3?" in (tmp_path / "04-a-title.outline.slides.html").read_text()


def test_a_lecture_of_ours(tmp_path: Path) -> None:
    path = LECTURES / "04-three-kinds-of-pooling.ipynb"
    notebook = slides.outline(path)
    told = [cell for cell in notebook.cells if "attachments" not in cell]
    figures = [cell for cell in notebook.cells if "attachments" in cell]
    assert len(told) >= 5
    assert len(figures) >= 3
    assert all(re.match(r"!\[\w.{20,}\]\(att", cell.source) for cell in figures)
    assert "<details>" not in nbformat.writes(notebook)
    assert ".ipynb" not in "".join(cell.source for cell in told)
    assert max(len(cell.source.split()) for cell in told[1:]) < 200


def test_the_command(lecture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "out"
    assert slides.main([str(lecture), "--to", str(folder)]) == 0
    assert capsys.readouterr().out == f"{folder / '04-a-title.slides.html'}\n"
    assert slides.main([str(lecture.with_suffix(".md"))]) == 1
    assert "is no notebook; name one such as" in capsys.readouterr().out
    folder.rename(tmp_path / "away")
    folder.write_text("a file")
    assert slides.main([str(lecture), "--to", str(folder)]) == 1
    assert "cannot be written" in capsys.readouterr().out
