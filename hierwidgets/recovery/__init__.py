"""Simulate and recover: draw data whose truth is known, fit, and see what comes back.

`Setup` says what is true, `simulate_and_recover` repeats and judges, `run` does the same and
hands over what there is so far, for a page that shows progress and can be stopped.
"""

from .result import Recovery
from .runs import run, simulate_and_recover
from .setup import SHAPES, Setup

__all__ = ["SHAPES", "Recovery", "Setup", "run", "simulate_and_recover"]
