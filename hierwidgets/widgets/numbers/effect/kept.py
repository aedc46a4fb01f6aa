"""The frames that the effect's pictures show, each computed once and kept."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from hierwidgets.fit.fit import Fit
from hierwidgets.widgets.numbers.words import Estimated

from .changes import Changes
from .frames import (
    change_frame,
    curve_frame,
    line_frame,
    quantities_of,
    quantity_frame,
    slope_frame,
    unit_frame,
)
from .heights import Heights
from .moved import Movable, prepared
from .setting import Setting

__all__ = ["FEWER_POINTS", "POINTS", "Kept"]

POINTS, FEWER_POINTS = 61, 11  # of a curve; the fewer where each point averages over units


class Kept:
    """Frames of a model and of the same model without the predictor.

    Parameters
    ----------
    setting
        Of the model with the predictor.
    plain
        The model without it.
    can_move
        Both, if their sigma can be moved; see `movable`.
    """

    def __init__(self, setting: Setting, plain: Estimated, can_move: Movable | None) -> None:
        self.setting, self.plain, self.can_move = setting, plain, can_move
        self._kept: dict[object, Any] = {}
        self._heights = Heights(setting)
        self._changes = Changes(setting)
        self._last_changes: tuple[object, pd.DataFrame] = (None, pd.DataFrame())

    def _once(self, key: object, make: Callable[[], Any]) -> Any:
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def model(self, with_predictor: bool) -> Estimated:
        """The one model or the other."""
        return self.setting.model if with_predictor else self.plain

    def units(self, with_predictor: bool) -> pd.DataFrame:
        """`unit_frame` of the one model or the other."""
        model = self.model(with_predictor)
        found: pd.DataFrame = self._once(
            ("units", with_predictor), lambda: unit_frame(self.setting, model)
        )
        return found

    def line(self, with_predictor: bool, level: float) -> pd.DataFrame:
        """`line_frame` of the one model or the other."""
        model = self.model(with_predictor)
        found: pd.DataFrame = self._once(
            ("line", with_predictor, level), lambda: line_frame(self.setting, model, level=level)
        )
        return found

    def moved(
        self, with_predictor: bool, sigma: float | None, slope: float | None, level: float
    ) -> tuple[Estimated, pd.DataFrame, pd.DataFrame]:
        """A model as sigma and slope have it, its units and its line.

        Where they are not the fit's own, the line has no intervals.
        """
        units, line = self.units(with_predictor), self.line(with_predictor, level)
        can = self.can_move
        if can is None or sigma is None or not can.is_moved(with_predictor, sigma, slope):
            return self.model(with_predictor), units, line
        held = can.held(with_predictor, sigma, slope)
        rows = self._once(("rows", with_predictor), lambda: prepared(self.setting, held))
        points, heights = rows.estimates(held)
        return held, units.assign(estimate=points), line[["x"]].assign(estimate=heights)

    def curve(
        self, quantity: str, target: str, level: float, moved: Setting | None = None
    ) -> pd.DataFrame:
        """`curve_frame` over the predictor's range; of a `moved` setting without intervals."""
        count = FEWER_POINTS if target == "average" else POINTS
        at = np.linspace(*self.setting.x_range, count)
        if moved is not None and quantity == "probability" and isinstance(moved.model, Fit):
            return self._heights.curve(moved.model, target, at)
        if moved is not None:
            return curve_frame(moved, quantity, at, target=target, level=None)
        found: pd.DataFrame = self._once(
            (quantity, target, level),
            lambda: curve_frame(self.setting, quantity, at, target=target, level=level),
        )
        return found

    def changes(
        self, low: float, high: float, target: str, level: float, moved: Setting | None = None
    ) -> pd.DataFrame:
        """`change_frame` between two values; of a `moved` setting without intervals."""
        if moved is not None and isinstance(moved.model, Fit):
            return self._heights.changes(moved.model, target, low, high)
        if moved is not None:
            return change_frame(moved, low, high, target=target, level=None)
        key = low, high, target, level
        if self._last_changes[0] != key:
            self._last_changes = key, self._changes.frame(low, high, target, level)
        return self._last_changes[1]

    def quantities(
        self, low: float, high: float, target: str, level: float, moved: Setting | None = None
    ) -> pd.DataFrame:
        """`quantity_frame` at two values; of a `moved` setting without intervals.

        What holds of one value is kept, for the other one may move next.
        """
        if moved is not None:
            return quantity_frame(moved, low, high, target=target, level=None)

        def at(quantity: str, x: float) -> pd.DataFrame:
            found: pd.DataFrame = self._once(
                (quantity, target, level, x),
                lambda: curve_frame(self.setting, quantity, [x], target=target, level=level),
            )
            return found

        def curve(quantity: str) -> pd.DataFrame:
            both = pd.concat([at(quantity, x) for x in sorted((low, high))], ignore_index=True)
            order = np.argsort(pd.factorize(both["series"])[0], kind="stable")
            return both.iloc[order].reset_index(drop=True)

        changes = self.changes(low, high, target, level)
        return quantities_of(self.setting, changes, curve)

    def slopes(self, low: float, high: float, setting: Setting | None = None) -> pd.DataFrame:
        """`slope_frame` between two values of the predictor."""
        setting = self.setting if setting is None else setting
        return slope_frame(setting, self.plain, low, high, units=self.units(False))

    def shown_slopes(
        self, changes: pd.DataFrame, low: float, high: float, target: str, setting: Setting
    ) -> "pd.Series[float] | None":
        """The slopes beside a `change_frame`; None with facets, or where the change has no width.

        Only the one-step slope moves with the two values, and the change may be its rise.
        """
        if setting.facet is not None or low == high:
            return None
        if setting.compare is not None or target != "typical":
            return self.slopes(low, high, setting)["slope"]
        found: pd.Series[float] = self._once("slopes", lambda: self.slopes(low, high)["slope"])
        rise = changes["estimate"].iloc[0] / (high - low)
        return found.where(found.index != "one-step", rise)
