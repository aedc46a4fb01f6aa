"""Tasks that processes can import: some kill the worker that does them."""

import os
import signal


def squares(task):
    return [task**2]


def falls_once(marks, task):
    """Its process is killed when a task of `marks` comes for the first time."""
    mark = marks / str(task)
    if mark.exists():
        mark.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    return [task**2]


def falls_always(task):
    if task == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return [task**2]
