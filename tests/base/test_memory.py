"""Memory that is given back: where the C library can, and without complaint where it cannot."""

import ctypes
import gc
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

from hierwidgets.base import memory

MEASURE = """
from pathlib import Path
from hierwidgets.base.memory import give_back

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

blocks = [bytes(1000) for _ in range(60_000)]  # from the heap, a block too small to be mapped
last = bytes(1000)
del blocks
before = resident()
give_back()
print(before - resident())
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux says how much is resident")
@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="needs glibc")
def test_what_was_freed_goes_back_to_the_system():
    done = subprocess.run(
        [sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) > 40  # of 57 MiB


def test_circles_are_freed_where_memory_can_be_given_back(monkeypatch):
    class Circle:
        def __init__(self) -> None:
            self.own = self

    asked = []
    monkeypatch.setattr(memory, "_trim", lambda: asked.append)
    gc.disable()
    try:
        gone = weakref.ref(Circle())
        assert gone() is not None
        memory.give_back()
        assert gone() is None
    finally:
        gc.enable()
    assert asked == [0]


@pytest.mark.parametrize("error", [OSError, TypeError])
def test_a_system_without_it_is_left_alone(monkeypatch, error):
    def none(name: object) -> None:
        raise error

    monkeypatch.setattr(memory.ctypes, "CDLL", none)
    memory._trim.cache_clear()
    try:
        assert memory._trim() is None
        memory.give_back()
    finally:
        memory._trim.cache_clear()
