"""A cell that runs again closes what its last run made, and nothing else."""

from types import SimpleNamespace

import IPython
import pytest
from ipywidgets.widgets.widget import _instances

import hierwidgets as hw


@pytest.fixture
def running(monkeypatch):
    """``running(cell, run)`` says which cell runs, as a kernel would."""
    message = {}
    shell = SimpleNamespace(get_parent=lambda: message)
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)

    def run(cell, number, by="cellId"):
        message["header"] = {"msg_id": f"run {number}"}
        message["metadata"] = {"cellId": cell} if by == "cellId" else {}
        message["content"] = {"code": cell}

    return run


def lab():
    return hw.widgets.RecoveryLab()


@pytest.mark.parametrize("by", ["cellId", "code"])
def test_a_second_run_closes_the_first(running, by):
    running("a", 1, by)
    first, beside = lab(), lab()
    running("b", 2, by)
    other = lab()
    running("a", 3, by)
    again = lab()
    assert first.comm is None
    assert beside.comm is None
    assert other.comm is not None
    assert again.comm is not None


def test_outside_a_notebook_nothing_is_closed(monkeypatch):
    monkeypatch.setattr(IPython, "get_ipython", lambda: None)
    first, second = lab(), lab()
    assert first.comm is not None
    assert second.comm is not None


def test_runs_do_not_add_up(running):
    def count():
        return len(_instances)

    running("c", 1)
    lab()
    before = count()
    for number in range(2, 6):
        running("c", number)
        lab()
    assert count() == before
