"""The command line: ``python -m hierwidgets.course refresh | check | clean | path | student``."""

import sys

from . import notebooks, path, student

if __name__ == "__main__":
    command = sys.argv[1:]
    if command[:1] == ["student"]:
        sys.exit(student.main(command[1:]))
    sys.exit(path.main() if command == ["path"] else notebooks.main(command))
