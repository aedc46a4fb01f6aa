"""The command line: ``python -m hierwidgets.course`` and a word of `notebooks`."""

import sys

from . import guide, notebooks, path, room, slides, student

COMMANDS = {"lab": room.main, "slides": slides.main, "student": student.main}

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
