"""Two designs to recover, one of them with nothing to find, and a quiet way to do it."""

from typing import Any

import hierwidgets as hw
from hierwidgets.recovery import Recovery, Setup

SMALL = Setup(n=12, J=9, mu=-0.5, sigma=0.7)
NEVER = Setup(n=1, J=2, mu=-5.0, sigma=0.0)


def recover(setup: Any, reps: int, seed: int, **more: Any) -> Recovery:
    return hw.simulate_and_recover(setup, reps=reps, seed=seed, progress=False, **more)
