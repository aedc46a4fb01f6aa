"""A progress bar: in a notebook a widget, in a terminal a line."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

__all__ = ["with_progress"]


def with_progress(items: Iterable[Any], total: int, what: str, progress: bool) -> Iterator[Any]:
    """`items`, with a progress bar if asked for."""
    if not progress:
        yield from items
        return
    from tqdm.auto import tqdm

    bar: Callable[..., Iterable[Any]] = tqdm
    yield from bar(items, total=total, desc=what, leave=False)
