r"""What importance sampling proposes: a mixture of multivariate t distributions.

The mixture is fitted to weighted draws by steps of the EM algorithm, which brings it closer to
the distribution that the weights stand for in Kullback-Leibler divergence (Cappé, Douc, Guillin,
Marin & Robert 2008, Stat. Comput. 18(4), section 4.2).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import gammaincinv, gammaln, logsumexp, ndtri

from hierwidgets.base.arrays import Array

__all__ = ["Mixture", "Points", "fitted", "joined", "widened"]

_PRIOR = 2.0
_NEIGHBOURS = 10  # per coordinate


@dataclass(frozen=True, slots=True)
class Mixture:
    """A mixture of C multivariate t distributions.

    Attributes
    ----------
    share : (C,)
    mean : (C, d)
    root : (C, d, d)
        Lower Cholesky factors of the scale matrices.
    df : (C,)
    """

    share: Array
    mean: Array
    root: Array
    df: Array

    def __repr__(self) -> str:
        return f"Mixture({len(self.share)} of {self.mean.shape[1]} coordinates)"

    def sample(self, points: "Points", size: int) -> Array:
        """(size, d) draws, from points of the cube with `d + 2` coordinates."""
        u = points.following(size)
        which = np.searchsorted(np.cumsum(self.share)[:-1], u[:, 0], side="right")
        df = self.df[which]
        z = ndtri(u[:, 2:])
        z /= np.sqrt(2.0 * gammaincinv(df / 2, u[:, 1]) / df)[:, None]
        out = self.mean[which]
        for c in range(len(self.share)):
            own = which == c
            out[own] += z[own] @ self.root[c].T
        return out

    def log_density(self, x: Array) -> Array:
        """(S,) at points x (S, d)."""
        return np.asarray(logsumexp(self.parts(x)[0], axis=0))

    def parts(self, x: Array) -> tuple[Array, Array]:
        """Log of share times density of each component, and the squared distances, (C, S)."""
        d = x.shape[1]
        squares = np.stack(
            [
                (solve_triangular(L, (x - m).T, lower=True) ** 2).sum(axis=0)
                for m, L in zip(self.mean, self.root, strict=True)
            ]
        )
        logdet = np.log(np.einsum("cii->ci", self.root)).sum(axis=1)
        constant = gammaln((self.df + d) / 2) - gammaln(self.df / 2) - 0.5 * d * np.log(
            self.df * np.pi
        )  # fmt: skip
        top = (np.log(self.share) + constant - logdet)[:, None]
        df = self.df[:, None]
        return top - 0.5 * (df + d) * np.log1p(squares / df), squares


class Points:
    """Points of the unit cube, independent or spread more evenly than independent ones.

    Even ones are Sobol's, scrambled at random: each of them is uniform, and means over them err
    less (Owen 1998, J. Complexity 14(4)).

    Parameters
    ----------
    rng
        Of the points, or of what scrambles them.
    d : int
        Coordinates.
    even : bool
    """

    def __init__(self, rng: np.random.Generator, d: int, *, even: bool) -> None:
        self.following: Callable[[int], Array]
        if even:
            from scipy.stats.qmc import Sobol  # which only a pool needs

            sobol = Sobol(d, seed=rng)  # the parameter's name in every SciPy from 1.14
            self.following = lambda size: _inside(sobol.random(size))
        else:
            self.following = lambda size: _inside(rng.random((size, d)))


def _inside(u: Array) -> Array:
    """Points off the cube's faces, where quantiles are infinite."""
    return np.clip(u, 2.0**-53, 1.0 - 2.0**-53)


def fitted(old: Mixture, x: Array, share: Array, steps: int) -> Mixture:
    """`old` moved towards draws x (S, d) of weights `share` (S,), by steps of EM.

    A component of few draws is drawn towards the spread of its neighbourhood: its old scale counts
    as `_PRIOR` draws per coordinate.
    """
    new = old
    effective = 1.0 / np.sum(share**2)
    for _ in range(steps):
        log_part, squares = new.parts(x)
        own = share * np.exp(log_part - logsumexp(log_part, axis=0))
        part = np.maximum(own.sum(axis=1), 1e-3)
        mean, root = new.mean.copy(), new.root.copy()
        for c in range(len(part)):
            prior = _PRIOR * x.shape[1] / effective
            pull = own[c] * (new.df[c] + x.shape[1]) / (new.df[c] + squares[c])
            mean[c] = (pull @ x + prior * old.mean[c]) / (pull.sum() + prior)
            away = x - mean[c]
            before = old.root[c] @ old.root[c].T
            scale = (away * pull[:, None]).T @ away + prior * before
            root[c] = np.linalg.cholesky(scale / (own[c].sum() + prior))
        new = replace(new, share=part / part.sum(), mean=mean, root=root)
    return new


def joined(of: Mixture, x: Array, share: Array) -> Mixture:
    """`of` with one component more, around the heaviest of draws x (S, d) of weights `share` (S,):
    there it proposes too little (Raftery & Bao 2010, Biometrics 66(4))."""
    d = x.shape[1]
    away = x - share @ x
    root = np.linalg.cholesky((away * share[:, None]).T @ away)
    z = solve_triangular(root, away.T, lower=True)
    near = np.argsort(((z - z[:, [np.argmax(share)]]) ** 2).sum(axis=0))[: _NEIGHBOURS * d]
    part = share[near].sum()
    own = 0.5 * (share[near] / part + 1.0 / len(near))
    mean = own @ x[near]
    away = x[near] - mean
    return Mixture(
        np.append((1.0 - part) * of.share, part),
        np.vstack([of.mean, mean]),
        np.concatenate([of.root, np.linalg.cholesky((away * own[:, None]).T @ away)[None]]),
        np.append(of.df, of.df[0]),
    )


def widened(of: Mixture, share: float, by: float, df: float) -> Mixture:
    """`of` with a share of each component `by` times as wide and with heavier tails: what would
    find mass that `of` misses."""
    return Mixture(
        np.concatenate([(1.0 - share) * of.share, share * of.share]),
        np.concatenate([of.mean, of.mean]),
        np.concatenate([of.root, by * of.root]),
        np.concatenate([of.df, np.full(len(of.df), df)]),
    )
