r"""Group effects that were integrated out, drawn from their conditional distribution.

Given parameters and all other effects, the standardised effect u of one level has the density

    exp(l(u) - u^2 / 2),    l(u) = sum of the log-likelihoods of the level's rows.

Its logarithm g is concave for every family here, so it lies below its tangents. Two of them, one
conditional sd to either side of the mode, make a double exponential envelope; rejection from it
is exact (Devroye 1986, Non-Uniform Random Variate Generation, section VII.2; Gilks & Wild 1992,
Appl. Stat. 41(2)) and accepts three draws in four, however many data a level has.
"""

import numpy as np
import scipy
from numpy.typing import NDArray

from .design import Design
from .families import Family

__all__ = ["draw_levels", "level_integrals", "without"]

Array = NDArray[np.float64]

_STEPS = 100


def draw_levels(
    design: Design,
    family: Family,
    beta: Array,
    factors: tuple[Array, ...],
    sigma: Array,
    effects: tuple[Array, ...],
    integrated: tuple[int, int] | None,
    seed: int,
) -> tuple[Array, ...]:
    """`effects` with the integrated column drawn: one per term, (C, D, J, k).

    Every level has its own stream of random numbers, made from `seed`.
    """
    if integrated is None:
        return effects
    t, column = integrated
    term = design.terms[t]
    C, D = sigma.shape
    sd = factors[t][..., column, column].reshape(-1)
    spread = sigma.reshape(-1)
    out = np.empty((term.J, C * D), np.float32)
    streams = np.random.SeedSequence((seed, 7)).spawn(term.J)
    for j, rows in enumerate(_rows_by_level(term.codes, term.J)):
        base = without(design, rows, beta, effects)
        level = _Level(design, family, rows, base, np.outer(term.Z[rows, column], sd), spread)
        out[j] = sd * level.draw(np.random.default_rng(streams[j]))
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
    integrated: tuple[int, int],
    n_nodes: int = 15,
) -> Array:
    """log of the likelihood of each level with its own effect integrated out, (J, S).

    The counting constants of the rows are left out.
    """
    from .quadrature import nodes

    t, column = integrated
    term = design.terms[t]
    sd, spread = factors[t][..., column, column].reshape(-1), sigma.reshape(-1)
    others = [b.copy() for b in effects]
    others[t][..., column] = 0.0
    x, log_weight = nodes(n_nodes)
    out = np.empty((term.J, len(sd)))
    for j, rows in enumerate(_rows_by_level(term.codes, term.J)):
        base = without(design, rows, beta, tuple(others))
        level = _Level(design, family, rows, base, np.outer(term.Z[rows, column], sd), spread)
        mode, information = level.mode()
        tau = 1.0 / np.sqrt(information)
        parts = []
        for node, log_w in zip(x, log_weight, strict=True):
            u = mode + np.sqrt(2.0) * tau * node
            parts.append(log_w + level.loglik(u) - 0.5 * u**2)
        out[j] = scipy.special.logsumexp(parts, axis=0) + np.log(tau) - 0.5 * np.log(np.pi)
    return out


def without(
    design: Design, rows: NDArray[np.intp], beta: Array, effects: tuple[Array, ...]
) -> Array:
    """Linear predictor (rows, S) of coefficients and `effects`."""
    p = beta.shape[-1]
    eta = design.X[rows] @ beta.reshape(-1, p).T + design.offset[rows, None]
    for term, b in zip(design.terms, effects, strict=True):
        own = b.reshape(-1, term.J, term.k)[:, term.codes[rows]]
        eta += np.einsum("ik,sik->is", term.Z[rows], own)
    return eta


def _rows_by_level(codes: NDArray[np.intp], J: int) -> list[NDArray[np.intp]]:
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.searchsorted(codes[order], np.arange(1, J)))


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
        self.family, self.base, self.zl = family, base, zl
        self.y = design.y[rows, None]
        self.trials = design.trials[rows, None]
        if family.name == "gaussian":
            self.trials = self.trials / sigma**2
        self.gaussian = family.name == "gaussian"

    def take(self, which: NDArray[np.intp]) -> "_Level":
        """The same level at some of the draws."""
        part: _Level = object.__new__(_Level)
        part.family, part.gaussian, part.y = self.family, self.gaussian, self.y
        part.base, part.zl = self.base[:, which], self.zl[:, which]
        part.trials = self.trials[:, which] if self.trials.shape[1] > 1 else self.trials
        return part

    def loglik(self, u: Array) -> Array:
        """l(u), (S,)."""
        eta = self.base + self.zl * u
        value = self.family.loglik(self.y, self.trials, eta)
        if self.gaussian:
            known = self.trials > 0
            value = value + np.where(
                known, 0.5 * np.log(np.where(known, self.trials, 1.0) / (2 * np.pi)), 0.0
            )
        return np.asarray(value.sum(axis=0))

    def slope(self, u: Array) -> tuple[Array, Array]:
        """l'(u) and the observed information, both (S,)."""
        y, trials, eta = np.broadcast_arrays(self.y, self.trials, self.base + self.zl * u)
        d = self.family.derivatives(y, trials, eta)
        return (d.score * self.zl).sum(axis=0), (d.information * self.zl**2).sum(axis=0)

    def mode(self) -> tuple[Array, Array]:
        """Where the density peaks, and its curvature there.

        g' falls from l'(0) at 0 and crosses zero before l'(0): Newton steps, and the middle of
        what is left where a step leaves it.
        """
        u = np.zeros(self.base.shape[1])
        first = self.slope(u)[0]
        low, high = np.minimum(first, 0.0), np.maximum(first, 0.0)
        for _ in range(_STEPS):
            slope, information = self.slope(u)
            rising = slope > u
            low, high = np.where(rising, u, low), np.where(rising, high, u)
            new = u + (slope - u) / (1.0 + information)
            new = np.where((new >= low) & (new <= high), new, 0.5 * (low + high))
            step = np.abs(new - u) * np.sqrt(1.0 + information)
            u = new
            if step.max(initial=0.0) < 1e-6:
                break
        return u, 1.0 + self.slope(u)[1]

    def draw(self, rng: np.random.Generator) -> Array:
        """One draw of u at each of the S draws."""
        mode, curvature = self.mode()
        tau = 1.0 / np.sqrt(curvature)
        if self.gaussian:
            return mode + rng.standard_normal(len(mode)) * tau
        a, b = mode - tau, mode + tau
        at_a, at_b = self.loglik(a) - 0.5 * a**2, self.loglik(b) - 0.5 * b**2
        up, down = self.slope(a)[0] - a, b - self.slope(b)[0]  # how fast g falls outwards
        peak = (at_b - at_a + up * a + down * b) / (up + down)
        top = at_a + up * (peak - a)
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
