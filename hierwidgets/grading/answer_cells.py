"""What every answer cell is to hold, wherever the student wrote it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .cells import grade_id, is_answer, points
from .pieces import Match, Piece, join_words
from .sources import defined, definitions, join_code, same, unfilled, wanted, without_stub

__all__ = ["Answer", "find_answers"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer cell is to hold.

    Attributes
    ----------
    source, pictures
        What was written and pasted.
    used
        The student's own pieces that went into it.
    notes, mended
        What was done, and whether any of it could matter.
    given
        Whether it is as it was given out.
    """

    source: str
    pictures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    used: tuple[Piece, ...] = ()
    notes: tuple[str, ...] = ()
    mended: bool = False
    given: bool = False


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A submission while its answers are looked for: `parts` are changed cells by place."""

    release: Any
    found: Match
    parts: Mapping[int, Sequence[Piece]]

    def before(self, place: int) -> int:
        """The last place before one of which the submission has a cell."""
        return max((k for k in self.found.places if k < place), default=-1)

    def between(self, piece: Piece, place: int) -> bool:
        """Whether no other answer stands between a piece and a place."""
        first, last = sorted((piece.after, place))
        inside = range(first if piece.after < place else first + 1, last + 1)
        return not any(is_answer(self.release.cells[k]) for k in inside if k not in (place, -1))


def find_answers(release: Any, found: Match, versions: Sequence[Any]) -> dict[int, Answer]:
    """The answer for each answer cell, by its place; each own piece goes into one at most.

    Code is looked for first, then words in and beside their cells; a text that stands elsewhere
    goes to an answer in words only if that has nothing else.
    """
    places = [place for place, cell in enumerate(release.cells) if is_answer(cell)]
    sheet = _Sheet(release, found, {place: _changed(release.cells[place], place, found, versions)
                                    for place in places})  # fmt: skip
    code = [place for place in places if release.cells[place].cell_type == "code"]
    words = [place for place in places if place not in code]
    answers: dict[int, Answer] = {}
    free = list(found.own)
    for way, of_kind in ((_code, code), (_near, words), (_same_question, words), (_far, words)):
        for place in of_kind:
            if place not in answers or answers[place].given:
                answers[place] = way(sheet, place, free)
                free = [p for p in free if not any(p is used for used in answers[place].used)]
    return {place: answers[place] for place in places}


def _changed(stub: Any, place: int, found: Match, versions: Sequence[Any]) -> list[Piece]:
    """The cells of an answer that are not as any version gave them out, each text once."""
    given = [stub.source, *(cell.source for version in versions for cell in version.cells
                            if grade_id(cell) == grade_id(stub))]  # fmt: skip
    parts: list[Piece] = []
    for piece in found.answers.get(place, ()):
        untouched = not piece.pictures and any(same(piece.source, text) for text in given)
        known = any(same(piece.source, p.source) and piece.pictures == p.pictures for p in parts)
        if piece.source.strip() and not untouched and not known:
            parts.append(piece)
    return parts


def _found_notes(sheet: _Sheet, place: int) -> list[str]:
    """Notes on how an answer's own cells were recognised."""
    stub, parts = sheet.release.cells[place], sheet.parts[place]
    notes = [f"{grade_id(stub)}: {sheet.found.how[place]}"] if place in sheet.found.how else []
    kinds = {piece.kind for piece in parts} - {stub.cell_type}
    return notes + [f"{grade_id(stub)}: had become a {kind} cell" for kind in sorted(kinds)]


def _not_answered(sheet: _Sheet, place: int) -> Answer:
    stub = sheet.release.cells[place]
    there = place in sheet.found.places
    notes = () if there else (f"{grade_id(stub)}: missing, counted as not answered",)
    return Answer(stub.source, notes=notes, given=True)


# --- code ---


def _code(sheet: _Sheet, place: int, free: Sequence[Piece]) -> Answer:
    """An answer in code: its cells, own cells that define what it lacks, other answers."""
    stub, parts = sheet.release.cells[place], sheet.parts[place]
    name, source = grade_id(stub), join_code([piece.code for piece in parts])
    lacking = unfilled(source, stub.source) if parts else wanted(stub.source)
    used = [piece for piece in free if defined(piece.code) & lacking]
    if not parts and not used and points(stub):
        beside = (sheet.before(place), place)
        used = [p for p in free if p.after in beside and p.kind == "code" and not p.is_words]
    elsewhere = {} if used else _in_other_answers(sheet, place, lacking)
    if not (parts or used or elsewhere):
        return _not_answered(sheet, place)
    notes = _found_notes(sheet, place)
    mended = bool(notes or used or elsewhere)
    if used:
        how = f"answered in {len(used)} of the student's own cells" if place in sheet.found.places \
            else "lost its name, found by what it defines"  # fmt: skip
        notes.append(f"{name}: {how}")
    notes += [f"{name}: answered in {other}" for other in elsewhere]
    copies = len(sheet.found.answers.get(place, ()))
    if copies > 1:
        kept = [piece for piece in parts if piece.code.strip() in source]
        how = "were joined in their order" if len(kept) > 1 else "the last changed one counts"
        notes.append(f"{name}: {copies} copies, {how}")
        mended = mended or len(parts) > 1
    source = join_code([s for s in (source, *(p.code for p in used), *elsewhere.values()) if s])
    freed = without_stub(source, stub.source)
    if freed != source:
        notes.append(f"{name}: what the stub had left in its way was taken out")
    return Answer(freed, {}, tuple(used), tuple(notes), mended or freed != source)


def _in_other_answers(sheet: _Sheet, place: int, lacking: set[str]) -> dict[str, str]:
    """What other answers define of the names that one lacks, by the name of their cell."""
    found = {}
    for other, parts in sheet.parts.items():
        cell = sheet.release.cells[other]
        if other == place or cell.cell_type != "code":
            continue
        text = definitions(join_code([p.code for p in parts]), lacking - wanted(cell.source))
        if text:
            found[grade_id(cell)] = text
    return found


# --- words ---


def _near(sheet: _Sheet, place: int, free: Sequence[Piece]) -> Answer:
    """An answer in words: what its cells hold, and own texts directly above and below."""
    parts, above = sheet.parts[place], sheet.before(place)
    texts = [p for p in free if p.is_words and not (parts and p.typed)]
    head = [p for p in texts if p.after == above]
    tail = [p for p in texts if p.after == place]
    return _written(sheet, place, head, tail)


def _same_question(sheet: _Sheet, place: int, free: Sequence[Piece]) -> Answer:
    """One that has nothing yet: texts with no other answer between them and it."""
    return _written(sheet, place, [p for p in free if p.is_words and sheet.between(p, place)], [])


def _far(sheet: _Sheet, place: int, free: Sequence[Piece]) -> Answer:
    """One that has still nothing: any text that is left, so that a person sees it."""
    return _written(sheet, place, [p for p in free if p.is_words and not p.typed], [])


def _written(sheet: _Sheet, place: int, head: Sequence[Piece], tail: Sequence[Piece]) -> Answer:
    stub, parts = sheet.release.cells[place], sheet.parts[place]
    name, used = grade_id(stub), (*head, *tail)
    if not parts and not used:
        return _not_answered(sheet, place)
    kept = [p for p in parts if not any(p is not q and p.source in q.source and not p.pictures
                                        for q in parts)]  # fmt: skip
    notes = _found_notes(sheet, place)
    if used:
        other = "1 other cell" if len(used) == 1 else f"{len(used)} other cells"
        notes.append(f"{name}: text of {other} was put into it")
    if len(kept) > 1:
        notes.append(f"{name}: {len(kept)} copies, were joined in their order")
    mended = bool(notes)
    fenced = [replace(p, source=as_text(p)) for p in (*head, *kept, *tail)]
    source, pictures, missing = join_words(fenced)
    notes += [f"{name}: a picture named {picture} is not in the file" for picture in missing]
    if stub.cell_type == "code":
        pictures = {}
    return Answer(source, pictures, used, tuple(notes), mended)


def as_text(piece: Piece) -> str:
    """Words that stood in a code cell, without the signs of a comment."""
    if piece.kind != "code":
        return piece.source
    lines = piece.source.split("\n")
    commented = all(line.startswith("#") for line in lines if line.strip())
    return "\n".join(line.lstrip("# ") for line in lines) if commented else piece.source
