"""Gaps in a process that forks share: new objects stay out of them once they are filled."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from hierwidgets.course.kernels import packing

# A process with gaps of several sizes, in Python's pools and in the C library's heap. It prints
# which part of what a fork of it makes lies where the process had memory before.
MEASURE = """
import os, sys
from hierwidgets.course.kernels import packing

SIZES = (30, 100, 300, 700, 2_000)
kept = [bytes(size) for size in SIZES for _ in range(20_000)]
kept = kept[::3]
before = packing._Mappings()
if sys.argv[1] == "filled":
    packing.fill_gaps()
read, write = os.pipe()
if not os.fork():
    made = [bytes(size) for size in SIZES for _ in range(1_000)]
    os.write(write, str(sum(id(one) in before for one in made) / len(made)).encode())
    os._exit(0)
os.wait()
print(os.read(read, 100).decode())
"""


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="Linux tells where memory is")
@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="needs glibc")
def test_what_a_fork_makes_is_not_put_between_what_it_shares() -> None:
    def part(how: str) -> float:
        command = [sys.executable, "-c", MEASURE, how]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert part("as it is") > 0.9
    assert part("filled") < 0.05


@pytest.mark.parametrize("error", [AttributeError, OSError, TypeError])
def test_another_c_library_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def none(name: object) -> None:
        raise error

    with monkeypatch.context() as without:
        without.setattr(packing.ctypes, "CDLL", none)
        without.setattr(packing, "give_back", lambda: pytest.fail("went on"))
        packing.fill_gaps()


def test_no_more_is_taken_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    class Everything(packing._Mappings):
        def __contains__(self, address: int) -> bool:
            return True

    taken: list[int] = []

    def allocate(size: int) -> int:
        taken.append(size)
        return 1

    monkeypatch.setattr(packing, "_MOST", 10_000)
    packing._fill(allocate, (512, 16), Everything())
    assert 10_000 <= sum(taken) < 10_512


def test_no_memory_is_an_end() -> None:
    packing._fill(lambda size: None, (512, 16), packing._Mappings())
