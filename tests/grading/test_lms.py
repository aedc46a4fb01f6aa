"""Files for Canvas, Moodle and Blackboard: the columns these import, and who is left out."""

import csv

import numpy as np
import pandas as pd
import pytest

from hierwidgets.errors import DataError
from hierwidgets.grading import lms_file, lms_roster

TABLE = pd.DataFrame(
    {
        "student": ["ann", "bo", "cy", "di"],
        "score": [7.5, np.nan, np.nan, 0.0],
        "max_score": 8.0,
        "waiting": [0, 1, 0, 0],
        "flag": ["ok", "ok", "unreadable", "ok"],
    }
)
CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,A0 (12)
    Points Possible,,,,,10
"Example, Ann",101,0007,ann,S1,9
"Bo, Bo",102,0008,bo,S1,
"Ärlig, Di",103,0009,di,S2,
"Zoe, Z",104,0010,zoe,S2,
"""
MOODLE = """First name;Surname;ID number;Email address
Ann;Example;ann;ann@example.org
Di;Last;di;di@example.org
"""
BLACKBOARD = '"Last Name"\t"First Name"\t"Username"\t"Student ID"\n"Ärlig"\t"Di"\t"di"\t"9"\n'


def roster(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "students.csv"
    path.write_bytes(text.encode(encoding))
    return lms_roster(path)


def written(tmp_path, system, people, column=""):
    return lms_file(TABLE, system, people, tmp_path, "T1", column)


def test_canvas(tmp_path):
    """Its own export is the roster: five columns by position, and the row of points possible."""
    path, said = written(tmp_path, "canvas", roster(tmp_path, CANVAS), "The 309 problem (345)")
    assert path.name == "T1-canvas.csv"
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")  # there is an Ä
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "The 309 problem (345)"],
        ["    Points Possible", "", "", "", "", "8"],
        ["Example, Ann", "101", "0007", "ann", "S1", "7.5"],
        ["Ärlig, Di", "103", "0009", "di", "S2", "0"],
    ]
    assert said == [
        "2 students in T1-canvas.csv, found by the roster's column SIS Login ID",
        "left out, not in students.csv: cy",
        "left out, in the roster, nothing handed in: zoe",
        "left out, still to be marked by a person: bo",
        "left out, could not be read: cy",
    ]


def test_canvas_with_a_roster_of_ones_own(tmp_path):
    """Every column has its place, also without values."""
    path, _ = written(tmp_path, "canvas", roster(tmp_path, "id,SIS User ID\nann,7\n"))
    assert path.read_text().splitlines() == [
        "Student,ID,SIS User ID,SIS Login ID,Section,T1",
        "    Points Possible,,,,,8",
        ",,7,,,7.5",
    ]


def test_moodle(tmp_path):
    path, said = written(tmp_path, "moodle", roster(tmp_path, MOODLE, "utf-8-sig"))
    assert path.read_text().splitlines() == [
        "First name,Surname,ID number,Email address,T1",
        "Ann,Example,ann,ann@example.org,7.5",
        "Di,Last,di,di@example.org,0",
    ]
    assert said[0].endswith("column ID number")


def test_blackboard(tmp_path):
    column = "The 309 problem [Total Pts: 8 Score] |664617"
    people = roster(tmp_path, "\ufeff" + BLACKBOARD, "utf-16-le")
    path, _ = written(tmp_path, "blackboard", people, column)
    stored = path.read_bytes()
    assert path.name == "T1-blackboard.xls"
    assert stored.startswith(b"\xff\xfe")
    assert stored.decode("utf-16").splitlines() == [
        f"Last Name\tFirst Name\tUsername\tStudent ID\t{column}",
        "Ärlig\tDi\tdi\t9\t0",
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("name,ID\nAnn,1\n", "no column that names the students as submitted/ does"),
        ("id,ID\nann,1\nann,2\n", "names ann twice in id"),
        ("id,ID\nann,\n", "no SIS Login ID or SIS User ID or ID for ann; one is needed"),
        ("id,ID\nann,1.23E+09\n", "a spreadsheet has shortened"),
        ("id,ID\nann,=1+1\n", "begins a formula"),
        ("id,id\nann,1\n", "more than one column id"),
        ("id,ID\n", "has no students"),
    ],
)
def test_a_roster_that_will_not_do(tmp_path, text, what):
    with pytest.raises(DataError, match=what):
        written(tmp_path, "canvas", roster(tmp_path, text))


def test_a_roster_that_is_not_there_or_not_in_utf_8(tmp_path):
    with pytest.raises(DataError, match="there is no roster"):
        lms_roster(tmp_path / "nowhere.csv")
    with pytest.raises(DataError, match="not in UTF-8"):
        roster(tmp_path, "student,ID\nÄ,1\n", "latin-1")


def test_a_name_does_not_become_a_formula(tmp_path):
    people = roster(tmp_path, 'id,Student,ID\nann,"=1+1, Ann",1\n')
    path, _ = written(tmp_path, "canvas", people)
    assert "'=1+1, Ann" in path.read_text()
