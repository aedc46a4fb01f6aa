"""A kernel gives back free memory once no cell has run for a while, and not between two cells."""

import asyncio

import pytest
from IPython.core.events import EventManager, available_events

from hierwidgets.base import memory
from hierwidgets.course.kernels import mother


class Shell:
    """As much of a kernel's shell as cells that have run are told to."""

    def __init__(self) -> None:
        self.events = EventManager(self, available_events)


def test_memory_goes_back_once_after_the_last_of_some_cells(monkeypatch: pytest.MonkeyPatch):
    given: list[int] = []
    monkeypatch.setattr(memory, "give_back", lambda: given.append(1))
    monkeypatch.setattr(mother, "_REST", 0.05)
    shell = Shell()
    mother._give_back_at_rest(shell)

    async def notebook() -> None:
        for _ in range(3):
            shell.events.trigger("post_run_cell", None)
            await asyncio.sleep(0)
        assert given == []
        await asyncio.sleep(0.3)

    asyncio.run(notebook())
    assert given == [1]
