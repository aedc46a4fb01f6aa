r"""Draws from the posterior by the no-U-turn sampler (Hoffman & Gelman 2014, JMLR 15).

The sampler is nutpie (Seyboldt & PyMC developers), the density `kernels`, the coordinates
`chart`. Every chain has its own stream of random numbers, so draws depend on the seed and
not on the number of cores.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.base.checks import check_whole
from hierwidgets.errors import DataError, MissingExtraError
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family

from .conditional import draw_levels
from .kernels.problem import GAUSSIAN
from .priors import Priors, resolve

if TYPE_CHECKING:
    from .chart import Chart

__all__ = ["Draws", "sample", "sample_prior"]


TARGET_ACCEPT = 0.98
SMOOTH_TARGET_ACCEPT = 0.9  # where every group effect is integrated out
MAX_DEPTH = 10


@dataclass(frozen=True, slots=True)
class Draws:
    """What the sampler returns: parameters, effects and how it went, (chains, draws, ...).

    Numbers are kept to single precision, far below their Monte Carlo error, so that a saved
    file holds exactly what was in memory.

    Attributes
    ----------
    beta : (C, D, p)
    factors : tuple of (C, D, k, k)
        One per term: any F with ``F F'`` the covariance of its effects.
    sigma : (C, D)
        Residual sd of a Gaussian model, else 1.
    effects : tuple of (C, D, J, k)
        One per term.
    integrated : (term, column) or None
        The effects that were integrated out and then drawn from their conditional
        distribution, with `seed` (`conditional`).
    seed : int
    divergent : (C, D) bool
    depth : (C, D) int
        Tree depth.
    energy : (C, D)
    seconds : float
    interrupted : bool
    """

    beta: Array
    factors: tuple[Array, ...]
    sigma: Array
    effects: tuple[Array, ...]
    integrated: tuple[int, int] | None
    seed: int
    divergent: NDArray[np.bool_]
    depth: NDArray[np.int64]
    energy: Array
    seconds: float
    interrupted: bool

    def __repr__(self) -> str:
        chains, draws = self.beta.shape[:2]
        return f"Draws({chains} chains of {draws}, {int(self.divergent.sum())} divergent)"


def sample(
    design: Design,
    family: Family,
    priors: Priors,
    *,
    chains: int,
    tune: int,
    draws: int,
    seed: int | None,
    cores: int | None = None,
    target_accept: float | None = None,
    progress: bool = True,
    **coordinates: Any,
) -> Draws:
    """Draws from the posterior of a design.

    Parameters
    ----------
    tune, draws :
        Steps of each chain to adapt in, and to keep.
    seed :
        A whole number; the same seed gives the same draws on any number of cores. None takes
        one from the operating system.
    target_accept :
        The mean acceptance probability that step sizes are adapted to; None for .98, or .9
        where every group effect is integrated out.
    progress :
        Whether to show a bar: draws of all chains, tuning included.
    coordinates :
        For `chart.chart`.

    Raises
    ------
    MissingExtraError
        nutpie or numba is not installed.

    Notes
    -----
    An interrupt (Ctrl-C, or the stop button of a notebook) ends the run and keeps the draws
    that every chain has by then.
    """
    _check(chains, tune, draws, target_accept)
    require_extra()
    from .chart import chart

    began = time.perf_counter()
    where = chart(design, family, resolve(priors, design, family), **coordinates)
    if target_accept is None:
        target_accept = TARGET_ACCEPT if where.pieces else SMOOTH_TARGET_ACCEPT
    seed = _whole(seed)
    settings = {
        "chains": chains, "tune": tune, "draws": draws, "seed": seed, "cores": cores,
        "target_accept": target_accept, "maxdepth": MAX_DEPTH, "save_warmup": False,
    }  # fmt: skip
    batches, interrupted = _run(where, settings, progress)
    x, stats = _stack(batches, tune, interrupted)
    beta, factors, sigma, effects = unpack(design, where, x)
    beta, sigma = single(beta), single(sigma)
    factors, effects = tuple(map(single, factors)), tuple(map(single, effects))
    lead = where.integrated
    integrated = None if lead is None else (lead.term, lead.columns[0])
    return Draws(
        beta,
        factors,
        sigma,
        draw_levels(design, family, beta, factors, sigma, effects, integrated, seed),
        integrated,
        seed,
        divergent=stats["diverging"].astype(bool),
        depth=stats["depth"].astype(np.int64),
        energy=single(stats["energy"]),
        seconds=time.perf_counter() - began,
        interrupted=interrupted,
    )


def require_extra() -> None:
    """Raise unless the sampler's packages are there."""
    missing = [name for name in ("nutpie", "numba", "arviz") if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"sampling needs {' and '.join(missing)}; install with: "
            'pip install "hierwidgets[bayes]"'
        )


def single(values: Array) -> Array:
    """Rounded to what single precision can hold."""
    return values.astype(np.float32).astype(np.float64)


def _check(chains: int, tune: int, draws: int, target_accept: float | None) -> None:
    for name, value, least in (("chains", chains, 1), ("tune", tune, 50), ("draws", draws, 4)):
        check_whole(value, name, least)
    if target_accept is not None and not 0.5 <= target_accept < 1:
        raise DataError(f"target_accept={target_accept!r}: give a number from 0.5 to below 1")


def _whole(seed: Any) -> int:
    if seed is None:
        return int(np.random.SeedSequence().entropy % 2**63)  # type: ignore[operator]
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63:
        raise DataError(f"seed={seed!r}: give a whole number from 0 to 2**63 - 1, or None")
    return int(seed)


# --- the run ------------------------------------------------------------------------------


def _density(where: "Chart") -> Callable[[], Callable[[Array], tuple[float, Array]]]:
    from .kernels.log_posterior import log_density

    problem = where.problem

    def make() -> Callable[[Array], tuple[float, Array]]:
        def evaluate(x: Array) -> tuple[float, Array]:
            gradient = np.empty_like(x)
            return log_density(problem, x, gradient), gradient

        return evaluate

    log_density(problem, where.start, np.empty_like(where.start))  # compiles once, here
    return make


def _compiled(where: "Chart", counter: list[int]) -> Any:
    """The density as nutpie takes it; `counter` counts draws of every chain."""
    from nutpie.compiled_pyfunc import from_pyfunc

    size = len(where.start)

    def make_expand(seed1: int, seed2: int, chain: int) -> Callable[[Array], dict[str, Array]]:
        def expand(x: Array) -> dict[str, Array]:
            counter[0] += 1
            return {"x": x}

        return expand

    def initial(seed: int) -> Array:
        rng = np.random.default_rng(seed)
        return where.start + rng.uniform(-1.0, 1.0, size)

    return from_pyfunc(
        size, _density(where), make_expand, [np.dtype(np.float64)], [(size,)], ["x"],
        make_initial_point_fn=initial,
    )  # fmt: skip


def _run(where: "Chart", settings: dict[str, Any], progress: bool) -> tuple[Any, bool]:
    """Raw draws and statistics of every chain, and whether the run was interrupted."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        import nutpie
    counter = [0]
    model = _compiled(where, counter)
    total = settings["chains"] * (settings["tune"] + settings["draws"])
    run = nutpie.sample(
        model, progress_bar=False, blocking=False, return_raw_trace=True, **settings
    )
    try:
        with _bar(total, progress) as show:
            while True:
                try:
                    return run.wait(timeout=0.1), False
                except TimeoutError:
                    show(min(counter[0], total))
    except KeyboardInterrupt:
        return run.abort(), True
    except BaseException:
        run.cancel()
        raise


@contextmanager
def _bar(total: int, progress: bool) -> Iterator[Callable[[int], None]]:
    """A progress bar, as a function of the number done; it ends full unless interrupted."""
    if not progress:
        yield lambda done: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=total, desc="sampling", unit="draw") as bar:
        yield lambda done: (bar.update(done - bar.n), None)[1]
        bar.update(total - bar.n)


def _stack(results: Any, tune: int, interrupted: bool) -> tuple[Array, dict[str, Array]]:
    """Draws after tuning (C, D, d) and their statistics, as many as every chain has."""
    points, stats = results.get_arrow_trace()
    least = min((batch.num_rows for batch in points), default=0) - tune
    if least < 4:
        raise DataError(
            "the run was interrupted before every chain had draws to keep; nothing is left of it"
        )
    rows = slice(tune, tune + least)
    x = np.stack([_matrix(batch.column("x"))[rows] for batch in points])
    kept = {
        name: np.stack([_vector(batch.column(name))[rows] for batch in stats])
        for name in ("diverging", "depth", "energy")
    }
    return x, kept


def _matrix(column: Any) -> Array:
    import pyarrow  # type: ignore[import-untyped]

    flat = pyarrow.array(column).flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat, dtype=np.float64).reshape(len(column), -1)


def _vector(column: Any) -> NDArray[Any]:
    import pyarrow

    return np.asarray(pyarrow.array(column).to_numpy(zero_copy_only=False))


# --- back to parameters -------------------------------------------------------------------


def unpack(
    design: Design, where: "Chart", x: Array
) -> tuple[Array, tuple[Array, ...], Array, tuple[Array, ...]]:
    """beta, factors, sigma and effects of points x (C, D, d)."""
    from .kernels.log_posterior import constrain

    C, D, d = x.shape
    q, flat = where.problem, x.reshape(C * D, d).copy()
    p, widest, size = q.data.Q.shape[1], q.pieces.widest, len(q.whitening.r)
    F = np.zeros((C * D, len(where.pieces), widest, widest))
    v = np.empty((C * D, size))
    constrain(q, flat, F, v)
    factors = [np.zeros((C * D, term.k, term.k)) for term in design.terms]
    effects = [np.zeros((C * D, term.J, term.k)) for term in design.terms]
    if where.integrated is not None:
        i = where.integrated.columns[0]
        factors[where.integrated.term][:, i, i] = np.exp(flat[:, 0])
    at = p
    for t, piece in enumerate(where.pieces):
        J, k, columns = piece.levels, piece.size, np.array(piece.columns)
        factors[piece.term][:, columns[:, None], columns] = F[:, t, :k, :k]
        effects[piece.term][:, :, columns] = v[:, at : at + J * k].reshape(-1, J, k)
        at += J * k
    beta = np.linalg.solve(where.R, v[:, :p].T).T if p else v[:, :0]
    sigma = np.exp(flat[:, d - size - 1]) if q.data.family == GAUSSIAN else np.ones(C * D)

    def shaped(values: NDArray[Any]) -> Array:
        return values.reshape(C, D, *values.shape[1:])

    return shaped(beta), tuple(map(shaped, factors)), shaped(sigma), tuple(map(shaped, effects))


# --- draws from the prior -----------------------------------------------------------------


def sample_prior(
    design: Design, family: Family, priors: Priors, draws: int, seed: int | None
) -> Draws:
    """Independent draws of parameters and effects from the prior, as one chain.

    Raises
    ------
    DataError
        A prior is flat, so that there is nothing to draw from.
    """
    _check(1, 50, draws, TARGET_ACCEPT)
    found = resolve(priors, design, family)
    vague = [name for name, prior in found.named(design) if not prior.proper]
    if vague:
        raise DataError(
            f"the prior of {', '.join(vague)} is flat and cannot be drawn from; pass for example "
            "priors=Priors(coefficients='normal(0, 2.5)')"
        )
    seed = _whole(seed)
    rng = np.random.default_rng(seed)
    beta = np.column_stack(
        [np.zeros((draws, 0)), *[p.sample(rng, draws)[:, None] for p in found.coefficients]]
    )
    if found.intercept is not None:
        slopes = np.delete(np.arange(beta.shape[1]), found.intercept)
        beta[:, found.intercept] -= beta[:, slopes] @ found.centre[slopes]
    factors, effects = [], []
    for t, term in enumerate(design.terms):
        F = np.zeros((draws, term.k, term.k))
        for block, eta in zip(term.blocks, found.corrs[t], strict=True):
            sds = [found.sds[t][i].sample(rng, draws, positive=True) for i in block]
            index = np.array(block)
            F[:, index[:, None], index] = np.stack(sds, 1)[:, :, None] * _lkj(
                rng, draws, len(block), eta
            )
        factors.append(F)
        effects.append(rng.standard_normal((draws, term.J, term.k)) @ F.transpose(0, 2, 1))
    sigma = np.ones(draws) if found.sigma is None else found.sigma.sample(rng, draws, True)
    return Draws(
        single(beta[None]), tuple(single(F[None]) for F in factors), single(sigma[None]),
        tuple(single(b[None]) for b in effects), None, seed,
        np.zeros((1, draws), bool), np.zeros((1, draws), np.int64), np.zeros((1, draws)),
        0.0, False,
    )  # fmt: skip


def _lkj(rng: np.random.Generator, size: int, k: int, eta: float) -> Array:
    """Cholesky factors (size, k, k) of correlation matrices from LKJ(eta), whose partial
    correlations are independent and beta distributed (Lewandowski et al. 2009, section 2.4)."""
    L = np.zeros((size, k, k))
    L[:, 0, 0] = 1.0
    for i in range(1, k):
        rest = np.ones(size)
        for j in range(i):
            a = eta + (k - j - 2) / 2
            w = 2.0 * rng.beta(a, a, size) - 1.0
            L[:, i, j] = w * np.sqrt(rest)
            rest *= 1.0 - w**2
        L[:, i, i] = np.sqrt(rest)
    return L
