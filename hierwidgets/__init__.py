"""Hierarchical models: an exact fitting core, widgets to touch, lectures that run.

>>> import hierwidgets as hw
>>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")
>>> fit.fixef.round(2).to_dict()
{'Intercept': -1.37}
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from .errors import (
    DataError,
    FitError,
    FitWarning,
    FormulaError,
    HierwidgetsError,
    MissingExtraError,
    NewLevelError,
)

if TYPE_CHECKING:
    from . import exercises, priors, widgets
    from .arviz_interop import to_arviz
    from .comparison import compare
    from .convergence import diagnose
    from .datasets import load
    from .effects import comparisons, slopes
    from .interop import to_marginaleffects
    from .model import Model, glmer, lmer
    from .pooling import complete_pooling, no_pooling, partial_pooling
    from .posterior import Posterior, load_posterior
    from .priors import Priors
    from .recovery import simulate_and_recover
    from .results import Fit
    from .side_by_side import tables
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


# Where the names are; each is fetched when it is first used, for a quick import.
_HOMES = {
    "arviz_interop": ("to_arviz",),
    "comparison": ("compare",),
    "convergence": ("diagnose",),
    "datasets": ("load",),
    "effects": ("comparisons", "slopes"),
    "interop": ("to_marginaleffects",),
    "model": ("Model", "glmer", "lmer"),
    "pooling": ("complete_pooling", "no_pooling", "partial_pooling"),
    "posterior": ("Posterior", "load_posterior"),
    "priors": ("Priors",),
    "recovery": ("simulate_and_recover",),
    "results": ("Fit",),
    "side_by_side": ("tables",),
    "validation": ("cross_validate",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        value = getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    elif not name.startswith("_") and find_spec(f"{__name__}.{name}"):
        value = import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
