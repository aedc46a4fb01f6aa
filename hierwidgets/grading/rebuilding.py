"""A submission rebuilt from the release, with everything the student wrote."""

import copy
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nbformat.v4 import new_code_cell, new_markdown_cell

from .answer_cells import Answer, find_answers
from .cells import grade_id, is_test
from .pieces import Piece, join_words, match

__all__ = ["Rebuilt", "raised", "rebuild"]

MOST_CELLS, MOST_TEXT = 300, 500_000  # own cells and their characters that are kept
OWN = "own"  # how the names of the student's own cells begin


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A submission on the release notebook.

    Attributes
    ----------
    notebook
        The release with its full tests, the answers, and the student's own cells in their places.
    notes
        What was found and done, in words.
    mended
        Whether an answer had to be looked for, joined, chosen or freed of something.
    answered
        The names of the answers that are not as they were given out.
    known, own
        The number of cells that are of this assignment, and of the student's own.
    submission
        The notebook that was handed in, as it was read.
    """

    notebook: Any
    notes: tuple[str, ...]
    mended: bool = False
    answered: tuple[str, ...] = ()
    known: int = 0
    own: int = 0
    submission: Any = None


def rebuild(release: Any, source: Any, submission: Any, earlier: Sequence[Any] = ()) -> Rebuilt:
    """The release notebook with its full tests and what the student wrote.

    Tests, texts and their order come from the course, so what a student deleted, duplicated,
    renamed or edited elsewhere cannot matter. Everything else that is in the submission stays:
    an answer is looked for by its cell's name, its id, what it defines and its place; the
    student's own cells keep their places, without nbgrader's metadata.

    Parameters
    ----------
    release, source, submission
        Notebooks: what students got, what it was made from, what came back.
    earlier
        Releases that were given out before: a stub of theirs is no answer either.

    Returns
    -------
    Rebuilt
        Outputs are empty; no argument is changed.
    """
    notebook, versions = copy.deepcopy(release), [release, *earlier]
    found = match(release, submission, [*versions, source])
    filled = find_answers(release, found, versions)
    used = {id(piece) for answer in filled.values() for piece in answer.used}
    own = [piece for piece in found.own if id(piece) not in used]
    full = {grade_id(cell): cell.source for cell in source.cells if is_test(cell)}
    for place, cell in enumerate(notebook.cells):
        if place in filled:
            _fill(cell, filled[place])
        elif is_test(cell):
            cell.source = full[grade_id(cell)]
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notes = [note for answer in filled.values() for note in answer.notes]
    carried, told = _own_cells(own)
    notebook.cells = [*carried.get(-1, []), *(
        one for place, cell in enumerate(notebook.cells) for one in (cell, *carried.get(place, []))
    )]  # fmt: skip
    return Rebuilt(
        notebook, (*notes, *found.notes, *told), any(a.mended for a in filled.values()),
        tuple(grade_id(release.cells[k]) for k, a in filled.items() if not a.given),
        len(set(found.places)), len(found.own), submission,
    )  # fmt: skip


def _fill(cell: Any, answer: Answer) -> None:
    cell.source = answer.source
    cell.pop("attachments", None)
    if answer.pictures:
        cell.attachments = {name: dict(data) for name, data in answer.pictures.items()}


def _own_cells(own: Sequence[Piece]) -> tuple[dict[int, list[Any]], list[str]]:
    """Cells for what went into no answer, by the place they stand behind, and notes on them."""
    cells: dict[int, list[Any]] = {}
    lost: list[str] = []
    total = itertools.accumulate(len(piece.source) for piece in own)
    kept = [piece for piece, size in zip(own, total, strict=True) if size <= MOST_TEXT][:MOST_CELLS]
    for number, piece in enumerate(kept, 1):
        if piece.kind == "code":
            cell = new_code_cell(piece.source)
        else:
            text, pictures, missing = join_words([piece])
            lost += missing
            cell = new_markdown_cell(f"```\n{text}\n```" if piece.kind == "raw" else text)
            if pictures:
                cell.attachments = pictures
        cell["id"] = f"{OWN}-{number}"
        cells.setdefault(piece.after, []).append(cell)
    code = sum(piece.kind == "code" for piece in kept)
    kinds = ((code, "code cell", "kept and run"), (len(kept) - code, "text cell", "kept"))
    notes = [
        f"{number} {what}{'s' * (number > 1)} of the student's own: {how} in place"
        for number, what, how in kinds if number
    ]  # fmt: skip
    if left := len(own) - len(kept):
        notes.append(f"{left} more cells of the student's own were left out: too much")
    return cells, notes + [f"a picture named {name} is not in the file" for name in lost]


def raised(notebook: Any) -> tuple[str, ...]:
    """Notes on the student's own cells that stopped with an error when they were run."""
    notes, last = [], "the top"
    for cell in notebook.cells:
        last = grade_id(cell) or last
        if cell.cell_type == "code" and str(cell.get("id", "")).startswith(f"{OWN}-"):
            for output in cell.get("outputs", []):
                if output.output_type == "error":
                    notes.append(f"a cell of the student's own after {last} raised {output.ename}")
                    break
    return tuple(notes)
