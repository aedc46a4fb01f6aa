"""The stored draws that come with the package: their names, and where they are.

`hierwidgets.course.studies.shipped_draws` makes them.
"""

from importlib.resources import files
from pathlib import Path

import numpy as np

from hierwidgets.base.arrays import Array

__all__ = ["SHIPPED", "shipped_coefficients", "shipped_file"]

SHIPPED = ("finland", "uk", "uk_competitiveness", "rainey2015", "rainey2015_individual")


def shipped_file(name: str) -> Path:
    """The file of the draws called `name`.

    Examples
    --------
    >>> shipped_file("finland").name
    'finland.npz'
    """
    return Path(str(files("hierwidgets.data"))) / "draws" / f"{name}.npz"


def shipped_coefficients(name: str) -> Array:
    """The draws of the coefficients alone, (chains, draws, p): quick, for nothing else is read.

    Examples
    --------
    >>> shipped_coefficients("rainey2015").shape
    (4, 2500, 4)
    """
    with np.load(shipped_file(name)) as stored:
        return np.asarray(stored["beta"], dtype=np.float64)
