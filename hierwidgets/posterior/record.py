"""Draws with what they were drawn for, and what is read off them parameter by parameter."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.sampling.draws import Draws
from hierwidgets.sampling.priors import Priors
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family
from hierwidgets.spec.parameters import Parameter, parameters

__all__ = ["PosteriorRecord", "described", "flat"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PosteriorRecord:
    """What a posterior holds; `Posterior` says what each part is, and adds what is done with it."""

    design: Design
    family: Family
    priors: Priors
    draws: Draws
    kind: str = "posterior"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of `summary`."""
        return tuple(p.name for p in parameters(self.design, self.family))

    @property
    def parameters(self) -> Array:
        """Draws of the parameters, (C, D, number of `names`)."""
        return np.stack(
            [_values(p, self.draws) for p in parameters(self.design, self.family)], axis=-1
        )

    @property
    def method(self) -> str:
        """How the draws were made: "importance", "nuts", or "prior"."""
        if self.kind == "prior":
            return "prior"
        return "nuts" if self.draws.pool is None else "importance"

    @property
    def reason(self) -> str:
        """Why that way, where there was a choice."""
        return self.draws.reason

    @property
    def divergences(self) -> int:
        """Number of draws that diverged."""
        return int(self.draws.divergent.sum())

    @property
    def nobs(self) -> int:
        """Number of observations."""
        return self.design.nobs

    @property
    def fixef(self) -> pd.Series:
        """Posterior means of the coefficients: (p,) Series."""
        mean = self.draws.beta.mean(axis=(0, 1))
        return pd.Series(mean, index=list(self.design.names), name="estimate")

    @property
    def std_error(self) -> pd.Series:
        """Posterior sds of the coefficients: (p,) Series."""
        sd = flat(self.draws.beta).std(axis=0, ddof=1)
        return pd.Series(sd, index=list(self.design.names), name="std_error")

    @property
    def vcov(self) -> pd.DataFrame:
        """Posterior covariance of the coefficients: (p, p) DataFrame."""
        names = list(self.design.names)
        cov = np.atleast_2d(np.cov(flat(self.draws.beta), rowvar=False))
        return pd.DataFrame(cov, index=names, columns=names)

    @property
    def ranef(self) -> pd.DataFrame:
        """Group effects: group, term, level, estimate, std_error, conf_low, conf_high (95 %)."""
        return self._by_level(own=True)

    @property
    def coef(self) -> pd.DataFrame:
        """Coefficients of each level, fixed part plus effect; columns as `ranef`."""
        return self._by_level(own=False)

    def _by_level(self, own: bool) -> pd.DataFrame:
        parts = []
        for t, term in enumerate(self.design.terms):
            names = term.names if own else tuple(dict.fromkeys([*self.design.names, *term.names]))
            for name in names:
                values = np.zeros((self.draws.sigma.size, term.J))
                if name in term.names:
                    values += flat(self.draws.effects[t])[:, :, term.names.index(name)]
                if not own and name in self.design.names:
                    values += flat(self.draws.beta)[:, [self.design.names.index(name)]]
                labels = pd.DataFrame({"group": term.group, "term": name, "level": term.levels})
                parts.append(labels.assign(**described(values.T, 0.95, "mean")))
        return pd.concat(parts, ignore_index=True)

    @property
    def varcorr(self) -> pd.DataFrame:
        """Sds and correlations: group, term, other, estimate, std_error, conf_low, conf_high.

        A row with `other` empty is an sd, a row with `other` a correlation. A Gaussian model
        ends with the group "Residual". Intervals are of 95 %.
        """
        chosen = [p for p in parameters(self.design, self.family) if p.kind != "coefficient"]
        rows = []
        for p in chosen:
            term = self.design.terms[p.term] if p.kind != "sigma" else None
            rows.append(
                ("Residual", "", None) if term is None
                else (term.group, term.names[p.i], term.names[p.j] if p.kind == "corr" else None)
            )  # fmt: skip
        values = np.stack([_values(p, self.draws) for p in chosen], -1)
        table = described(flat(values).T, 0.95, "mean")
        return pd.DataFrame(rows, columns=["group", "term", "other"]).assign(**table)


def flat(values: NDArray[Any]) -> NDArray[Any]:
    """(C, D, ...) as (C * D, ...)."""
    return values.reshape(-1, *values.shape[2:])


def _values(parameter: Parameter, draws: Draws) -> Array:
    """Draws of one parameter (C, D)."""
    i, j = parameter.i, parameter.j
    if parameter.kind == "coefficient":
        return draws.beta[..., i]
    if parameter.kind == "sigma":
        return draws.sigma
    F = draws.factors[parameter.term]
    sd = np.sqrt((F**2).sum(axis=-1))
    if parameter.kind == "sd":
        return sd[..., i]
    product = (F[..., i, :] * F[..., j, :]).sum(axis=-1)
    return np.clip(product / (sd[..., i] * sd[..., j]), -1.0, 1.0)


def described(values: Array, level: float | None, how: str) -> dict[str, Array]:
    """Mean or median, sd and quantiles of draws (rows, S)."""
    out = {"estimate": np.median(values, axis=1) if how == "median" else values.mean(axis=1)}
    if level is not None:
        tails = [(1 - level) / 2, (1 + level) / 2]
        low, high = np.quantile(values, tails, axis=1)
        out |= {"std_error": values.std(axis=1, ddof=1), "conf_low": low, "conf_high": high}
    return out
