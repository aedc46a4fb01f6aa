"""A progress bar: in a notebook a widget, in a terminal a line."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Count", "count_up", "with_progress"]

Count = Callable[[int, int], None]
"""Told how many more are done, and how many more are to do."""


def with_progress(items: Iterable[Any], total: int, what: str, progress: bool) -> Iterator[Any]:
    """`items`, with a progress bar if asked for."""
    if not progress:
        yield from items
        return
    from tqdm.auto import tqdm

    bar: Callable[..., Iterable[Any]] = tqdm
    yield from bar(items, total=total, desc=what, leave=False)


@contextmanager
def count_up(total: int, what: str, progress: bool | Count) -> Iterator[Count]:
    """A progress bar, or what is told in its place."""
    if callable(progress):
        yield progress
        return
    if not progress:
        yield lambda done, more: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=total, desc=what, unit="draw") as bar:

        def show(done: int, more: int) -> None:
            bar.total += more
            bar.update(done)
            bar.refresh()

        yield show
