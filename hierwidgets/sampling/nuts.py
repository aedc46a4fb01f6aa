"""Draws by the no-U-turn sampler (Hoffman & Gelman 2014, JMLR 15).

The sampler is nutpie (Seyboldt & PyMC developers), the density `kernels`, the coordinates
`chart`. Every chain has its own stream of random numbers, so draws depend on the seed and
not on the number of cores.
"""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family

from .draws import Draws, single, unpack
from .effects import Effects
from .kernels.problem import Problem
from .priors import Resolved

if TYPE_CHECKING:
    from .chart import Chart

__all__ = ["MAX_DEPTH", "TARGET_ACCEPT", "sample"]


TARGET_ACCEPT = 0.98
SMOOTH_TARGET_ACCEPT = 0.9  # where every group effect is integrated out
MAX_DEPTH = 10


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
    target_accept: float | None,
    progress: bool,
    **coordinates: Any,
) -> Draws:
    """Draws from the posterior of a design; arguments as `sampler.sample`.

    An interrupt ends the run and keeps the draws that every chain has by then.
    """
    from .chart import chart

    began = time.perf_counter()
    where = chart(design, family, priors, slopes=_slopes, **coordinates)
    if target_accept is None:
        target_accept = TARGET_ACCEPT if where.pieces else SMOOTH_TARGET_ACCEPT
    settings = {
        "chains": chains, "tune": tune, "draws": draws, "seed": seed, "cores": cores,
        "target_accept": target_accept, "maxdepth": MAX_DEPTH, "save_warmup": False,
    }  # fmt: skip
    batches, interrupted = _run(where, settings, progress)
    x, stats = _stack(batches, tune, interrupted)
    beta, factors, sigma, effects = unpack(design, where, x)
    beta, sigma = single(beta), single(sigma)
    factors = tuple(map(single, factors))
    lead = where.integrated
    integrated = None if lead is None else (lead.term, *lead.columns)
    return Draws(
        beta,
        factors,
        sigma,
        Effects(design, family, beta, factors, sigma, effects, integrated, seed, cores),
        integrated,
        seed,
        divergent=stats["diverging"].astype(bool),
        depth=stats["depth"].astype(np.int64),
        energy=single(stats["energy"]),
        seconds=time.perf_counter() - began,
        interrupted=interrupted,
    )


def _slopes(problem: Problem) -> Callable[[Array], tuple[float, Array]]:
    """The density and its gradient at one point, compiled."""
    from .kernels.log_posterior import log_density

    def evaluate(x: Array) -> tuple[float, Array]:
        gradient = np.empty_like(x)
        return log_density(problem, x, gradient), gradient

    return evaluate


def _compiled(where: "Chart", counter: list[int]) -> Any:
    """The density as nutpie takes it; `counter` counts draws of every chain."""
    from nutpie.compiled_pyfunc import from_pyfunc

    size = len(where.start)
    evaluate = _slopes(where.problem)
    evaluate(where.start)  # compiles once, here

    def make_expand(seed1: int, seed2: int, chain: int) -> Callable[[Array], dict[str, Array]]:
        def expand(x: Array) -> dict[str, Array]:
            counter[0] += 1
            return {"x": x}

        return expand

    def initial(seed: int) -> Array:
        rng = np.random.default_rng(seed)
        return where.start + rng.uniform(-1.0, 1.0, size)

    return from_pyfunc(
        size, lambda: evaluate, make_expand, [np.dtype(np.float64)], [(size,)], ["x"],
        make_initial_point_fn=initial,
    )  # fmt: skip


def _run(where: "Chart", settings: dict[str, Any], progress: bool) -> tuple[Any, bool]:
    """Raw draws and statistics of every chain, and whether the run was interrupted."""
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
