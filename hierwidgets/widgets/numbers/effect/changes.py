"""Changes of probabilities between two values, put together from what each value gives."""

from typing import Any

import numpy as np
import pandas as pd
import scipy

from hierwidgets.base.arrays import Array
from hierwidgets.effects.by_draw import drawn, summarised
from hierwidgets.effects.contrasts import Contrast, Point
from hierwidgets.effects.delta_method import FirstOrder, first_order
from hierwidgets.effects.quantity import Quantity, Request
from hierwidgets.errors import DataError
from hierwidgets.fit.fit import Fit
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.spec.rows import kept_columns, rows_of

from .frames import difference_name
from .setting import Setting, model_for, options_of, rows_at

__all__ = ["Changes"]

_ITSELF = (Contrast("", "", (Point(1.0, {}),)),)
_NUMBERS = ("estimate", "conf_low", "conf_high")
MOST = 60  # values of which answers are kept


class Changes:
    """What `change_frame` says, soon: sliders move one value at a time.

    Parameters
    ----------
    setting
        Of a fit or a posterior.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._kept: dict[tuple[str, float], FirstOrder | Array] = {}

    def frame(self, low: float, high: float, target: str, level: float) -> pd.DataFrame:
        """As `change_frame`."""
        if low == high:
            raise DataError(f"both values of {self.setting.predictor!r} are {low:g}; give two")
        names, quantity = list(self.setting.series), ["change"] * len(self.setting.series)
        weights = np.eye(len(names))
        if self.setting.compare is not None:
            names.append(difference_name(self.setting))
            quantity.append("second difference")
            weights = np.vstack([weights, [[-1.0, 1.0]]])
        before, after = (self._at(target, value) for value in (low, high))
        model = self.setting.model
        if isinstance(model, Fit):
            change = before.change(after, scipy.sparse.csr_array(weights))
            found = change.limits(model, level)
        else:
            found = summarised(weights @ (after - before), level)
        labels: dict[str, Any] = {"quantity": quantity, "at": f"{low:g} to {high:g}"}
        return pd.DataFrame({**labels, "series": names, **{n: found[n] for n in _NUMBERS}})

    def _at(self, target: str, value: float) -> Any:
        """Probabilities of the series at a value, over the units where it is an average."""
        key = target, value
        if key not in self._kept:
            if len(self._kept) == MOST:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = self._answered(target, value)
        return self._kept[key]

    def _answered(self, target: str, value: float) -> FirstOrder | Array:
        options, model = options_of(target), model_for(self.setting, target)
        request = Request(
            "difference", "response", None, False, options.get("re_formula"),
            options.get("new_levels", "error"), None, False,
        )  # fmt: skip
        rows = rows_at(self.setting, target, np.array([value]))
        kept = kept_columns(model.design, request.re_formula)
        new = rows_of(model.design, rows, kept, request.new_levels)
        series = len(self.setting.series)
        units = len(rows) // series
        weights = scipy.sparse.kron(
            scipy.sparse.eye_array(series), np.full((1, units), 1.0 / units), format="csr"
        )
        quantity = Quantity(rows, new, _ITSELF, weights, request)
        if isinstance(model, Posterior):
            return drawn(model, quantity)
        return first_order(model, quantity)
