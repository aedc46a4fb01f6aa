"""Every exception and warning the package raises on purpose.

::

    HierwidgetsError
    ├── FormulaError      the formula cannot be read, or names what is not there
    ├── DataError         a value, type or shape the model cannot use
    │   └── NewLevelError a level that the fit has not seen
    ├── FitError          the likelihood has no usable maximum for these data
    └── MissingExtraError an optional dependency is not installed

    FitWarning            the fit stands, and has something the reader must know

All of `HierwidgetsError` are also `ValueError` (or `ImportError` for the last), so that
code which knows nothing of this package still catches them.
"""

__all__ = [
    "DataError",
    "FitError",
    "FitWarning",
    "FormulaError",
    "HierwidgetsError",
    "MissingExtraError",
    "NewLevelError",
]


class HierwidgetsError(Exception):
    """Base of all errors raised on purpose by this package."""


class FormulaError(HierwidgetsError, ValueError):
    """A formula that cannot be read, or that names a column which is not there."""


class DataError(HierwidgetsError, ValueError):
    """Data the model cannot use: missing values, a wrong type, an empty frame."""


class NewLevelError(DataError):
    """New data hold a level the fit has not seen."""


class FitError(HierwidgetsError, ValueError):
    """The likelihood has no usable maximum for these data."""


class MissingExtraError(HierwidgetsError, ImportError):
    """An optional part of the package needs a dependency that is not installed."""


class FitWarning(UserWarning):
    """A fit that stands, with something its reader must know."""
