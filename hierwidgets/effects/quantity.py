"""A quantity of interest: what is asked, and the counterfactual rows it is computed from.

Every first difference, second difference and marginal effect is

    estimate_g = F( sum_c s_c T( sum_i w_gi a_ci mu_ci ) ),    mu_ci = inverse link(eta_ci)

over counterfactual copies c of the rows i, with signs s, weights a of a numerical derivative and
weights w that average; `comparison` is the choice of T and F.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.base.checks import Seed, check_level
from hierwidgets.errors import DataError
from hierwidgets.spec.design import NewRows

from .contrasts import Contrast

__all__ = ["Quantity", "Request", "transform"]


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments of `comparisons` that say how to answer, checked."""

    comparison: str
    scale: str
    by: str | Sequence[str] | None
    average: bool
    re_formula: str | None
    new_levels: str
    interval: float | None
    conditional: bool
    adjust: str | None = None
    seed: Seed = 0

    def __post_init__(self) -> None:
        if self.scale not in ("response", "link"):
            raise DataError(f"scale={self.scale!r}; choose 'response' or 'link'")
        if self.scale == "link" and self.comparison != "difference":
            raise DataError(f"comparison={self.comparison!r} is for scale='response'")
        if self.interval is not None:
            check_level(self.interval, "interval")
        if self.adjust not in (None, "holm", "max-t"):
            raise DataError(f"adjust={self.adjust!r}; choose None, 'holm' or 'max-t'")
        if self.adjust is not None and self.interval is None:
            raise DataError(f"adjust={self.adjust!r} needs standard errors; give interval a level")


@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """Contrasts of expected outcomes at counterfactual rows.

    Attributes
    ----------
    stacked : DataFrame
        The copies of the rows, point after point, contrast after contrast.
    new : NewRows
        Their design.
    contrasts : tuple of Contrast
    weights : sparse (answers, rows)
        What averages the rows of one point.
    request : Request
    """

    stacked: pd.DataFrame
    new: NewRows
    contrasts: tuple[Contrast, ...]
    weights: Any
    request: Request


def transform(comparison: str, mean: Array) -> tuple[Array, Array]:
    """T of a mean, and its derivative: the mean itself, its logarithm or its log odds.

    Examples
    --------
    >>> value, slope = transform("lnor", np.array([0.5]))
    >>> value.item(), slope.item()
    (0.0, 4.0)
    """
    if comparison == "difference":
        return mean, np.ones_like(mean)
    if (mean <= 0).any() or (comparison == "lnor" and (mean >= 1).any()):
        space = "between 0 and 1" if comparison == "lnor" else "above 0"
        raise DataError(f"comparison={comparison!r} needs expected outcomes {space}")
    if comparison == "lnor":
        return np.log(mean) - np.log1p(-mean), 1.0 / (mean * (1.0 - mean))
    return np.log(mean), 1.0 / mean
