"""Nested fits compared: the likelihood-ratio test, honest about the boundary.

A group's sd cannot be negative. Where the smaller model sets one to 0, twice the difference of
the log-likelihoods is not chi-square distributed with as many degrees of freedom as parameters
dropped, but as a mixture with smaller ones (Self & Liang 1987, J. Am. Stat. Assoc. 82(398);
Stram & Lee 1994, Biometrics 50(4)).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.base.tables import NotedTable, p_value
from hierwidgets.errors import DataError, FitError
from hierwidgets.spec.design import Term
from hierwidgets.spec.responses import observed, observed_trials

from .record import FitRecord

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(NotedTable):
    """Two nested fits side by side.

    Attributes
    ----------
    table : DataFrame
        Index: the formulas, the smaller model first. Columns: ``parameters loglik aic bic
        chi_square df p``, the last three in the larger model's row.
    notes : tuple of str
        How to read p.
    """

    table: pd.DataFrame
    notes: tuple[str, ...]
    caption: ClassVar[str] = "Likelihood-ratio test of nested fits"

    @property
    def chi_square(self) -> float:
        """Twice the difference of the log-likelihoods."""
        return float(self.table["chi_square"].iloc[1])

    @property
    def df(self) -> int:
        """Difference in the number of parameters."""
        return int(self.table["df"].iloc[1])

    @property
    def p(self) -> float:
        """Probability of a larger difference if the smaller model holds."""
        return float(self.table["p"].iloc[1])

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        head = ["model", "parameters", "logLik", "AIC", "BIC", "chi-square", "df", "p"]
        rows = []
        for name, row in self.table.iterrows():
            tested = not np.isnan(row["p"])
            rows.append(
                [
                    str(name),
                    f"{row['parameters']:.0f}",
                    *(f"{row[c]:.1f}" for c in ("loglik", "aic", "bic")),
                    f"{row['chi_square']:.2f}" if tested else "",
                    f"{row['df']:.0f}" if tested else "",
                    p_value(row["p"]) if tested else "",
                ]
            )
        return head, rows


def compare(fit0: FitRecord, fit1: FitRecord) -> Comparison:
    """The likelihood-ratio test of a fit against a larger one that contains it.

    ``chi_square = 2 (log L_1 - log L_0)``, with the difference in the number of parameters as
    degrees of freedom. Where one more coefficient varies over a group, p is that of the even
    mixture of the chi-squares with and without its sd (Stram & Lee 1994, case 3); where two or
    more do, the mixture is not known and p, from the plain chi-square, is too large. A note says
    which.

    Parameters
    ----------
    fit0, fit1 :
        Two fits of the same response, family, link, weights, offset and number of quadrature
        points; the order does not matter. Two REML fits must have the same fixed part.

    Raises
    ------
    DataError
        They are not fits, or not of the same data.
    FitError
        Neither contains the other, or their likelihoods are not comparable.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> uk = hw.load("uk")
    >>> smaller = hw.glmer("contacted ~ (1 | district_id)", uk, event="Contacted")
    >>> larger = hw.glmer("contacted ~ district_competitiveness + (1 | district_id)", uk,
    ...                   event="Contacted")
    >>> test = hw.compare(smaller, larger)
    >>> round(test.chi_square, 1), test.df, bool(test.p < 0.001)
    (16.6, 1, True)
    """
    for fit in (fit0, fit1):
        if not isinstance(fit, FitRecord):
            raise DataError(f"compare takes two fits; one is a {type(fit).__name__}")
    small, large = sorted((fit0, fit1), key=lambda fit: fit.n_parameters)
    _check_data(small, large)
    _check_likelihood(small, large)
    new = _new_effects(small, large)
    gain = 2.0 * (large.loglik - small.loglik)
    chi_square, df = max(gain, 0.0), large.n_parameters - small.n_parameters
    p, notes = _test(small, large, new, chi_square, df)
    if gain < -1e-3:
        notes.insert(0, f"the larger model fits worse by {-gain:.3g}: one has not converged")
    fits = (small, large)
    table = pd.DataFrame(
        {
            "parameters": [fit.n_parameters for fit in fits],
            "loglik": [fit.loglik for fit in fits],
            "aic": [fit.aic for fit in fits],
            "bic": [fit.bic for fit in fits],
            "chi_square": [np.nan, chi_square],
            "df": [np.nan, df],
            "p": [np.nan, p],
        },
        index=[fit.design.formula.text for fit in fits],
    )
    return Comparison(table, tuple(notes))


# --- what may be compared -----------------------------------------------------------------


def _check_data(a: FitRecord, b: FitRecord) -> None:
    if a.nobs != b.nobs:
        raise DataError(
            f"the fits have {a.nobs} and {b.nobs} observations; compare fits of the same rows"
        )
    names = [fit.design.formula.response for fit in (a, b)]
    same = np.array_equal(observed(a.design, a.family), observed(b.design, b.family))
    if not same or not np.array_equal(observed_trials(a.design), observed_trials(b.design)):
        raise DataError(
            f"the fits have different responses ({names[0]!r} and {names[1]!r}, in the order of "
            "their rows); compare fits of the same data"
        )
    if not np.array_equal(a.design.weights, b.design.weights):
        raise DataError("the fits have different prior weights; compare fits with the same ones")
    if not np.allclose(a.design.offset[a.design.rows], b.design.offset[b.design.rows]):
        raise DataError("the fits have different offsets; compare fits with the same one")


def _check_likelihood(small: FitRecord, large: FitRecord) -> None:
    if repr(small.family) != repr(large.family):
        raise FitError(f"{small.family} and {large.family} are not nested")
    if small.n_agq != large.n_agq:
        raise FitError(
            f"n_agq is {small.n_agq} in one fit and {large.n_agq} in the other; their "
            "log-likelihoods are approximated differently. Fit both with the same n_agq"
        )
    if small.reml != large.reml:
        raise FitError("one fit is by REML and one by maximum likelihood; fit both alike")
    if small.reml and not _same_space(small, large):
        raise FitError(
            "REML likelihoods of different fixed parts cannot be compared; fit both with reml=False"
        )


def _columns(fit: FitRecord) -> Array:
    return fit.design.X[fit.design.rows]


def _same_space(small: FitRecord, large: FitRecord) -> bool:
    width = small.design.X.shape[1] == large.design.X.shape[1]
    return width and _spanned(_columns(small), _columns(large))


def _spanned(columns: Array, by: Array) -> bool:
    """Whether every column is a combination of the columns `by`."""
    if not columns.shape[1]:
        return True
    if not by.shape[1]:
        return False
    scale = np.linalg.norm(columns, axis=0)
    columns = columns / np.where(scale > 0, scale, 1.0)
    Q, _ = np.linalg.qr(by)
    return bool(np.abs(columns - Q @ (Q.T @ columns)).max() < 1e-8)


def _new_effects(small: FitRecord, large: FitRecord) -> int:
    """How many more coefficients vary over a group; an error where neither model has the other."""
    if not _spanned(_columns(small), _columns(large)):
        missing = [n for n in small.design.names if n not in large.design.names]
        raise _not_nested(small, large, f"only the first has the predictors {missing}")
    count = sum(term.k for term in large.design.terms)
    for term in small.design.terms:
        other = _partner(term, small, large)
        if other is None:
            raise _not_nested(small, large, f"only the first has effects of {term.group!r}")
        if not _contained(term, other):
            raise _not_nested(
                small, large, f"what varies over {term.group!r} in the first does not in the second"
            )
        count -= term.k
    if large.n_parameters == small.n_parameters:
        raise FitError(
            "the fits have the same number of parameters; there is nothing to test. hw.tables sets "
            "them side by side"
        )
    return count


def _not_nested(small: FitRecord, large: FitRecord, why: str) -> FitError:
    names = [fit.design.formula.text for fit in (small, large)]
    return FitError(
        f"{names[0]!r} is not contained in {names[1]!r}: {why}. hw.tables sets their AIC and BIC "
        "side by side"
    )


def _partner(term: Term, small: FitRecord, large: FitRecord) -> Term | None:
    """The term of `large` with the same levels, by whatever name."""
    codes, _ = pd.factorize(term.codes[small.design.rows])
    for other in large.design.terms:
        same, _ = pd.factorize(other.codes[large.design.rows])
        if other.J == term.J and np.array_equal(codes, same):
            return other
    return None


def _contained(term: Term, other: Term) -> bool:
    """Whether each block of `term` lies within one block of `other`."""
    blocks = [{other.names[i] for i in block} for block in other.blocks]
    return all(
        any({term.names[i] for i in block} <= larger for larger in blocks) for block in term.blocks
    )


# --- the distribution of the difference ---------------------------------------------------


def _test(
    small: FitRecord, large: FitRecord, new: int, chi_square: float, df: int
) -> tuple[float, list[str]]:
    """p, and what to know about it."""
    from scipy.special import chdtrc

    plain = float(chdtrc(df, chi_square))
    notes = []
    if new == 0:
        p = plain
        notes.append(f"p: chi-square with {df} df.")
    elif new == 1:
        below = float(chdtrc(df - 1, chi_square)) if df > 1 else float(chi_square < 1e-6)
        p = 0.5 * plain + 0.5 * below
        notes.append(
            f"p: an sd of 0 is the edge of its range, so p is from an even mixture of chi-squares "
            f"with {df - 1} and {df} df (Stram & Lee 1994); from {df} df alone it would be "
            f"{plain:.3g}. With few levels even this is somewhat too large."
        )
    else:
        p = plain
        notes.append(
            f"p: {new} sds of 0 are at the edge of their range; the distribution there is not "
            f"known, and p, from chi-square with {df} df, is too large (conservative)."
        )
    for fit in (small, large):
        if not fit.converged:
            notes.append(f"{fit.design.formula.text}: {fit.message}.")
    if small.singular:
        notes.append(
            f"The smaller model is singular ({'; '.join(small.collapsed)}): p is approximate."
        )
    return p, notes
