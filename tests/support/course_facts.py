"""What the tests know of the course: its items, its lectures, and the page's text as hashes.

``course/items.csv`` lists the items of the page (S: what it shows, X: its traps), the kind of
each and the lecture that is to teach it. ``course/printed.txt`` holds the numbers the page
prints, in its order, by item. ``course/page_hashes.txt`` holds hashes of the page's word and code
sequences, so that a test can recognise a copied sentence without holding one.
"""

import csv
import re
from hashlib import sha256

from support.paths import ROOT

COURSE = ROOT / "tests" / "course"
# Lectures still to be written or finished: links may lead to them, and what a test finds wrong
# with a draft of theirs is expected. Whoever finishes one takes it out. Empty at the end.
TO_COME: set[str] = set()
LONGEST, SHORTEST = 8, 5  # words of a sequence; a shorter one is hashed if it is a whole sentence
CODE = 24  # symbols of a sequence of code

PLAN = (
    "00-map-and-notation",
    "01-finland-no-pooling",
    "02-the-309-problem",
    "03-fitting-the-model",
    "04-three-kinds-of-pooling",
    "05-simulate-and-recover",
    "06-uk-tiny-groups",
    "07-group-level-predictors",
    "08-several-countries-model",
    "09-fragile-fits",
    "10-full-bayes-and-diagnostics",
    "11-quantities-of-interest",
    "12-which-pooling-how-much",
)
# Notebooks beside the plan.
BESIDE = (
    "03b-the-integral",
    "07b-varying-slopes",
    "12b-calibration-and-shapes",
    "13-poststratification",
    "your-own-data",
)


def items() -> dict[str, str]:
    """The lecture that is to teach each item, as the first two characters of its name."""
    with (COURSE / "items.csv").open(encoding="utf-8") as file:
        return {row["item"]: row["lecture"] for row in csv.DictReader(file)}


def kinds() -> dict[str, set[str]]:
    """The kinds of each item: H, A, C, D, T, M, E, F, N; X for a trap."""
    with (COURSE / "items.csv").open(encoding="utf-8") as file:
        return {row["item"]: set(row["kind"].split()) for row in csv.DictReader(file)}


def printed() -> dict[str, list[str]]:
    """The numbers the page prints, by item, in the page's order."""
    lines = (COURSE / "printed.txt").read_text(encoding="utf-8").splitlines()
    return {item: numbers for item, *numbers in map(str.split, lines)}


def page_hashes() -> frozenset[str]:
    return frozenset((COURSE / "page_hashes.txt").read_text().split())


def prose(markdown: str) -> str:
    """Markdown without its code, formulas, tables' bars, links' targets and HTML tags."""
    text = re.sub(r"```.*?```", "\n\n", markdown, flags=re.DOTALL)
    text = re.sub(r"\$\$.*?\$\$|\\\[.*?\\\]", "\n\n", text, flags=re.DOTALL)
    text = re.sub(r"`[^`\n]*`|\$[^$\n]*\$|\\\(.*?\\\)", " ", text)
    text = re.sub(r"\]\([^)]*\)", "] ", text)
    return re.sub(r"<[^>\n]*>", " ", text)


def words(text: str) -> list[str]:
    """The words of a text in small letters; figures, signs and accents of quotation dropped."""
    plain = text.lower().replace("\u2019", "'")
    return re.findall(r"[a-z]+(?:'[a-z]+)?", plain)


def code_symbols(code: str) -> list[str]:
    """Names, numbers and signs of code; comments and white space dropped."""
    return re.findall(r"\w+|[^\w\s]", re.sub(r"#.*", "", code))


def digest(sequence: list[str]) -> str:
    return sha256(" ".join(sequence).encode()).hexdigest()[:16]


def windows(sequence: list[str], size: int) -> dict[str, str]:
    """Every run of `size` parts by its hash."""
    runs = [sequence[i : i + size] for i in range(len(sequence) - size + 1)]
    return {digest(run): " ".join(run) for run in runs}


def prose_hashes(text: str, shortest: int = SHORTEST) -> dict[str, str]:
    """Hashes of the word sequences that stand in prose, by hash; runs do not cross paragraphs."""
    found: dict[str, str] = {}
    for paragraph in re.split(r"\n\s*\n", prose(text)):
        for size in range(shortest, LONGEST + 1):
            found |= windows(words(paragraph), size)
    return found


def source_hashes(text: str) -> set[str]:
    """What is stored of a text: its long word sequences and its short sentences whole."""
    stored: set[str] = set()
    for paragraph in re.split(r"\n\s*\n", prose(text)):
        stored |= set(windows(words(paragraph), LONGEST))
        sentences = [words(part) for part in re.split(r"(?<=[.!?:])\s", paragraph)]
        stored |= {digest(s) for s in sentences if SHORTEST <= len(s) < LONGEST}
    return stored
