"""The tests of the assignments are tested: right answers get all points, wrong ones lose theirs.

For every assignment there is a module ``wrong_answers_aN`` with a table of wrong solutions, the
tests each of them fails, and the mutants of the reference that change nothing.
"""

import re
from functools import cache
from importlib import import_module

import pytest
from support.answer_sheets import SOURCE, blank, failures, mutants, read, reference, worth

ASSIGNMENTS = sorted(p.name for p in SOURCE.iterdir())


@cache
def notebook(assignment):
    made = read(assignment)
    made.metadata["folder"] = assignment
    return made


def module(assignment):
    return import_module(f"support.wrong_answers_{assignment.lower()}")


CASES = [(name, wrong) for name in ASSIGNMENTS for wrong in module(name).WRONG]


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_reference_gets_every_point(assignment):
    assert failures(notebook(assignment), {}, given=True) == {}


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_a_blank_sheet_gets_none(assignment):
    made = notebook(assignment)
    assert set(failures(made, blank(made))) == set(worth(made))


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_public_numbers_typed_in_get_no_hidden_points(assignment):
    """Answers that only know what the visible checks show fail every test with a hidden part."""
    made = notebook(assignment)
    failed = set(failures(made, module(assignment).HARD_CODED))
    hidden = {n for n in worth(made) if any(
        "BEGIN HIDDEN" in c.source and c.metadata["nbgrader"]["grade_id"] == n
        for c in made.cells if "nbgrader" in c.metadata)}  # fmt: skip
    assert hidden - failed - module(assignment).__dict__.get("MAY_PASS", frozenset()) == set()


@pytest.mark.parametrize(
    ("assignment", "wrong"),
    [
        pytest.param(a, w, id=f"{a}-{w.name}", marks=[pytest.mark.slow] if a == "A3" else [])
        for a, w in CASES
    ],  # those of A3 take as long as all the others
)
def test_a_wrong_solution_loses_its_points_and_no_others(assignment, wrong):
    failed = failures(notebook(assignment), wrong.answers)
    assert set(failed) == set(wrong.loses), {n: str(e)[:80] for n, e in failed.items()}


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_there_are_enough_wrong_solutions(assignment):
    wrong = module(assignment).WRONG
    assert len(wrong) >= 6
    assert len({w.name for w in wrong}) == len(wrong)
    told = module(assignment).__doc__
    assert told.count("\n|") >= 8  # the table in the source
    missed = set(worth(notebook(assignment))) - set().union(*(w.loses for w in wrong))
    assert not missed, f"no wrong solution loses {missed}"


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_messages_are_words(assignment):
    """Every assertion of a test says in words what is wrong."""
    for cell in notebook(assignment).cells:
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
            for line in re.findall(r"^ *assert .*$", cell.source, re.MULTILINE):
                assert '"' in line or "callable(" in line or line.rstrip().endswith("("), line


@pytest.mark.slow
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_mutants_of_the_reference_lose_points(assignment):
    """Every program that differs from the reference in one sign, number or operator is caught."""
    made, harmless = notebook(assignment), module(assignment).HARMLESS
    survived = []
    for name, source in reference(made).items():
        for what, text in mutants(source):
            if not failures(made, {name: text}, only=name.split("-")[0] + "-"):
                survived.append(f"{name}: {what}")
    assert sorted(survived) == sorted(harmless)
