"""The walls and what becomes of a system without them; outputs that are safe to show."""

import shutil

import pytest
from support import graded_course as graded
from support import small_course as small
from support.sandboxes import need_walls

from hierwidgets.grading import Limits, grade, isolation, records
from hierwidgets.grading.__main__ import main
from hierwidgets.grading.program import steps, unseen
from hierwidgets.grading.sandbox import SandboxError, why_not
from hierwidgets.grading.shown import clean

QUICK = Limits(seconds=60, cell_seconds=8, megabytes=1500)


@pytest.fixture
def without_walls(monkeypatch, tmp_path):
    """A system on which bubblewrap is not installed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    why_not.cache_clear()
    yield
    why_not.cache_clear()


@pytest.fixture
def course(tmp_path):
    made = graded.released(tmp_path / "course")
    small.hand_in(made.root, "ann", small.answered(made.read("release", "T1"), small.RIGHT))
    return made


def test_without_walls_nothing_is_run(course, without_walls, capsys):
    assert not isolation()
    with pytest.raises(SandboxError, match=r"bubblewrap.*--i-trust-them"):
        grade(course, "T1", progress=False)
    assert main(["--course", str(course.root), "grade", "T1"]) == 2
    assert "apt install bubblewrap" in capsys.readouterr().err
    assert records(course, "T1") == []


@pytest.mark.slow
def test_those_whom_one_trusts_are_run_without_walls(course, without_walls):
    (record,) = grade(course, "T1", limits=QUICK, progress=False, walls=False)
    assert (record.flag, sum(record.scores.values()), record.isolated) == ("ok", 6.0, False)


@pytest.mark.slow
def test_an_ordinary_user_s_walls(course, monkeypatch):
    """Root takes another number inside; this is the way of everybody else."""
    need_walls()
    from hierwidgets.grading import sandbox

    monkeypatch.setattr(sandbox, "as_root", lambda: False)
    why_not.cache_clear()
    if missing := why_not():
        pytest.skip(missing)
    (record,) = grade(course, "T1", limits=QUICK, progress=False)
    why_not.cache_clear()
    assert (record.flag, sum(record.scores.values()), record.isolated) == ("ok", 6.0, True)


@pytest.mark.slow
def test_several_at_a_time(course):
    need_walls()
    given = course.read("release", "T1")
    for k in range(3):
        small.hand_in(course.root, f"s{k}", small.answered(given, small.RIGHT))
    small.hand_in(course.root, "s3", small.answered(given, {}))
    done = grade(course, "T1", limits=QUICK, progress=False, jobs=3)
    assert [r.student for r in done] == ["ann", "s0", "s1", "s2", "s3"]
    assert [sum(r.scores.values()) for r in done] == [6.0, 6.0, 6.0, 6.0, 0.0]


def test_the_program_of_the_tests_knows_its_names():
    program = steps(small.source())
    assert [s.name for s in program] == ["setup", "q1-shown", "q1-hidden", "q2-hidden"]
    assert [s.defined for s in program] == [(), ("rate",), ("rate",), ("spread",)]
    assert [s.hidden for s in program] == [False, False, True, True]


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ("fit = 1\nhw.widgets.PoolingDial(\n    fit\n)", "fit = 1"),
        ("hw.widgets.PoolingDial(fit)", ""),
        ("dial = hw.widgets.PoolingDial(fit)\ndial", "dial = hw.widgets.PoolingDial(fit)\ndial"),
        ("fit = 1; hw.widgets.PoolingDial(fit)", "fit = 1; hw.widgets.PoolingDial(fit)"),
        ("rows.append(1)", "rows.append(1)"),
        ("%matplotlib inline\nx = 1", "%matplotlib inline\nx = 1"),
    ],
)
def test_tests_do_without_the_instrument_that_a_given_cell_shows(given, left):
    assert unseen(given) == left


def test_outputs_cannot_run_anything_in_a_browser():
    html = '<b onclick="x()">a</b><script>evil()</script><img src=x onerror=evil()><table border=1>'
    found = clean([
        {"output_type": "display_data", "data": {"text/html": html, "text/javascript": "e()"}},
        {"output_type": "display_data", "data": {"image/png": "<svg onload=evil()>"}},
        {"output_type": "stream", "name": "odd", "text": "a" * 10**6}, {"output_type": "update"}, 7,
        {"output_type": "error", "ename": 3, "evalue": ["x"], "traceback": [1, "line"]},
    ])  # fmt: skip
    assert [o.output_type for o in found] == ["display_data", "display_data", "stream", "error"]
    text = found[0].data["text/html"]
    assert "<b>a</b>" in text
    assert "<table" in text
    for word in ("script", "evil", "onclick", "img"):
        assert word not in text
    assert set(found[1].data) == {"text/plain"}
    assert len(found[2].text) == 20_000
    assert clean("nothing") == []


def test_where_bwrap_is_this_machine_has_walls():
    if shutil.which("bwrap"):
        need_walls()
