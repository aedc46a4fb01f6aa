"""One long computation at a time, beside the notebook: it counts, and can be given up."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

from hierwidgets.base.progress import Count
from hierwidgets.errors import HierwidgetsError

__all__ = ["Aside"]

T = TypeVar("T")


class _GivenUp(Exception):
    """Raised where a computation counts, once nobody waits for it any more."""


class Aside(Generic[T]):
    """In a notebook a computation on a thread, so that controls go on working; elsewhere at once.

    Parameters
    ----------
    take
        Called with what was computed, or with the error of ours that it ended in.
    show
        Called in between with how much is done, and of how much.
    """

    def __init__(
        self, take: Callable[[T | HierwidgetsError], None], show: Callable[[int, int], None]
    ) -> None:
        self._take, self._show = take, show
        self._run = 0  # the number of the run whose result is wanted
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether something is being computed."""
        return self._task is not None

    def start(self, compute: Callable[[Count], T]) -> None:
        """Compute something, and give up what is being computed."""
        self.stop()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._take(_outcome(compute, lambda done, more: None))
        else:
            self._task = loop.create_task(self._on_thread(loop, compute, self._run))

    def stop(self) -> None:
        """Give up what is being computed: it ends when it next counts."""
        self._run += 1
        self._task = None

    async def _on_thread(
        self, loop: asyncio.AbstractEventLoop, compute: Callable[[Count], T], run: int
    ) -> None:
        so_far = [0, 0]

        def count(done: int, more: int) -> None:
            if run != self._run:
                raise _GivenUp
            so_far[0] += done
            so_far[1] += more
            loop.call_soon_threadsafe(partial(self._tell, run, *so_far))

        try:
            found = await loop.run_in_executor(None, partial(_outcome, compute, count))
        except _GivenUp:
            return
        if run == self._run:
            self._task = None
            self._take(found)

    def _tell(self, run: int, done: int, total: int) -> None:
        if run == self._run:
            self._show(done, total)


def _outcome(compute: Callable[[Count], T], count: Count) -> T | HierwidgetsError:
    try:
        return compute(count)
    except HierwidgetsError as error:
        return error
