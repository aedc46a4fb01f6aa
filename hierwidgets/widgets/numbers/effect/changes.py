"""Changes of a fit's probabilities between two values, put together from what each value gives."""

import numpy as np
import pandas as pd
import scipy

from hierwidgets.base.arrays import normal_quantile
from hierwidgets.effects.contrasts import Contrast, Point
from hierwidgets.effects.delta_method import FirstOrder, first_order
from hierwidgets.effects.quantity import Quantity, Request
from hierwidgets.errors import DataError
from hierwidgets.fit.fit import Fit
from hierwidgets.spec.rows import kept_columns, rows_of

from .frames import difference_name
from .setting import Setting, options_of, rows_at

__all__ = ["Changes"]

_ITSELF = (Contrast("", "", (Point(1.0, {}),)),)
MOST = 1000  # values of which answers are kept: more than a slider has


class Changes:
    """What `change_frame` says of a fit, soon: its sliders move one value at a time.

    Parameters
    ----------
    setting
        Of a fit.
    """

    def __init__(self, setting: Setting) -> None:
        if not isinstance(setting.model, Fit):
            raise DataError("changes are put together for a fit; a posterior has its draws")
        self.setting, self._fit = setting, setting.model
        self._kept: dict[tuple[str, float], FirstOrder] = {}

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
        ends = self._at(target, low), self._at(target, high)
        change = ends[0].change(ends[1], scipy.sparse.csr_array(weights))
        estimate, z = change.estimate, normal_quantile(level)
        width = z * change.standard_errors(self._fit)
        return pd.DataFrame(
            {"quantity": quantity, "at": f"{low:g} to {high:g}", "series": names,
             "estimate": estimate, "conf_low": estimate - width, "conf_high": estimate + width}
        )  # fmt: skip

    def _at(self, target: str, value: float) -> FirstOrder:
        """Probabilities of the series at a value, over the units where it is an average."""
        key = target, value
        if key not in self._kept:
            if len(self._kept) == MOST:
                self._kept.clear()
            self._kept[key] = self._answered(target, value)
        return self._kept[key]

    def _answered(self, target: str, value: float) -> FirstOrder:
        options = options_of(target)
        request = Request(
            "difference", "response", None, False, options.get("re_formula"),
            options.get("new_levels", "error"), None, False,
        )  # fmt: skip
        rows = rows_at(self.setting, target, np.array([value]))
        kept = kept_columns(self._fit.design, request.re_formula)
        new = rows_of(self._fit.design, rows, kept, request.new_levels)
        series = len(self.setting.series)
        units = len(rows) // series
        weights = scipy.sparse.kron(
            scipy.sparse.eye_array(series), np.full((1, units), 1.0 / units), format="csr"
        )
        return first_order(self._fit, Quantity(rows, new, _ITSELF, weights, request))
