"""Headings, links, assignments, glossary: what the book makes of the course's words."""

import re
from pathlib import Path

import nbformat
import nbformat.v4 as v4
import pytest
from nbformat import write
from support.paths import LECTURES, ROOT

from hierwidgets.course.book import assignment, sources
from hierwidgets.course.book.anchors import local, slug, without_mark
from hierwidgets.course.book.links import binder, lite

ASSIGNMENTS = sorted((LECTURES / "assignments" / "source").glob("A*/*.ipynb"))


@pytest.mark.parametrize(
    ("heading", "plain"),
    [
        ("## The fit · core", "## The fit"),
        ("### Who was not asked · optional", "### Who was not asked"),
        ("# 7b · Varying slopes", "# 7b · Varying slopes"),
        ("## Score · core values", "## Score · core values"),
    ],
)
def test_headings_lose_their_marks_and_nothing_else(heading: str, plain: str) -> None:
    assert without_mark(f"{heading}\n\nMore · core") == f"{plain}\n\nMore · core"


def test_code_in_prose_keeps_what_looks_like_a_mark() -> None:
    code = "```r\n# a comment · core\n```"
    assert without_mark(f"## A · core\n\n{code}\n\n## B · optional") == f"## A\n\n{code}\n\n## B"


def test_links_to_headings_lose_the_mark_too() -> None:
    text = "[a](09-fragile-fits.ipynb#The-fit-·-core), [b](#Odd-·-optional), [c](x.ipynb#A-core)"
    assert (
        without_mark(text) == "[a](09-fragile-fits.ipynb#The-fit), [b](#Odd), [c](x.ipynb#A-core)"
    )


def test_slugs_are_those_of_the_links_in_the_lectures() -> None:
    """Every link to a heading, without its mark, is the slug of a heading of that notebook."""
    headings = {path.name: headings_of(path) for path in LECTURES.glob("*.ipynb")}
    links = []
    for path in sorted(LECTURES.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            text = without_mark(cell.source) if cell.cell_type == "markdown" else ""
            for file, anchor in re.findall(r"\]\(([\w-]*(?:\.ipynb)?)#([^)]+)\)", text):
                links.append((file or path.name, anchor))
    assert len(links) >= 5
    for file, anchor in links:
        assert anchor in headings[file], (file, anchor)


def headings_of(path: Path) -> set[str]:
    found = set()
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            found |= {slug(h) for h in re.findall(r"^#+ (.+)$", without_mark(cell.source), re.M)}
    return found


def test_links_above_the_lectures() -> None:
    assert (
        local("[a](../lectures/widgets.ipynb) and lectures/x")
        == "[a](widgets.ipynb) and lectures/x"
    )


def test_where_a_page_runs() -> None:
    assert lite("a b") == "lite/lab/index.html?path=a%20b.ipynb"
    assert binder("02-the-309-problem").endswith(
        "?urlpath=lab%2Ftree%2Fmy-lectures%2F02-the-309-problem.ipynb"
    )
    assert binder("00-map-and-notation") in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("path", ASSIGNMENTS, ids=lambda path: path.stem)
def test_an_assignment_shows_students_nothing_of_its_answers(path: Path) -> None:
    text = assignment.text(path)
    secret = [line for cell in nbformat.read(path, as_version=4).cells for line in hidden(cell)]
    assert len(secret) > 30
    shown = set(text.splitlines())
    given = {line.strip() for line in text.splitlines()}
    for line in secret:
        assert line not in shown, line
        assert len(line.strip()) < 40 or line.strip() not in given, line
    assert "raise NotImplementedError" in text
    assert text.startswith("# Assignment")
    assert text.count("**Checked:**") >= 3


def hidden(cell: nbformat.NotebookNode) -> list[str]:
    """Lines of solutions, mark schemes and hidden tests that say something of their own."""
    regions = re.findall(
        r"BEGIN (?:SOLUTION|HIDDEN TESTS|MARK SCHEME).*?\n(.*?)END (?:SOLUTION|HIDDEN|MARK)",
        cell.source,
        re.DOTALL,
    )
    return [one for region in regions for one in region.splitlines() if len(one.strip()) > 12]


def test_an_assignment_that_would_give_an_answer_away_is_refused(tmp_path: Path) -> None:
    cell = v4.new_code_cell("### BEGIN SOLUTION\nx = 1\n### END SOLUTION")  # not marked as one
    write(v4.new_notebook(cells=[v4.new_markdown_cell("# A"), cell]), tmp_path / "A9.ipynb")
    with pytest.raises(ValueError, match="'BEGIN SOLUTION' would be shown to students"):
        assignment.text(tmp_path / "A9.ipynb")


def test_a_part_of_another_file_comes_in_its_place() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "`arm::display(fit, detail = TRUE)`" in sources.section(readme, "From R to Python")
    with pytest.raises(FileNotFoundError, match=r"README\.md has no section 'Elsewhere'"):
        sources.section(readme, "Elsewhere", "README.md")
