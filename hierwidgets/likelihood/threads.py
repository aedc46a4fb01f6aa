"""How many threads the BLAS takes while a model is fitted."""

from collections.abc import Iterator
from contextlib import contextmanager

from .schur import SMALL

__all__ = ["blas_threads"]


@contextmanager
def blas_threads(columns: int, threads: int = 1) -> Iterator[None]:
    """Keep BLAS to `threads` where the later terms' columns are enough for it to take several.

    Its threads wait for each other by spinning: beside another busy program, or another
    student's fit, two of them take ten times as long as one.
    """
    if columns < SMALL:
        yield
        return
    import scipy.linalg  # noqa: F401 so that its BLAS is there to be limited
    from threadpoolctl import threadpool_limits

    with threadpool_limits(threads, user_api="blas"):
        yield
