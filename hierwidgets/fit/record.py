"""The numbers of a fit, and what is read off them without computing anything again."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.likelihood.laplace import Modes
from hierwidgets.spec.covariance import sd_corr
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family

__all__ = ["FitRecord"]


_SINGULAR = 1e-4  # lme4's isSingular uses the same tolerance


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FitRecord:
    """What a fit holds; `Fit` says what each number is, and adds what is done with them."""

    design: Design
    family: Family
    n_agq: int
    reml: bool
    sigma: float
    theta: Array
    beta: Array
    covariance: Array
    gradient: Array
    modes: Modes
    loglik: float
    converged: bool
    message: str
    trace: Array

    # --- coefficients ---

    @property
    def fixef(self) -> pd.Series:
        """Coefficients, labelled by name: (p,) Series."""
        return pd.Series(self.beta, index=list(self.design.names), name="estimate")

    @property
    def vcov(self) -> pd.DataFrame:
        """Covariance of the coefficients: (p, p) DataFrame."""
        names, m = list(self.design.names), len(self.theta)
        return pd.DataFrame(self.covariance[m:, m:], index=names, columns=names)

    @property
    def std_error(self) -> pd.Series:
        """Standard errors of the coefficients: (p,) Series."""
        diagonal = np.diag(self.vcov.to_numpy())
        return pd.Series(np.sqrt(diagonal), index=list(self.design.names), name="std_error")

    @property
    def ranef(self) -> pd.DataFrame:
        """Conditional modes of the group effects: group, term, level, mode, sd.

        `sd` is the conditional standard deviation, given the estimated parameters.
        """
        parts = []
        for term, b, sd in zip(self.design.terms, self.modes.b, self.modes.sd, strict=True):
            parts += [
                pd.DataFrame(
                    {
                        "group": term.group,
                        "term": name,
                        "level": term.levels,
                        "mode": b[:, i],
                        "sd": sd[:, i],
                    }
                )
                for i, name in enumerate(term.names)
            ]
        return pd.concat(parts, ignore_index=True)

    @property
    def coef(self) -> pd.DataFrame:
        """Coefficients of each level, fixed part plus mode: group, term, level, estimate."""
        fixed = self.fixef
        parts = []
        for term, b in zip(self.design.terms, self.modes.b, strict=True):
            for name in dict.fromkeys([*self.design.names, *term.names]):
                own = b[:, term.names.index(name)] if name in term.names else np.zeros(term.J)
                estimate = float(fixed.get(name, 0.0)) + own
                parts.append(
                    pd.DataFrame({"group": term.group, "term": name, "level": term.levels}).assign(
                        estimate=estimate
                    )
                )
        return pd.concat(parts, ignore_index=True)

    @property
    def varcorr(self) -> pd.DataFrame:
        """Standard deviations and correlations: group, term, other, sd, corr.

        A row with `other` empty is the sd of a term; a row with `other` is a correlation. A
        Gaussian fit ends with the group "Residual".
        """
        rows: list[tuple[str, str, str | None, float, float]] = []
        for term, L in zip(
            self.design.terms, self.design.template.factors(self.theta), strict=True
        ):
            sd, corr = sd_corr(self.sigma * L)
            rows += [(term.group, a, None, sd[i], np.nan) for i, a in enumerate(term.names)]
            rows += [
                (term.group, term.names[i], term.names[j], np.nan, corr[i, j])
                for block in term.blocks
                for n, i in enumerate(block)
                for j in block[n + 1 :]
            ]
        if self.family.name == "gaussian":
            rows.append(("Residual", "", None, self.sigma, np.nan))
        return pd.DataFrame(rows, columns=["group", "term", "other", "sd", "corr"])

    # --- how well it fits ---

    @property
    def nobs(self) -> int:
        """Number of observations."""
        return self.design.nobs

    @property
    def n_parameters(self) -> int:
        """Number of estimated parameters: theta, beta and, in a Gaussian model, sigma."""
        return len(self.theta) + len(self.beta) + (self.family.name == "gaussian")

    @property
    def aic(self) -> float:
        """``-2 log L + 2 k``."""
        return -2 * self.loglik + 2 * self.n_parameters

    @property
    def bic(self) -> float:
        """``-2 log L + k log(nobs)``."""
        return -2 * self.loglik + self.n_parameters * float(np.log(self.nobs))

    @property
    def conditional_deviance(self) -> float:
        """``-2 log p(y | modes)``, less that of the saturated model: R's `deviance(fit)`.

        A Gaussian model has no saturated one with a residual sd; there nothing is subtracted.
        """
        d = self.design
        if self.family.name == "gaussian":
            w = d.trials[d.trials > 0]
            rss = float(np.sum(d.trials * (d.y - self.modes.eta) ** 2))
            scale = len(w) * np.log(2 * np.pi * self.sigma**2) - np.log(w).sum()
            return rss / self.sigma**2 + float(scale)
        given = self.family.loglik(d.y, d.trials, self.modes.eta).sum()
        return 2 * (d.saturated - float(given))

    @property
    def dic(self) -> float:
        """``2 * conditional deviance + 2 log L``: what arm::display prints as DIC.

        It is printed to be compared with that output. The effective number of parameters it
        implies is negative for binomial models, so it is no criterion to choose a model by.
        """
        return 2 * self.conditional_deviance + 2 * self.loglik

    @property
    def singular(self) -> bool:
        """Whether an estimated covariance has lost a dimension (an sd of 0, a correlation of 1)."""
        return bool(self.collapsed)

    @property
    def collapsed(self) -> tuple[str, ...]:
        """The directions a singular fit has lost, in words."""
        out = []
        for term, L in zip(
            self.design.terms, self.design.template.factors(self.theta), strict=True
        ):
            scaled = np.sqrt((term.Z**2).mean(axis=0))[:, None] * L
            for block in term.blocks:
                index = np.array(block)
                gone = np.diag(scaled)[index] < _SINGULAR
                if gone.any():
                    out.append(_collapse_in_words(term.group, term.names, scaled, index, gone))
        return tuple(out)


def _collapse_in_words(
    group: str,
    names: tuple[str, ...],
    L: Array,
    index: NDArray[np.intp],
    gone: NDArray[np.bool_],
) -> str:
    sd, corr = sd_corr(L)
    zero = [names[i] for i in index if sd[i] < _SINGULAR]
    if zero:
        return f"the sd of {', '.join(zero)} over {group} is 0"
    last = int(index[gone][-1])
    partners = [i for i in index if i != last and abs(abs(corr[i, last]) - 1) < 1e-6]
    if partners:
        i = partners[0]
        sign = f"{corr[i, last]:.0f}"
        return f"the correlation of {names[i]} and {names[last]} over {group} is {sign}"
    return f"{names[last]} over {group} is a combination of the other effects"
