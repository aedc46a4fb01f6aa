"""The course: its lectures in order, the data of each, and the assignments between them."""

from typing import NamedTuple

__all__ = ["BRITAIN", "COUNTRIES", "COURSE", "FINLAND", "Stop"]


class Stop(NamedTuple):
    """One lecture: its file, a short title, its data, the assignment after it."""

    name: str
    title: str
    data: str
    assignment: str = ""


FINLAND, BRITAIN, COUNTRIES = "Finland", "Great Britain", "several countries"
COURSE = (
    Stop("00-map-and-notation", "the map and\nthe notation", ""),
    Stop("01-finland-no-pooling", "one district\nat a time", FINLAND),
    Stop("02-the-309-problem", "the 309\nproblem", FINLAND),
    Stop("03-fitting-the-model", "fitting\nthe model", FINLAND),
    Stop("04-three-kinds-of-pooling", "three kinds\nof pooling", FINLAND, "A1"),
    Stop("05-simulate-and-recover", "simulate\nand recover", FINLAND),
    Stop("06-uk-tiny-groups", "tiny\ngroups", BRITAIN, "A2"),
    Stop("07-group-level-predictors", "predictors\nof groups", BRITAIN, "A3"),
    Stop("08-several-countries-model", "three\nlevels", COUNTRIES),
    Stop("09-fragile-fits", "fragile\nfits", COUNTRIES),
    Stop("10-full-bayes-and-diagnostics", "full Bayes,\ndiagnosed", COUNTRIES),
    Stop("11-quantities-of-interest", "quantities\nof interest", COUNTRIES, "A4"),
    Stop("12-which-pooling-how-much", "which pooling,\nhow much", COUNTRIES),
)
"""The lectures in their order."""
