"""The command line: ``python -m hierwidgets.course`` and a word of `notebooks`."""

import sys
from collections.abc import Sequence

from . import guide, notebooks, path, recordings, room, slides, student
from .book import build

COMMANDS = {
    "lab": room.main, "recordings": recordings.main, "slides": slides.main,
    "student": student.main,
}  # fmt: skip


def book(arguments: Sequence[str]) -> int:
    """Make the book, with recorded instruments where there is a command that records them."""
    records = [sys.executable, "-m", "hierwidgets.course", build.RECORDINGS]
    return build.main(arguments, recordings=records if build.RECORDINGS in COMMANDS else None)


COMMANDS["book"] = book

if __name__ == "__main__":
    command = sys.argv[1:]
    if command[:1] == ["lite"]:
        from .lite import site  # what it needs comes with the extra `site`

        sys.exit(site.main(command[1:]))
    if command and command[0] in COMMANDS:
        sys.exit(COMMANDS[command[0]](command[1:]))
    if command == ["path", "--write"]:
        sys.exit(guide.write())
    sys.exit(path.main() if command == ["path"] else notebooks.main(command))
