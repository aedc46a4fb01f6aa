"""The command line: ``python -m hierwidgets.course refresh | check | clean``."""

import sys

from .notebooks import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
