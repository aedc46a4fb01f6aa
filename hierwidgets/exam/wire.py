"""Frames between processes that do not trust each other: a line of JSON and pieces of bytes.

A frame is the length of its JSON, the number of its pieces and their lengths, then all of them.
Nothing in it is ever executed: no pickle. Who reads says how long it may take and how much it
may be.
"""

import json
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

__all__ = ["Broken", "Channel", "Frame", "Gone", "Silent"]

HEAD, LENGTH = struct.Struct(">II"), struct.Struct(">Q")
MOST_BYTES = 64_000_000  # of a frame
MOST_PIECES = 10_000
STEP = 0.05  # seconds between two looks at the clock

Frame = tuple[dict[str, Any], list[bytes]]


class Gone(Exception):
    """The other process has ended."""


class Silent(Exception):
    """The other process did not answer in time."""


class Broken(Exception):
    """What came is no frame, or one that is too large."""


class Channel:
    """One end of a pair of sockets.

    Parameters
    ----------
    end
        A connected socket.
    watch
        Called while waiting; what it raises ends the wait.
    """

    def __init__(self, end: socket.socket, watch: Callable[[], None] | None = None) -> None:
        self.end, self.watch = end, watch

    def send(self, message: dict[str, Any], pieces: list[bytes] | None = None) -> None:
        """Write a frame; `Broken` if it is too large, `Gone` if nobody reads."""
        pieces = pieces or []
        text = json.dumps(message, separators=(",", ":")).encode()
        if len(text) + sum(map(len, pieces)) > MOST_BYTES or len(pieces) > MOST_PIECES:
            raise Broken(f"more than {MOST_BYTES // 1_000_000} MB are not handed over")
        lengths = b"".join(LENGTH.pack(len(piece)) for piece in pieces)
        self._write(b"".join([HEAD.pack(len(text), len(pieces)), lengths, text, *pieces]))

    def receive(self, seconds: float | None = None) -> Frame:
        """The next frame, waiting at most so long."""
        deadline = None if seconds is None else time.monotonic() + seconds
        size, count = HEAD.unpack(self._read(HEAD.size, deadline))
        if size > MOST_BYTES or count > MOST_PIECES:
            raise Broken("a frame that is too large")
        lengths = [LENGTH.unpack(self._read(LENGTH.size, deadline))[0] for _ in range(count)]
        if size + sum(lengths) > MOST_BYTES:
            raise Broken("a frame that is too large")
        text = self._read(size, deadline)
        pieces = [self._read(length, deadline) for length in lengths]
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            raise Broken("no JSON") from None
        if not isinstance(message, dict):
            raise Broken("no message")
        return message, pieces

    def close(self) -> None:
        self.end.close()

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        deadline = time.monotonic() + 30
        self._wait(STEP if self.watch else 30)
        while rest:
            try:
                rest = rest[self.end.send(rest) :]
            except TimeoutError:
                self._look(deadline)
            except OSError:
                raise Gone from None

    def _read(self, size: int, deadline: float | None) -> bytes:
        parts, left = [], size
        self._wait(STEP if self.watch or deadline is not None else None)
        while left:
            try:
                part = self.end.recv(min(left, 1 << 20))
            except TimeoutError:
                self._look(deadline)
                continue
            except OSError:
                raise Gone from None
            if not part:
                raise Gone
            parts.append(part)
            left -= len(part)
            if deadline is not None and time.monotonic() > deadline:
                raise Silent
        return b"".join(parts)

    def _wait(self, seconds: float | None) -> None:
        try:
            self.end.settimeout(seconds)
        except OSError:
            raise Gone from None

    def _look(self, deadline: float | None) -> None:
        if self.watch is not None:
            self.watch()
        if deadline is not None and time.monotonic() > deadline:
            raise Silent
