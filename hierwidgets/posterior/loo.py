r"""How well a model predicts an observation, or a group, that it has not seen.

The expected log predictive density of what is left out is estimated without refitting, by
importance sampling from the posterior with Pareto-smoothed weights (Vehtari, Gelman & Gabry
2017, Stat. Comput. 27(5)); ArviZ smooths. Leaving a group out, its likelihood is the one with
its own effect integrated out (Merkle, Furr & Rabe-Hesketh 2019, Psychometrika 84(3)): with the
effect kept, the posterior would be too far from the one without the group.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.base.checks import check_names
from hierwidgets.errors import DataError
from hierwidgets.sampling.conditional import level_integrals
from hierwidgets.sampling.draws import Draws
from hierwidgets.sampling.predictors import without
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family
from hierwidgets.spec.responses import observed, observed_trials

from .convergence import array_statistics

__all__ = ["Loo", "loglik", "loo"]


K_LIMIT = 0.7


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Loo:
    """The expected log predictive density of what is left out.

    Attributes
    ----------
    elpd, std_error : float
        Sum over observations or groups, and its standard error.
    p_loo : float
        The effective number of parameters: how much higher the density with the data is.
    pointwise : DataFrame
        One row for each observation or group: elpd, pareto_k.
    by : str or None
    """

    elpd: float
    std_error: float
    p_loo: float
    pointwise: pd.DataFrame
    by: str | None

    @property
    def unreliable(self) -> int:
        """Rows whose Pareto k is above 0.7: their figure cannot be trusted."""
        return int((self.pointwise["pareto_k"] > K_LIMIT).sum())

    def difference(self, other: "Loo") -> pd.Series:
        """How much better than `other`, another model of the same data: elpd, std_error.

        The standard error is that of a sum of paired differences, ``sqrt(n var(d))`` (Vehtari,
        Gelman & Gabry 2017, eq. 24).
        """
        if not isinstance(other, Loo):
            raise DataError(f"other must be a Loo; a {type(other).__name__} was given")
        labels = [
            table.drop(columns=["elpd", "pareto_k"]) for table in (self.pointwise, other.pointwise)
        ]
        if self.by != other.by or not labels[0].equals(labels[1]):
            raise DataError("the two leave out different things; compare models of the same rows")
        gap = (self.pointwise["elpd"] - other.pointwise["elpd"]).to_numpy()
        spread = float(np.sqrt(len(gap) * np.var(gap)))
        return pd.Series({"elpd": float(gap.sum()), "std_error": spread})

    def __repr__(self) -> str:
        what = "observations" if self.by is None else self.by
        tail = "" if not self.unreliable else (
            f"; {self.unreliable} have a Pareto k above {K_LIMIT}: refit without them "
            "(hw.cross_validate)"
        )  # fmt: skip
        return (
            f"Loo(elpd {self.elpd:.1f} ({self.std_error:.1f}), p_loo {self.p_loo:.1f}, "
            f"{len(self.pointwise)} {what}{tail})"
        )


def loo(design: Design, family: Family, draws: Draws, by: str | None = None) -> Loo:
    """Leave one observation out, or one group of the factor `by`.

    Raises
    ------
    DataError
        `by` is not the group whose effects were integrated out: there, refit without a group at
        a time.
    """
    loglik, where = _by_row(design, family, draws) if by is None else _by_group(
        design, family, draws, by
    )  # fmt: skip
    elpd, k = _smoothed(loglik)
    dense = scipy.special.logsumexp(loglik, axis=1) - np.log(loglik.shape[1])
    labels = (
        pd.DataFrame(index=design.data.index)
        if by is None
        else pd.DataFrame({by: next(t for t in design.terms if t.group == by).levels})
    )
    check_names(labels.columns, ("elpd", "pareto_k"), given=False)
    pointwise = labels.assign(elpd=elpd[where], pareto_k=k[where])
    n = len(where)
    total = float(elpd[where].sum())
    spread = float(np.sqrt(n * np.var(elpd[where])))
    return Loo(total, spread, float(dense[where].sum()) - total, pointwise, by)


def loglik(design: Design, family: Family, draws: Draws) -> Array:
    """Log-likelihood of all observations given the parameters and effects of each draw, (S,)."""
    by_kind, where = _by_row(design, family, draws)
    return np.asarray(np.bincount(where) @ by_kind)


def _by_row(design: Design, family: Family, draws: Draws) -> tuple[Array, NDArray[np.intp]]:
    """Log-likelihoods (kinds, S) of the kinds of observation, and the kind of each one."""
    y, trials, w = observed(design, family), observed_trials(design), design.weights
    keys = np.column_stack([design.rows, y, trials, w])
    kinds, where = np.unique(keys, axis=0, return_inverse=True)
    rows, y, trials, w = kinds[:, 0].astype(np.intp), *kinds[:, 1:].T
    out = np.empty((len(rows), draws.sigma.size))
    sigma, effects = draws.sigma.reshape(-1), tuple(draws.effects)
    for a in range(0, len(rows), 200):
        part = slice(a, a + 200)
        eta = without(design, rows[part], draws.beta, effects)
        shape = eta.shape
        yy, tt, ww = (np.broadcast_to(v[part, None], shape) for v in (y, trials, w))
        if family.name == "gaussian":
            precision = ww / sigma**2
            out[part] = 0.5 * np.log(precision / (2 * np.pi)) - 0.5 * precision * (yy - eta) ** 2
        else:
            out[part] = ww * (family.loglik(yy, tt, eta) + family.counting(yy, tt))
    return out, where.reshape(-1)


def _by_group(
    design: Design, family: Family, draws: Draws, by: str
) -> tuple[Array, NDArray[np.intp]]:
    done = None if draws.integrated is None else design.terms[draws.integrated[0]]
    if done is None or done.group != by or done.k > 1 or draws.integrated is None:
        able = [] if done is None or done.k > 1 else [done.group]
        raise DataError(
            f"by={by!r}: without refitting, a group can be left out of {able} alone, whose "
            "effects are integrated out; for others refit, with "
            f"hw.cross_validate({{'model': post}}, data, by={by!r})"
        )
    given = draws.beta, draws.factors, draws.sigma, tuple(draws.effects)
    out = level_integrals(design, family, *given, draws.integrated)
    return out, np.arange(len(out))


def _smoothed(loglik: Array) -> tuple[Array, Array]:
    """elpd and Pareto k of each row of log-likelihoods (m, S)."""
    az = array_statistics()
    if hasattr(az, "InferenceData"):
        weights, k = az.psislw(-loglik)
        weights, k = np.asarray(weights), np.asarray(k)
    else:
        weights, k = _array_psis(az, loglik)
    return scipy.special.logsumexp(loglik + weights, axis=1), np.atleast_1d(k)


def _array_psis(az: Any, loglik: Array) -> tuple[Array, Array]:
    """Smoothed log weights from arviz_stats, whose releases differ in the sign they ask for."""
    weights, _ = az.psislw(np.linspace(0.0, 1.0, 100), axis=-1)
    sign = 1.0 if weights[0] > weights[-1] else -1.0  # an improbable observation weighs more
    weights, k = az.psislw(sign * loglik, axis=-1)
    return weights, k
