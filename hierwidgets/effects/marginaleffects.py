"""Fits in the hands of other packages: an adapter to `marginaleffects`.

`marginaleffects` asks a model for a coefficient vector, its covariance, a model matrix and
predictions, and differentiates numerically. Here the vector is (beta, b): the coefficients
and every group effect at its conditional mode, with their joint covariance (`joint_covariance`), so
that its standard errors are those of `comparisons`, `slopes` and `Fit.predict`. The link is
applied to ``X beta + Z b``, which is linear in (beta, b): the delta method is the same.
"""

from functools import cache
from importlib import import_module
from importlib.metadata import version
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError, MissingExtraError
from hierwidgets.fit.fit import Fit
from hierwidgets.likelihood.joint_covariance import Functionals, effect_rows, joint_covariance
from hierwidgets.spec import rows as prediction
from hierwidgets.spec.design import Design

from . import contrasts as asked

__all__ = ["to_marginaleffects"]


_MOST = 50_000_000  # numbers in one model matrix


def to_marginaleffects(
    fit: Fit, *, re_formula: str | None = None, conditional: bool = False
) -> Any:
    """The fit as a model of the `marginaleffects` package.

    Give the result to its ``predictions``, ``comparisons``, ``slopes``, ``datagrid`` and
    their ``avg_`` forms. Text columns and grouping factors arrive there as categories. Within
    ``datagrid`` the text "unique" stands for every level of a column, as R's
    ``datagrid(x = unique)`` does.

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
        Not a fit, or a fit whose offset was given as numbers (name a column instead).

    Examples
    --------
    >>> import hierwidgets as hw
    >>> from marginaleffects import datagrid, predictions
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                event="Contacted")
    >>> model = hw.to_marginaleffects(fit)
    >>> found = predictions(model, newdata=datagrid(district_id="unique"))
    >>> found.shape[0], round(found["estimate"].min(), 3)
    (14, 0.151)
    """
    if not isinstance(fit, Fit):
        raise DataError(f"to_marginaleffects takes a fit; a {type(fit).__name__} was given")
    prediction.check_offset(fit.design)
    return _adapter()(fit, re_formula, conditional)


@cache
def _adapter() -> Any:
    """The adapter's class, made when the package is first needed."""
    try:
        import polars as pl

        package: Any = import_module("marginaleffects")
        _ = package.datagrid  # by this road the name stays the function, not the submodule
        classes: Any = import_module("marginaleffects.classes")
    except ImportError as error:
        raise MissingExtraError(
            f"marginaleffects is needed for this ({error}): pip install 'hierwidgets[lab]'"
        ) from None
    _check_versions(pl.__version__, version("marginaleffects"))
    _teach_unique()

    class HierarchicalModel(classes.ModelAbstract):  # type: ignore[misc]
        """A `Fit` as `marginaleffects` wants it."""

        def __init__(self, fit: Fit, re_formula: str | None, conditional: bool) -> None:
            self._kept = prediction.kept_columns(fit.design, re_formula)
            self._covariance = _covariance(fit, conditional)
            names = _columns(fit.design, self._kept)
            self._levels = {
                name: asked.levels_of(fit.design.data[name])
                for name in names
                if not asked.is_numeric(fit.design, name)
            }
            response = fit.design.formula.response
            vault = classes.ModelVault(
                coef=np.concatenate([fit.beta, *(b.ravel() for b in fit.modes.b)]),
                coefnames=np.array(_coefnames(fit)),
                formula=f"{_quoted(response)} ~ " + (" + ".join(map(_quoted, names)) or "1"),
                modeldata=self._polars(fit.design.data[[response, *names]]),
                package="hierwidgets",
                variable_names=[response, *names],
            )
            super().__init__(fit, vault)

        def _polars(self, data: pd.DataFrame) -> Any:
            columns = {}
            for name in data.columns:
                if name in self._levels:
                    kind = pl.Enum([str(level) for level in self._levels[name]])
                    columns[name] = pl.Series(data[name].astype(str).to_list(), dtype=kind)
                elif pd.api.types.is_numeric_dtype(data[name]):
                    columns[name] = pl.Series(data[name].to_numpy())
                else:
                    kind = pl.Enum(sorted(data[name].astype(str).unique()))
                    columns[name] = pl.Series(data[name].astype(str).to_list(), dtype=kind)
            return pl.DataFrame(columns)

        def get_modeldata(self) -> Any:
            data = self.vault.modeldata
            data.hierwidgets = True  # `_teach_unique` minds only these frames
            return data

        def get_vcov(self, vcov: Any = True) -> Any:
            if vcov is True:
                return self._covariance
            if vcov is False or vcov is None:
                return None
            raise DataError(
                f"vcov={vcov!r}: a hierarchical model has vcov=True or False, or a matrix"
            )

        def get_exog(self, newdata: Any) -> Array:
            """Columns of (beta, b), and last the offset where the model has one."""
            frame = newdata.to_pandas()
            for name, levels in self._levels.items():
                known = {str(level): level for level in levels}
                frame[name] = frame[name].astype(str).map(known).astype(object).infer_objects()
            return _matrix(self.model, frame, self._kept)

        def get_predict(self, params: Any, newdata: Any) -> Any:
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

    return HierarchicalModel


def _check_versions(polars: str, marginaleffects: str) -> None:
    """marginaleffects 0.6 calls what polars 2 removed, though it asks for any later polars."""
    if int(polars.split(".")[0]) >= 2 and marginaleffects in ("0.6.0", "0.6.1"):
        raise MissingExtraError(
            f"marginaleffects {marginaleffects} does not work with polars {polars}: "
            "pip install 'polars<2'"
        )


def _teach_unique() -> None:
    """Let ``datagrid(district_id="unique")`` mean every level, for frames of our models only.

    The package takes values or functions (``datagrid(district_id=pl.Series.unique)``) there
    and has no hook that a model could use, so its reader of values is wrapped. Where it has
    no such reader nothing is changed, and a function does the same.
    """
    module: Any = import_module("marginaleffects.datagrid")
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
    terms = zip(design.terms, kept, strict=True)
    factors = {f for term, keep in terms if keep.any() for f in term.factors}
    wanted = asked.used_columns(design, kept) | factors
    return [str(c) for c in design.data.columns if c in wanted and c != design.formula.response]


def _coefnames(fit: Fit) -> list[str]:
    return [*fit.design.names] + [
        f"{term.group}[{level}] {name}"
        for term in fit.design.terms
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
