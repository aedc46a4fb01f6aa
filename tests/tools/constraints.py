"""Write constraints.txt: tested pins for each supported Python, resolved anew.

    python tests/tools/constraints.py PYTHON [PYTHON ...]

Each interpreter gets a fresh environment with every extra; the frozen lists are merged, with
a marker wherever the versions differ.
"""

import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
OUT = ROOT / "constraints.txt"
EXTRAS = "lab,bayes,grading,dev,site"
HEADER = """\
# Tested versions of everything the project installs, for Python 3.11, 3.12, 3.13 and 3.14.
# Written by tests/tools/constraints.py (make constraints PYTHONS="python3.11 python3.12 ...").
"""
# Known conflicts the resolver cannot see.
EXTRA_RULES = {
    "3.11": ["matplotlib<3.11"],  # arviz 0.23, the last for 3.11, imports matplotlib.style.core
}


def freeze(python: str) -> tuple[str, dict[str, str]]:
    """The version of `python`, and what an environment of it holds with every extra."""
    version = subprocess.run(
        [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder) / "rules.txt"
        rules.write_text("\n".join(EXTRA_RULES.get(version, [])))
        subprocess.run([python, "-m", "venv", f"{folder}/env"], check=True)
        pip = [f"{folder}/env/bin/python", "-m", "pip"]
        install = ["install", "-q", "-c", str(rules), f"{ROOT}[{EXTRAS}]"]
        subprocess.run([*pip, *install], check=True)
        frozen = subprocess.run([*pip, "freeze"], capture_output=True, text=True, check=True)
    return version, parse(frozen.stdout)


def parse(frozen: str) -> dict[str, str]:
    """Names and versions in the output of pip freeze, without the project itself."""
    pins = {}
    for line in frozen.splitlines():
        if match := re.fullmatch(r"([A-Za-z0-9._-]+)==([^\s;@]+)", line.strip()):
            pins[re.sub(r"[-_.]+", "-", match[1]).lower()] = match[2]
    pins.pop("hierwidgets", None)
    return pins


def merge(frozen: dict[str, dict[str, str]]) -> list[str]:
    """One line per pin, with a marker unless every Python has the same."""
    lines = []
    for name in sorted({name for pins in frozen.values() for name in pins}):
        versions = defaultdict(list)
        for python, pins in frozen.items():
            if name in pins:
                versions[pins[name]].append(python)
        for version, pythons in versions.items():
            everywhere = len(pythons) == len(frozen)
            marker = " or ".join(f'python_version == "{p}"' for p in pythons)
            lines.append(f"{name}=={version}" + ("" if everywhere else f" ; {marker}"))
    return lines


def main(pythons: list[str]) -> int:
    if not pythons:
        print(__doc__)
        return 2
    frozen = dict(freeze(python) for python in pythons)
    OUT.write_text(HEADER + "\n".join(merge(frozen)) + "\n")
    print(f"{OUT.name}: {sum(map(len, frozen.values()))} pins on {', '.join(frozen)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
