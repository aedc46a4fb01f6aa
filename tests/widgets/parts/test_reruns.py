"""A cell that is run again leaves nothing of the instruments of its earlier run."""

import gc
import sys
import weakref
from types import SimpleNamespace

import pytest

import hierwidgets as hw
from hierwidgets.widgets.parts import reruns


class Shell:
    """What is asked of IPython's shell: the message of the run, and the names of the user."""

    def __init__(self) -> None:
        self.user_ns = {"Out": {}}
        self.user_ns_hidden = {}
        self.run(("cell", "first"))

    def run(self, which: tuple[str, str]) -> None:
        cell, run = which
        self.message = {"metadata": {"cellId": cell}, "header": {"msg_id": run}}

    def get_parent(self) -> dict:
        return self.message

    def show(self, n: int, value: object) -> None:
        for names, key in ((self.user_ns["Out"], n), (self.user_ns, f"_{n}"),
                           (self.user_ns_hidden, f"_{n}")):  # fmt: skip
            names[key] = value


@pytest.fixture
def shell(monkeypatch) -> Shell:
    made = Shell()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: made))
    monkeypatch.setattr(reruns, "_made", {})
    return made


def test_the_same_cell_again_frees_what_it_showed(shell) -> None:
    shell.show(3, hw.widgets.Guess309())
    first = weakref.ref(shell.user_ns["_3"])
    shell.run(("cell", "second"))
    shell.show(4, hw.widgets.Guess309())
    gc.collect()
    assert first() is None
    assert list(shell.user_ns["Out"]) == [4]
    assert list(shell.user_ns_hidden) == ["_4"]


def test_other_cells_and_the_users_own_names_are_left_alone(shell) -> None:
    mine = shell.user_ns["mine"] = hw.widgets.Guess309()
    shell.run(("another cell", "second"))
    shell.show(5, hw.widgets.Guess309())
    assert mine.comm is not None
    shell.run(("cell", "third"))
    hw.widgets.Guess309()
    assert mine.comm is None
    assert shell.user_ns["mine"] is mine
    assert list(shell.user_ns["Out"]) == [5]
