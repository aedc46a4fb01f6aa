"""A fit as a model of `marginaleffects`.

`marginaleffects` asks a model for a coefficient vector, its covariance, a model matrix and
predictions, and differentiates numerically. Here the vector is (beta, b): the coefficients
and every group effect at its conditional mode, with their joint covariance
(`likelihood.joint_covariance`), so that its standard errors are those of `comparisons`, `slopes`
and `Fit.predict`. The link is applied to ``X beta + Z b``, which is linear in (beta, b): the
delta method is the same.

New rows come to `HierarchicalModel.get_exog` as they were given (see `marginaleffects_data`), and
are read there as `Fit.predict` reads them.

This module imports `marginaleffects` and is itself imported by `to_marginaleffects` alone, when
it is called.
"""

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import scipy
from marginaleffects import datagrid as datagrid  # first, or its name becomes that of the submodule
from marginaleffects.classes import ModelAbstract, ModelVault
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError, NewLevelError
from hierwidgets.fit.fit import Fit
from hierwidgets.likelihood.joint_covariance import Functionals, effect_rows, joint_covariance
from hierwidgets.spec import rows as prediction
from hierwidgets.spec.design import Design

from . import contrasts as asked
from .marginaleffects_data import ModelData, labelled, model_data, plain, variable_types

__all__ = ["HierarchicalModel"]


_MOST = 50_000_000  # numbers in one model matrix
_TAKEN = (
    "rowid", "rowidcf", "type", "group", "term", "contrast", "estimate", "std_error", "statistic",
    "p_value", "s_value", "conf_low", "conf_high", "predicted", "predicted_lo", "predicted_hi",
    "marginaleffects_comparison", "index",
)  # fmt: skip


class HierarchicalModel(ModelAbstract):  # type: ignore[misc]
    """A `Fit` as `marginaleffects` wants it; the names of its methods are that package's."""

    def __init__(self, fit: Fit, re_formula: str | None, conditional: bool) -> None:
        design = fit.design
        self._kept = prediction.kept_columns(design, re_formula)
        self._covariance = _covariance(fit, conditional)
        response, names = design.formula.response, _columns(design, self._kept)
        _check_names([response, *names])
        self._names, self._data = names, model_data(design, [response, *names])
        self._labels = {name: found for name in names if (found := labelled(design.data[name]))}
        vault = ModelVault(
            coef=np.concatenate([fit.beta, *(b.ravel() for b in fit.modes.b)]),
            coefnames=np.array(_coefnames(design)),
            formula=f"{_quoted(response)} ~ " + (" + ".join(map(_quoted, names)) or "1"),
            modeldata=self._data,
            package="hierwidgets",
            variable_names=[response, *names],
        )
        super().__init__(fit, vault)
        vault.variables_type = variable_types(design, [response, *names])

    def get_modeldata(self) -> ModelData:
        """The data of the fit."""
        return self._data

    def find_response(self) -> str:
        """The response."""
        name: str = self.model.design.formula.response
        return name

    def find_predictors(self) -> list[str]:
        """The columns that predictions need."""
        return list(self._names)

    def find_variables(self) -> list[str]:
        """The response and the predictors, each as a pattern that polars reads as its name.

        Plain names would be padded: rows with every level of the model put before those asked
        for, of types that need not agree.
        """
        return [f"^{re.escape(name)}$" for name in [self.find_response(), *self._names]]

    def get_vcov(self, vcov: Any = True) -> Any:
        """The covariance of (beta, b), or None if none is wanted."""
        if vcov is True:
            return self._covariance
        if vcov is False or vcov is None:
            return None
        raise DataError(f"vcov={vcov!r}: a hierarchical model has vcov=True or False, or a matrix")

    def get_exog(self, newdata: Any) -> Array:
        """Columns of (beta, b), and last the offset where the model has one."""
        try:
            return _matrix(self.model, plain(newdata, self._labels), self._kept)
        except NewLevelError as error:
            told = str(error).partition("; pass new_levels")[0]
            every = "; for every level write lambda column: column.unique()"
            raise NewLevelError(
                f"{told}; marginaleffects takes levels of the fit alone (fit.predict has "
                f"new_levels=...){every if repr('unique') in told else ''}"
            ) from None

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


def _check_names(names: list[str]) -> None:
    """Refuse columns that marginaleffects adds to its results itself."""
    if taken := [name for name in names if name in _TAKEN]:
        raise DataError(
            f"the model has columns called {taken}, which marginaleffects uses for its own; rename "
            "them in the data and fit again, or use hierwidgets' own comparisons and slopes"
        )


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
