"""Which answers resemble each other more than the question explains: a reason to look, no verdict.

Every answer becomes a row of tokens, in which the names that it binds itself all look alike, and
comments and layout are gone; an answer in words becomes its words. Runs of tokens that two answers
share count the more, the fewer others have them. Runs that stand in what was given out, in the
solution or in other known code do not count at all.
"""

import ast
import csv
import html
import keyword
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from itertools import combinations
from math import log
from pathlib import Path
from typing import Any

import nbformat

from hierwidgets.errors import DataError

from .cells import grade_id, is_answer
from .folder import Course

__all__ = ["Pair", "compare", "graded", "read_answer", "similar"]

RUN = {"code": 10, "markdown": 6}  # tokens, or words, in a row
LEAST_SHARE, LEAST_LENGTH = 0.5, 25  # of the shorter answer's unusual code; tokens
TOKEN = re.compile(
    r"(?P<comment>\#[^\n]*)"
    r"|(?P<text>[rbfuRBFU]{0,2}(?:'''[\s\S]*?'''|\"\"\"[\s\S]*?\"\"\"|'[^'\n]*'|\"[^\"\n]*\"))"
    r"|(?P<number>\d[\w.]*)|(?P<name>\w+)|(?P<sign>\*\*|//|[<>=!]=|[^\s\w])"
)
Gram = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as a row of tokens.

    Attributes
    ----------
    source, tokens, places
        The text, its tokens, and where in the text each begins and ends.
    grams
        Every run of tokens of the length that counts, with the token at which it begins.
    """

    source: str
    tokens: tuple[str, ...]
    places: tuple[tuple[int, int], ...]
    grams: tuple[tuple[Gram, int], ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one question that share unusual runs.

    Attributes
    ----------
    question, first, second
        The answer cell and the two students.
    share
        How much of the shorter answer's unusual code the other has, weighted by rarity: 0 to 1.
    length
        How many tokens of the first stand in shared runs.
    others
        How many further students have half or more of what the two share.
    runs
        What they share: rows of tokens.
    """

    question: str
    first: str
    second: str
    share: float
    length: int
    others: int
    runs: frozenset[Gram] = field(repr=False)


def read_answer(source: str, kind: str = "code") -> Answer:
    """The tokens of an answer, of code or ("markdown") of words."""
    if kind == "code":
        found = [match for match in TOKEN.finditer(source) if match.lastgroup != "comment"]
        bound = _bound(source)
        words = [_plain(match, bound, source) for match in found]
    else:
        found = list(re.finditer(r"\w+", source))
        words = [match[0].casefold() for match in found]
    run = RUN[kind]
    grams = ((tuple(words[k : k + run]), k) for k in range(len(words) - run + 1))
    return Answer(source, tuple(words), tuple(match.span() for match in found), tuple(grams))


def _bound(source: str) -> set[str] | None:
    """The names a source binds itself; None if it is no Python."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    names = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    names |= {n.arg for n in nodes if isinstance(n, ast.arg)}
    return names | {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}


def _plain(match: re.Match[str], bound: set[str] | None, source: str) -> str:
    """A token as it is compared."""
    word = match[0]
    if match.lastgroup == "text":
        return "text"
    if match.lastgroup != "name" or keyword.iskeyword(word):
        return word
    if source[: match.start()].rstrip().endswith("."):
        return word  # an attribute belongs to somebody else's code
    return "name" if bound is None or word in bound else word


def compare(
    answers: Mapping[str, Answer], known: Iterable[Answer] = (), question: str = ""
) -> list[Pair]:
    """The pairs of a class whose answers to one question share much that is unusual.

    Parameters
    ----------
    answers
        By student.
    known
        What anybody may have: stub, solution, code of the lectures.
    question
        The name of the answer cell.

    Returns
    -------
    list of Pair
        The most alike first.
    """
    common = {gram for answer in known for gram, _ in answer.grams}
    own = {student: {g for g, _ in a.grams} - common for student, a in answers.items()}
    having = Counter(gram for grams in own.values() for gram in grams)
    weight = {gram: log((len(own) + 1) / count) for gram, count in having.items()}
    mass = {student: sum(weight[gram] for gram in grams) for student, grams in own.items()}
    pairs = []
    for first, second in combinations(sorted(own), 2):
        both = own[first] & own[second]
        length = len(_covered(answers[first], both))
        least = min(mass[first], mass[second])
        share = sum(weight[gram] for gram in both) / least if least else 0.0
        if share < LEAST_SHARE or length < LEAST_LENGTH:
            continue
        rest = (own[s] for s in own if s not in (first, second))
        others = sum(2 * len(grams & both) >= len(both) for grams in rest)
        pairs.append(Pair(question, first, second, share, length, others, frozenset(both)))
    return sorted(pairs, key=lambda p: (-p.share / (1 + p.others), -p.length, p.first, p.second))


def _covered(answer: Answer, grams: Set[Gram]) -> set[int]:
    """The tokens that stand in one of the runs."""
    return {
        token for gram, k in answer.grams if gram in grams for token in range(k, k + len(gram))
    }  # fmt: skip


def similar(course: Course, assignment: str, known: Iterable[Path] = ()) -> tuple[Path, list[Pair]]:
    """Compare what was graded, and write ``similarity/A1.html`` and ``.csv``.

    Parameters
    ----------
    course, assignment
        The course and an assignment that has been graded, by this package or plain nbgrader.
    known
        Notebooks and Python files, or folders of them, whose code anybody may use.

    Returns
    -------
    (Path, list of Pair)
        The page, and what stands in it.
    """
    notebooks = _graded(course, assignment)
    taken = [read_answer(text) for path in known for text in _codes(path)]
    pairs, answers = [], {}
    cells = [cell for cell in course.read("source", assignment).cells if is_answer(cell)]
    given = _sources(course.read("release", assignment))
    for cell in cells:
        name, kind = grade_id(cell), cell.cell_type
        texts = {student: found[name] for student, found in notebooks.items() if name in found}
        answers[name] = {student: read_answer(text, kind) for student, text in texts.items()}
        stub = read_answer(given.get(name, ""), kind)
        common = [stub, read_answer(cell.source, kind), *(taken if kind == "code" else [])]
        pairs += compare(answers[name], common, name)
    folder = course.root / "similarity"
    folder.mkdir(exist_ok=True)
    _write_csv(folder / f"{assignment}.csv", pairs)
    page = folder / f"{assignment}.html"
    page.write_text(_page(assignment, len(notebooks), pairs, answers), encoding="utf-8")
    return page, pairs


def graded(course: Course, assignment: str) -> list[str]:
    """Whose submission has been graded."""
    folders = (course.root / "autograded").glob(f"*/{assignment}")
    return sorted(folder.parent.name for folder in folders if any(folder.glob("*.ipynb")))


def _graded(course: Course, assignment: str) -> dict[str, dict[str, str]]:
    """The answers of everybody who was graded, by student and cell."""
    names = graded(course, assignment)
    if len(names) < 2:
        raise DataError(
            f"{assignment} has {len(names)} graded submissions; two or more can be compared. "
            f"Run grade {assignment} first"
        )
    return {name: _sources(course.read("autograded", assignment, name)) for name in names}


def _sources(notebook: Any) -> dict[str, str]:
    return {grade_id(cell): cell.source for cell in notebook.cells if is_answer(cell)}


def _codes(path: Path) -> list[str]:
    """The code in a file, or in the files of a folder."""
    if path.is_dir():
        inside = sorted(p for p in path.rglob("*") if p.suffix in (".py", ".ipynb"))
        return [text for one in inside for text in _codes(one)]
    try:
        if path.suffix == ".ipynb":
            cells = nbformat.read(path, as_version=4).cells
            return [cell.source for cell in cells if cell.cell_type == "code"]
        return [path.read_text(encoding="utf-8")]
    except (OSError, UnicodeDecodeError, nbformat.reader.NotJSONError) as problem:
        raise DataError(f"the known code in {path} cannot be read: {problem}") from None


# --- the report ---

WORDS = """
<p><b>A reason to look, not a verdict.</b> Answers to one question resemble each other: there are
few ways to write a short function, people learn from the same lectures, may have been allowed to
work together, or had the same help. What stands here is only where to read first. Marked is what
the two share and few others have; what was given out, the reference solution and names of variables
are left out of account. Read both answers, and speak with both people, before you think anything.
</p>
"""
STYLE = """body { font: 16px/1.5 sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em }
table { border-collapse: collapse } td, th { padding: .2em .8em; text-align: left }
tr:nth-child(even) { background: #f3f3f3 } .two { display: flex; gap: 1em }
pre { flex: 1; overflow: auto; background: #f7f7f7; padding: .8em; white-space: pre-wrap }
mark { background: #ffe08a }"""


def _page(
    assignment: str, count: int, pairs: list[Pair], answers: Mapping[str, Mapping[str, Answer]]
) -> str:
    rows, details = [], []
    for k, pair in enumerate(pairs):
        first, second = (answers[pair.question][s] for s in (pair.first, pair.second))
        names = f"{html.escape(pair.first)} and {html.escape(pair.second)}"
        rows.append(
            f'<tr><td><a href="#p{k}">{names}</a></td><td>{pair.question}</td>'
            f"<td>{pair.share:.0%}</td><td>{pair.length}</td><td>{pair.others}</td></tr>"
        )
        texts = "".join(f"<pre>{_marked(answer, pair.runs)}</pre>" for answer in (first, second))
        details.append(f'<h2 id="p{k}">{names}: {pair.question}</h2><div class="two">{texts}</div>')
    head = "<th>students</th><th>answer</th><th>shared, of what is unusual</th>"
    table = f"<table><tr>{head}<th>tokens</th><th>others with half of it</th></tr>"
    found = f"{table}{''.join(rows)}</table>" if rows else "<p>Nothing stands out.</p>"
    title = f"{html.escape(assignment)}: answers that resemble each other"
    return (
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style><h1>{title}</h1>{WORDS}<p>{count} submissions were compared; "
        f"{len(pairs)} pairs of answers share {LEAST_SHARE:.0%} or more of what is unusual in the "
        f"shorter one, and {LEAST_LENGTH} tokens or more.</p>{found}{''.join(details)}</html>\n"
    )


def _marked(answer: Answer, grams: Set[Gram]) -> str:
    """The answer as HTML, with the shared runs marked."""
    covered, parts, at = _covered(answer, grams), [], 0
    tokens = sorted(covered)
    for k, token in enumerate(tokens):
        start, end = answer.places[token]
        parts.append(html.escape(answer.source[at:start]) if token - 1 not in covered else "")
        parts.append("<mark>" if token - 1 not in covered else html.escape(answer.source[at:start]))
        parts.append(html.escape(answer.source[start:end]))
        at = end
        if k + 1 == len(tokens) or tokens[k + 1] != token + 1:
            parts.append("</mark>")
    return "".join(parts) + html.escape(answer.source[at:])


def _write_csv(path: Path, pairs: list[Pair]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["answer", "first", "second", "share", "tokens", "others"])
        for p in pairs:
            out.writerow([p.question, p.first, p.second, f"{p.share:.2f}", p.length, p.others])
