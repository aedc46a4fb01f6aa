"""Tricks for points that were not earned get none, and honest answers beside them lose nothing.

The rows are in `support.attacks`. Tricks that leave their process alive stand together in a few
notebooks; those that end or stall it have one each.
"""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from support.attacks import ALONE, HONEST, SHARED
from support.sandboxes import need_walls
from support.small_course import marked

from hierwidgets.grading import Limits
from hierwidgets.grading.engine import run

LIMITS = Limits(seconds=240, cell_seconds=6, megabytes=1500)
SETUP = "import numpy as np\nimport pandas as pd"
SHEETS = [SHARED[k::4] for k in range(4)]


def sheet(rows):
    """A source and a submission: an answer and a test for each row of (answer, test)."""
    source, handed_in = [marked(new_code_cell(SETUP), "setup")], []
    handed_in.append(marked(new_code_cell(SETUP), "setup"))
    for k, (answer, test) in enumerate(rows):
        own = f"rate_{k}"
        for cells, text in ((source, HONEST), (handed_in, answer)):
            cells.append(marked(new_code_cell(text.replace("RATE", own)), f"q{k}-a", solution=True))
            cells.append(marked(new_code_cell(test.replace("RATE", own)), f"q{k}-t", 1))
    return new_notebook(cells=source), new_notebook(cells=handed_in)


def graded(rows, files, hidden=()):
    """The run, and by row: its point, and what its answer and its test showed."""
    source, handed_in = sheet(rows)
    ran = run(handed_in, source, files, LIMITS, hidden=hidden)
    found = []
    for k in range(len(rows)):
        tested = ran.outputs[2 + 2 * k]
        point = int(not any(o.output_type == "error" for o in tested))
        found.append((point, ran.outputs[1 + 2 * k], tested))
    return ran, found


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(SHEETS)))
def test_tricks_get_what_they_have_earned(number, tmp_path, monkeypatch):
    need_walls()
    monkeypatch.setenv("SECRET", "1")
    course, files = tmp_path / "course", tmp_path / "files"
    course.mkdir()
    files.mkdir()
    (course / "gradebook.db").write_text("all grades")
    rows = SHEETS[number]
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        answers = [a.answer.replace("COURSE", str(course)).replace("PORT", port) for a in rows]
        tests = [a.test for a in rows]
        ran, found = graded(list(zip(answers, tests, strict=True)), files, [course])
    odd = {
        attack.name: (point, tested)
        for attack, (point, _, tested) in zip(rows, found, strict=True) if point != attack.points
    }  # fmt: skip
    assert not odd
    shown = {a.name: json.dumps(answer) for a, (_, answer, _) in zip(rows, found, strict=True)}
    for name, text in shown.items():
        for word in ("WROTE", "UNMOUNTED", "SEEN", "REACHED", "True /", "BEGIN HIDDEN"):
            assert word not in text, name
    assert "image/png" in shown.get("plots", "image/png")
    # what an answer may have written into its exception is on no page for a test with hidden parts
    for attack, (_, _, tested) in zip(rows, found, strict=True):
        if "HIDDEN" in attack.test:
            assert not any("lies" in o.get("evalue", "") for o in tested)
    assert ran.flag in ("ok", "crash", "timeout")
    assert (course / "gradebook.db").read_text() == "all grades"


@pytest.mark.slow
@pytest.mark.parametrize("name", ALONE)
def test_destroyers_spoil_only_their_own(name, tmp_path):
    need_walls()
    _, answer, flag = ALONE[name]
    rows = [(HONEST, SHARED[0].test), (answer, SHARED[0].test)]
    ran, found = graded(rows, tmp_path)
    assert [point for point, _, _ in found] == [1, 0], (ran.notes, found)
    assert ran.flag == flag, ran.notes
    assert len(json.dumps(ran.outputs)) < 100_000


CONTROL = """
import json, os, signal, sys
for name, setup, answer, test in json.load(sys.stdin):
    pid = os.fork()
    if not pid:
        signal.alarm(20)
        space = {"__name__": "__main__"}
        try:
            for text in (setup, answer, test):
                exec(compile(text, "<cell>", "exec"), space)
        except BaseException:
            os._exit(1)
        os._exit(0)
    print(json.dumps([name, os.waitpid(pid, 0)[1] == 0]), flush=True)
"""


@pytest.mark.slow
def test_the_tricks_work_where_answers_and_tests_share_a_process(tmp_path):
    """Otherwise a row that does nothing would count as prevented."""
    rows = [a for a in SHARED if a.bites]
    course = tmp_path / "course"
    course.mkdir()
    (course / "file").touch()
    given = [
        (a.name, SETUP, a.answer.replace("RATE", "rate").replace("COURSE", str(course)),
         a.test.replace("RATE", "rate"))
        for a in rows
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CONTROL], input=json.dumps(given), text=True,
        capture_output=True, timeout=300, cwd=tmp_path,
    )  # fmt: skip
    found = dict(json.loads(line) for line in done.stdout.splitlines())
    assert [a.name for a in rows if not found.get(a.name)] == [], done.stderr[-500:]
    assert sum(a.points == 0 for a in rows) >= 12


def test_there_are_many_and_of_many_kinds():
    tricks = [a for a in SHARED if not a.points]
    assert len(tricks) + len(ALONE) >= 60
    assert len({a.mechanism for a in tricks}) >= 25
    assert len({a.name for a in SHARED}) == len(SHARED)


def test_the_guide_tells_of_every_kind():
    guide = Path(__file__).parents[2] / "lectures" / "assignments" / "instructor-guide.md"
    text = " ".join(guide.read_text(encoding="utf-8").split())
    kinds = [a.mechanism for a in SHARED if not a.points] + [kind for kind, _, _ in ALONE.values()]
    missing = sorted({kind for kind in kinds if kind not in text})
    assert missing == []
