"""The lectures as a course: what is taught where, what is asserted, how each is built.

Nothing is run here: the stored outputs are those of a complete run (`test_repository`), and
nbval runs every cell. So an `assert` or a ``page.check`` that stands in a cell has held.

Items are taught in a cell that carries their tag and says something: a Markdown cell with prose,
or a code cell with an output. The overview 00 counts for the items named in `OVERVIEW` alone, the
page-against-data notebook for none.
"""

import ast
import math
import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pytest
from support.course_facts import (
    CODE,
    PLAN,
    TO_COME,
    code_symbols,
    items,
    page_hashes,
    prose,
    prose_hashes,
    source_hashes,
    windows,
    words,
)
from support.paths import LECTURES

from hierwidgets import exercises, widgets
from hierwidgets.course.page import printed
from hierwidgets.widgets.parts.instrument import Instrument

OVERVIEW = {"S1", "S2", "S3", "S4", "X4", "X5", "X6"}  # what 00 may teach alone
NOT_REPRODUCIBLE = {("S84", "minutes")}  # a time on another machine: quoted, not asserted
WIDGET = "application/vnd.jupyter.widget-view+json"
STILL = '<div class="hw-still">'  # what a stored notebook has in place of a widget
FEWEST_WORDS = 15  # of a Markdown cell that teaches something
LONGEST_FUNCTION = 10  # lines; what is longer belongs in the package

EXISTING = [name for name in PLAN if (LECTURES / f"{name}.ipynb").exists()]
DRAFT = pytest.mark.xfail(reason="the lecture is still to come", strict=False)


def or_draft(stem: str, value: object) -> Any:
    """A test's argument, with leave to fail if the lecture is still to come."""
    return pytest.param(value, id=stem, marks=DRAFT if stem in TO_COME else ())


every_lecture = pytest.mark.parametrize("name", [or_draft(name, name) for name in EXISTING])
every_notebook = pytest.mark.parametrize(
    "path", [or_draft(path.stem, path) for path in sorted(LECTURES.glob("*.ipynb"))]
)


@cache
def cells_of(path: Path) -> list[Any]:
    return nbformat.read(path, as_version=4).cells


def cells(name: str) -> list[Any]:
    return cells_of(LECTURES / f"{name}.ipynb")


def tags(cell: Any) -> set[str]:
    return set(cell.metadata.get("tags", []))


def outputs(cell: Any, kind: str) -> list[str]:
    """The outputs of one kind that a code cell stores."""
    data = [output.get("data", {}) for output in cell.get("outputs", [])]
    return [found[kind] for found in data if kind in found]


def written(cell: Any) -> str:
    """What a reader reads in a cell: its Markdown, or the Markdown it displays."""
    texts = [cell.source] if cell.cell_type == "markdown" else outputs(cell, "text/markdown")
    return "\n\n".join(texts)


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
    half = PLAN[1:8] if items()[item] < "08" else PLAN[8:]
    return [*PLAN[:1], *half] if item in OVERVIEW else list(half)


def taught(item: str) -> list[str]:
    """The lectures, among those that count, in which a cell with the item's tag teaches."""
    return [
        name
        for name in counts_for(item)
        if name in EXISTING and any(item in tags(c) and teaches(c) for c in cells(name))
    ]


def due(name: str) -> list[str]:
    """The items a lecture is planned to teach."""
    return [item for item, lecture in items().items() if name.startswith(lecture)]


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


# The page's numbers


def literals(tree: ast.AST) -> set[str]:
    """Numbers written in code, and texts, as text; numbers in their shortest form."""
    found: set[str] = set()
    for node in ast.walk(tree):
        negative = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
        constant = node.operand if negative else node  # type: ignore[attr-defined]
        if not isinstance(constant, ast.Constant) or isinstance(constant.value, bool):
            continue
        if isinstance(constant.value, int | float):
            found.add(f"{-constant.value if negative else constant.value:g}")
        elif isinstance(constant.value, str):
            found.add(constant.value)
    return found


def checked(tree: ast.AST) -> set[tuple[str, str]]:
    """The (item, name) pairs of every ``page.check("S28", mu=...)`` and ``page.number(...)``."""
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = ast.unparse(node.func)
        first = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
        if called == "page.check":
            found |= {(first[0], keyword.arg) for keyword in node.keywords if keyword.arg}
        elif called == "page.number" and tuple(first[:2]) in NOT_REPRODUCIBLE:
            found.add(tuple(first[:2]))
    return found


def asserts_itself(cell: Any, record: printed.Printed) -> bool:
    """Whether a cell with the item's tag holds the number among what it asserts."""
    if record.item not in tags(cell):
        return False
    tree = ast.parse(cell.source)
    if not any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
        return False
    return any(
        literal == record.text or record.agrees(_number(literal)) for literal in literals(tree)
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


@cache
def code_cells(name: str) -> list[Any]:
    return [c for c in cells(name) if c.cell_type == "code" and c.source.strip()]


@cache
def all_checked() -> frozenset[tuple[str, str]]:
    code = [c.source for name in EXISTING[1:] for c in code_cells(name)]
    return frozenset().union(*(checked(ast.parse(source)) for source in code))


def unasserted(item: str) -> list[str]:
    """The printed numbers of an item that no lecture from 01 on compares with ours."""
    missing = []
    for record in printed.numbers(item):
        if (item, record.name) in all_checked():
            continue
        found = any(asserts_itself(c, record) for name in EXISTING[1:] for c in code_cells(name))
        if not found:
            missing.append(f"{record.name} {record.label} {record.text}")
    return missing


@every_lecture
def test_printed_numbers_are_asserted(name: str) -> None:
    """In each, ``page.check`` compares them; or a cell with the tag lists and asserts them."""
    asked = [item for item in due(name) if item in printed.items()]
    assert {item: unasserted(item) for item in asked if unasserted(item)} == {}


def test_a_number_that_is_only_mentioned_is_not_asserted() -> None:
    record = printed.number("S28", "mu")
    told = nbformat.v4.new_code_cell("x = -1.37", metadata={"tags": ["S28"]})
    untagged = nbformat.v4.new_code_cell("assert x == -1.37")
    other = nbformat.v4.new_code_cell("assert x == -1.4", metadata={"tags": ["S28"]})
    asserted = nbformat.v4.new_code_cell("assert x == -1.37", metadata={"tags": ["S28"]})
    assert [asserts_itself(c, record) for c in (told, untagged, other)] == [False] * 3
    assert asserts_itself(asserted, record)
    assert checked(ast.parse("page.check('S28', mu=m, **rest)")) == {("S28", "mu")}
    assert checked(ast.parse("page.number('S28', 'mu')")) == set()


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
    assert not broken(path, "#What-to-remember")


# The page's sentences


def code_in(cell: Any) -> list[str]:
    if cell.cell_type == "code":
        return [cell.source]
    return re.findall(r"```\w*\n(.*?)```", cell.source, re.DOTALL)


@every_notebook
def test_no_sentence_of_the_page_stands_in_the_prose(path: Path) -> None:
    stored = page_hashes()
    for cell in cells_of(path):
        found = prose_hashes(written(cell))
        assert {found[key] for key in found.keys() & stored} == set()


@every_notebook
def test_no_code_of_the_page_stands_in_the_lecture(path: Path) -> None:
    stored = page_hashes()
    for code in (code for cell in cells_of(path) for code in code_in(cell)):
        found = windows(code_symbols(code), CODE)
        assert {found[key] for key in found.keys() & stored} == set()


@pytest.mark.parametrize("name", exercises.names())
def test_no_sentence_of_the_page_stands_in_the_exercises(name: str) -> None:
    exercise = exercises._find(name)
    texts = [*exercise.hints, exercise.right, *(slip.message for slip in exercise.mistakes)]
    assert not prose_hashes("\n\n".join(texts)).keys() & page_hashes()


def test_a_copied_sentence_is_recognised() -> None:
    text = "A sentence of eight or more words, **as it may** stand.\n\nAnd that was all of it."
    stored = source_hashes(text)
    assert prose_hashes("Before it: a sentence of Eight or more words, as").keys() & stored
    assert prose_hashes("> Well, and that was all of it.").keys() & stored
    assert (
        not prose_hashes("A sentence of eight, or of more, words; and that was it.").keys() & stored
    )
    # from the page itself: where the first lecture would be tempted most
    assert prose_hashes("A scatterplot is a safe and potentially informative way").keys() & (
        page_hashes()
    )


# How a lecture is built


def sections(name: str) -> list[list[Any]]:
    """Runs of cells between headings of the second and third level."""
    found: list[list[Any]] = [[]]
    for cell in cells(name):
        if cell.cell_type == "markdown" and re.search(r"^##+ ", cell.source, re.MULTILINE):
            found.append([])
        found[-1].append(cell)
    return found


def has_widget(cell: Any) -> bool:
    stills = [text for text in outputs(cell, "text/html") if STILL in "".join(text)]
    return bool(outputs(cell, WIDGET) or stills)


def has_figure(cell: Any) -> bool:
    return bool(outputs(cell, "image/png"))


@every_lecture
def test_it_opens_with_its_question_and_goals(name: str) -> None:
    first = cells(name)[0]
    assert first.cell_type == "markdown"
    assert re.match(rf"# {int(name[:2])} · \S", first.source)
    assert "**The question.**" in first.source
    assert "**After this lecture you can**" in first.source
    goals = first.source.partition("**After this lecture you can**")[2]
    assert len(re.findall(r"^- ", goals, re.MULTILINE)) >= 3


@every_lecture
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


@every_lecture
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


@every_lecture
def test_numbers_with_decimals_come_from_code(name: str) -> None:
    """Three decimals in typed prose are a result, and results are displayed by a cell."""
    for cell in cells(name):
        if cell.cell_type == "markdown" and "solution" not in tags(cell):
            assert re.findall(r"\d\.\d{3,}", in_our_words(prose(cell.source))) == []


# The gallery: every widget once more, each with something to try and the way to its lecture

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
        lectures = re.findall(r"\]\((\d\d-[\w-]+)\.ipynb", text)
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


def test_the_readme_lists_the_lectures() -> None:
    readme = (LECTURES.parent / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[(\d\d) [^\]]+\]\(lectures/([\w-]+)\.ipynb\)", readme, re.MULTILINE)
    assert set(EXISTING) - TO_COME <= {name for _, name in listed} <= set(EXISTING)
    assert listed == sorted(listed)
    assert all(name.startswith(number) for number, name in listed)
