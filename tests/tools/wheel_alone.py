"""Install a wheel, or the source, into a fresh environment: it works without the repository.

    python tests/tools/wheel_alone.py dist/hierwidgets-* [--python python3.12]

Of each file: it loads all data, fits the page's first model, samples its posterior, reads stored
draws, makes a widget and answers an exercise, and prints how large the file is.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
TRY = """
import bqplot  # whose own import warns of what is to come in traitlets
import warnings; warnings.simplefilter("error")
import hierwidgets as hw
from hierwidgets.exercises import check
assert {n: len(hw.load(n)) for n in ("finland", "uk", "rainey2015", "rainey2015_individual")} == {
    "finland": 1086, "uk": 756, "rainey2015": 5126, "rainey2015_individual": 5126}
fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")
assert abs(fit.loglik + 552.2633) < 1e-3
model = hw.Model(
    "contacted ~ 1 + (1 | district_id)", hw.load("finland"), "binomial", event="Contacted")
assert model.sample(seed=1, progress=False).method == "importance"
assert hw.load_posterior("finland").nobs > 0
dial = hw.widgets.PoolingDial(fit)
dial.selected = dial.selected
assert "Log-likelihood" in dial.status or dial.status
assert not check("01-rates", 3)
print(hw.__file__)
"""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="wheel_alone.py", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--python", default=sys.executable, help="what runs it")
    given = parser.parse_args(arguments)
    return alone([file.resolve() for file in given.files], given.python)


def alone(files: Sequence[Path], python: str) -> int:
    """Try distributions in turn, in one environment with what they need; 0 where all is well."""
    with tempfile.TemporaryDirectory() as place:
        env = Path(place) / "env"
        subprocess.run([python, "-m", "venv", str(env)], check=True)
        pip = [f"{env}/bin/python", "-m", "pip", "--disable-pip-version-check", "install", "-q",
               "--no-compile"]  # fmt: skip
        needed = ["-c", str(ROOT / "constraints.txt"), f"{files[0]}[lab]"]
        subprocess.run([*pip, *needed], check=True)
        failed = 0
        for file in files:
            subprocess.run([*pip, "--no-deps", "--force-reinstall", str(file)], check=True)
            failed += not works(file, env)
        return failed


def works(file: Path, env: Path) -> bool:
    """Whether what is installed there works, away from the repository."""
    own = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [f"{env}/bin/python", "-c", TRY], cwd=env.parent, env=own, capture_output=True, text=True
    )
    print(done.stderr or f"{file.name} ({file.stat().st_size / 1e6:.1f} MB) works alone")
    return not done.returncode and done.stdout.startswith(str(env))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
