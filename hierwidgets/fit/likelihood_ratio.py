"""Nested fits compared: the likelihood-ratio test, honest about the boundary.

A group's sd cannot be negative. Where the smaller model sets one to 0, twice the difference of
the log-likelihoods is not chi-square distributed with as many degrees of freedom as parameters
dropped, but as a mixture with smaller ones (Self & Liang 1987, J. Am. Stat. Assoc. 82(398);
Stram & Lee 1994, Biometrics 50(4)).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.base.tables import NotedTable, p_value
from hierwidgets.errors import DataError, FitError
from hierwidgets.spec.design import Term
from hierwidgets.spec.responses import observed, observed_trials

from .fit import maximize
from .record import FitRecord

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comparison(NotedTable):
    """Fits in one table, the smallest model first, and a test of each nested pair in order.

    Attributes
    ----------
    table : DataFrame
        Index: the formulas. Columns: ``parameters loglik aic bic chi_square df p against``; the
        last four are of the test against the nearest model above that is contained in the row's,
        whose formula is `against`, and missing where there is none.
    notes : tuple of str
        How to read p, and why a model is not tested.
    """

    table: pd.DataFrame
    notes: tuple[str, ...]
    caption: ClassVar[str] = "Likelihood-ratio test of nested fits"

    @property
    def chi_square(self) -> float:
        """Twice the difference of the log-likelihoods, of two fits."""
        return self._of_two("chi_square")

    @property
    def df(self) -> int:
        """Difference in the number of parameters, of two fits."""
        return int(self._of_two("df"))

    @property
    def p(self) -> float:
        """Probability of a larger difference if the smaller model of two holds."""
        return self._of_two("p")

    def _of_two(self, column: str) -> float:
        if len(self.table) > 2:
            raise FitError(
                f"{len(self.table)} fits have no single {column}; table[{column!r}] has one for "
                "each nested pair"
            )
        value = float(self.table[column].iloc[1])
        if np.isnan(value):
            raise FitError(f"there is no {column}: {self.notes[0]}")
        return value

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


@dataclass(frozen=True, slots=True)
class _Pair:
    """The test of one fit against a smaller one that it contains."""

    small: FitRecord
    large: FitRecord
    chi_square: float
    df: int
    p: float
    notes: tuple[str, ...]


def compare(*fits: FitRecord) -> Comparison:
    """Fits in one table, and likelihood-ratio tests of those that contain one another.

    By number of parameters, each fit is tested against the nearest smaller one that it contains:
    ``chi_square = 2 (log L_1 - log L_0)``, with the difference in the number of parameters as
    degrees of freedom. Where one more coefficient varies over a group, p is that of the even
    mixture of the chi-squares with and without its sd (Stram & Lee 1994, case 3); where two or
    more do, the mixture is not known and p, from the plain chi-square, is too large. A note says
    which. Where nothing is contained there are AIC and BIC alone, and a note says why.

    Parameters
    ----------
    *fits :
        Two or more fits of the same response, family, weights, offset and number of quadrature
        points, in any order. REML fits whose fixed parts differ, or that stand beside a fit by
        maximum likelihood, are fitted again by maximum likelihood, and a note says so.

    Raises
    ------
    DataError
        They are not fits, fewer than two, or not of the same data.
    FitError
        Their likelihoods are not comparable.

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
    if len(fits) < 2:
        raise DataError(f"compare takes two or more fits; {len(fits)} given")
    for fit in fits:
        if not isinstance(fit, FitRecord):
            raise DataError(f"compare takes fits; one is a {type(fit).__name__}")
    ordered = sorted(fits, key=lambda fit: fit.n_parameters)
    for fit in ordered[1:]:
        _check_data(ordered[0], fit)
        _check_likelihood(ordered[0], fit)
    ordered, notes = _alike(ordered)
    pairs = [_nearest(ordered[:i], ordered[i]) for i in range(1, len(ordered))]
    return Comparison(_table(ordered, pairs), (*_notes(ordered, pairs), *notes))


def _table(ordered: Sequence[FitRecord], pairs: Sequence[_Pair | str]) -> pd.DataFrame:
    tests = [pair if isinstance(pair, _Pair) else None for pair in pairs]
    return pd.DataFrame(
        {
            "parameters": [fit.n_parameters for fit in ordered],
            "loglik": [fit.loglik for fit in ordered],
            "aic": [fit.aic for fit in ordered],
            "bic": [fit.bic for fit in ordered],
            "chi_square": [np.nan, *(t.chi_square if t else np.nan for t in tests)],
            "df": [np.nan, *(t.df if t else np.nan for t in tests)],
            "p": [np.nan, *(t.p if t else np.nan for t in tests)],
            "against": [None, *(_text(t.small) if t else None for t in tests)],
        },
        index=[_text(fit) for fit in ordered],
    )


def _notes(ordered: Sequence[FitRecord], pairs: Sequence[_Pair | str]) -> list[str]:
    """What each test is, why there is none, and what is doubtful about the fits."""
    notes = []
    tests = [pair for pair in pairs if isinstance(pair, _Pair)]
    for pair in pairs:
        if isinstance(pair, str):
            notes.append(pair)
        elif len(ordered) == 2:
            notes += pair.notes
        else:
            notes += [f"{_text(pair.large)} against {_text(pair.small)}: {n}" for n in pair.notes]
    notes += [f"{_text(fit)}: {fit.message}." for fit in ordered if not fit.converged]
    for small in {id(pair.small): pair.small for pair in tests}.values():
        if small.singular:
            which = "The smaller model" if len(ordered) == 2 else _text(small)
            what = "; ".join(small.collapsed)
            notes.append(f"{which} is singular ({what}): p is approximate.")
    return notes


def _text(fit: FitRecord) -> str:
    return fit.design.formula.text


# --- what may be compared -----------------------------------------------------------------


def _check_data(a: FitRecord, b: FitRecord) -> None:
    if a.nobs != b.nobs:
        dropped = [fit.design.dropped for fit in (a, b)]
        why = f", after {dropped[0]} and {dropped[1]} were dropped" if any(dropped) else ""
        raise DataError(
            f"the fits have {a.nobs} and {b.nobs} observations{why}; compare fits of the same rows"
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


def _check_likelihood(a: FitRecord, b: FitRecord) -> None:
    if a.family.name != b.family.name:
        raise FitError(
            f"the likelihoods of a {a.family.name} and a {b.family.name} model are not comparable; "
            "compare fits of one family"
        )
    if a.n_agq != b.n_agq:
        raise FitError(
            f"n_agq is {a.n_agq} in one fit and {b.n_agq} in the other; their "
            "log-likelihoods are approximated differently. Fit both with the same n_agq"
        )


def _alike(fits: Sequence[FitRecord]) -> tuple[list[FitRecord], list[str]]:
    """The fits, all by REML with one fixed part or all by maximum likelihood; what was done."""
    again = [fit for fit in fits if fit.reml]
    if len(again) == len(fits) and all(_same_space(fits[0], fit) for fit in fits[1:]):
        return list(fits), []
    if not again:
        return list(fits), []
    out = [maximize(f.design, f.family, reml=False) if f.reml else f for f in fits]
    which = ", ".join(dict.fromkeys(map(_text, again)))
    why = (
        "REML likelihoods of different fixed parts are not comparable"
        if len(again) == len(fits)
        else "likelihoods by REML and by maximum likelihood are not comparable"
    )
    return out, [f"Fitted again by maximum likelihood, since {why}: {which}."]


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


def _nearest(smaller: Sequence[FitRecord], large: FitRecord) -> _Pair | str:
    """The test against the last of the smaller fits that `large` contains; or why there is none."""
    reasons = []
    for small in reversed(smaller):
        reason = _obstacle(small, large)
        if not reason:
            return _pair(small, large)
        reasons.append(reason)
    others = ", nor is any other above it" if len(smaller) > 1 else ""
    return (
        f"No test: {_text(smaller[-1])} is not contained in {_text(large)}, since {reasons[0]}"
        f"{others}. AIC and BIC can be compared."
    )


def _obstacle(small: FitRecord, large: FitRecord) -> str:
    """Why the larger model does not contain the smaller one; nothing where it does."""
    if repr(small.family) != repr(large.family):
        return f"their links are {small.family.link.name} and {large.family.link.name}"
    if small.n_parameters == large.n_parameters:
        return "they have the same number of parameters"
    if not _spanned(_columns(small), _columns(large)):
        missing = [n for n in small.design.names if n not in large.design.names]
        return f"only the first has the predictors {missing}"
    for term in small.design.terms:
        other = _partner(term, small, large)
        if other is None:
            return f"only the first has effects of {term.group!r}"
        if not _contained(term, other, small, large):
            return f"what varies over {term.group!r} in the first does not in the second"
    return ""


def _partner(term: Term, small: FitRecord, large: FitRecord) -> Term | None:
    """The term of `large` with the same levels, by whatever name."""
    codes, _ = pd.factorize(term.codes[small.design.rows])
    for other in large.design.terms:
        same, _ = pd.factorize(other.codes[large.design.rows])
        if other.J == term.J and np.array_equal(codes, same):
            return other
    return None


def _contained(term: Term, other: Term, small: FitRecord, large: FitRecord) -> bool:
    """Whether the columns of each block of `term` are combinations of those of one of `other`."""
    own, wider = term.Z[small.design.rows], other.Z[large.design.rows]
    return all(
        any(_spanned(own[:, list(block)], wider[:, list(larger)]) for larger in other.blocks)
        for block in term.blocks
    )


# --- the distribution of the difference ---------------------------------------------------


def _pair(small: FitRecord, large: FitRecord) -> _Pair:
    new = sum(term.k for term in large.design.terms) - sum(term.k for term in small.design.terms)
    gain = 2.0 * (large.loglik - small.loglik)
    chi_square, df = max(gain, 0.0), large.n_parameters - small.n_parameters
    p, note = _test(new, chi_square, df)
    worse = f"the larger model fits worse by {-gain:.3g}: one has not converged"
    return _Pair(small, large, chi_square, df, p, (worse, note) if gain < -1e-3 else (note,))


def _test(new: int, chi_square: float, df: int) -> tuple[float, str]:
    """p where `new` more coefficients vary over a group, and how to read it."""
    from scipy.special import chdtrc

    plain = float(chdtrc(df, chi_square))
    if new == 0:
        return plain, f"p: chi-square with {df} df."
    if new > 1:
        return plain, (
            f"p: {new} sds of 0 are at the edge of their range; the distribution there is not "
            f"known, and p, from chi-square with {df} df, is too large (conservative)."
        )
    below = float(chdtrc(df - 1, chi_square)) if df > 1 else float(chi_square < 1e-6)
    return 0.5 * plain + 0.5 * below, (
        f"p: an sd of 0 is the edge of its range, so p is from an even mixture of chi-squares "
        f"with {df - 1} and {df} df (Stram & Lee 1994); from {df} df alone it would be "
        f"{plain:.3g}. With few levels even this is somewhat too large."
    )
