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
    from .data.datasets import load
    from .data.reading import read
    from .effects.comparisons import comparisons, slopes
    from .effects.marginaleffects import to_marginaleffects
    from .effects.poststratification import poststratify
    from .fit.fit import Fit
    from .fit.likelihood_ratio import compare
    from .fit.pooling import complete_pooling, no_pooling, partial_pooling
    from .fit.side_by_side import tables
    from .model import Model, glmer, lmer
    from .posterior.arviz_export import to_arviz
    from .posterior.convergence import diagnose
    from .posterior.posterior import Posterior, load_posterior
    from .priors import Priors
    from .recovery import calibrate, simulate_and_recover
    from .validation.folds import cross_validate

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
    "calibrate",
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
    "poststratify",
    "priors",
    "read",
    "simulate_and_recover",
    "slopes",
    "tables",
    "to_arviz",
    "to_marginaleffects",
    "widgets",
]


# Where the names are; each is fetched when it is first used, for a quick import.
_HOMES = {
    "data.datasets": ("load",),
    "data.reading": ("read",),
    "effects.comparisons": ("comparisons", "slopes"),
    "effects.marginaleffects": ("to_marginaleffects",),
    "effects.poststratification": ("poststratify",),
    "fit.fit": ("Fit",),
    "fit.likelihood_ratio": ("compare",),
    "fit.pooling": ("complete_pooling", "no_pooling", "partial_pooling"),
    "fit.side_by_side": ("tables",),
    "model": ("Model", "glmer", "lmer"),
    "posterior.arviz_export": ("to_arviz",),
    "posterior.convergence": ("diagnose",),
    "posterior.posterior": ("Posterior", "load_posterior"),
    "priors": ("Priors",),
    "recovery": ("calibrate", "simulate_and_recover"),
    "validation.folds": ("cross_validate",),
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
