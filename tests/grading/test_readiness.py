"""What is made once for all submissions, bytecode and a list of fonts, cannot be written to."""

import subprocess
import sys
from importlib.util import cache_from_source
from pathlib import Path

import pytest
from support import graded_course as graded
from support import small_course as small
from support.paths import PACKAGE
from support.sandboxes import need_walls

import hierwidgets as hw
from hierwidgets.grading import Limits, grade, readiness
from hierwidgets.grading.readiness import FONTS, ready
from hierwidgets.grading.sandbox import walled

INSIDE = f"""
import os
print(sorted(os.listdir("/sitting/{FONTS}")))
for place in ("/sitting/{FONTS}/fonts.json", {hw.__file__!r}):
    assert os.path.exists(place)
    try:
        open(place, "a").write("evil")
        print("written")
    except OSError:
        print("refused")
"""


def test_fonts_are_listed_and_bytecode_is_written() -> None:
    compiled = Path(cache_from_source(str(PACKAGE / "exam" / "answers.py")))
    compiled.unlink(missing_ok=True)
    readiness._made.cache_clear()
    made = ready()
    assert made == ready()
    assert [p.suffix for p in (made / FONTS).glob("fontlist*")] == [".json"]
    assert compiled.exists()


def test_nothing_can_be_handed_on_by_what_all_submissions_share(tmp_path: Path) -> None:
    need_walls()
    (tmp_path / "given").mkdir()
    (tmp_path / FONTS).mkdir()
    (tmp_path / FONTS / "fonts.json").write_text("{}")
    for path in (tmp_path, *tmp_path.rglob("*")):
        path.chmod(0o777)
    inside = walled([sys.executable, "-c", INSIDE], tmp_path / "given", [])
    done = subprocess.run(inside, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == ["['fonts.json']", "refused", "refused"], done.stderr
    assert (tmp_path / FONTS / "fonts.json").read_text() == "{}"


LOOKED = """
import os
found = [os.path.splitext(name)[1] for name in os.listdir(os.environ["MPLCONFIGDIR"])]
def rate(y):
    return sum(y) / len(y) if found == [".json"] else None
"""


@pytest.mark.slow
@pytest.mark.parametrize("walls", [True, False])
def test_answers_find_the_list_of_fonts(tmp_path: Path, walls: bool) -> None:
    if walls:
        need_walls()
    course = graded.released(tmp_path / "course")
    answers = {**small.RIGHT, "q1-rate": LOOKED}
    small.hand_in(course.root, "ann", small.answered(course.read("release", "T1"), answers))
    limits = Limits(seconds=60, cell_seconds=8, megabytes=1500)
    (record,) = grade(course, "T1", limits=limits, progress=False, walls=walls)
    assert (record.flag, sum(record.scores.values())) == ("ok", 6.0)
