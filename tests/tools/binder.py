"""Write binder/requirements.txt: the pins of what the lectures need, and nothing else.

    python3.12 tests/tools/binder.py

Run it in an environment of the Python that binder/runtime.txt names, with the extra ``lab``
installed by the constraints. The names come from the installed distributions' own requirements,
the versions from constraints.txt.
"""

import re
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
OUT = ROOT / "binder" / "requirements.txt"
HEADER = """\
# What the lectures need on Binder: the pins of constraints.txt for the Python of runtime.txt.
# Written by tests/tools/binder.py; a test fails when the two differ.
"""


def python_of_binder() -> str:
    """The version that runtime.txt names, such as "3.12"."""
    return (ROOT / "binder" / "runtime.txt").read_text().strip().removeprefix("python-")


def pins(python: str) -> dict[str, str]:
    """Names and versions in constraints.txt for one version of Python."""
    found = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        match = re.fullmatch(r"([a-z0-9-]+)==([^\s;]+)(?: ; (.*))?", line)
        if match and (match[3] is None or f'"{python}"' in match[3]):
            found[match[1]] = match[2]
    return found


def needed(extra: str = "lab") -> set[str]:
    """The distributions that the package with this extra needs, directly or through another."""
    found: set[str] = set()
    waiting = [Requirement(f"hierwidgets[{extra}]")]
    seen = set()
    while waiting:
        wish = waiting.pop()
        name = re.sub(r"[-_.]+", "-", wish.name).lower()
        if (key := (name, frozenset(wish.extras))) in seen:
            continue
        seen.add(key)
        found.add(name)
        for text in metadata.requires(name) or []:
            one = Requirement(text)
            extras = ["", *wish.extras]
            if not one.marker or any(one.marker.evaluate({"extra": e}) for e in extras):
                waiting.append(one)
    return found - {"hierwidgets"}


def main() -> int:
    python = "{}.{}".format(*sys.version_info)
    if python != python_of_binder():
        print(f"run this with Python {python_of_binder()}, not {python}")
        return 2
    versions = pins(python)
    OUT.write_text(HEADER + "".join(f"{name}=={versions[name]}\n" for name in sorted(needed())))
    print(f"{OUT.relative_to(ROOT)}: {len(needed())} pins")
    return 0


if __name__ == "__main__":
    sys.exit(main())
