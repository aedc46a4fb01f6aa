"""Three designs to simulate and recover, and how their results are read and compared."""

from concurrent.futures import Executor, Future
from functools import cache

import pandas as pd

import hierwidgets as hw
from hierwidgets.recovery import Recovery, Setup

FINLAND = Setup(n="finland", mu=-1.3717, sigma=0.31, name="finland")
SMALL = Setup(n=12, J=8, mu=-0.5, sigma=0.6, beta=0.8, name="small")
LINEAR = Setup(n=(3, 5, 8, 12, 4), sigma=0.7, beta=0.5, family="gaussian", name="linear")


def recover(designs, **given):
    """`simulate_and_recover` with a seed and no bar."""
    return hw.simulate_and_recover(designs, **{"seed": 1, "progress": False} | given)


@cache
def three_designs():
    """Ten repetitions of each, all kept group by group."""
    return recover([FINLAND, SMALL, LINEAR], reps=10, keep=10, n_agq=3)


def assert_same(a: Recovery, b: Recovery) -> None:
    """Two results are equal to the last bit."""
    for what in ("table", "parameters", "by_size", "estimates", "draws", "failures"):
        pd.testing.assert_frame_equal(getattr(a, what), getattr(b, what), check_exact=True)
    pd.testing.assert_series_equal(a.reps_done, b.reps_done)


def judged(result, measure="estimate"):
    """The table by design, estimator and measure: estimates, or their `mc_error`."""
    return result.table.set_index(["design", "estimator", "measure"])[measure]


def assert_near(result, estimator, measure, expected):
    """A measure of the first design is within 4.5 Monte Carlo errors of what is expected."""
    design = next(iter(result.setups))
    value = judged(result)[design, estimator, measure]
    assert abs(value - expected) < 4.5 * judged(result, "mc_error")[design, estimator, measure]


class Idle(Executor):
    """Does its first `able` tasks when they come in, and none of the others."""

    def __init__(self, able, error=None):
        self.able, self.error, self.futures = able, error, []

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        self.futures.append(future)
        if len(self.futures) <= self.able:
            future.set_result(fn(*args, **kwargs))
        elif self.error is not None:
            future.set_exception(self.error)
        return future
