r"""The levels of a logit model integrated side by side: the common case, compiled.

The formulas are those of `quadrature.adaptive`. What is quick is the order of the arithmetic: one
plain loop over many rows for each step, which a processor takes several rows at a time. Exponential
and logarithm are written out for that reason, and since no rounding is left to the machine's
library the result is the same bits everywhere. A gradient of the several-countries model takes 101
microseconds in place of 397 by the general loops of `levels`, Great Britain's 42 in place of 176,
that of 5,126 persons 520 in place of 1,059: without it the chains of lecture 10 take minutes.
"""

import math
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import float64, int64
from numba.extending import intrinsic

from hierwidgets.base.arrays import Array

from .compiled import compiled, inlined
from .problem import Integers

__all__ = ["logit_levels"]

ROWS = 256  # of one round: what it works on stays in the processor's cache
CLOSE = 1e-3  # Halley's method cubes the error, so one more step leaves none

_LOG2E = 1.0 / math.log(2.0)
_SHIFT = 1.5 * 2.0**52  # added and taken off again, it rounds to a whole number
_LN2_HIGH = 0.6931471803691238  # the first 32 bits of log 2, and the rest
_LN2_LOW = 1.9082149292705877e-10
_SQRT2 = math.sqrt(2.0)
_LOG2 = math.log(2.0)


@intrinsic
def _bits(context: Any, x: Any) -> Any:
    """The 64 bits of a number."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(64))

    return int64(float64), generate


@intrinsic
def _number(context: Any, bits: Any) -> Any:
    """The number that 64 bits stand for."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return float64(int64), generate


@inlined
def _exp(x: float) -> float:
    """exp(x) for x up to 0, below -700 as at -700; relative error 2e-16.

    ``2^k exp(r)`` with \\|r\\| at most log(2) / 2, where Taylor's series needs 13 terms.
    """
    x = max(x, -700.0)
    shifted = x * _LOG2E + _SHIFT
    k = shifted - _SHIFT
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    series = 1.0 / 479001600.0
    series = series * r + 1.0 / 39916800.0
    series = series * r + 1.0 / 3628800.0
    series = series * r + 1.0 / 362880.0
    series = series * r + 1.0 / 40320.0
    series = series * r + 1.0 / 5040.0
    series = series * r + 1.0 / 720.0
    series = series * r + 1.0 / 120.0
    series = series * r + 1.0 / 24.0
    series = series * r + 1.0 / 6.0
    series = series * r + 0.5
    series = series * r + 1.0
    series = series * r + 1.0
    return series * _number((_bits(shifted) + 1023) << 52)


@inlined
def _log1p(e: float) -> float:
    """log(1 + e) for e from 0 to 1; relative error 4e-16.

    ``2 atanh(s)`` with s = e / (2 + e); beyond sqrt(2), of (1 + e) / 2.
    """
    large = e > _SQRT2 - 1.0
    s = ((e - 1.0) if large else e) / ((3.0 + e) if large else (2.0 + e))
    q = s * s
    series = 1.0 / 21.0
    series = series * q + 1.0 / 19.0
    series = series * q + 1.0 / 17.0
    series = series * q + 1.0 / 15.0
    series = series * q + 1.0 / 13.0
    series = series * q + 1.0 / 11.0
    series = series * q + 1.0 / 9.0
    series = series * q + 1.0 / 7.0
    series = series * q + 1.0 / 5.0
    series = series * q + 1.0 / 3.0
    series = series * q + 1.0
    return 2.0 * s * series + (_LOG2 if large else 0.0)


# --- loops over rows or levels. Few arrays each, or the compiler gives up checking that they
# --- do not overlap and takes one row at a time.


@compiled
def _line(base: Array, slope: Array, u: Array, out: Array) -> None:
    for i in range(out.size):
        out[i] = base[i] + slope[i] * u[i]


@compiled
def _rates(eta: Array, p: Array) -> None:
    for i in range(p.size):
        e = _exp(-abs(eta[i]))
        p[i] = (1.0 if eta[i] > 0.0 else e) / (1.0 + e)


@compiled
def _rates_and_logs(eta: Array, p: Array, log: Array) -> None:
    """p, and log(1 + exp(eta)) = -log(1 - p)."""
    for i in range(p.size):
        e = _exp(-abs(eta[i]))
        p[i] = (1.0 if eta[i] > 0.0 else e) / (1.0 + e)
        log[i] = max(eta[i], 0.0) + _log1p(e)


@compiled
def _scores(y: Array, n: Array, p: Array, out: Array) -> None:
    for i in range(out.size):
        out[i] = y[i] - n[i] * p[i]


@compiled
def _logliks(y: Array, n: Array, eta: Array, log: Array, out: Array) -> None:
    for i in range(out.size):
        out[i] = y[i] * eta[i] - n[i] * log[i]


@compiled
def _weights(n: Array, p: Array, zl: Array, w: Array, bent: Array) -> None:
    """Information times zl, and its derivative by eta times zl^2."""
    for i in range(w.size):
        w[i] = n[i] * p[i] * (1.0 - p[i]) * zl[i]
        bent[i] = w[i] * (1.0 - 2.0 * p[i]) * zl[i]


@compiled
def _times(a: Array, b: Array, out: Array) -> None:
    for i in range(out.size):
        out[i] = a[i] * b[i]


@compiled
def _spread(u: Array, starts: Integers, out: Array) -> None:
    """The value of its level for every row."""
    if out.size == u.size:
        out[:] = u
        return
    first = starts[0]
    for j in range(u.size):
        for i in range(starts[j] - first, starts[j + 1] - first):
            out[i] = u[j]


@compiled
def _sum(rows: Array, starts: Integers, out: Array) -> None:
    """The sum over the rows of each level."""
    if rows.size == out.size:
        out[:] = rows
        return
    first = starts[0]
    for j in range(out.size):
        total = 0.0
        for i in range(starts[j] - first, starts[j + 1] - first):
            total += rows[i]
        out[j] = total


@compiled
def _step(slope: Array, info: Array, bent: Array, low: Array, high: Array, u: Array) -> float:
    """One step of Halley's method, or Newton's where that turns round, for every level, kept to
    the interval (low, high) known to hold the root; the longest step."""
    for j in range(u.size):
        f, g = slope[j] - u[j], 1.0 + info[j]
        low[j] = u[j] if f > 0.0 else low[j]
        high[j] = high[j] if f > 0.0 else u[j]
        below = 2.0 * g * g + f * bent[j]
        usual = below > g * g
        new = u[j] + f * (2.0 * g if usual else 1.0) / (below if usual else g)
        inside = (new >= low[j]) & (new <= high[j])
        new = new if inside else 0.5 * (low[j] + high[j])
        slope[j] = abs(new - u[j])
        u[j] = new
    longest = 0.0
    for j in range(u.size):
        longest = max(longest, slope[j])
    return longest


@compiled
def _modes(
    y: Array,
    n: Array,
    zl: Array,
    base: Array,
    starts: Integers,
    u: Array,
    rows: Array,
    levels: Array,
) -> None:  # fmt: skip
    """The maxima of ``sum loglik - u^2 / 2``, which is concave, into u (where the search begins).

    rows (5, >= n), levels (5, >= J) :
        Room to work in.
    """
    m, J = y.size, u.size
    eta, p, r1, r2, r3 = rows[0, :m], rows[1, :m], rows[2, :m], rows[3, :m], rows[4, :m]
    slope, info, bent = levels[0, :J], levels[1, :J], levels[2, :J]
    low, high = levels[3, :J], levels[4, :J]
    low[:] = -math.inf
    high[:] = math.inf
    for _ in range(200):
        _spread(u, starts, r1)
        _line(base, zl, r1, eta)
        _rates(eta, p)
        _scores(y, n, p, r1)
        _times(r1, zl, r3)
        _sum(r3, starts, slope)
        _weights(n, p, zl, r1, r2)
        _times(r1, zl, r3)
        _sum(r3, starts, info)
        _times(r2, zl, r3)
        _sum(r3, starts, bent)
        if _step(slope, info, bent, low, high, u) < CLOSE:
            return


@compiled
def _shares(terms: Array, total: Array) -> float:
    """Terms (K, J) exponentiated and made to sum to 1 in each level; the logs of their sums."""
    K, J = terms.shape
    value = 0.0
    top = terms[0].copy()
    for m in range(1, K):
        here = terms[m]
        for j in range(J):
            top[j] = max(top[j], here[j])
    total[:] = 0.0
    for m in range(K):
        here = terms[m]
        for j in range(J):
            here[j] = _exp(here[j] - top[j])
            total[j] += here[j]
    for j in range(J):
        value += top[j] + math.log(total[j])
        total[j] = 1.0 / total[j]
    for m in range(K):
        _times(terms[m], total, terms[m])
    return value


@compiled
def _at_modes(
    y: Array,
    n: Array,
    zl: Array,
    base: Array,
    starts: Integers,
    u: Array,
    rows: Array,
    levels: Array,
) -> None:  # fmt: skip
    """rows 6, 7, 8: information, its derivative and the score of the rows; levels 0, 1, 2: A,
    its derivative by u, and sqrt(2 / A)."""
    m, J = y.size, u.size
    eta, p, r = rows[0, :m], rows[1, :m], rows[2, :m]
    w, bent = rows[6, :m], rows[7, :m]
    A, scale = levels[0, :J], levels[2, :J]
    _spread(u, starts, r)
    _line(base, zl, r, eta)
    _rates(eta, p)
    _scores(y, n, p, rows[8, :m])
    _weights(n, p, zl, w, bent)
    _times(w, zl, r)
    _sum(r, starts, A)
    _times(bent, zl, r)
    _sum(r, starts, levels[1, :J])
    for j in range(J):
        A[j] += 1.0
        scale[j] = math.sqrt(2.0 / A[j])


@compiled
def _at_node(
    y: Array, n: Array, zl: Array, base: Array, starts: Integers, u: Array, log_weight: float,
    rows: Array, score: Array, term: Array, pull: Array,
) -> None:  # fmt: skip
    """Scores of the rows, and the log term of every level and its derivative, at u (J,)."""
    m = y.size
    eta, p, log, r = rows[0, :m], rows[1, :m], rows[2, :m], rows[3, :m]
    _spread(u, starts, r)
    _line(base, zl, r, eta)
    _rates_and_logs(eta, p, log)
    _scores(y, n, p, score)
    _logliks(y, n, eta, log, r)
    _sum(r, starts, term)
    _times(score, zl, r)
    _sum(r, starts, pull)
    for j in range(u.size):
        term[j] += log_weight - 0.5 * u[j] * u[j]
        pull[j] -= u[j]


@compiled
def _coefficients(A: Array, bent: Array, scale: Array, by_scale: Array, by_mode: Array) -> None:
    """c1 and c3 of `quadrature.adaptive`, in the place of by_scale and by_mode."""
    for j in range(A.size):
        by_scale[j] = -0.5 * (1.0 + scale[j] * by_scale[j]) / A[j]
        by_mode[j] = (by_mode[j] + by_scale[j] * bent[j]) / A[j]


@compiled
def _averages(
    m: int, starts: Integers, u: Array, node: Array, score: Array, terms: Array, pull: Array,
    rows: Array, levels: Array,
) -> None:  # fmt: skip
    """Averages over the nodes, whose shares are `terms`, of m rows. Rows 9, 10: of the score, and
    of the score times u; levels 5, 6: of the pull times the node, and of the pull."""
    J = u.size
    r1, r2, mean, mean_u = rows[0, :m], rows[1, :m], rows[9, :m], rows[10, :m]
    scale, here, by_scale, by_mode = levels[2, :J], levels[3, :J], levels[5, :J], levels[6, :J]
    by_scale[:], by_mode[:], mean[:], mean_u[:] = 0.0, 0.0, 0.0, 0.0
    for k in range(node.size):
        _times(terms[k, :J], pull[k, :J], here)
        for j in range(J):
            by_mode[j] += here[j]
            by_scale[j] += here[j] * node[k]
        _spread(terms[k, :J], starts, r1)
        _times(r1, score[k, :m], r2)
        for j in range(J):
            here[j] = u[j] + scale[j] * node[k]
        _spread(here, starts, r1)
        for i in range(m):
            mean[i] += r2[i]
            mean_u[i] += r1[i] * r2[i]


@compiled
def _round(
    y: Array, n: Array, z: Array, base: Array, starts: Integers, sd: float, u: Array, node: Array,
    log_weight: Array, grad: Array, rows: Array, levels: Array, score: Array, terms: Array,
    pull: Array,
) -> tuple[float, float]:  # fmt: skip
    """`logit_levels` of a few levels, whose search for modes begins at u (and ends there)."""
    m, J, K = y.size, u.size, node.size
    zl, mean, mean_u = rows[5, :m], rows[9, :m], rows[10, :m]
    r1, r2, r3 = rows[0, :m], rows[1, :m], rows[2, :m]
    A, scale, here, total = levels[0, :J], levels[2, :J], levels[3, :J], levels[4, :J]
    by_scale, by_mode = levels[5, :J], levels[6, :J]
    for i in range(m):
        zl[i] = z[i] * sd
    _modes(y, n, zl, base, starts, u, rows, levels)
    _at_modes(y, n, zl, base, starts, u, rows, levels)
    for k in range(K):
        for j in range(J):
            here[j] = u[j] + scale[j] * node[k]
        _at_node(
            y, n, zl, base, starts, here, log_weight[k], rows, score[k, :m], terms[k, :J],
            pull[k, :J],
        )  # fmt: skip
    value = _shares(terms[:, :J], total)
    for j in range(J):
        value -= 0.5 * math.log(A[j] * math.pi)
    _averages(m, starts, u, node, score, terms, pull, rows, levels)
    _coefficients(A, levels[1, :J], scale, by_scale, by_mode)
    _spread(by_scale, starts, r1)
    _spread(by_mode, starts, r2)
    _spread(u, starts, r3)
    by_sd, w, bent, s = 0.0, rows[6, :m], rows[7, :m], rows[8, :m]
    for i in range(m):
        r = r1[i] * bent[i] - r2[i] * w[i]
        grad[i] = mean[i] + r
        by_sd += z[i] * (mean_u[i] + r * r3[i] + 2.0 * r1[i] * w[i] + r2[i] * s[i])
    return value, by_sd


@compiled
def logit_levels(
    y: Array, trials: Array, z: Array, base: Array, starts: Integers, sd: float, begin: Array,
    node: Array, log_weight: Array, grad: Array,
) -> tuple[float, float]:  # fmt: skip
    """Log of the integral of all levels, and its derivative by the sd.

    Parameters
    ----------
    y, trials, z, base : (n,)
        Events, trials, the group term's column, and the linear predictor without its effects;
        rows sorted by level.
    starts : (J + 1,)
        Where each level begins.
    begin : (J,)
        Where the search for its mode begins, in units of the sd.
    node, log_weight : (K,)
        As `quadrature.nodes` gives them.
    grad : (n,)
        Receives the derivative by base.
    """
    J, K, widest = starts.size - 1, node.size, ROWS
    for j in range(J):
        widest = max(widest, starts[j + 1] - starts[j])
    rows, levels, u = np.empty((11, widest)), np.empty((7, widest)), begin.copy()
    score, terms, pull = np.empty((K, widest)), np.empty((K, widest)), np.empty((K, widest))
    value, by_sd, first = 0.0, 0.0, 0
    while first < J:
        last = first + 1
        while last < J and starts[last + 1] - starts[first] <= ROWS and last - first < ROWS:
            last += 1
        a, b = starts[first], starts[last]
        part = _round(
            y[a:b], trials[a:b], z[a:b], base[a:b], starts[first : last + 1], sd, u[first:last],
            node, log_weight, grad[a:b], rows, levels, score, terms, pull,
        )  # fmt: skip
        value += part[0]
        by_sd += part[1]
        first = last
    return value, by_sd
