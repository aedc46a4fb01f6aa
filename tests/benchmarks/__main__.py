"""Run every benchmark of this folder: each ``bench_*.py`` with its ``main() -> int``.

PYTHONPATH=tests python -m benchmarks [NAME ...] [--OPTION ...]

A name is without "bench_", such as core or widgets; options are those of the benchmarks. Of core:
``--json FILE`` writes its seconds, ``--against OLD.json`` says what got slower since.
"""

import argparse
import sys
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent


def main(names: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__, add_help=False)
    parser.add_argument("--json")
    parser.add_argument("--against")
    core, names = parser.parse_known_args(names)
    kept = [word for key, value in vars(core).items() if value for word in (f"--{key}", value)]
    known = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    chosen = [name for name in names if not name.startswith("--")]  # the rest are for them
    if unknown := set(chosen) - set(known):
        print(f"no benchmark called {sorted(unknown)}; there are {known}")
        return 2
    missed = []
    for name in chosen or known:
        print(f"\n=== {name} ===", flush=True)
        if import_module(f"benchmarks.bench_{name}").main(*([kept] if name == "core" else [])):
            missed.append(name)
    print(f"\n{'a target was missed in: ' + ', '.join(missed) if missed else 'all targets met'}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
