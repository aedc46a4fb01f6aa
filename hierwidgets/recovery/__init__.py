"""Simulate and recover: draw data whose truth is known, fit, and see what comes back.

`Setup` says what is true, `simulate_and_recover` repeats and judges, `run` does the same and
hands over what there is so far, for a page that shows progress and can be stopped. `calibrate`
draws the truth from a prior, and holds the ranks of truths among draws against evenness.
"""

from .calibration import calibrate
from .rank_result import Calibration
from .result import Recovery
from .runs import run, simulate_and_recover
from .setup import SHAPES, Setup

__all__ = ["SHAPES", "Calibration", "Recovery", "Setup", "calibrate", "run", "simulate_and_recover"]
