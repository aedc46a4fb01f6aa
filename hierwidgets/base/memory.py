"""Memory that is free, given back to the machine.

The C library keeps what a program has freed, in case it wants it again. A kernel that has drawn
a figure and now waits for its reader keeps tens of MiB so, and a course is a dozen kernels.
"""

import ctypes
import gc
from functools import cache
from typing import Any

__all__ = ["give_back"]


def give_back() -> None:
    """Free what nothing refers to, and let the system have what is free.

    It takes about a tenth of a second, so it belongs after what takes longer. Where the C library
    has no `malloc_trim` (it is glibc's), nothing is done.

    Examples
    --------
    >>> give_back()
    """
    trim = _trim()
    if trim is not None:
        gc.collect()
        trim(0)


@cache
def _trim() -> Any:
    """`malloc_trim`, or None where there is none."""
    try:
        return getattr(ctypes.CDLL(None), "malloc_trim", None)
    except (OSError, TypeError):  # Windows has no library without a name
        return None
