"""Where things are in the repository."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "hierwidgets"
LECTURES = ROOT / "lectures"
SETTINGS = LECTURES / ".lab"  # of the Jupyter that opens a student's copy
IMAGES = LECTURES / "images"
REFERENCE = ROOT / "tests" / "reference"
STRUCTURES = REFERENCE / "structures"
