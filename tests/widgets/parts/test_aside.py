"""A computation beside the notebook: at once without one, else on a thread; it can be given up."""

import asyncio
import threading
import time

from hierwidgets.errors import DataError, FitError
from hierwidgets.widgets.parts.aside import Aside


def counting(steps, gate=None, pause=0.0):
    """Counts so many steps, and returns the thread it ran on."""

    def compute(count):
        count(0, steps)
        for _ in range(steps):
            if gate is not None:
                gate.wait(5)
            time.sleep(pause)
            count(1, 0)
        return threading.current_thread()

    return compute


def kept():
    taken, shown = [], []
    return Aside(taken.append, lambda *so_far: shown.append(so_far)), taken, shown


def test_outside_a_notebook_it_is_done_at_once():
    aside, taken, shown = kept()
    aside.start(counting(3))
    assert taken == [threading.main_thread()]
    assert not aside.running
    assert shown == []


def test_an_error_of_ours_is_handed_over():
    aside, taken, _ = kept()
    error = FitError("no")

    def fail(count):
        raise error

    aside.start(fail)
    assert taken == [error]


def test_in_a_notebook_it_is_on_a_thread_and_counts():
    aside, taken, shown = kept()

    async def notebook():
        aside.start(counting(3))
        assert aside.running
        await until(lambda: not aside.running)

    asyncio.run(notebook())
    assert taken[0] is not threading.main_thread()
    assert shown == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_a_new_start_gives_up_what_was_under_way():
    aside, taken, shown = kept()
    gate = threading.Event()

    def told(count):
        return "second"

    async def notebook():
        aside.start(counting(1000, gate))
        await until(lambda: shown)
        aside.start(told)
        await until(lambda: taken)
        gate.set()
        await asyncio.sleep(0.05)

    asyncio.run(notebook())
    assert taken == ["second"]
    assert shown == [(0, 1000)]


def test_stopped_it_takes_nothing_and_ends_early():
    aside, taken, _ = kept()

    async def notebook():
        aside.start(counting(10_000, pause=0.001))
        await asyncio.sleep(0.02)
        aside.stop()
        assert not aside.running

    began = time.monotonic()
    asyncio.run(notebook())  # which waits for the thread
    assert time.monotonic() - began < 8
    assert taken == []


def test_an_error_on_the_thread_is_handed_over():
    aside, taken, _ = kept()

    def fail(count):
        raise DataError("not these")

    async def notebook():
        aside.start(fail)
        await until(lambda: taken)

    asyncio.run(notebook())
    assert str(taken[0]) == "not these"


async def until(happened):
    deadline = time.monotonic() + 5
    while not happened():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)
