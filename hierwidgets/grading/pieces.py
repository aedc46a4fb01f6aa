"""The pieces of a submission: its cells, where each belongs, and what was typed into given ones."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, unquote

from .cells import grade_id, is_answer
from .sources import added, as_code, comments, defined, is_prose, readable, same, same_code, tidy

__all__ = ["Match", "Piece", "join_words", "match"]

PICTURE = re.compile(r"(?<=[(\"'<\s])attachment:((?:[^()\s\"'<>]|\([^()\s]*\))+)")
IMG_TAG = re.compile(r"<img\b[^<>]*\bsrc=[\"']attachment:([^\"'<>]+)[\"'][^<>]*>", re.IGNORECASE)
IMAGE = re.compile(r"image/[\w.+-]+")
LARGEST_PICTURE = 10_000_000  # characters
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A cell of a submission, or what was typed into a given one.

    Attributes
    ----------
    kind
        "code", "markdown" or "raw".
    source, pictures
        What was typed, and what was pasted into it, by name.
    after
        The place in the release of the last given or answer cell before it; -1 for none.
    typed
        Whether it was typed into the given cell at that place.
    """

    kind: str
    source: str
    after: int
    pictures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    typed: bool = False

    @property
    def is_words(self) -> bool:
        """Whether a person reads it: no code."""
        return self.kind != "code" or is_prose(self.source)

    @property
    def code(self) -> str:
        """It as a program."""
        return self.source if self.kind == "code" else as_code(self.source)


@dataclass(frozen=True, slots=True)
class Match:
    """Where everything in a submission belongs.

    Attributes
    ----------
    answers
        By place in the release: the cells that hold an answer, in their order.
    how
        By place: how a cell was recognised where it had lost its name.
    own
        What belongs to no cell of the release.
    notes
        What is odd about the given cells.
    places
        The places in the release of which the submission has a cell.
    """

    answers: dict[int, list[Piece]] = field(default_factory=dict)
    how: dict[int, str] = field(default_factory=dict)
    own: list[Piece] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    places: list[int] = field(default_factory=list)


def match(release: Any, submission: Any, versions: Sequence[Any]) -> Match:
    """Recognise the cells of a submission.

    By nbgrader's cell name, then by the notebook's cell id, then, for texts and given code, by
    what they say. What the cells say in any of the `versions` counts as unchanged.
    """
    found, after = Match(), -1
    given = [_versions(cell, versions) for cell in release.cells]
    for cell, place in zip(submission.cells, _places(release, submission, given), strict=True):
        piece = Piece(cell.cell_type, tidy(cell.source), after, _pictures(cell))
        if place is None:
            found.own.append(piece)
            continue
        after, original = place, release.cells[place]
        found.places.append(place)
        if is_answer(original):
            found.answers.setdefault(place, []).append(replace(piece, after=place))
            if grade_id(cell) != grade_id(original):
                found.how[place] = "lost its name, found by its id"
        elif not any(_unchanged(text, cell) for text in given[place]):
            _edited(found, original, piece, place)
    for place, original in enumerate(release.cells):
        if grade_id(original) and not is_answer(original):
            if place not in found.places:
                found.notes.append(f"{grade_id(original)}: had been deleted, put back")
            elif found.places.count(place) > 1:
                found.notes.append(f"{grade_id(original)}: had been duplicated")
    return replace(found, own=[piece for piece in found.own if piece.source.strip()])


def _versions(cell: Any, versions: Sequence[Any]) -> list[str]:
    """What a cell says, now and in other versions of the notebook."""
    named = bool(grade_id(cell))
    return [cell.source] + [
        other.source for version in versions for other in version.cells
        if (grade_id(other) == grade_id(cell) if named
            else not grade_id(other) and other.get("id", 0) == cell.get("id"))
    ]  # fmt: skip


def _places(release: Any, submission: Any, given: list[list[str]]) -> list[int | None]:
    """For each cell of a submission, the place in the release of the cell that it was."""
    names = {grade_id(c): k for k, c in enumerate(release.cells) if grade_id(c)}
    ids = {c["id"]: k for k, c in enumerate(release.cells) if c.get("id")}
    texts = {tuple(tidy(text).split()): k for k, of_cell in enumerate(given) for text in of_cell
             if not is_answer(release.cells[k])}  # fmt: skip
    places: list[int | None] = []
    for cell in submission.cells:
        place = names.get(grade_id(cell), ids.get(cell.get("id", "")))
        places.append(texts.get(tuple(tidy(cell.source).split())) if place is None else place)
    for k, cell in enumerate(submission.cells):
        if places[k] is None and cell.cell_type == "markdown":
            places[k] = _most_alike(cell, release, set(places))
    return places


def _most_alike(cell: Any, release: Any, taken: set[int | None]) -> int | None:
    """The given text that stands in a text which has more in it."""
    lines = {" ".join(line.split()) for line in tidy(cell.source).split("\n")}
    for place, original in enumerate(release.cells):
        if original.cell_type == "markdown" and not is_answer(original) and place not in taken:
            own = {" ".join(line.split()) for line in original.source.split("\n")} - {""}
            if len(own & lines) > len(own) / 2:
                return place
    return None


def _unchanged(text: str, cell: Any) -> bool:
    return same_code(text, cell.source) if cell.cell_type == "code" else same(text, cell.source)


def _edited(found: Match, original: Any, piece: Piece, place: int) -> None:
    """Keep what was typed into a given cell: words, and code that binds a name."""
    typed, name = added(original.source, piece.source), grade_id(original)
    kind = piece.kind
    if kind == "code" and not (defined(typed) and readable(typed)):
        remarks = added(comments(original.source), comments(piece.source))
        typed = typed if is_prose(typed) and not readable(typed) else remarks
        kind = "markdown"
    if name:
        kept = "; what was added stands below it" if typed.strip() else ""
        found.notes.append(f"{name}: had been edited, put back{kept}")
    if typed.strip() or piece.pictures:
        found.own.append(replace(piece, kind=kind, source=typed, after=place, typed=True))


# --- texts and the pictures in them ---


def _pictures(cell: Any) -> dict[str, dict[str, str]]:
    """What was pasted into a cell, as far as it is pictures."""
    pasted = cell.get("attachments")
    found: dict[str, dict[str, str]] = {}
    for name, kinds in pasted.items() if isinstance(pasted, Mapping) else ():
        good = {
            kind: data for kind, data in (kinds.items() if isinstance(kinds, Mapping) else ())
            if isinstance(data, str) and len(data) <= LARGEST_PICTURE
            and IMAGE.fullmatch(str(kind)) and BASE64.fullmatch(data)
        }  # fmt: skip
        if good:
            found[str(name)] = good
    return found


def join_words(pieces: Sequence[Piece]) -> tuple[str, dict[str, dict[str, str]], list[str]]:
    """Texts as one, with their pictures, and the names of pictures that are not there.

    Pictures get names that no converter has to escape, each its own. Where a text names a picture
    that its cell does not have, words say so, since no page could be made from it.
    """
    texts: list[str] = []
    pictures: dict[str, dict[str, str]] = {}
    missing: list[str] = []
    for piece in pieces:
        text, named = IMG_TAG.sub(_as_markdown, piece.source), False
        for name in dict.fromkeys(PICTURE.findall(text)):
            data = piece.pictures.get(name) or piece.pictures.get(unquote(name))
            if data is None:
                missing.append(name)
                text = _without_picture(text, name)
                continue
            named, new = True, _keep(pictures, unquote(name), data)
            text = text.replace(f"attachment:{name}", f"attachment:{new}")
        if not named:
            for name, data in piece.pictures.items():
                new = _keep(pictures, name, data)
                text += f"\n\n![{new}](attachment:{new})"
        texts.append(text)
    return "\n\n".join(texts), pictures, missing


def _as_markdown(tag: re.Match[str]) -> str:
    return f"![picture](attachment:{quote(unquote(tag[1]))})"


def _keep(pictures: dict[str, dict[str, str]], name: str, data: Mapping[str, str]) -> str:
    """Put a picture to the others, under a name that is still free."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name)
    names = itertools.chain([plain], (f"{number}-{plain}" for number in itertools.count(2)))
    return next(new for new in names if pictures.setdefault(new, dict(data)) == data)


def _without_picture(text: str, name: str) -> str:
    words = f"[picture {name}: not in the file, or over 10 MB]"
    named = re.escape(f"attachment:{name}")
    text = re.sub(rf"!\[[^\]]*\]\(<?{named}[^)]*\)", lambda _: words, text)
    return text.replace(f"attachment:{name}", words)
