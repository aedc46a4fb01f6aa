"""Whether the likelihood of a design has a maximum, and whether the data tell each sd.

Two ways in which they do not show in the data before any search:

- Every level of a group has one outcome alone. With J1 levels of ones and J0 of zeros and an
  intercept, a level's two probabilities ``E[Prod p(u)]`` and ``E[Prod (1 - p(u))]`` add up to
  less than 1 at every finite sd, and to 1 in the limit: the likelihood rises with the sd to
  ``J1 log(J1 / J) + J0 log(J0 / J)`` and never arrives.
- The fixed part has a coefficient for every level of a group. The restricted likelihood, of
  contrasts that the fixed part leaves nothing of, is then the same for every sd; the likelihood
  itself falls with the sd, and its maximum is at 0.
"""

import numpy as np

from hierwidgets.errors import FitError
from hierwidgets.spec.design import Design, Term, level_sums
from hierwidgets.spec.families import Family

__all__ = [
    "LARGEST_SD",
    "check_contrasts",
    "check_levels",
    "check_outcome",
    "no_finite_sd",
    "spanned",
]

LARGEST_SD = 50.0  # on the link scale: rates of 1e-20 and of 1 - 1e-20 are both common there


def check_outcome(design: Design, family: Family) -> None:
    """Refuse an outcome that is the same in every row."""
    total, most = design.y.sum(), design.trials.sum()
    name = design.formula.response
    if total == 0 or (family.name == "binomial" and total == most):
        value = 0 if total == 0 else 1
        raise FitError(
            f"{name!r} is {value} in every row; the likelihood has no maximum. "
            "Check the event level, or collect data in which both outcomes occur"
        )


def check_levels(design: Design, family: Family) -> None:
    """Refuse outcomes that are constant within every level of a group.

    Levels of one trial do not count: they are constant whatever the sd.
    """
    if family.name != "binomial":
        return
    for term in design.terms:
        trials = level_sums(term, design.trials)
        events = level_sums(term, design.y)
        one_sign = ((term.Z > 0).all(axis=0) | (term.Z < 0).all(axis=0)).any()
        constant = ((events == 0) | (events == trials)).all()
        if one_sign and constant and (trials > 1).any():
            raise no_finite_sd(
                term,
                f"{design.formula.response!r} is all 0 or all 1 within every level of "
                f"{term.group!r}",
            )


def no_finite_sd(term: Term, found: str) -> FitError:
    """The error for a group whose sd grows without bound."""
    return FitError(
        f"{found}: the sd of its effects has no finite maximum, since the likelihood rises as it "
        "grows. Collect levels in which both outcomes occur, leave the group term out, or use a "
        "prior: hw.Model(...).sample()"
    )


def spanned(design: Design) -> tuple[str, ...]:
    """The groups every effect of which the fixed part has coefficients for."""
    n, p = design.X.shape
    out = []
    Q = np.linalg.qr(design.X)[0] if p else design.X
    for term in design.terms:
        if p < term.J:
            continue
        for column in range(term.k):
            own = np.zeros((n, term.J))
            own[np.arange(n), term.codes] = term.Z[:, column] / term.size(column)
            if np.linalg.norm(own - Q @ (Q.T @ own)) < 1e-8 * np.sqrt(n):
                out.append(term.group)
                break
    return tuple(out)


def check_contrasts(design: Design) -> None:
    """Refuse groups of which nothing is left beside the fixed part."""
    if groups := spanned(design):
        raise FitError(
            f"the fixed part has a coefficient for every level of {groups[0]!r}: the REML "
            "criterion is the same for every sd of its effects, which is flat and has no "
            "maximum. Leave one of the two out; by maximum likelihood (reml=False) that sd is 0"
        )
