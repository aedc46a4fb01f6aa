"""The process of the answers: ``python -m hierwidgets.exam.answers LIMITS SOCKETS``.

It holds what a student wrote and nothing else: no test, no notebook, no way to a grade. It runs
cells as it is told and lends its functions to tests that run elsewhere. All that it says is the
student's word.

After the cells before a test it keeps a copy of itself (a fork), which waits until its tests are
run. By then all cells have been run and their outputs handed over, so nothing that a test asks can
come to be shown in an output, and each test meets the answers as they were at its place.

The first socket is that of the runner; each of the others belongs to one such copy.
"""

import builtins
import gc
import os
import socket
import sys
from typing import Any

from .plain import PlainError, Writer
from .reader import Reader
from .shell import OutOfTime, Shell, limited, prepare
from .wire import Broken, Channel, Gone

__all__ = ["main"]

MOST_ERROR = 500  # characters of an exception's text


def main() -> None:
    """Run until the parent closes standard input; the cells are run by a process of its own."""
    prepare(int(sys.argv[1]), int(sys.argv[2]))
    sockets = [int(number) for number in sys.argv[3:]]
    quiet = os.open(os.devnull, os.O_RDWR)
    if os.fork():
        for number in sockets:
            os.close(number)
        sys.stdin.buffer.read()  # until the parent is done
        os._exit(0)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)
    Runner(sockets).serve()
    os._exit(0)


class Runner:
    """Runs cells, and leaves a copy of itself where a test will look."""

    def __init__(self, sockets: list[int]) -> None:
        self.channel = Channel(socket.socket(fileno=sockets[0]))
        self.copies = sockets[1:]
        self.shell = Shell.instance()
        self.course: dict[str, Any] = {}

    def serve(self) -> None:
        self.tell({"id": 0})
        while True:
            try:
                message, _ = self.channel.receive()
            except Gone:
                return
            if message["do"] == "run":
                outputs, late = self.shell.cell(message["code"], message["seconds"])
                names = self.shell.user_ns
                self.course |= {name: names[name] for name in message["binds"] if name in names}
                self.tell({"id": message["id"], "outputs": list(outputs), "late": late})
            else:
                self.keep(message)

    def keep(self, message: dict[str, Any]) -> None:
        """Fork a copy that serves the tests at this place."""
        own = self.copies.pop(0)
        if os.fork():
            os.close(own)
            self.tell({"id": message["id"]})
            return
        gc.freeze()  # a collection here would write to every page that is shared
        self.channel.close()
        for other in self.copies:
            os.close(other)
        names = self.shell.user_ns
        self.undo(names, set(message["owned"]))
        lend(Channel(socket.socket(fileno=own)), names)
        os._exit(0)

    def undo(self, names: dict[str, Any], owned: set[str]) -> None:
        """Where an answer bound a name of the course or of Python's anew, this is forgotten.

        A stray ``y = 3`` or ``sum = 0`` in a cell costs nobody the functions that rely on it.
        """
        names.update({name: value for name, value in self.course.items() if name not in owned})
        for name in vars(builtins):
            stray = name in names and name not in owned and not callable(names[name])
            if stray and not name.startswith("_"):
                del names[name]

    def tell(self, message: dict[str, Any]) -> None:
        try:
            self.channel.send(message)
        except (Broken, TypeError, ValueError):
            self.channel.send({"id": message["id"], "outputs": [], "late": False})


def lend(channel: Channel, names: dict[str, Any]) -> None:
    """Serve one test after the other, each by a fresh copy, until the parent hangs up."""
    while True:
        try:
            message, _ = channel.receive()
            if message["do"] != "begin":
                continue
            child = os.fork()
            if not child:
                try:
                    Lender(channel, names).serve()
                finally:
                    os._exit(0)
            os.waitpid(child, 0)
            channel.send({"ended": message["id"]})
        except Gone:
            return


class Done(Exception):
    """The test is over."""


class Lender:
    """Lends the functions and values of the answers to one test."""

    def __init__(self, channel: Channel, names: dict[str, Any]) -> None:
        self.channel, self.names = channel, names
        self.functions: list[Any] = []

    def serve(self) -> None:
        try:
            while True:
                self.one(*self.channel.receive())
        except (Done, Gone):
            return

    def one(self, message: dict[str, Any], pieces: list[bytes]) -> None:
        if message["do"] == "end":
            raise Done
        if message["do"] == "names":
            self.values(message)
        elif message["do"] == "call":
            self.call(message, pieces)

    def remember(self, function: Any) -> list[Any]:
        """The number under which a function of ours is called, or that of a test's own."""
        if isinstance(function, Lent):
            return [-1 - function.number, function.__name__]
        known = [k for k, other in enumerate(self.functions) if other is function]
        if not known:
            self.functions.append(function)
        return [
            known[0] if known else len(self.functions) - 1,
            str(getattr(function, "__name__", ""))[:100],
        ]

    def recall(self, number: int, name: str) -> Any:
        return self.functions[number] if number >= 0 else Lent(self, -1 - number, name)

    def values(self, message: dict[str, Any]) -> None:
        """What the names of the answers are bound to."""
        writer, found = Writer(self.remember), {}
        for name in message["names"]:
            if name in self.names:
                found[name] = self.plain(writer, self.names[name])
        self.reply({"id": message["id"], "names": found}, writer)

    def plain(self, writer: Writer, value: Any) -> Any:
        try:
            return writer.write(value)
        except PlainError as problem:
            return ["other", str(problem)]

    def call(self, message: dict[str, Any], pieces: list[bytes]) -> None:
        """Call a function with plain data: its value, or what it raised, and changed arguments."""
        reader = Reader(pieces, self.recall)
        self.names.update(reader.read(message["shared"]))
        positional, named = reader.read(message["arguments"])
        writer = Writer(self.remember)
        reply: dict[str, Any] = {"id": message["id"], "late": False}
        try:
            with limited(message["seconds"]):
                found = self.functions[message["function"]](*positional, **named)
                reply["value"] = writer.write(found)
        except OutOfTime:
            reply["late"] = True
        except Done:
            raise
        except BaseException as problem:  # a student's function may raise anything
            reply["raised"] = _described(problem)
        after = Writer(self.remember)
        try:
            state = after.write((positional, named))
            if state != message["arguments"] or after.pieces != pieces[: len(after.pieces)]:
                reply["changed"] = writer.write((positional, named))
        except Exception:  # then the arguments count as they were
            pass
        self.reply(reply, writer)
        if reply["late"]:
            raise Done  # the interrupt may have come in the middle of a message

    def back(self, number: int, positional: Any, named: Any) -> Any:
        """Call a function of the test, which runs where the test runs."""
        writer = Writer(self.remember)
        arguments = writer.write((list(positional), named))
        self.channel.send({"back": number, "arguments": arguments}, writer.pieces)
        while True:
            message, pieces = self.channel.receive()
            if message["do"] != "back":
                self.one(message, pieces)
                continue
            if "raised" in message:
                raise RuntimeError("the function that was handed over raised an exception")
            return Reader(pieces, self.recall).read(message["value"])

    def reply(self, message: dict[str, Any], writer: Writer) -> None:
        try:
            self.channel.send(message, writer.pieces)
        except (Broken, TypeError, ValueError) as problem:
            raised = {"kinds": [], "text": str(problem)[:MOST_ERROR]}
            self.channel.send({"id": message["id"], "late": False, "raised": raised})


class Lent:
    """A function of a test, in the hands of an answer."""

    def __init__(self, lender: Lender, number: int, name: str) -> None:
        self.lender, self.number, self.__name__ = lender, number, name

    def __call__(self, *positional: Any, **named: Any) -> Any:
        return self.lender.back(self.number, positional, named)


def _described(problem: BaseException) -> dict[str, Any]:
    kinds = [f"{kind.__module__}.{kind.__qualname__}" for kind in type(problem).__mro__]
    try:
        text = str(problem)[:MOST_ERROR]
    except BaseException:
        text = ""
    return {"kinds": kinds, "text": text}


if __name__ == "__main__":
    main()
