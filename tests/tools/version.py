"""Print the version, or with ``--notes`` what the changelog says of it."""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def version() -> str:
    """The version in pyproject.toml."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def notes() -> str:
    """The part of CHANGELOG.md about this version."""
    text = (ROOT / "CHANGELOG.md").read_text()
    found = re.search(rf"^## {re.escape(version())}[^\n]*\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    if found is None or not found[1].strip():
        raise SystemExit(f"CHANGELOG.md says nothing about {version()}")
    return found[1].strip()


if __name__ == "__main__":
    print(notes() if "--notes" in sys.argv[1:] else version())
