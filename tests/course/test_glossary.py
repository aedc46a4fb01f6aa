"""The glossary: each word occurs in the lecture that it names, once, in the order of letters."""

import re

from support.notebooks import cells, written
from support.paths import LECTURES

TEXT = (LECTURES / "glossary.md").read_text(encoding="utf-8")
ENTRY = re.compile(r"^- \*\*([^*]+)\*\* \(\[(\w+)\]\(([\w-]+)\.ipynb\)\): (.+)$")
ENTRIES = [match.groups() for line in TEXT.splitlines() if (match := ENTRY.match(line))]


def said(name: str) -> str:
    """All that is read in a lecture, its code's comments and captions too."""
    texts = [f"{written(cell)}\n{cell.source}" for cell in cells(name)]
    return re.sub(r"\s+", " ", " ".join(texts).lower())


def test_every_line_is_an_entry() -> None:
    lines = [line for line in TEXT.splitlines() if line.startswith("-")]
    assert len(lines) == len(ENTRIES) >= 50
    assert set(re.findall(r"\*\*([^*]+)\*\*", TEXT)) == {term for term, *_ in ENTRIES}


def test_terms_are_in_order_and_unique() -> None:
    terms = [term.lower() for term, *_ in ENTRIES]
    assert terms == sorted(set(terms))


def test_every_term_occurs_in_the_lecture_it_names() -> None:
    missing = [
        (term, name)
        for term, number, name, _ in ENTRIES
        if not name.startswith(number) or not re.search(rf"\b{re.escape(term.lower())}", said(name))
    ]
    assert missing == []


def test_an_entry_is_a_sentence_or_two() -> None:
    for term, *_, text in ENTRIES:
        assert 1 <= len(re.findall(r"[.?](?=\s|$)", text)) <= 3, term
        assert len(text.split()) <= 45, term
