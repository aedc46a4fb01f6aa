"""The command line: ``python -m hierwidgets.course refresh | check | clean | path``."""

import sys

from . import notebooks, path

if __name__ == "__main__":
    command = sys.argv[1:]
    sys.exit(path.main() if command == ["path"] else notebooks.main(command))
