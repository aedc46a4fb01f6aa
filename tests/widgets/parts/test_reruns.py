"""A cell that is run again leaves nothing of the instruments of its earlier run."""

import gc
import sys
import weakref
from types import SimpleNamespace

import pytest
from ipywidgets.widgets.widget import _instances

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
    for held in ("_cells", "_lines"):
        monkeypatch.setattr(reruns, held, {})
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


def test_what_another_cell_shows_stays_until_both_have_run_again(shell) -> None:
    dial = hw.widgets.Guess309()
    shell.run(("another cell", "second"))
    reruns.shown(dial)
    shell.run(("cell", "third"))
    newer = hw.widgets.Guess309()
    assert dial.comm is not None
    shell.run(("another cell", "fourth"))
    reruns.shown(newer)
    assert dial.comm is None
    assert newer.comm is not None


def test_callbacks_do_not_pile_up(shell) -> None:
    def drawn() -> hw.widgets.Guess309:
        return hw.widgets.Guess309()

    def call() -> list[hw.widgets.Guess309]:
        return [drawn() for _ in range(2)]

    elsewhere, first = drawn(), call()
    before = len(_instances)
    for i in range(3):
        shell.message = {"metadata": {}, "header": {"msg_id": f"moved {i}"}}
        last = call()
        assert len(_instances) == before
    assert [one.comm is None for one in (*first, *last)] == [True, True, False, False]
    assert elsewhere.comm is not None  # the same function, called from another line


def test_the_program_that_runs_the_kernel_is_no_callback(shell) -> None:
    """Below every cell stands IPython, and below that traitlets, which started the kernel."""
    start = {"__name__": "traitlets.config.application"}
    exec("def launch(run): return run()", start)
    cell = {"__name__": "IPython.core.interactiveshell"}
    exec("def run_code(run): return run()", cell)
    user = {"__name__": "__main__", "hw": hw}
    exec("def make(): return hw.widgets.Guess309()", user)

    def run(which: tuple[str, str]) -> hw.widgets.Guess309:
        shell.run(which)
        return start["launch"](lambda: cell["run_code"](user["make"]))

    first = run(("maker", "first"))
    shell.run(("shower", "second"))
    reruns.shown(first)
    run(("maker", "third"))
    assert first.comm is not None
