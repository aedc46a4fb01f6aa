"""Hierarchical models: an exact fitting core, widgets to touch, lectures that run.

>>> import hierwidgets as hw
>>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")
>>> fit.fixef.round(2).to_dict()
{'Intercept': -1.37}
"""

from importlib import import_module
from types import ModuleType

from . import exercises, priors
from .arviz_interop import to_arviz
from .comparison import compare
from .convergence import diagnose
from .datasets import load
from .effects import comparisons, slopes
from .errors import (
    DataError,
    FitError,
    FitWarning,
    FormulaError,
    HierwidgetsError,
    MissingExtraError,
    NewLevelError,
)
from .interop import to_marginaleffects
from .model import Model, glmer, lmer
from .pooling import complete_pooling, no_pooling, partial_pooling
from .posterior import Posterior, load_posterior
from .priors import Priors
from .recovery import simulate_and_recover
from .results import Fit
from .tables import tables
from .validation import cross_validate

__version__ = "0.1.0"

__all__ = [
    "DataError",
    "Fit",
    "FitError",
    "FitWarning",
    "FormulaError",
    "HierwidgetsError",
    "MissingExtraError",
    "Model",
    "NewLevelError",
    "Posterior",
    "Priors",
    "compare",
    "comparisons",
    "complete_pooling",
    "cross_validate",
    "diagnose",
    "exercises",
    "glmer",
    "lmer",
    "load",
    "load_posterior",
    "no_pooling",
    "partial_pooling",
    "priors",
    "simulate_and_recover",
    "slopes",
    "tables",
    "to_arviz",
    "to_marginaleffects",
    "widgets",
]


def __getattr__(name: str) -> ModuleType:
    if name == "widgets":
        return import_module(".widgets", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
