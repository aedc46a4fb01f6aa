"""Where things are in the repository."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "hierwidgets"
LECTURES = ROOT / "lectures"
IMAGES = LECTURES / "images"
REFERENCE = ROOT / "tests" / "reference"
STRUCTURES = REFERENCE / "structures"
