"""Fits in the hands of other packages: the way to `marginaleffects`.

The package is imported when it is first asked for; the model it gets is that of
`marginaleffects_model`.
"""

from importlib.metadata import version
from typing import Any

from hierwidgets.base.platform import how_to_get
from hierwidgets.errors import DataError, MissingExtraError
from hierwidgets.fit.fit import Fit
from hierwidgets.spec import rows as prediction

__all__ = ["to_marginaleffects"]


def to_marginaleffects(
    fit: Fit, *, re_formula: str | None = None, conditional: bool = False
) -> Any:
    """The fit as a model of the `marginaleffects` package.

    Give the result to its ``predictions``, ``comparisons``, ``slopes``, ``datagrid`` and
    their ``avg_`` forms. Levels are those of the fit, in its own order; new rows are read as
    `Fit.predict` reads them. Every level of a column, R's ``datagrid(x = unique)``, is
    ``datagrid(x=lambda column: column.unique())``.

    Parameters
    ----------
    fit :
        A fit.
    re_formula :
        As in `Fit.predict`: None keeps every group effect, "~0" none (grouping factors are
        then not asked for).
    conditional :
        Take the group effects as known at their modes, so that only the coefficients are
        uncertain, which is what the R package does with lme4's fits.

    Returns
    -------
    An instance of ``marginaleffects``' ``ModelAbstract``. Its coefficients are (beta, b).
    Intervals are that package's: symmetric on the scale of the estimate, 95 % by default.

    Raises
    ------
    MissingExtraError
        `marginaleffects` is not installed.
    DataError
        Not a fit; a fit whose offset was given as numbers (name a column instead); a column
        named as one of that package's own, such as "estimate".

    Examples
    --------
    >>> import hierwidgets as hw
    >>> from marginaleffects import datagrid, predictions
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                event="Contacted")
    >>> model = hw.to_marginaleffects(fit)
    >>> found = predictions(model, newdata=datagrid(district_id=lambda d: d.unique()))
    >>> found.shape[0], round(found["estimate"].min(), 3)
    (14, 0.151)
    """
    if not isinstance(fit, Fit):
        raise DataError(f"to_marginaleffects takes a fit; a {type(fit).__name__} was given")
    prediction.check_offset(fit.design)
    try:
        import polars

        from .marginaleffects_model import HierarchicalModel
    except ImportError as error:
        raise MissingExtraError(
            f"marginaleffects is needed for this ({error}); {how_to_get('hierwidgets[lab]')}"
        ) from None
    _check_versions(polars.__version__, version("marginaleffects"))
    return HierarchicalModel(fit, re_formula, conditional)


def _check_versions(polars: str, marginaleffects: str) -> None:
    """marginaleffects 0.6 calls what polars 2 removed, though it asks for any later polars."""
    if int(polars.split(".")[0]) >= 2 and marginaleffects in ("0.6.0", "0.6.1"):
        raise MissingExtraError(
            f"marginaleffects {marginaleffects} does not work with polars {polars}: "
            f"{how_to_get('polars<2')}"
        )
