"""Probabilities of a fit whose parameters move, at rows that stay: prepared once, no intervals."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.fit.fit import Fit
from hierwidgets.spec.design import NewRows
from hierwidgets.spec.rows import kept_columns, linear_predictor, rows_of

from .frames import difference_name
from .setting import Setting, options_of, rows_at

__all__ = ["Heights"]


class Heights:
    """What `curve_frame` and `change_frame` say of probabilities, for other fits of one design.

    Parameters
    ----------
    setting
        Of a fit.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._rows: dict[int, tuple[tuple[object, ...], NewRows]] = {}  # the last of each length

    def at(self, fit: Fit, target: str, values: Array) -> Array:
        """Probabilities (series, m) at m values of the predictor."""
        key = (target, *values)
        if len(values) not in self._rows or self._rows[len(values)][0] != key:
            self._rows[len(values)] = key, self._prepared(target, values)
        rows = self._rows[len(values)][1]
        found = fit.family.link.inverse(linear_predictor(rows, fit.beta, fit.modes.b))[0]
        # each value's rows are one, or one of each unit, over which they are averaged
        return np.asarray(found.reshape(len(self.setting.series), len(values), -1).mean(axis=2))

    def _prepared(self, target: str, values: Array) -> NewRows:
        design, options = self.setting.model.design, options_of(target)
        kept = kept_columns(design, options.get("re_formula"))
        rows = rows_at(self.setting, target, values)
        return rows_of(design, rows, kept, options.get("new_levels", "error"))

    def curve(self, fit: Fit, target: str, values: Array) -> pd.DataFrame:
        """As `curve_frame` of "probability"."""
        series = self.setting.series
        labels = {"x": np.tile(values, len(series)), "series": np.repeat(series, len(values))}
        return _bare(labels, self.at(fit, target, values).ravel())

    def changes(self, fit: Fit, target: str, low: float, high: float) -> pd.DataFrame:
        """As `change_frame`."""
        first, last = self.at(fit, target, np.array([low, high])).T
        names, estimate = list(self.setting.series), last - first
        quantity = ["change"] * len(names)
        if self.setting.compare is not None:
            estimate = np.append(estimate, estimate[1] - estimate[0])
            names, quantity = (
                [*names, difference_name(self.setting)],
                [*quantity, "second difference"],
            )
        return _bare(
            {"quantity": quantity, "at": f"{low:g} to {high:g}", "series": names}, estimate
        )


def _bare(labels: Mapping[str, object], estimate: Array) -> pd.DataFrame:
    return pd.DataFrame({**labels, "estimate": estimate, "conf_low": np.nan, "conf_high": np.nan})
