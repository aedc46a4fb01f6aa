r"""The log posterior density and its gradient, compiled: what a sampler calls.

Compiled by numba, without the interpreter lock, so that chains run side by side. The
formulas are those of `density`, `quadrature` and `priors`, which the tests compare with; the
coordinates x are explained in `geometry`. In the order of x:

    log sd of the integrated effects (if any);
    per sampled piece: k log sds, then k (k - 1) / 2 numbers z with tanh(z) the canonical
    partial correlations (Lewandowski et al. 2009), row by row;
    log residual sd (Gaussian);  whitened coefficients and effects xi.

A coordinate x of an sd or correlation is bent: it stands for ``log sd (or z) = centre +
x sqrt(1 + a x^2)``, close to x near the centre and to sqrt(a) x^2 far from it, which turns the
exponential tails that a posterior has in log sd and z (an sd may be 0, a correlation 1; half-t
priors reach far) into normal ones. The bend a differs between the two tails (`geometry`).

Only `sampler` imports this module, and only when it samples.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array

from .logit_kernel import logit_levels

__all__ = ["Problem", "constrain", "log_density"]

Index = NDArray[np.int64]

compiled = njit(cache=True, nogil=True, error_model="numpy")
LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)
FARTHEST = 100.0  # log sds and z beyond this overflow
_SQRT_HALF = math.sqrt(0.5)


class Problem(NamedTuple):
    """Everything the density needs, as arrays (see `geometry.problem`)."""

    family: int  # 0 logit, 1 probit, 2 cloglog, 3 poisson, 4 gaussian
    y: Array  # (n,), rows sorted by the integrated piece's level
    trials: Array
    offset: Array
    Q: Array  # (n, p)
    integrated: int  # 1 if one scalar piece is integrated out
    z0: Array  # (n,) its column
    starts: Index  # (J0 + 1,)
    u_start: Array  # (J0,) where Newton's method begins
    node: Array  # (K,)
    log_weight: Array
    sizes: Index  # (T,) k of each sampled piece
    levels: Index  # (T,) J
    codes: Index  # (T, n)
    Z: Array  # (n, sum k)
    widest: int  # the largest k, at least 1
    block: Index  # (blocks + 1,) bounds of the blocks of v
    slot: Index  # (slots,) start of each level's effects in v
    slot_piece: Index  # (slots,)
    slot_at: Index  # (blocks + 1,) the first slot of each block
    H: Array  # information of each block, row by row, one after the other
    H_at: Index  # (blocks + 1,) where each block begins in H
    r: Array  # (len(v),) information times the reference estimate
    eta: Array  # (T,) of LKJ
    bent_at: Index  # (m,) which coordinates are bent
    bent_centre: Array  # (m,) what 0 stands for
    bent_by: Array  # (m, 2) by how much, below and above 0
    sd_kind: Index  # (1 + T, kmax): row 0 for the integrated piece
    sd_par: Array  # (1 + T, kmax, 3)
    map: Array  # (m, p): what has a prior, as combinations of the p coefficients of Q
    map_kind: Index
    map_par: Array  # (m, 3)
    sigma_kind: int
    sigma_par: Array  # (3,)


# --- families -----------------------------------------------------------------------------


@compiled
def _log_ndtr(x: float) -> float:
    if x > -20.0:
        return math.log(0.5 * math.erfc(-x * _SQRT_HALF))
    s = 1.0 / (x * x)
    series = 1.0 - s * (1.0 - 3.0 * s * (1.0 - 5.0 * s * (1.0 - 7.0 * s * (1.0 - 9.0 * s))))
    return -0.5 * x * x - math.log(-x) - LOG_SQRT_2PI + math.log(series)


@compiled
def _score(family: int, y: float, n: float, eta: float) -> tuple[float, float]:
    """Log-likelihood of a row without constants, and its derivative."""
    if family == 0:
        e = math.exp(-abs(eta))
        small = 1.0 / (1.0 + e)
        p = small if eta > 0 else e * small
        return y * eta - n * (max(eta, 0.0) + math.log(1.0 + e)), y - n * p
    if family == 3:
        mean = n * math.exp(min(eta, 700.0))
        return y * eta - mean, y - mean
    if family == 1:
        log_p, log_q = _log_ndtr(eta), _log_ndtr(-eta)
        base = -0.5 * eta * eta - LOG_SQRT_2PI
        slope = y * math.exp(base - log_p) - (n - y) * math.exp(base - log_q)
        return y * log_p + (n - y) * log_q, slope
    if family == 2:
        t = math.exp(min(eta, 700.0))
        a = 1.0 if t < 1e-300 else t / math.expm1(min(t, 700.0))
        log_p = eta - 0.5 * t if t < 1e-8 else math.log(-math.expm1(-t))
        return y * log_p - (n - y) * t, y * a - (n - y) * t
    residual = y - eta
    return -0.5 * n * residual * residual, n * residual


@compiled
def _curvature(family: int, y: float, n: float, eta: float) -> tuple[float, float, float]:
    """Expected information, its derivative, and the observed information of a row."""
    if family == 0:
        e = math.exp(-abs(eta))
        small = 1.0 / (1.0 + e)
        weight = n * e * small * small
        tilt = (e - 1.0) * small if eta > 0 else (1.0 - e) * small
        return weight, weight * tilt, weight
    if family == 3:
        mean = n * math.exp(min(eta, 700.0))
        return mean, mean, mean
    if family == 1:
        base = -0.5 * eta * eta - LOG_SQRT_2PI
        a = math.exp(base - _log_ndtr(eta))
        b = math.exp(base - _log_ndtr(-eta))
        weight = n * a * b
        observed = y * a * (eta + a) + (n - y) * b * (b - eta)
        return weight, weight * (b - a - 2.0 * eta), observed
    if family == 2:
        t = math.exp(min(eta, 700.0))
        a = 1.0 if t < 1e-300 else t / math.expm1(min(t, 700.0))
        weight = n * a * t
        observed = -y * a * (1.0 - t - a) + (n - y) * t
        return weight, weight * (2.0 - t - a), observed
    return n, 0.0, n


# --- the likelihood -----------------------------------------------------------------------


@compiled
def _direct(q: Problem, base: Array, grad: Array, inv2: float) -> tuple[float, float]:
    """Rows given all effects; the second value is d / d log sigma of a Gaussian model."""
    value, by_sigma = 0.0, 0.0
    for i in range(base.size):
        n = q.trials[i] * inv2
        ll, s = _score(q.family, q.y[i], n, base[i])
        value += ll
        grad[i] = s
        if q.family == 4 and n > 0:
            value += 0.5 * math.log(n) - LOG_SQRT_2PI
            by_sigma += -2.0 * ll - 1.0
    return value, by_sigma


@compiled
def _gaussian_levels(
    q: Problem, base: Array, sd: float, grad: Array, inv2: float
) -> tuple[float, float, float]:
    """A scalar group term of a Gaussian model integrated in closed form."""
    value, by_sd, by_sigma = 0.0, 0.0, 0.0
    for j in range(q.starts.size - 1):
        A, pull = 1.0, 0.0
        for i in range(q.starts[j], q.starts[j + 1]):
            n, zl = q.trials[i] * inv2, q.z0[i] * sd
            A += n * zl * zl
            pull += n * zl * (q.y[i] - base[i])
        u = pull / A
        value += -0.5 * math.log(A) - 0.5 * u * u
        for i in range(q.starts[j], q.starts[j + 1]):
            n, z = q.trials[i] * inv2, q.z0[i]
            rest = q.y[i] - base[i] - z * sd * u
            square = rest * rest + z * z * sd * sd / A
            grad[i] = n * rest
            by_sd += n * z * (rest * u - z * sd / A)
            if n > 0:
                value += -0.5 * n * rest * rest + 0.5 * math.log(n) - LOG_SQRT_2PI
                by_sigma += n * square - 1.0
    return value, by_sd, by_sigma


@compiled
def _slope(family: int, y: float, n: float, eta: float) -> tuple[float, float]:
    """First derivative and observed information of a row."""
    if family == 0:
        e = math.exp(-abs(eta))
        small = 1.0 / (1.0 + e)
        return y - n * (small if eta > 0 else e * small), n * e * small * small
    s = _score(family, y, n, eta)[1]
    return s, _curvature(family, y, n, eta)[2]


@compiled
def _mode(q: Problem, base: Array, sd: float, a: int, b: int, u: float) -> float:
    """The maximum of a level's ``sum loglik - u^2 / 2``, which is concave: Newton steps,
    and a bisection where a step leaves the interval known to hold it."""
    low, high = -math.inf, math.inf
    for _ in range(200):
        slope, info = -u, 1.0
        for i in range(a, b):
            zl = q.z0[i] * sd
            s, observed = _slope(q.family, q.y[i], q.trials[i], base[i] + zl * u)
            slope += zl * s
            info += zl * zl * observed
        if slope > 0:
            low = u
        else:
            high = u
        new = u + slope / info
        if not low <= new <= high:
            new = u + math.copysign(1.0 + abs(u), slope)
            if low < new < high:
                u = new
                continue
            new = 0.5 * (low + high)
        if abs(new - u) < 1e-4:  # and so the error of `new` is below 1e-8
            return new
        u = new
    return u


@compiled
def _levels(q: Problem, base: Array, sd: float, grad: Array) -> tuple[float, float]:
    """A scalar group term integrated by adaptive quadrature: see `quadrature.adaptive`."""
    K = q.node.size
    widest = 0
    for j in range(q.starts.size - 1):
        widest = max(widest, q.starts[j + 1] - q.starts[j])
    scores = np.empty((K, widest))
    terms, u, pull = np.empty(K), np.empty(K), np.empty(K)
    value, by_sd = 0.0, 0.0
    for j in range(q.starts.size - 1):
        a, b = q.starts[j], q.starts[j + 1]
        mode = _mode(q, base, sd, a, b, q.u_start[j])
        A, A_observed, bent = 1.0, 1.0, 0.0
        for i in range(a, b):
            zl = q.z0[i] * sd
            w, dw, wo = _curvature(q.family, q.y[i], q.trials[i], base[i] + zl * mode)
            A += w * zl * zl
            A_observed += wo * zl * zl
            bent += dw * zl * zl * zl
        tau = 1.0 / math.sqrt(A)
        top = -math.inf
        for m in range(K):
            u[m] = mode + math.sqrt(2.0) * tau * q.node[m]
            terms[m] = q.log_weight[m] - 0.5 * u[m] * u[m]
            pull[m] = -u[m]
            for i in range(a, b):
                zl = q.z0[i] * sd
                ll, s = _score(q.family, q.y[i], q.trials[i], base[i] + zl * u[m])
                terms[m] += ll
                scores[m, i - a] = s
                pull[m] += zl * s
            top = max(top, terms[m])
        total = 0.0
        for m in range(K):
            terms[m] = math.exp(terms[m] - top)
            total += terms[m]
        value += math.log(tau) - 0.5 * math.log(math.pi) + top + math.log(total)
        by_scale, by_mode = 0.0, 0.0
        for m in range(K):
            terms[m] /= total
            by_scale += terms[m] * pull[m] * q.node[m]
            by_mode += terms[m] * pull[m]
        c1 = -0.5 * (1.0 + math.sqrt(2.0) * tau * by_scale) / A
        c3 = (by_mode + c1 * bent) / A_observed
        for i in range(a, b):
            z, zl = q.z0[i], q.z0[i] * sd
            eta = base[i] + zl * mode
            w, dw, wo = _curvature(q.family, q.y[i], q.trials[i], eta)
            s = _score(q.family, q.y[i], q.trials[i], eta)[1]
            mean, mean_u = 0.0, 0.0
            for m in range(K):
                mean += terms[m] * scores[m, i - a]
                mean_u += terms[m] * scores[m, i - a] * u[m]
            r = c1 * dw * zl * zl - c3 * zl * wo
            grad[i] = mean + r
            by_sd += z * (mean_u + r * mode + 2.0 * c1 * w * zl + c3 * s)
    return value, by_sd


# --- priors -------------------------------------------------------------------------------


@compiled
def _prior(kind: int, par: Array, x: float) -> tuple[float, float]:
    """A log prior density without its constant, and its derivative."""
    a, b, c = par[0], par[1], par[2]
    if kind == 1:
        t = (x - a) / b
        return -0.5 * t * t, -t / b
    if kind == 2:
        t = (x - b) / c
        return -0.5 * (a + 1.0) * math.log1p(t * t / a), -(a + 1.0) * t / (a + t * t) / c
    if kind == 3:
        return -a * x, -a
    if kind == 4:
        if x <= 0.0:
            return -math.inf, 0.0
        return (a - 1.0) * math.log(x) - b * x, (a - 1.0) / x - b
    if kind == 5 and (x < a or x > b):
        return -math.inf, 0.0
    return 0.0, 0.0


# --- covariance of a sampled piece --------------------------------------------------------


@compiled
def _log_sech(z: float) -> float:
    a = abs(z)
    return math.log(2.0) - a - math.log1p(math.exp(-2.0 * a))


@compiled
def _correlation_factor(z: Array, k: int) -> Array:
    """Cholesky factor of a correlation matrix from partial correlations tanh(z)."""
    L = np.zeros((k, k))
    L[0, 0] = 1.0
    at = 0
    for i in range(1, k):
        rest = 1.0
        for j in range(i):
            L[i, j] = math.tanh(z[at]) * rest
            rest *= math.exp(_log_sech(z[at]))
            at += 1
        L[i, i] = rest
    return L


@compiled
def _factor(q: Problem, t: int, x: Array) -> Array:
    """The Cholesky factor of a piece's covariance in the centred columns."""
    k = q.sizes[t]
    factor = _correlation_factor(x[k:], k)
    for i in range(k):
        for j in range(i + 1):
            factor[i, j] *= math.exp(x[i])
    return factor


@compiled
def _covariance(
    q: Problem, t: int, x: Array, factor: Array, factor_bar: Array, grad: Array
) -> float:
    """Log prior of a piece's covariance in its coordinates x; `grad` gets all derivatives.

    Parameters
    ----------
    factor_bar :
        The derivative of the rest of the log density by `factor`.
    """
    k = q.sizes[t]
    value = 0.0
    for i in range(k):
        sd = math.exp(x[i])
        lp, slope = _prior(q.sd_kind[1 + t, i], q.sd_par[1 + t, i], sd)
        value += lp + x[i]
        grad[i] += slope * sd + 1.0
        for j in range(i + 1):
            grad[i] += factor_bar[i, j] * factor[i, j]
    return value + _partial(k, q.eta[t], x, factor, factor_bar, grad)


@compiled
def _partial(k: int, eta: float, x: Array, factor: Array, bar: Array, grad: Array) -> float:
    """The density of the correlations in z = x[k:], and the chain rule from factor to z.

    With w = tanh(z) in column j of k (from 0), ``det R = prod (1 - w^2)`` and
    ``|d R / d z| = prod (1 - w^2)^((k - j) / 2)`` (Lewandowski et al. 2009, eq. 11, times
    dw / dz).
    """
    value, at = 0.0, k
    for i in range(1, k):
        for j in range(i):
            w = math.tanh(x[at])
            power = 2.0 * (eta - 1.0) + (k - j)
            value += power * _log_sech(x[at])
            slope = -power * w
            slope += bar[i, j] * math.exp(x[i] + _rest(x, k, i, j)) * (1.0 - w * w)
            for m in range(j + 1, i + 1):
                slope -= bar[i, m] * factor[i, m] * w
            grad[at] += slope
            at += 1
    return value


@compiled
def _rest(x: Array, k: int, i: int, j: int) -> float:
    """log of what earlier partial correlations leave of row i's scale, before column j."""
    start = k + i * (i - 1) // 2
    rest = 0.0
    for m in range(j):
        rest += _log_sech(x[start + m])
    return rest


@compiled
def _times(A: Array, B: Array) -> Array:
    """A B for small matrices."""
    out = np.zeros((A.shape[0], B.shape[1]))
    for i in range(A.shape[0]):
        for m in range(A.shape[1]):
            for j in range(B.shape[1]):
                out[i, j] += A[i, m] * B[m, j]
    return out


# --- whitening ----------------------------------------------------------------------------


@compiled
def _inverse_lower(F: Array) -> Array:
    k = F.shape[0]
    G = np.zeros((k, k))
    for j in range(k):
        G[j, j] = 1.0 / F[j, j]
        for i in range(j + 1, k):
            total = 0.0
            for m in range(j, i):
                total += F[i, m] * G[m, j]
            G[i, j] = -total / F[i, i]
    return G


@compiled
def _cholesky(P: Array) -> bool:
    """P = C C' in place (lower triangle); False where P is not positive definite."""
    d = P.shape[0]
    for j in range(d):
        for i in range(j, d):
            total = P[i, j]
            for m in range(j):
                total -= P[i, m] * P[j, m]
            if i == j:
                if not total > 0.0:
                    return False
                P[j, j] = math.sqrt(total)
            else:
                P[i, j] = total / P[j, j]
        for i in range(j):
            P[i, j] = 0.0
    return True


@compiled
def _forward(C: Array, b: Array) -> Array:
    """inv(C) b."""
    out = b.copy()
    for i in range(b.size):
        for m in range(i):
            out[i] -= C[i, m] * out[m]
        out[i] /= C[i, i]
    return out


@compiled
def _backward(C: Array, b: Array) -> Array:
    """inv(C') b."""
    out = b.copy()
    for i in range(b.size - 1, -1, -1):
        for m in range(i + 1, b.size):
            out[i] -= C[m, i] * out[m]
        out[i] /= C[i, i]
    return out


@compiled
def _cholesky_reverse(C: Array, C_bar: Array) -> Array:
    """The derivative by P (symmetric) of what has derivative C_bar by its factor C.

    Murray (2016), arXiv:1602.07527, eq. 10: ``inv(C') Phi(C' C_bar) inv(C)``, made symmetric.
    """
    d = C.shape[0]
    M = np.zeros((d, d))
    for i in range(d):
        for j in range(i + 1):
            total = 0.0
            for m in range(i, d):
                total += C[m, i] * C_bar[m, j]
            M[i, j] = total if i > j else 0.5 * total
    for j in range(d):
        M[:, j] = _backward(C, M[:, j])
    for i in range(d):
        M[i] = _backward(C, M[i])
    return 0.5 * (M + M.T)


@compiled
def _precision(q: Problem, c: int, inverses: Array) -> Array:
    """The precision of block c: information plus the prior precision of its levels."""
    a, d = q.block[c], q.block[c + 1] - q.block[c]
    P = q.H[q.H_at[c] : q.H_at[c] + d * d].copy().reshape(d, d)
    for s in range(q.slot_at[c], q.slot_at[c + 1]):
        t, at = q.slot_piece[s], q.slot[s] - a
        k = q.sizes[t]
        for i in range(k):
            for j in range(k):
                P[at + i, at + j] += inverses[t, i, j]
    return P


@compiled
def _unwhiten(q: Problem, xi: Array, inverses: Array, v: Array, C: Array) -> float:
    """v from xi: ``v = inv(P) r + inv(C') xi`` with ``P = C C'``; log |dv / dxi|.

    Given the covariances, P and inv(P) r are the precision and mean of coefficients and
    effects as far as the reference fit tells, so xi is close to N(0, I) whatever the
    covariances are. The map is a bijection at any reference: the posterior does not change.
    """
    logdet = 0.0
    for c in range(q.block.size - 1):
        a, b = q.block[c], q.block[c + 1]
        P = _precision(q, c, inverses)
        if not _cholesky(P):
            return math.nan
        v[a:b] = _backward(P, _forward(P, q.r[a:b]) + xi[a:b])
        for i in range(b - a):
            logdet -= math.log(P[i, i])
            for j in range(i + 1):
                C[q.H_at[c] + i * (b - a) + j] = P[i, j]
    return logdet


@compiled
def _unwhiten_reverse(
    q: Problem, xi: Array, v: Array, C: Array, v_bar: Array, xi_bar: Array, inverse_bar: Array
) -> None:
    """Derivatives by xi and by the prior precisions, from those by v."""
    for c in range(q.block.size - 1):
        a, b = q.block[c], q.block[c + 1]
        d = b - a
        L = C[q.H_at[c] : q.H_at[c] + d * d].copy().reshape(d, d)
        w = _forward(L, v_bar[a:b])
        xi_bar[a:b] = w
        if q.slot_at[c] == q.slot_at[c + 1]:
            continue
        first, second = _forward(L, q.r[a:b]), _backward(L, w)
        L_bar = np.zeros((d, d))
        for i in range(d):
            for j in range(i + 1):
                L_bar[i, j] = -v[a + i] * w[j] - second[i] * first[j]
            L_bar[i, i] -= 1.0 / L[i, i]
        P_bar = _cholesky_reverse(L, L_bar)
        for s in range(q.slot_at[c], q.slot_at[c + 1]):
            t, at = q.slot_piece[s], q.slot[s] - a
            for i in range(q.sizes[t]):
                for j in range(q.sizes[t]):
                    inverse_bar[t, i, j] += P_bar[at + i, at + j]


# --- coordinates --------------------------------------------------------------------------


@compiled
def _covariances(q: Problem, x: Array, factors: Array, inverses: Array) -> None:
    """Factor and inverse covariance of every piece."""
    at = q.integrated
    for t in range(q.sizes.size):
        k = q.sizes[t]
        factor = _factor(q, t, x[at : at + k * (k + 1) // 2])
        G = _inverse_lower(factor)
        factors[t, :k, :k] = factor
        inverses[t, :k, :k] = _times(G.T, G)
        at += k * (k + 1) // 2


@compiled
def _predictor(q: Problem, v: Array) -> Array:
    """Linear predictor without the integrated effects."""
    p = q.Q.shape[1]
    base = q.offset.copy()
    for i in range(base.size):
        for m in range(p):
            base[i] += q.Q[i, m] * v[m]
    at, column = p, 0
    for t in range(q.sizes.size):
        k = q.sizes[t]
        for i in range(base.size):
            start = at + q.codes[t, i] * k
            for m in range(k):
                base[i] += q.Z[i, column + m] * v[start + m]
        at += q.levels[t] * k
        column += k
    return base


@compiled
def _pull(q: Problem, by_row: Array, v_bar: Array) -> None:
    """The transpose of `_predictor`: derivatives by v from those by the predictor."""
    p = q.Q.shape[1]
    for i in range(by_row.size):
        for m in range(p):
            v_bar[m] += q.Q[i, m] * by_row[i]
    at, column = p, 0
    for t in range(q.sizes.size):
        k = q.sizes[t]
        for i in range(by_row.size):
            start = at + q.codes[t, i] * k
            for m in range(k):
                v_bar[start + m] += q.Z[i, column + m] * by_row[i]
        at += q.levels[t] * k
        column += k


@compiled
def _natural(q: Problem, x: Array) -> Array:
    """x with log sds and z in the place of their bent coordinates."""
    out = x.copy()
    for m in range(q.bent_at.size):
        s = x[q.bent_at[m]]
        a = q.bent_by[m, 1 if s > 0.0 else 0]
        out[q.bent_at[m]] = q.bent_centre[m] + s * math.sqrt(1.0 + a * s * s)
    return out


@compiled
def _natural_reverse(q: Problem, x: Array, grad: Array) -> float:
    """The log Jacobian of `_natural`; `grad` is led back to x, the Jacobian's added."""
    value = 0.0
    for m in range(q.bent_at.size):
        i = q.bent_at[m]
        a = q.bent_by[m, 1 if x[i] > 0.0 else 0]
        s2 = a * x[i] * x[i]
        slope = (1.0 + 2.0 * s2) / math.sqrt(1.0 + s2)
        value += math.log(slope)
        grad[i] = grad[i] * slope + a * x[i] * (4.0 / (1.0 + 2.0 * s2) - 1.0 / (1.0 + s2))
    return value


# --- the density --------------------------------------------------------------------------


@compiled
def _likelihood(
    q: Problem, base: Array, sd: float, sigma: float, by_row: Array
) -> tuple[float, float, float]:
    """Log-likelihood, and its derivatives by log sd (integrated) and log sigma."""
    if not q.integrated:
        value, by_sigma = _direct(q, base, by_row, 1.0 / sigma**2)
        return value, 0.0, by_sigma
    if q.family == 4:
        value, by_sd, by_sigma = _gaussian_levels(q, base, sd, by_row, 1.0 / sigma**2)
        return value, by_sd * sd, by_sigma
    if q.family == 0:
        value, by_sd = logit_levels(
            q.y, q.trials, q.z0, base, q.starts, sd, q.u_start, q.node, q.log_weight, by_row
        )
        return value, by_sd * sd, 0.0
    value, by_sd = _levels(q, base, sd, by_row)
    return value, by_sd * sd, 0.0


@compiled
def _effects_prior(
    q: Problem, v: Array, factors: Array, inverses: Array, v_bar: Array, inverse_bar: Array
) -> float:
    """log N(c | 0, Sigma) of every sampled effect, without 2 pi."""
    value, at = 0.0, q.Q.shape[1]
    for t in range(q.sizes.size):
        k = q.sizes[t]
        for i in range(k):
            value -= q.levels[t] * math.log(factors[t, i, i])
        for _ in range(q.levels[t]):
            for i in range(k):
                for j in range(k):
                    product = v[at + i] * v[at + j]
                    value -= 0.5 * inverses[t, i, j] * product
                    v_bar[at + i] -= inverses[t, i, j] * v[at + j]
                    inverse_bar[t, i, j] -= 0.5 * product
            at += k
    return value


@compiled
def _coefficient_prior(q: Problem, v: Array, v_bar: Array) -> float:
    value, p = 0.0, q.Q.shape[1]
    for m in range(q.map.shape[0]):
        lp, slope = _prior(q.map_kind[m], q.map_par[m], np.sum(q.map[m] * v[:p]))
        value += lp
        v_bar[:p] += slope * q.map[m]
    return value


@compiled
def log_density(q: Problem, x: Array, grad: Array) -> float:
    """Log posterior density at x, up to a constant; its gradient (d,) goes to `grad`."""
    natural = _natural(q, x)
    for i in range(x.size - q.r.size):
        if not abs(natural[i]) < FARTHEST:
            return -math.inf
    value = _log_density(q, natural, grad)
    return value + _natural_reverse(q, x, grad)


@compiled
def _log_density(q: Problem, x: Array, grad: Array) -> float:
    """`log_density` with log sds for coordinates."""
    T, d = q.sizes.size, q.r.size
    widest = q.widest
    grad[:] = 0.0
    value, sd, sigma = 0.0, 0.0, 1.0
    if q.integrated:
        sd = math.exp(x[0])
        lp, slope = _prior(q.sd_kind[0, 0], q.sd_par[0, 0], sd)
        value += lp + x[0]
        grad[0] += slope * sd + 1.0
    at_sigma = x.size - d - 1
    if q.family == 4:
        sigma = math.exp(x[at_sigma])
        lp, slope = _prior(q.sigma_kind, q.sigma_par, sigma)
        value += lp + x[at_sigma]
        grad[at_sigma] += slope * sigma + 1.0
    factors, inverses = np.zeros((T, widest, widest)), np.zeros((T, widest, widest))
    _covariances(q, x, factors, inverses)
    v, C, xi = np.empty(d), np.zeros(q.H.size), x[x.size - d :]
    value += _unwhiten(q, xi, inverses, v, C)
    if not math.isfinite(value):
        return -math.inf
    v_bar, inverse_bar = np.zeros(d), np.zeros((T, widest, widest))
    by_row = np.empty(q.y.size)
    ll, by_sd, by_sigma = _likelihood(q, _predictor(q, v), sd, sigma, by_row)
    value += ll
    _pull(q, by_row, v_bar)
    if q.integrated:
        grad[0] += by_sd
    if q.family == 4:
        grad[at_sigma] += by_sigma
    value += _coefficient_prior(q, v, v_bar)
    value += _effects_prior(q, v, factors, inverses, v_bar, inverse_bar)
    _unwhiten_reverse(q, xi, v, C, v_bar, grad[x.size - d :], inverse_bar)
    value += _pieces(q, x, factors, inverses, inverse_bar, grad)
    return value if math.isfinite(value) else -math.inf


@compiled
def _pieces(
    q: Problem, x: Array, factors: Array, inverses: Array, inverse_bar: Array, grad: Array
) -> float:
    """Priors of the covariances, and everything's derivative by their coordinates.

    ``d inv(Sigma) = -inv(Sigma) dSigma inv(Sigma)`` and ``Sigma = F F'``; and the effects'
    prior has ``-J log|F|``.
    """
    value, at = 0.0, q.integrated
    for t in range(q.sizes.size):
        k = q.sizes[t]
        size = k * (k + 1) // 2
        F, S, bar = factors[t, :k, :k], inverses[t, :k, :k], inverse_bar[t, :k, :k]
        F_bar = -_times(_times(S, bar + bar.T), _times(S, F))
        for i in range(k):
            F_bar[i, i] -= q.levels[t] / F[i, i]
        value += _covariance(q, t, x[at : at + size], F, F_bar, grad[at : at + size])
        at += size
    return value


@compiled
def constrain(q: Problem, x: Array, factors: Array, v: Array) -> None:
    """Parameters of many points x (D, d): factors (D, T, k, k) and v (D, len). Bent
    coordinates of x become log sds and z, in place."""
    T, d = q.sizes.size, q.r.size
    widest = q.widest
    C = np.zeros(q.H.size)
    for s in range(x.shape[0]):
        inverses = np.zeros((T, widest, widest))
        x[s] = _natural(q, x[s])
        _covariances(q, x[s], factors[s], inverses)
        _unwhiten(q, x[s, x.shape[1] - d :], inverses, v[s], C)
