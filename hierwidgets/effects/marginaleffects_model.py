"""A fit as a model of `marginaleffects`.

`marginaleffects` asks a model for a coefficient vector, its covariance, a model matrix and
predictions, and differentiates numerically. Here the vector is (beta, b): the coefficients
and every group effect at its conditional mode, with their joint covariance
(`likelihood.joint_covariance`), so that its standard errors are those of `comparisons`, `slopes`
and `Fit.predict`. The link is applied to ``X beta + Z b``, which is linear in (beta, b): the
delta method is the same.

This module imports `marginaleffects` and is itself imported by `to_marginaleffects` alone, when
it is called.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import scipy
from marginaleffects import datagrid  # by this road its name stays the function, not the submodule
from marginaleffects.classes import ModelAbstract, ModelVault
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError
from hierwidgets.fit.fit import Fit
from hierwidgets.likelihood.joint_covariance import Functionals, effect_rows, joint_covariance
from hierwidgets.spec import rows as prediction
from hierwidgets.spec.design import Design

from . import contrasts as asked

__all__ = ["HierarchicalModel"]


_MOST = 50_000_000  # numbers in one model matrix


class HierarchicalModel(ModelAbstract):  # type: ignore[misc]
    """A `Fit` as `marginaleffects` wants it; the names of its methods are that package's."""

    def __init__(self, fit: Fit, re_formula: str | None, conditional: bool) -> None:
        _teach_unique()
        design = fit.design
        self._kept = prediction.kept_columns(design, re_formula)
        self._covariance = _covariance(fit, conditional)
        response, names = design.formula.response, _columns(design, self._kept)
        self._levels = {
            name: asked.levels_of(design.data[name])
            for name in names
            if not asked.is_numeric(design, name)
        }
        vault = ModelVault(
            coef=np.concatenate([fit.beta, *(b.ravel() for b in fit.modes.b)]),
            coefnames=np.array(_coefnames(design)),
            formula=f"{_quoted(response)} ~ " + (" + ".join(map(_quoted, names)) or "1"),
            modeldata=_polars(design.data[[response, *names]], self._levels),
            package="hierwidgets",
            variable_names=[response, *names],
        )
        super().__init__(fit, vault)

    def get_modeldata(self) -> Any:
        """The data of the fit, marked as a frame of ours for `_teach_unique`."""
        data = self.vault.modeldata
        data.hierwidgets = True
        return data

    def get_vcov(self, vcov: Any = True) -> Any:
        """The covariance of (beta, b), or None if none is wanted."""
        if vcov is True:
            return self._covariance
        if vcov is False or vcov is None:
            return None
        raise DataError(f"vcov={vcov!r}: a hierarchical model has vcov=True or False, or a matrix")

    def get_exog(self, newdata: Any) -> Array:
        """Columns of (beta, b), and last the offset where the model has one."""
        frame = newdata.to_pandas()
        for name, levels in self._levels.items():
            known = {str(level): level for level in levels}
            frame[name] = frame[name].astype(str).map(known).astype(object).infer_objects()
        return _matrix(self.model, frame, self._kept)

    def get_predict(self, params: Any, newdata: Any) -> Any:
        """Expected outcomes at coefficients (beta, b), for rows of `get_exog`."""
        params, X = np.asarray(params), np.asarray(newdata)
        eta = X[:, : len(params)] @ params + X[:, len(params) :].sum(axis=1)
        mu, _ = self.model.family.link.inverse(eta)
        return pl.DataFrame({"rowid": np.arange(len(mu), dtype=np.int32), "estimate": mu})

    def get_autodiff_args(self) -> dict[str, str | None] | None:
        """What its automatic differentiation needs; none for an offset."""
        if self.model.design.offset_column is not None:
            return None
        family = self.model.family
        if family.name == "gaussian":
            return {"model_type": "linear", "family": None, "link": None}
        return {"model_type": "glm", "family": family.name, "link": family.link.name}


def _polars(data: pd.DataFrame, levels: Mapping[str, list[Any]]) -> pl.DataFrame:
    """The data with their text columns as categories, in the order of the model's levels."""
    columns = {}
    for name in data.columns:
        if name not in levels and pd.api.types.is_numeric_dtype(data[name]):
            columns[name] = pl.Series(data[name].to_numpy())
            continue
        text = data[name].astype(str)
        known = [str(level) for level in levels[name]] if name in levels else sorted(text.unique())
        columns[name] = pl.Series(text.to_list(), dtype=pl.Enum(known))
    return pl.DataFrame(columns)


@cache
def _teach_unique() -> None:
    """Let ``datagrid(district_id="unique")`` mean every level, for frames of our models only.

    The package takes values or functions (``datagrid(district_id=pl.Series.unique)``) there
    and has no hook that a model could use, so its reader of values is wrapped. Where it has
    no such reader nothing is changed, and a function does the same.
    """
    module: Any = import_module(datagrid.__module__)
    read = getattr(module, "_normalize_grid_value", None)
    if read is None:
        return

    def with_unique(key: str, value: Any, newdata: Any, variable_type: Any) -> Any:
        ours = getattr(newdata, "hierwidgets", False) and key in newdata.columns
        if ours and isinstance(value, str) and value == "unique":
            value = newdata[key].unique().sort()
        return read(key, value, newdata, variable_type)

    module._normalize_grid_value = with_unique


def _columns(design: Design, kept: list[NDArray[np.bool_]]) -> list[str]:
    """The columns predictions need, in the order of the data."""
    wanted = asked.needed_columns(design, kept)
    return [str(c) for c in design.data.columns if c in wanted and c != design.formula.response]


def _coefnames(design: Design) -> list[str]:
    return [*design.names] + [
        f"{term.group}[{level}] {name}"
        for term in design.terms
        for level in term.levels
        for name in term.names
    ]


def _quoted(name: str) -> str:
    return name if name.isidentifier() else f"`{name}`"


def _covariance(fit: Fit, conditional: bool) -> Array:
    """Of (beta, b); rows and columns of b are 0 if `conditional`."""
    sizes = [term.J * term.k for term in fit.design.terms]
    p, q = len(fit.beta), sum(sizes)
    if conditional:
        out = np.zeros((p + q, p + q))
        out[:p, :p] = fit.vcov.to_numpy()
        return out
    fixed = np.vstack([np.eye(p), np.zeros((q, p))])
    everything = scipy.sparse.eye_array(p + q, format="csc")
    at = np.concatenate([[p], p + np.cumsum(sizes)])
    effects = tuple(everything[:, a:b].tocsr() for a, b in pairwise(at))
    known = joint_covariance(fit.design, fit.family, fit.theta, fit.beta, fit.covariance, fit.sigma)
    matrix = known.matrix(Functionals(fixed, effects))
    return 0.5 * (matrix + matrix.T)


def _matrix(fit: Fit, frame: pd.DataFrame, kept: list[NDArray[np.bool_]]) -> Array:
    """Rows of (X, Z) for new data, dense, and the offset as a last column if there is one."""
    new = prediction.rows_of(fit.design, frame, kept, "error")
    width = len(fit.beta) + sum(term.J * term.k for term in fit.design.terms)
    if len(frame) * width > _MOST:
        raise DataError(
            f"{len(frame)} rows by {width} coefficients and effects is too large a matrix for "
            "marginaleffects; give fewer rows, or use hierwidgets' own comparisons and slopes"
        )
    parts = [new.X, *(Z.toarray() for Z in effect_rows(fit.design, new))]
    if fit.design.offset_column is not None:
        parts.append(new.offset[:, None])
    return np.hstack(parts)
