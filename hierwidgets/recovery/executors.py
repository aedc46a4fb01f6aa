"""Tasks carried out in this process or on an executor, in an order that does not matter."""

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from contextlib import closing, contextmanager
from typing import Any, TypeVar

import numpy as np

from hierwidgets.base.checks import check_whole
from hierwidgets.errors import DataError, FitError

__all__ = [
    "LostError", "RootSeed", "carried_out", "check_executor", "chunk_size", "progress_bar",
    "root_seed", "work",
]  # fmt: skip

RootSeed = int | Sequence[int] | np.random.SeedSequence
Task = TypeVar("Task")
Record = TypeVar("Record")

_TASKS = 400  # a run is cut into about so many: enough to see it move
_LARGEST = 50  # repetitions in a task, so that a stop is soon heard
_SMALLEST = 5
_HEARTBEAT = 0.2  # seconds between two looks at what there is


class LostError(Exception):
    """The executor could not do a task; the message says why."""

    def reason(self, some: bool) -> str:
        """Why a run ended early, if some of it was done; else an error."""
        if not some:
            raise FitError(
                f"the executor failed before any repetition was done ({self}); check that it is "
                "open and that its workers have hierwidgets, or use executor=None"
            ) from self
        return f"the executor failed ({self})"


def carried_out(
    perform: Callable[[Task], list[Record]],
    tasks: Sequence[Task],
    executor: Executor | None,
    show: Callable[[int], None],
) -> tuple[list[tuple[Task, list[Record]]], str]:
    """What was done, and why it ended early: empty if everything was done.

    Parameters
    ----------
    show :
        Called with the number of records that have come.

    Raises
    ------
    KeyboardInterrupt, FitError
        It was interrupted, or the executor failed, before anything was done.
    """
    done: list[tuple[Task, list[Record]]] = []
    try:
        with closing(work(perform, tasks, executor)) as steps:
            for more in steps:
                done += more
                show(sum(len(found) for _, found in more))
    except KeyboardInterrupt:
        if not done:
            raise
        return done, "interrupted"
    except LostError as error:
        return done, error.reason(bool(done))
    return done, ""


def work(
    perform: Callable[[Task], list[Record]], tasks: Sequence[Task], executor: Executor | None
) -> Generator[list[tuple[Task, list[Record]]], None, None]:
    """Carry out tasks; yields those done since the last time, each with its records."""
    if executor is not None:
        yield from _work_on(executor, perform, tasks)
        return
    for task in tasks:
        yield [(task, perform(task))]


def _work_on(
    executor: Executor, perform: Callable[[Task], list[Record]], tasks: Sequence[Task]
) -> Generator[list[tuple[Task, list[Record]]], None, None]:
    futures: dict[Future[list[Record]], Task] = {}
    try:
        for task in tasks:
            futures[_submit(executor, perform, task)] = task
        while futures:
            done, _ = wait(futures, timeout=_HEARTBEAT, return_when=FIRST_COMPLETED)
            good = [future for future in done if _failure(future) is None]
            yield [(futures.pop(future), future.result()) for future in good]
            if error := next((_failure(future) for future in done if future not in good), None):
                if isinstance(error, KeyboardInterrupt):  # it reached the worker first
                    raise error
                raise LostError(f"{type(error).__name__}: {error}".rstrip(": ")) from error
    finally:
        for future in futures:
            future.cancel()


def _submit(
    executor: Executor, perform: Callable[[Task], list[Record]], task: Task
) -> "Future[list[Record]]":
    try:
        return executor.submit(perform, task)
    except RuntimeError as error:  # shut down, or broken
        raise LostError(str(error)) from error


def _failure(future: "Future[Any]") -> BaseException | None:
    try:
        return future.exception()
    except CancelledError as error:
        return error


@contextmanager
def progress_bar(what: str, total: int, progress: bool) -> Iterator[Callable[[int], None]]:
    """A bar of repetitions, as a function of how many more are done."""
    from tqdm.auto import tqdm

    with closing(tqdm(total=total, desc=what, leave=False, disable=not progress)) as bar:
        yield bar.update


# --- arguments ----------------------------------------------------------------------------


def check_executor(executor: object) -> None:
    """Refuse what is no executor."""
    if executor is not None and not isinstance(executor, Executor):
        raise DataError(
            f"executor={executor!r} is not a concurrent.futures.Executor; pass one such as "
            "ProcessPoolExecutor(), for a Dask client client.get_executor(), or None"
        )


def chunk_size(chunk: int | None, total: int, executor: Executor | None) -> int:
    """Repetitions in a task: as asked for, or 1 here and 5 to 50 on an executor."""
    if chunk is None:
        share = -(-total // _TASKS)
        chunk = 1 if executor is None else min(max(share, _SMALLEST), _LARGEST)
    return check_whole(chunk, "chunk", 1)


def root_seed(seed: Any) -> np.random.SeedSequence:
    """A fresh SeedSequence: one that has spawned before gives the same as one that has not."""
    try:
        if isinstance(seed, np.random.SeedSequence):
            return np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key)
        if seed is not None and not isinstance(seed, bool):
            return np.random.SeedSequence(seed)
    except (TypeError, ValueError):
        pass
    raise DataError(
        f"seed={seed!r} is not a seed; pass a whole number, 0 or larger, a sequence of them, or "
        "a numpy SeedSequence"
    )
