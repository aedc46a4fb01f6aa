"""The priors of a model as the numbers that the compiled density reads."""

import numpy as np

from hierwidgets.base.arrays import Array

from .kernels import problem
from .kernels.problem import Integers, PriorCodes
from .pieces import Piece
from .priors import Prior, Resolved

__all__ = ["coded", "lkj_eta", "prior_codes"]

_KINDS = {
    "flat": problem.FLAT,
    "normal": problem.NORMAL,
    "student_t": problem.STUDENT_T,
    "exponential": problem.EXPONENTIAL,
    "gamma": problem.GAMMA,
    "uniform": problem.UNIFORM,
}


def prior_codes(priors: Resolved, R: Array, lead: Piece | None, others: list[Piece]) -> PriorCodes:
    """Kinds and parameters, where ``X = Q R`` and `others` are the sampled pieces."""
    sd_kind, sd_par = _sds(priors, lead, others)
    combination, kind, par = _coefficients(priors, R)
    sigma = coded(priors.sigma) if priors.sigma is not None else (problem.FLAT, np.zeros(3))
    eta = np.array([lkj_eta(priors, piece) for piece in others])
    lead_eta = 1.0 if lead is None else lkj_eta(priors, lead)
    return PriorCodes(sd_kind, sd_par, eta, lead_eta, combination, kind, par, *sigma)


def lkj_eta(priors: Resolved, piece: Piece) -> float:
    """eta of the LKJ prior of a piece's correlations."""
    return priors.corrs[piece.term][piece.block]


def coded(prior: Prior) -> tuple[int, Array]:
    """Kind and parameters of one prior."""
    par = np.zeros(3)
    par[: len(prior.parameters)] = prior.parameters
    return _KINDS[prior.kind], par


def _sds(priors: Resolved, lead: Piece | None, others: list[Piece]) -> tuple[Integers, Array]:
    widest = max([piece.size for piece in [lead, *others] if piece is not None], default=1)
    kind = np.zeros((1 + len(others), widest), np.intp)
    par = np.zeros((1 + len(others), widest, 3))
    for row, piece in enumerate([lead, *others]):
        if piece is not None:
            for i, column in enumerate(piece.columns):
                kind[row, i], par[row, i] = coded(priors.sds[piece.term][column])
    return kind, par


def _coefficients(priors: Resolved, R: Array) -> tuple[Array, Integers, Array]:
    """Combinations of the coefficients of Q that have a prior not flat; kinds; parameters."""
    p = len(R)
    inverse = np.linalg.inv(R) if p else R
    rows, kind, par = [], [], []
    for i, prior in enumerate(priors.coefficients):
        if prior.kind == "flat":
            continue
        own = priors.centre if i == priors.intercept else np.eye(p)[i]
        code, numbers = coded(prior)
        rows.append(own @ inverse)
        kind.append(code)
        par.append(numbers)
    m = len(kind)
    return (
        np.ascontiguousarray(np.array(rows).reshape(m, p)),
        np.array(kind, np.intp),
        np.array(par).reshape(m, 3),
    )
