r"""Draws by importance sampling: at once, with NumPy and SciPy alone.

In the coordinates of `chart` a posterior of few coordinates is so close to normal that no chain
has to walk it. A mixture of t distributions is laid over its peaks and fitted in some rounds of
weighted draws; many proposals are then drawn from it, weighted by posterior density over density
proposed, and draws are taken from this pool in proportion to the weights, systematically: a
proposal of weight w is taken S w times of S, rounded up or down, evenly among its neighbours. The
pool is as large as it takes to be worth (Kish) as many draws as are asked for and a quarter more.
The draws' error is about that of independent ones, or smaller: from five coordinates on proposals
are spread more evenly than independent ones (`proposal.Points`). Runs with other seeds show it; the
sizes that are told, of the weights, do not count on it. Where that takes many proposals, the
mixture is fitted once more midway: for the model of the article's Table 1, seed 1, a proposal is
then worth .40 draws in place of .21.

An independence Metropolis chain over the same proposals needs no weights, but is worth less: for
the several-countries model 4,400 draws of 20,000 proposals in place of 10,100.

The shape k of the tail of the weights tells whether they can be trusted (`pareto`). What it
cannot tell is whether a peak was missed: `modes` looks for several.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from hierwidgets.base.arrays import Array, Index
from hierwidgets.base.platform import thread_count
from hierwidgets.base.progress import Count, count_up
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family

from .chart import Chart, chart
from .density import Density, density, log_density
from .draws import Draws, Pool, single, unpack
from .effects import Effects
from .modes import around, peaks
from .pareto import K_LIMIT, Weights, smoothed
from .priors import Resolved
from .proposal import Mixture, Points, fitted, joined, widened

__all__ = ["MOST_COORDINATES", "drawn_weight", "near_to_near", "sample", "taken"]

MOST_COORDINATES = 60
LEAST_EFFECTIVE = 100.0
_ROUNDS = 10
_LEAST, _ENOUGH = 1000, 2000  # proposals of a round
_EM_STEPS = 8  # with the draws of one round
_LIGHT_K = 0.3  # of a tail that no further component would make lighter
_JOINED = 3  # the most components more
_GOOD_K, _TRIES = 0.4, 3  # of the pool; at a higher k it is made once more
_FITS = 0.5  # what a proposal is worth where a mixture fits but for a corner, which can be mended
_AS_GOOD = 0.97  # of two mixtures, the later one
_TOGETHER = 4  # of a pool, in no order
_CHUNK = 512  # points evaluated by one thread
_BLOCK = 4 * _CHUNK  # proposals between two looks at the bar; a power of 2, for even points
_FEW = 4  # coordinates: such models are drawn in less time than loading even points takes
_SPARE = 1.25  # as many proposals as the last round says that independent draws take
_MOST = 20  # proposals per draw
_IN_PARTS = 3.5  # proposals per draw from which on their mixture is fitted once more midway
_KEPT = 4_000_000  # numbers, just below the 32 MiB up to which glibc learns
_WIDE_SHARES = (0.1, 0.3)  # of wide proposals, at the first and the second try
_WIDE_BY, _WIDE_DF = 3.0, 3.0
_NEGLIGIBLE = 0.01  # share of a posterior
_PROBES = np.array([9.0, 14.0, 20.0, 30.0, 45.0])  # sds from the centre, where no proposal is

_Evaluate = Callable[[Array], Array]


def sample(
    design: Design,
    family: Family,
    priors: Resolved,
    *,
    chains: int,
    tune: int,
    draws: int,
    seed: int,
    cores: int | None,
    progress: bool | Count,
    **coordinates: Any,
) -> Draws | str:
    """Draws from the posterior of a design, or why they would not be sound.

    Parameters
    ----------
    chains, draws :
        Their product is the number of draws, which are dealt out; chains mean nothing here.
    tune :
        A round of fitting the mixture has `chains * tune` proposals, but no fewer than 1000 or 60
        per coordinate and no more than 2000 or 150 per coordinate, which is enough.
    """
    began = time.perf_counter()
    total = chains * draws
    with count_up(0, "sampling", progress) as show:
        where = chart(design, family, priors, **{"widest": 2} | coordinates)
        d = len(where.start)
        if d > MOST_COORDINATES:
            return (
                f"{d} coordinates are left after integration, more than the {MOST_COORDINATES} "
                "that importance sampling reaches"
            )
        rng = np.random.default_rng((seed, 3))
        with _evaluation(density(where.problem, family), cores) as evaluate:
            size = int(np.clip(chains * tune, max(_LEAST, 60 * d), max(_ENOUGH, 150 * d)))
            found = _pool(evaluate, where, rng, size, total, show)
    if isinstance(found, str):
        return found
    x, weights = found
    which = taken(weights.share, total, rng, near_to_near(x, weights.share))
    pool = Pool(
        len(x), weights.effective, weights.k, float(weights.share.max()),
        single(drawn_weight(weights.share[which]).reshape(chains, draws)),
    )  # fmt: skip
    drawn = x[which].reshape(chains, draws, d)
    return _draws(design, family, where, drawn, pool, seed, cores, began)


def _draws(
    design: Design, family: Family, where: Chart, x: Array, pool: Pool, seed: int,
    cores: int | None, began: float,
) -> Draws:  # fmt: skip
    beta, factors, sigma, effects = unpack(design, where, x)
    beta, sigma = single(beta), single(sigma)
    factors = tuple(map(single, factors))
    lead = where.integrated
    integrated = None if lead is None else (lead.term, *lead.columns)
    shape = sigma.shape
    return Draws(
        beta,
        factors,
        sigma,
        Effects(design, family, beta, factors, sigma, effects, integrated, seed, cores),
        integrated,
        seed,
        divergent=np.zeros(shape, bool),
        depth=np.zeros(shape, np.int64),
        energy=np.zeros(shape),
        seconds=time.perf_counter() - began,
        interrupted=False,
        pool=pool,
        reason=f"Pareto k of the weights is {pool.k:.2f}, below {K_LIMIT}",
    )


# --- the density, on several cores --------------------------------------------------------


@contextmanager
def _evaluation(of: Density, cores: int | None) -> Iterator[_Evaluate]:
    """The log density of many points, in chunks on threads; the same numbers on any number."""
    from threadpoolctl import threadpool_limits

    np.empty(_KEPT)  # glibc keeps what is freed from here on; asking anew costs a third of the time
    workers = thread_count(cores)
    with threadpool_limits(1, user_api="blas"):
        if workers == 1:
            yield lambda x: log_density(of, x)
            return
        with ThreadPoolExecutor(workers) as threads:

            def evaluate(x: Array) -> Array:
                if len(x) <= _CHUNK:
                    return log_density(of, x)
                parts = [x[a : a + _CHUNK] for a in range(0, len(x), _CHUNK)]
                return np.concatenate(list(threads.map(lambda part: log_density(of, part), parts)))

            try:
                yield evaluate
            except BaseException:
                threads.shutdown(cancel_futures=True)
                raise


# --- the mixture and its pool -------------------------------------------------------------


def _pool(
    evaluate: _Evaluate, where: Chart, rng: np.random.Generator, size: int, total: int, show: Count
) -> tuple[Array, Weights] | str:
    """Proposals and weights worth `total` draws, fitted in rounds of `size`; or why they would not
    be sound. Where the weights' tail is too heavy, once more with heavier proposals."""
    found = peaks(evaluate, where, rng)
    if not found:
        return "the posterior density has no peak that a search could find"
    if any(peak.flat for peak in found):
        return (
            "the posterior density hardly falls in some direction, as with a flat prior on a "
            "coefficient that the data do not bound"
        )
    core, reason = around(found), ""
    for share in _WIDE_SHARES:
        core, worth = _fitted(evaluate, core, share, rng, size, show)
        needed = int(np.clip(_SPARE * total / worth, 2000, max(2000, _MOST * total)))
        for _ in range(_TRIES):
            x, log_ratio, proposal = _drawn(evaluate, core, share, needed, total, rng, show)
            weights = smoothed(log_ratio)
            if weights.k < (_GOOD_K if worth > _FITS else K_LIMIT):
                break
            core = _better(core, x, weights, join=True)
        reason = _unsound(weights) or _beyond(evaluate, proposal, x, weights.share)
        if not reason:
            return x, weights
    return reason


def _fitted(
    evaluate: _Evaluate, core: Mixture, share: float, rng: np.random.Generator, size: int,
    show: Count,
) -> tuple[Mixture, float]:  # fmt: skip
    """The best of the mixtures fitted in some rounds, and what a proposal is worth."""
    best, worth, last, left = core, 0.0, 0.0, _JOINED
    points = Points(rng, core.mean.shape[1] + 2, even=False)
    for done in range(_ROUNDS):
        proposal = widened(core, share, _WIDE_BY, _WIDE_DF)
        x = proposal.sample(points, size)
        weights = smoothed(evaluate(x) - proposal.log_density(x))
        gain = weights.effective / size
        show(size, size)
        if gain > _AS_GOOD * worth:
            best, worth = core, gain
        settled = gain < 1.1 * last and (weights.k < 0.5 or done >= 5)
        light = left < _JOINED and weights.k < _LIGHT_K
        if settled and (light or left == 0 or gain < _FITS):
            break
        left -= settled
        last = gain
        core = _better(core, x, weights, join=settled)
    return best, worth


def _better(core: Mixture, x: Array, weights: Weights, join: bool) -> Mixture:
    """A mixture closer to the posterior, with one component more if told."""
    share = _tempered(weights, 5.0 * x.shape[1])
    return fitted(joined(core, x, share) if join else core, x, share, _EM_STEPS)


def _tempered(weights: Weights, least: float) -> Array:
    """Weights made so even by a power that they are worth `least` draws."""
    share = weights.share
    if weights.effective >= least:
        return share
    low, high = 0.0, 1.0
    positive = share[share > 0]
    for _ in range(30):
        power = 0.5 * (low + high)
        even = positive**power
        if even.sum() ** 2 / (even**2).sum() < least:
            high = power
        else:
            low = power
    even = np.where(share > 0, share, 1.0) ** low * (share > 0)
    return np.asarray(even / even.sum())


def _drawn(
    evaluate: _Evaluate, core: Mixture, share: float, needed: int, total: int,
    rng: np.random.Generator, show: Count,
) -> tuple[Array, Array, Mixture]:  # fmt: skip
    """Proposals worth `total` draws, the logarithms of their ratios, and what proposed them last.

    Where many are `needed`, a third of them tells far more than a round does: the others come from
    a mixture fitted to these, and each is weighted by the density of both mixtures together, in
    proportion to what they proposed (Owen & Zhou 2000, JASA 95(449), section 4).
    """
    one = widened(core, share, _WIDE_BY, _WIDE_DF)
    d = core.mean.shape[1]
    points = partial(Points, rng, d + 2, even=d > _FEW)
    if needed <= max(_IN_PARTS * total, 4 * _BLOCK):
        return *_proposals(evaluate, one, needed, points(), show), one
    x, log_ratio = _proposals(evaluate, one, needed // 3, points(), show)
    weights = smoothed(log_ratio)
    two = widened(_better(core, x, weights, join=False), share, _WIDE_BY, _WIDE_DF)
    those = points()
    y, found = _proposals(evaluate, two, _BLOCK, those, show)
    worth = smoothed(found).effective / len(y)
    size = np.clip((_SPARE * total - weights.effective) / worth, 2 * _BLOCK, needed)
    more, rest = _proposals(evaluate, two, int(size) - _BLOCK, those, show)
    second, both = np.vstack([y, more]), np.vstack([x, y, more])
    log_joint = np.concatenate(
        [log_ratio + one.log_density(x), np.concatenate([found, rest]) + two.log_density(second)]
    )
    parts = np.log([len(x) / len(both), len(second) / len(both)])
    log_mixed = np.logaddexp(parts[0] + one.log_density(both), parts[1] + two.log_density(both))
    return both, log_joint - log_mixed, two


def _proposals(
    evaluate: _Evaluate, proposal: Mixture, size: int, points: Points, show: Count
) -> tuple[Array, Array]:
    """At least `size` proposals and the logarithms of their ratios."""
    blocks = -(-size // _BLOCK)
    show(0, blocks * _BLOCK)
    proposed, ratios = [], []
    for _ in range(blocks):
        x = proposal.sample(points, _BLOCK)
        proposed.append(x)
        ratios.append(evaluate(x) - proposal.log_density(x))
        show(_BLOCK, 0)
    return np.vstack(proposed), np.concatenate(ratios)


def _unsound(weights: Weights) -> str:
    """What speaks against weights; nothing where they can be trusted."""
    if not weights.k < K_LIMIT:
        return (
            f"the weights' Pareto k is {weights.k:.2f}, not below {K_LIMIT}: a few proposals "
            "would decide"
        )
    if weights.effective < LEAST_EFFECTIVE:
        return (
            f"{len(weights.share)} proposals are worth {weights.effective:.0f} draws, fewer than "
            f"{LEAST_EFFECTIVE:.0f}"
        )
    return ""


def _beyond(evaluate: _Evaluate, proposal: Mixture, x: Array, share: Array) -> str:
    """Whether far out along an axis, where no proposal is, there would be a share of the posterior
    that is not negligible; nothing where there is not.

    The share beyond r sds is put at r times the density there over that at a centre.
    """
    mean = share @ x
    root = np.linalg.cholesky(((x - mean) * share[:, None]).T @ (x - mean))
    axes = np.concatenate([root.T, -root.T])
    far = mean + (_PROBES[:, None, None] * axes).reshape(-1, len(mean))
    top = evaluate(proposal.mean).max()
    fallen = (evaluate(far) - top).reshape(len(_PROBES), -1)
    if (fallen + np.log(_PROBES)[:, None]).max() > np.log(_NEGLIGIBLE):
        return "the posterior reaches farther than importance sampling proposes"
    return ""


def taken(share: Array, total: int, rng: np.random.Generator, line: Index | None = None) -> Array:
    """Which of the pool are the draws, in random order: systematic resampling along a line."""
    order = rng.permutation(len(share)) if line is None else line
    edges = np.cumsum(share[order])
    places = (rng.random() + np.arange(total)) / total * edges[-1]
    return rng.permutation(order[np.searchsorted(edges, places, side="right")])


def near_to_near(x: Array, share: Array) -> Index:
    """A line through points x (S, d) that passes from near to near ones, so that draws taken along
    it are spread over them evenly (Gerber, Chopin & Whiteley 2019, Ann. Stat. 47(4)): halves by
    weight, of the widest coordinate, halved again."""
    parts, out = [np.arange(len(x))], []
    while parts:
        own = parts.pop()
        if len(own) <= _TOGETHER:
            out.append(own)
            continue
        widest = np.argmax(np.ptp(x[own], axis=0) if len(own) < 100 else x[own].std(axis=0))
        own = own[np.argsort(x[own, widest], kind="stable")]
        half = np.searchsorted(np.cumsum(share[own]), 0.5 * share[own].sum())
        half = int(np.clip(half, 1, len(own) - 1))
        parts += [own[half:], own[:half]]
    return np.concatenate(out)


def drawn_weight(share: Array, before: Array | None = None) -> Array:
    """`Pool.weight` of draws that were `taken` from a pool, by their shares of it.

    The sum over the pool of ``share^2 (f - m)^2`` is the mean of ``share (f - m)^2`` over draws,
    which are taken in proportion to their share. Taking them adds: of S draws a proposal is one
    more than the whole part of ``S share`` with a probability p, its fractional part, of variance
    ``p (1 - p) / S^2``.

    Parameters
    ----------
    before : (S,)
        The weights of the pool's members where these are draws themselves, else none.
    """
    S = len(share)
    p = S * share - np.floor(S * share)
    own = share if before is None else S * share * before
    return np.asarray(own + p * (1.0 - p) / (S**2 * share))
