"""The lectures as a course: what is taught where, how each is built, where its links lead.

Nothing is run here: the stored outputs are those of a complete run (`test_repository`).

Items are taught in a cell that carries their tag and says something: a Markdown cell with prose,
or a code cell with an output. The overview 00 counts for the items named in `OVERVIEW` alone, the
page-against-data notebook for none.
"""

import ast
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
from support.course_facts import BESIDE, PLAN, TO_COME, items, prose, words
from support.notebooks import (
    EXISTING,
    OPTIONAL,
    cells,
    cells_of,
    due,
    every_lecture,
    every_notebook,
    every_told,
    has_figure,
    has_widget,
    tags,
    written,
)
from support.paths import LECTURES

from hierwidgets import exercises

OVERVIEW = {"S1", "S2", "S3", "S4", "X4", "X5", "X6"}  # what 00 may teach alone
FEWEST_WORDS = 15  # of a Markdown cell that teaches something
LONGEST_FUNCTION = 10  # lines; what is longer belongs in the package


# What is taught where


def teaches(cell: Any) -> bool:
    """Whether a cell says something: enough prose, or an output that is no error."""
    if cell.cell_type == "markdown":
        text = re.sub(r"^#.*$", "", prose(cell.source), flags=re.MULTILINE)
        return len(words(text)) >= FEWEST_WORDS
    kinds = {output.output_type for output in cell.get("outputs", [])}
    return bool(kinds) and "error" not in kinds


def counts_for(item: str) -> list[str]:
    """The lectures that may teach an item: 00, the first half, or the second."""
    if item in OVERVIEW - {"X4", "X5", "X6"}:
        return PLAN[:1]
    first = items()[item] < "08"
    beside = [name for name in BESIDE if (name < "08") == first]
    half = [*(PLAN[1:8] if first else PLAN[8:]), *beside]
    return [*PLAN[:1], *half] if item in OVERVIEW else half


def taught(item: str) -> list[str]:
    """The lectures, among those that count, in which a cell with the item's tag teaches."""
    return [
        name
        for name in counts_for(item)
        if name in (*EXISTING, *OPTIONAL)
        and any(item in tags(c) and teaches(c) for c in cells(name))
    ]


def test_the_plan_covers_the_course_and_what_is_missing_is_listed() -> None:
    numbered = [f"S{i}" for i in range(1, 92)] + [f"X{i}" for i in range(1, 43)]
    assert list(items()) == numbered
    assert set(items().values()) == {name[:2] for name in PLAN}
    assert set(PLAN) - set(EXISTING) <= TO_COME
    assert {*PLAN, "A-slide-vs-data"} >= TO_COME


@every_lecture
def test_items_are_taught(name: str) -> None:
    """Every item planned for a lecture that exists is taught in one that counts."""
    assert [item for item in due(name) if not taught(item)] == []


def test_a_tag_alone_teaches_nothing() -> None:
    short = nbformat.v4.new_markdown_cell("## A heading of many words that says nothing at all")
    silent = nbformat.v4.new_code_cell("x = 1")
    table = "```r\n" + "library(lme4) " * 20 + "\n```"
    code_only = nbformat.v4.new_markdown_cell(table)
    formula = nbformat.v4.new_markdown_cell("$$ a $$\n" * 20)
    assert not any(map(teaches, (short, silent, code_only, formula)))
    assert teaches(nbformat.v4.new_markdown_cell("This cell has a word or two. " * 3))


@every_notebook
def test_tags_are_items(path: Path) -> None:
    """A slip such as S02 or s12 would teach nothing."""
    known = {*items(), "exercise", "solution", "raises-exception"}
    assert set().union(*map(tags, cells_of(path))) <= known


# Links


def anchors(path: Path) -> set[str]:
    """What a link can point at in a notebook: headings, as JupyterLab names them."""
    found = set()
    for cell in cells_of(path):
        for heading in re.findall(r"^#{1,6} +(.+?)\s*$", written(cell), re.MULTILINE):
            found.add(re.sub(r"[*`]", "", heading).replace(" ", "-"))
    return found


def links(path: Path) -> list[str]:
    texts = [re.sub(r"```.*?```", "", written(cell), flags=re.DOTALL) for cell in cells_of(path)]
    return [target for text in texts for target in re.findall(r"\]\(([^)\s]+)\)", text)]


def broken(path: Path, target: str) -> bool:
    if target.startswith(("http://", "https://", "mailto:")):
        return False
    file, _, anchor = target.partition("#")
    goal = path.parent / file if file else path
    if goal.suffix == ".ipynb" and goal.stem in TO_COME and not goal.exists():
        return False
    if not goal.exists():
        return True
    return bool(anchor) and goal.suffix == ".ipynb" and anchor not in anchors(goal)


@every_notebook
def test_links_lead_somewhere(path: Path) -> None:
    assert [target for target in links(path) if broken(path, target)] == []


def test_broken_links_are_found() -> None:
    path = LECTURES / f"{EXISTING[-1]}.ipynb"
    assert broken(path, "05-simulate-and-recovr.ipynb")
    assert broken(path, "#No-such-heading")
    assert not broken(path, "#What-to-remember-·-core")


# How a lecture is built


def sections(name: str) -> list[list[Any]]:
    """Runs of cells between headings of the second and third level."""
    found: list[list[Any]] = [[]]
    for cell in cells(name):
        if cell.cell_type == "markdown" and re.search(r"^##+ ", cell.source, re.MULTILINE):
            found.append([])
        found[-1].append(cell)
    return found


@every_told
def test_it_opens_with_its_question_and_goals(name: str) -> None:
    first = cells(name)[0]
    assert first.cell_type == "markdown"
    number = name.split("-")[0].lstrip("0") or "0"
    assert name == "your-own-data" or re.match(rf"# {number} · \S", first.source)
    assert "**The question.**" in first.source
    assert "**After this lecture you can**" in first.source
    goals = first.source.partition("**After this lecture you can**")[2]
    assert len(re.findall(r"^- ", goals, re.MULTILINE)) >= 3


@every_told
def test_it_asks_for_a_guess_before_it_shows(name: str) -> None:
    asked = [i for i, cell in enumerate(cells(name)) if "**Guess first" in written(cell)]
    assert asked
    assert asked[0] < len(cells(name)) / 2


@every_lecture
def test_it_has_exercises_each_with_hint_and_solution(name: str) -> None:
    found = [i for i, cell in enumerate(cells(name)) if "exercise" in tags(cell)]
    assert 3 <= len(found) <= 6
    for i in found:
        task, cell, solution = cells(name)[i - 1 : i + 2]
        (exercise,) = re.findall(r'hw\.exercises\.check\("([^"]+)"', cell.source)
        assert exercise.startswith(name[:2])
        assert exercise in exercises.names()
        assert f'hw.exercises.hint("{exercise}")' in task.source
        assert "solution" in tags(solution)
        assert "<details>" in solution.source


@every_lecture
def test_it_ends_with_what_to_remember_and_the_way_on(name: str) -> None:
    last = cells(name)[-1].source
    assert last.startswith("## What to remember")
    following = dict(pairwise(PLAN)).get(name)
    if following:
        assert f"({following}.ipynb)" in last.partition("*Next:*")[2]


@every_told
def test_a_widget_has_a_figure_beside_it(name: str) -> None:
    for section in sections(name):
        if any(map(has_widget, section)):
            assert any(map(has_figure, section)), section[0].source[:60]
            assert any("ithout a running kernel" in written(cell) for cell in section)


@every_lecture
def test_a_widget_stands_in_the_middle_of_the_argument(name: str) -> None:
    places = [i for i, cell in enumerate(cells(name)) if has_widget(cell)]
    if places:
        assert places[0] < 0.8 * len(cells(name))
        assert any(has_figure(cell) for cell in cells(name)[places[0] :])


@every_notebook
def test_figures_have_words_for_those_who_cannot_see_them(path: Path) -> None:
    for cell in cells_of(path):
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                assert len(output.metadata["image/png"]["alt"].split()) >= 8


def functions(code: str) -> dict[str, int]:
    """The functions a piece of code defines, and the lines of each."""
    nodes = [n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.FunctionDef)]
    return {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in nodes}


@every_notebook
def test_functions_are_short(path: Path) -> None:
    fences = r"```python\n(.*?)```"
    for cell in cells_of(path):
        code = [cell.source] if cell.cell_type == "code" else []
        if "solution" in tags(cell):
            code = re.findall(fences, cell.source, re.DOTALL)
        for lengths in map(functions, code):
            assert max(lengths.values(), default=0) <= LONGEST_FUNCTION, lengths


# x is a predictor, never an outcome; a respondent's district is j[i].
OTHER_NOTATION = {
    r"x_i\s*\\sim": "x_i is drawn: x is for predictors, y for outcomes",
    r"(?:y|Contacted\}?)_i\s*\\sim[^$]*\\pi_j\b": "the district of person i is j[i]",
    r"x_\{?i\}?\s*\\mid": "x_i is given a distribution: x is for predictors",
    r"\bp_j\b": "the rate of a district is pi_j",
    r"\\tau\b": "the standard deviation of groups is sigma",
}


def in_our_words(text: str) -> str:
    """The text without the page notes, which may quote the page's notation."""
    return "\n".join(line for line in text.splitlines() if not line.startswith(">"))


@every_notebook
def test_notation_is_one(path: Path) -> None:
    for cell in cells_of(path):
        text = in_our_words(written(cell))
        for pattern, meaning in OTHER_NOTATION.items():
            assert not re.search(pattern, text), f"{meaning}: {text[:80]}"


def test_other_notation_is_found() -> None:
    bad = [r"$x_i \sim f(x_i; \theta)$", r"$y_i \sim \text{Bernoulli}(\pi_j)$"]
    good = [r"$y_i \sim \text{Bernoulli}(\pi_{j[i]})$", r"$y_i \sim f(y_i; \theta)$"]
    assert all(any(re.search(p, text) for p in OTHER_NOTATION) for text in bad)
    assert not any(re.search(p, text) for p in OTHER_NOTATION for text in good)


@every_told
def test_numbers_with_decimals_come_from_code(name: str) -> None:
    """Three decimals in typed prose are a result, and results are displayed by a cell."""
    for cell in cells(name):
        if cell.cell_type == "markdown" and "solution" not in tags(cell):
            assert re.findall(r"\d\.\d{3,}", in_our_words(prose(cell.source))) == []


def test_the_readme_lists_the_lectures() -> None:
    readme = (LECTURES.parent / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[(\d\d) [^\]]+\]\(lectures/([\w-]+)\.ipynb\)", readme, re.MULTILINE)
    assert set(EXISTING) - TO_COME <= {name for _, name in listed} <= {*EXISTING, *BESIDE}
    assert listed == sorted(listed)
    assert all(name.startswith(number) for number, name in listed)
