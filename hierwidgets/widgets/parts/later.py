"""One action, some time after it was last asked for: while a slider moves, it waits."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

__all__ = ["Later", "once"]


class Later:
    """An action put off until nothing has asked for it for some seconds.

    Parameters
    ----------
    action
        Called without arguments, once for all that asked.
    seconds
        After the last time it was asked for.
    """

    def __init__(self, action: Callable[[], None], seconds: float) -> None:
        self._action, self._seconds = action, seconds
        self._handle: asyncio.TimerHandle | None = None
        self._asked: bool | None = None  # of one that is held; see `once`

    @property
    def waiting(self) -> bool:
        """Whether the action is still to come."""
        return self._handle is not None

    def ask(self) -> None:
        """Put the action off once more; outside a notebook, where nothing waits, it comes now."""
        self.forget()
        if self._asked is not None:
            self._asked = True
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._action()
        else:
            self._handle = loop.call_later(self._seconds, self._act)

    def forget(self) -> None:
        """What was asked for does not come any more."""
        if self._asked:
            self._asked = False
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _act(self) -> None:
        self._handle = None
        self._action()


@contextmanager
def once(laters: Sequence[Later]) -> Iterator[None]:
    """Several moves as one: what they put off comes at the end of the block, and once."""
    for later in laters:
        later._asked = False
    try:
        yield
    finally:
        asked = [later for later in laters if later._asked]
        for later in laters:
            later._asked = None
        for later in asked:
            later.ask()
