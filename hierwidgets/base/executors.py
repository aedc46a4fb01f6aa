"""Tasks carried out in this process or on an executor, in an order that does not matter."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from hierwidgets.base.checks import check_whole
from hierwidgets.errors import DataError, FitError

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

__all__ = [
    "LostError", "RootSeed", "carried_out", "check_executor", "chunk_size", "progress_bar",
    "root_seed", "spawned", "work",
]  # fmt: skip

RootSeed = int | Sequence[int] | np.random.SeedSequence
Task = TypeVar("Task")
Record = TypeVar("Record")

_TASKS = 400  # a run is cut into about so many: enough to see it move
_LARGEST = 50  # repetitions in a task, so that a stop is soon heard
_SMALLEST = 5
_HEARTBEAT = 0.2  # seconds between two looks at what there is
_AHEAD = 256  # tasks given away at one time, or four for each worker if these are more
_AGAIN = 3  # times that a lost task is done again
_LOST = {"KilledWorker", "CommClosedError", "FutureCancelledError", "LostDependencyError"}


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
    tasks: Iterable[Task],
    executor: Executor | None,
    show: Callable[[int], None],
) -> tuple[list[tuple[Task, list[Record]]], str]:
    """What was done, and why it ended early: empty if everything was done.

    Parameters
    ----------
    perform :
        Does a task, wherever it is; on an executor of processes it and its task are sent there.
    tasks :
        Asked for one by one, as there is room for them, so a generator is never all in memory.
    executor :
        None does the tasks here, in their order. On an executor they end in any order.
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
    perform: Callable[[Task], list[Record]], tasks: Iterable[Task], executor: Executor | None
) -> Generator[list[tuple[Task, list[Record]]], None, None]:
    """Carry out tasks; yields those done since the last time, each with its records.

    A task whose worker is lost is done again, at most three times; a pool of processes, which
    ends with any of them, is replaced by a new one of its kind, closed at the end.
    """
    if executor is not None:
        with closing(_Workers(executor)) as workers:
            yield from _work_on(workers, perform, tasks)
        return
    for task in tasks:
        yield [(task, perform(task))]


class _Workers:
    """An executor, or the pool that took its place when one of its processes died."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._own: Executor | None = None
        self.ahead = max(_AHEAD, 4 * int(getattr(executor, "_max_workers", 0)))

    def submit(self, perform: Callable[[Task], list[Record]], task: Task) -> "Future[list[Record]]":
        try:
            return self._executor.submit(perform, task)
        except BrokenExecutor:
            from concurrent.futures import ProcessPoolExecutor  # in a browser there is none

            if not isinstance(self._executor, ProcessPoolExecutor):
                raise
        self._replace(self._executor)
        return self._executor.submit(perform, task)

    def _replace(self, broken: "ProcessPoolExecutor") -> None:
        from concurrent.futures import ProcessPoolExecutor

        self.close()
        self._executor = self._own = ProcessPoolExecutor(
            broken._max_workers,  # type: ignore[attr-defined]
            broken._mp_context,
            broken._initializer,
            broken._initargs,
        )

    def close(self) -> None:
        if self._own is not None:
            self._own.shutdown(wait=False, cancel_futures=True)


def _work_on(
    workers: _Workers, perform: Callable[[Task], list[Record]], tasks: Iterable[Task]
) -> Generator[list[tuple[Task, list[Record]]], None, None]:
    fresh = ((task, 0) for task in tasks)
    again: list[tuple[Task, int]] = []  # with how often they were lost
    futures: dict[Future[list[Record]], tuple[Task, int]] = {}
    try:
        while True:
            while len(futures) < workers.ahead:
                if (one := again.pop() if again else next(fresh, None)) is None:
                    break
                futures[_submit(workers, perform, one[0])] = one
            if not futures:
                return
            done, _ = wait(futures, timeout=_HEARTBEAT, return_when=FIRST_COMPLETED)
            good = [future for future in done if _failure(future) is None]
            yield [(futures.pop(future)[0], future.result()) for future in good]
            for future in done:
                if error := _failure(future):
                    task, times = futures.pop(future)
                    again.append((task, _once_more(error, times)))
    finally:
        for future in futures:
            future.cancel()


def _submit(
    workers: _Workers, perform: Callable[[Task], list[Record]], task: Task
) -> "Future[list[Record]]":
    try:
        return workers.submit(perform, task)
    except RuntimeError as error:  # shut down, or broken
        raise LostError(str(error)) from error


def _once_more(error: BaseException, times: int) -> int:
    """How often a task was lost now; raises where it is not to be done again."""
    if isinstance(error, KeyboardInterrupt):  # it reached the worker first
        raise error
    # Dask's own names, so that it need not be installed
    lost = isinstance(error, BrokenExecutor) or type(error).__name__ in _LOST
    if lost and times < _AGAIN:
        return times + 1
    more = f", {times + 1} times" if lost else ""
    raise LostError(f"{type(error).__name__}: {error}".rstrip(": ") + more) from error


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


def spawned(root: np.random.SeedSequence, first: int, count: int) -> list[np.random.SeedSequence]:
    """Some of the children that a fresh `root` spawns, without the others."""
    return [
        np.random.SeedSequence(
            root.entropy, spawn_key=(*root.spawn_key, i), pool_size=root.pool_size
        )
        for i in range(first, first + count)
    ]
