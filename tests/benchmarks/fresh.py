"""Measurements that need a process of their own. Usage: fresh.py first | million

``first``: seconds to import the package and to make the first fit. ``million``: seconds for
a million Bernoulli rows, and the peak memory of the process, data frame included.
"""

import json
import subprocess
import sys
import time
from pathlib import Path


def measure(what: str) -> dict[str, float]:
    """The numbers of ``first`` or ``million``, from a new process."""
    command = [sys.executable, __file__, what]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{what}: {done.stderr[-2000:]}")
    numbers: dict[str, float] = json.loads(done.stdout)
    return numbers


def _first() -> dict[str, float]:
    start = time.perf_counter()
    import hierwidgets as hw

    imported = time.perf_counter()
    frame = hw.load("finland")
    loaded = time.perf_counter()
    hw.glmer("contacted ~ 1 + (1 | district_id)", frame, event="Contacted")
    return {"import": imported - start, "fit": time.perf_counter() - loaded}


def _million() -> dict[str, float]:
    import cases

    import hierwidgets as hw

    frame = cases.grouped(1_000_000, 50_000, "binomial", patterns=5)
    start = time.perf_counter()
    fit = hw.glmer(cases.MILLION, frame)
    seconds = time.perf_counter() - start
    if not fit.converged:
        raise RuntimeError("the fit of a million rows did not converge")
    return {"seconds": seconds, "gib": peak_bytes() / 2**30}


def peak_bytes() -> int:
    """Peak resident memory of this process alone (getrusage may report the parent's)."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    print(json.dumps({"first": _first, "million": _million}[sys.argv[1]]()))
