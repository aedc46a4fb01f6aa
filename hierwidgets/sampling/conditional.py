r"""Group effects that were integrated out, drawn from their conditional distribution.

Given parameters and all other effects, the standardised effect u of one level has the density

    exp(l(u) - u^2 / 2),    l(u) = sum of the log-likelihoods of the level's rows.

Its logarithm g is concave for every family here, so it lies below its tangents. Two of them, one
conditional sd to either side of the mode, make a double exponential envelope; rejection from it
is exact (Devroye 1986, Non-Uniform Random Variate Generation, section VII.2; Gilks & Wild 1992,
Appl. Stat. 41(2)) and accepts three draws in four, however many data a level has.
"""

from collections.abc import Callable

import numpy as np
import scipy
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family

from .predictors import each_level, rows_by_level, without

__all__ = ["draw_levels", "level_integrals"]


_STEPS = 100
_NEAR = 0.2  # conditional sds; tangents touch one away, so the mode need not be exact

_Derivatives = Callable[[Array, Array, Array], tuple[Array, Array, Array]]
_Loglik = Callable[[Array, Array, Array], Array]


def draw_levels(
    design: Design,
    family: Family,
    beta: Array,
    factors: tuple[Array, ...],
    sigma: Array,
    effects: tuple[Array, ...],
    integrated: tuple[int, ...] | None,
    seed: int,
    cores: int | None = 1,
) -> tuple[Array, ...]:
    """`effects` with the integrated columns drawn: one per term, (C, D, J, k).

    Every level has its own stream of random numbers, made from `seed`, so they are the same on
    any number of `cores`; None takes all there are.
    """
    if integrated is None:
        return effects
    if len(integrated) > 2:
        from .conditional_pairs import draw_pairs

        without_pairs = _but(effects, integrated)
        return draw_pairs(
            design, family, beta, factors, sigma, effects, without_pairs, integrated, seed, cores
        )
    t, column = integrated
    term = design.terms[t]
    C, D = sigma.shape
    sd = factors[t][..., column, column].reshape(-1)
    spread = sigma.reshape(-1)
    out = np.empty((term.J, C * D), np.float32)
    streams = np.random.SeedSequence((seed, 7)).spawn(term.J)
    known = _but(effects, integrated)

    def draw(j: int, rows: NDArray[np.intp]) -> None:
        base = without(design, rows, beta, known)
        level = _Level(design, family, rows, base, np.outer(term.Z[rows, column], sd), spread)
        out[j] = sd * level.draw(np.random.default_rng(streams[j]))

    each_level(term.codes, term.J, cores, draw)
    whole = effects[t].copy()
    whole[..., column] = out.reshape(term.J, C, D).transpose(1, 2, 0)
    return (*effects[:t], whole, *effects[t + 1 :])


def level_integrals(
    design: Design,
    family: Family,
    beta: Array,
    factors: tuple[Array, ...],
    sigma: Array,
    effects: tuple[Array, ...],
    integrated: tuple[int, ...],
    n_nodes: int = 15,
) -> Array:
    """log of the likelihood of each level with its own effect integrated out, (J, S).

    The counting constants of the rows are left out.
    """
    from hierwidgets.likelihood.quadrature import nodes

    t, column = integrated
    term = design.terms[t]
    sd, spread = factors[t][..., column, column].reshape(-1), sigma.reshape(-1)
    others = _but(effects, integrated)
    x, log_weight = nodes(n_nodes)
    out = np.empty((term.J, len(sd)))
    for j, rows in enumerate(rows_by_level(term.codes, term.J)):
        base = without(design, rows, beta, others)
        level = _Level(design, family, rows, base, np.outer(term.Z[rows, column], sd), spread)
        mode, information = level.mode()
        tau = 1.0 / np.sqrt(information)
        parts = []
        for node, log_w in zip(x, log_weight, strict=True):
            u = mode + np.sqrt(2.0) * tau * node
            parts.append(log_w + level.loglik(u) - 0.5 * u**2)
        out[j] = scipy.special.logsumexp(parts, axis=0) + np.log(tau) - 0.5 * np.log(np.pi)
    return out


def _but(effects: tuple[Array, ...], integrated: tuple[int, ...]) -> tuple[Array | None, ...]:
    """Effects without some columns, which are 0; None for a term of which nothing is left."""
    t, *columns = integrated
    rest = None
    if effects[t].shape[-1] > len(columns):
        rest = effects[t].copy()
        rest[..., columns] = 0.0
    return (*effects[:t], rest, *effects[t + 1 :])


class _Level:
    """The rows of one level: base and zl, Z times the sd, are (rows, S)."""

    def __init__(
        self,
        design: Design,
        family: Family,
        rows: NDArray[np.intp],
        base: Array,
        zl: Array,
        sigma: Array,
    ) -> None:
        self.derivatives, self.row_loglik = _functions(family)
        self.base, self.zl = base, zl
        self.y = design.y[rows, None]
        self.trials = design.trials[rows, None]
        if family.name == "gaussian":
            self.trials = self.trials / sigma**2
        self.gaussian = family.name == "gaussian"

    def take(self, which: NDArray[np.intp]) -> "_Level":
        """The same level at some of the draws."""
        part: _Level = object.__new__(_Level)
        part.derivatives, part.row_loglik = self.derivatives, self.row_loglik
        part.gaussian, part.y = self.gaussian, self.y
        part.base, part.zl = self.base[:, which], self.zl[:, which]
        part.trials = self.trials[:, which] if self.trials.shape[1] > 1 else self.trials
        return part

    def loglik(self, u: Array) -> Array:
        """l(u), (S,)."""
        eta = self.base + self.zl * u
        value = self.row_loglik(self.y, self.trials, eta)
        if self.gaussian:
            known = self.trials > 0
            value = value + np.where(
                known, 0.5 * np.log(np.where(known, self.trials, 1.0) / (2 * np.pi)), 0.0
            )
        return np.asarray(value.sum(axis=0))

    def at(self, u: Array) -> tuple[Array, Array, Array]:
        """l(u) without a constant, l'(u) and the observed information, (S,) each."""
        d = self.derivatives(self.y, self.trials, self.base + self.zl * u)
        return (
            d[0].sum(axis=0),
            (d[1] * self.zl).sum(axis=0),
            (d[2] * self.zl**2).sum(axis=0),
        )

    def mode(self, close: float = 1e-6) -> tuple[Array, Array]:
        """Where the density peaks, to `close` conditional sds, and its curvature that close by.

        g' falls from l'(0) at 0 and crosses zero before l'(0): Newton steps, and the middle of
        what is left where a step leaves it.
        """
        u = np.zeros(self.base.shape[1])
        slope, information = self.at(u)[1:]
        low, high = np.minimum(slope, 0.0), np.maximum(slope, 0.0)
        for _ in range(_STEPS):
            new = u + (slope - u) / (1.0 + information)
            new = np.where((new >= low) & (new <= high), new, 0.5 * (low + high))
            step = np.abs(new - u) * np.sqrt(1.0 + information)
            u = new
            if step.max(initial=0.0) < close:
                break
            slope, information = self.at(u)[1:]
            rising = slope > u
            low, high = np.where(rising, u, low), np.where(rising, high, u)
        return u, 1.0 + information

    def draw(self, rng: np.random.Generator) -> Array:
        """One draw of u at each of the S draws."""
        mode, curvature = self.mode(1e-6 if self.gaussian else _NEAR)
        tau = 1.0 / np.sqrt(curvature)
        if self.gaussian:
            return mode + rng.standard_normal(len(mode)) * tau
        peak, top, up, down = self._tangents(mode, tau)
        if not ((up > 0) & (down > 0)).all():
            peak, top, up, down = self._tangents(*self._precise())
        out, left, here = np.empty(len(mode)), np.arange(len(mode)), self
        while left.size:
            rise, fall = up[left], down[left]
            before = rng.random(left.size) * (rise + fall) < fall
            away = rng.standard_exponential(left.size)
            u = peak[left] + np.where(before, -away / rise, away / fall)
            gap = here.loglik(u) - 0.5 * u**2 - (top[left] - away)
            taken = -rng.standard_exponential(left.size) <= gap
            out[left[taken]] = u[taken]
            left = left[~taken]
            here = self.take(left)
        return out

    def _precise(self) -> tuple[Array, Array]:
        mode, curvature = self.mode()
        return mode, 1.0 / np.sqrt(curvature)

    def _tangents(self, mode: Array, tau: Array) -> tuple[Array, Array, Array, Array]:
        """Where two tangents meet and how high, and how fast g falls outwards on each."""
        a, b = mode - tau, mode + tau
        at_a, slope_a, _ = self.at(a)
        at_b, slope_b, _ = self.at(b)
        at_a, at_b = at_a - 0.5 * a**2, at_b - 0.5 * b**2
        up, down = slope_a - a, b - slope_b
        peak = (at_b - at_a + up * a + down * b) / (up + down)
        return peak, at_a + up * (peak - a), up, down


def _logit(y: Array, trials: Array, eta: Array) -> tuple[Array, Array, Array]:
    """Log-likelihood, score and information of rows of a logit model, by one exponential."""
    e = np.exp(-np.abs(eta))
    small = 1.0 / (1.0 + e)
    p = np.where(eta > 0, small, e * small)
    loglik = y * eta - trials * (np.maximum(eta, 0.0) + np.log1p(e))
    return loglik, y - trials * p, trials * e * small**2


def _logit_loglik(y: Array, trials: Array, eta: Array) -> Array:
    return y * eta - trials * (np.maximum(eta, 0.0) + np.log1p(np.exp(-np.abs(eta))))


def _functions(family: Family) -> tuple[_Derivatives, _Loglik]:
    """Log-likelihood, score and observed information of rows; and the first alone."""
    if (family.name, family.link.name) == ("binomial", "logit"):
        return _logit, _logit_loglik

    def general(y: Array, trials: Array, eta: Array) -> tuple[Array, Array, Array]:
        d = family.derivatives(*np.broadcast_arrays(y, trials, eta))
        return d.loglik, d.score, d.information

    return general, family.loglik
