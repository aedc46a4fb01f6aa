"""Memory that forks go on sharing: no free room is left between what they share.

A process that has imported much has gaps where it freed something. What a fork makes later goes
into them, and each gap's page is copied for it, with all that stands there. So the gaps are
filled before the first fork, and what a fork makes goes on pages of its own, side by side.
"""

import ctypes
from bisect import bisect_right
from collections.abc import Callable, Iterable
from pathlib import Path

from hierwidgets.base.memory import give_back

__all__ = ["fill_gaps"]

_SMALL = range(512, 0, -16)  # bytes: what Python keeps in pools of equal blocks
_MOST = 2**26  # bytes put into gaps by each allocator at most


def fill_gaps() -> None:
    """Take what Python and the C library hold free, and never give it back.

    Whole pages that are free go to the system first. It needs glibc and Linux's account of a
    process's memory; elsewhere nothing is done.

    Examples
    --------
    >>> fill_gaps()
    """
    try:
        library = ctypes.CDLL(None)
        trim, plain = library.malloc_trim, library.malloc
    except (AttributeError, OSError, TypeError):
        return
    give_back()
    known = _Mappings()
    pooled = ctypes.pythonapi.PyObject_Malloc
    for allocate in (pooled, plain):
        allocate.restype, allocate.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    _fill(pooled, _SMALL, known)
    trim(0)
    _fill(plain, _sizes(), known)


def _sizes() -> Iterable[int]:
    """Sizes of blocks from what glibc maps apart (128 KiB) down to the least, in bytes."""
    size = 120 * 1024
    while size >= 16:
        yield size
        size = size * 3 // 4 // 16 * 16 if size > 1024 else size - 16


def _fill(allocate: Callable[[int], int | None], sizes: Iterable[int], known: "_Mappings") -> None:
    """Take blocks of each size until one lies on memory that is new."""
    left = _MOST
    for size in sizes:
        while left > 0 and (address := allocate(size)) and address in known:
            left -= size


class _Mappings:
    """The memory that this process has now."""

    def __init__(self) -> None:
        spans = []
        try:
            for line in Path("/proc/self/maps").read_text().splitlines():
                begin, end = line.split(maxsplit=1)[0].split("-")
                spans.append((int(begin, 16), int(end, 16)))
        except OSError:
            pass
        self.begins = [begin for begin, _ in spans]
        self.ends = [end for _, end in spans]

    def __contains__(self, address: int) -> bool:
        k = bisect_right(self.begins, address) - 1
        return k >= 0 and address < self.ends[k]
