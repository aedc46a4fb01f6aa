"""The command line: ``python -m hierwidgets.course refresh | check | clean | path [--write]``."""

import sys

from . import guide, notebooks, path

if __name__ == "__main__":
    command = sys.argv[1:]
    if command == ["path", "--write"]:
        sys.exit(guide.write())
    sys.exit(path.main() if command == ["path"] else notebooks.main(command))
