"""Linear predictors of draws, and the rows of each level."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.base.platform import thread_count
from hierwidgets.spec.design import Design

__all__ = ["each_level", "rows_by_level", "without"]


def without(
    design: Design, rows: NDArray[np.intp], beta: Array, effects: tuple[Array | None, ...]
) -> Array:
    """Linear predictor (rows, S) of coefficients and `effects`; None stands for zeros."""
    p = beta.shape[-1]
    eta = design.X[rows] @ beta.reshape(-1, p).T + design.offset[rows, None]
    for term, b in zip(design.terms, effects, strict=True):
        if b is None:
            continue
        own = b.reshape(-1, term.J, term.k)[:, term.codes[rows]]
        eta += np.einsum("ik,sik->is", term.Z[rows], own)
    return eta


def rows_by_level(codes: NDArray[np.intp], J: int) -> list[NDArray[np.intp]]:
    """The rows of each of J levels."""
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.searchsorted(codes[order], np.arange(1, J)))


def each_level(
    codes: NDArray[np.intp],
    J: int,
    cores: int | None,
    draw: Callable[[int, NDArray[np.intp]], None],
) -> None:
    """Call ``draw(j, its rows)`` for each of J levels, on as many threads as told; None: cores."""
    levels = list(enumerate(rows_by_level(codes, J)))
    workers = thread_count(cores)
    if workers == 1:
        for level in levels:
            draw(*level)
        return
    with ThreadPoolExecutor(workers) as threads:
        try:
            for _ in threads.map(lambda level: draw(*level), levels):
                pass
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
