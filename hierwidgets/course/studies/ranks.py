"""Calibrations that take long: five models, among them that of the page, and their stored ranks.

    python -m hierwidgets.course.studies.ranks [NAME ...]

writes ``hierwidgets/course/data/ranks_NAME.csv`` for each of

    boundary      ten groups of ten, alike: the sd between them is near 0
    tiny_groups   eighty groups of one to four answers, with a predictor
    slopes        twenty groups with an intercept and a slope each
    gaussian      a Gaussian outcome, ten groups
    page          the several-countries model, its 5,126 rows
"""

import sys
from functools import partial

import numpy as np
import pandas as pd

from hierwidgets.course.models import SEVERAL_COUNTRIES
from hierwidgets.data.datasets import load
from hierwidgets.errors import FitError
from hierwidgets.model import Model
from hierwidgets.recovery import Calibration, calibrate
from hierwidgets.sampling.priors import Priors, half_normal, lkj, normal

from .store import stored_table, write_tables

__all__ = ["NAMES", "described", "make", "stored"]

NAMES = ("boundary", "tiny_groups", "slopes", "gaussian", "page")
REPETITIONS, KEPT, LEVEL = 200, 99, 0.95
_SAMPLING = {"page": {"tune": 250}}  # its proposals fit after few, and cost the most
_MILD = Priors(
    intercept=normal(0, 1.5), coefficients=normal(0, 1.5), sd=half_normal(1), corr=lkj(1),
    sigma=half_normal(1),
)  # fmt: skip


def described(name: str) -> tuple[Model, Priors]:
    """A model that is calibrated, and its priors."""
    if name == "page":
        data = load("rainey2015")
        return Model(SEVERAL_COUNTRIES, data, "binomial", event="Contacted"), _MILD
    rng = np.random.default_rng(NAMES.index(name))
    if name == "boundary":
        data = pd.DataFrame({"y": 0, "n": 10, "g": np.arange(10)})
        alike = Priors(intercept=normal(0, 1), sd=half_normal(0.2))
        return Model("p(y, n) ~ 1 + (1 | g)", data, "binomial"), alike
    if name == "tiny_groups":
        g = np.repeat(np.arange(80), np.arange(80) % 4 + 1)
        data = pd.DataFrame({"y": np.arange(len(g)) % 2, "g": g, "x": rng.normal(size=80)[g]})
        return Model("y ~ x + (1 | g)", data, "binomial"), _MILD
    if name == "slopes":
        g = np.arange(100) % 20
        data = pd.DataFrame({"y": 0, "n": 6, "g": g, "x": rng.normal(size=100)})
        return Model("p(y, n) ~ x + (1 + x | g)", data, "binomial"), _MILD
    g = np.arange(60) % 10
    data = pd.DataFrame({"y": 0.0, "g": g, "x": rng.normal(size=60)})
    return Model("y ~ x + (1 | g)", data), _MILD


def make(name: str, repetitions: int = REPETITIONS) -> Calibration:
    """Calibrate a model; several minutes for some of them."""
    model, priors = described(name)
    return calibrate(
        model, repetitions, seed=[2015, NAMES.index(name)], priors=priors, kept=KEPT, level=LEVEL,
        sampling=_SAMPLING.get(name),
    )  # fmt: skip


def stored(name: str) -> Calibration:
    """The stored calibration of a model.

    Examples
    --------
    >>> stored("gaussian").check().ok
    True
    """
    table = stored_table(f"ranks_{name}", [f"ranks_{known}" for known in NAMES])
    table = table.set_index("repetition")
    ranks = table.filter(like="rank ").rename(columns=lambda c: c.removeprefix("rank "))
    truths = table.filter(like="truth ").rename(columns=lambda c: c.removeprefix("truth "))
    nothing = pd.Series({}, dtype=object, name="failure")
    return Calibration(
        described(name)[0].formula, len(table), KEPT, LEVEL, ranks, truths,
        table[["method", "effective"]], nothing,
    )  # fmt: skip


def _table(name: str) -> pd.DataFrame:
    """A calibration as one table: a row per repetition."""
    found = make(name)
    if len(found.failures):
        raise FitError(f"the ranks of {name} are not to be stored:\n{found.check()}")
    print(found)
    ranks, truths = found.ranks.add_prefix("rank "), found.truths.add_prefix("truth ")
    return found.runs.round(0).join(ranks).join(truths.round(4)).reset_index()


def main(names: list[str]) -> int:
    """Make the tables named, or all."""
    makers = {f"ranks_{name}": partial(_table, name) for name in NAMES}
    return write_tables([f"ranks_{name}" for name in names], makers)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
