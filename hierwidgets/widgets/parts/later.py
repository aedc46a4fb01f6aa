"""One action, some time after it was last asked for: while a slider moves, it waits."""

import asyncio
from collections.abc import Callable

__all__ = ["Later"]


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

    @property
    def waiting(self) -> bool:
        """Whether the action is still to come."""
        return self._handle is not None

    def ask(self) -> None:
        """Put the action off once more; outside a notebook, where nothing waits, it comes now."""
        self.forget()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._action()
        else:
            self._handle = loop.call_later(self._seconds, self._act)

    def forget(self) -> None:
        """What was asked for does not come any more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _act(self) -> None:
        self._handle = None
        self._action()
