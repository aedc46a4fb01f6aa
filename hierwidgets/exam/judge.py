"""The process of the tests: ``python -m hierwidgets.exam.judge LIMITS SOCKET``.

It holds the course's own cells and tests and no code of a student. Where a test uses a name that
an answer defines it finds plain data, or an `Answer` in place of a function: calling it sends the
arguments to the answers' process and makes the reply anew. The verdict is whether the test raised.
"""

import ast
import asyncio
import builtins
import contextlib
import inspect
import io
import os
import signal
import socket
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from hierwidgets import errors

from .plain import PlainError, Unsendable, Writer
from .reader import Reader, restore
from .shell import OutOfTime, Shell, limited, prepare
from .wire import Broken, Channel, Gone

__all__ = ["Answer", "AnswerError", "Judge", "main"]

MOST_WORDS = 1000  # characters of a message
MOST_PRINTED = 20_000
# What an answer may raise and a test may catch. A StopIteration would end a test's own loop.
NEVER = (StopIteration, StopAsyncIteration, AssertionError)


class AnswerError(Exception):
    """The answer could not be asked, or did not reply."""


class Answer:
    """A function of the answers, as a test holds it."""

    def __init__(self, judge: "Judge", number: int, name: str) -> None:
        self._judge, self._number = judge, number
        self.__name__ = self.__qualname__ = name

    def __call__(self, *positional: Any, **named: Any) -> Any:
        return self._judge.call(self, positional, named)

    def __repr__(self) -> str:
        return f"<function {self.__name__} of the answers>"


class Judge:
    """Runs the course's cells and tests, one after the other, in one namespace."""

    def __init__(self, channel: Channel) -> None:
        self.channel, self.shell = channel, Shell.instance()
        self.names = self.shell.user_ns
        self.functions: list[Any] = []
        self.broken: list[BaseException] = []
        self.shared: list[str] = []
        self.hidden = self.contents = self.changed = False

    def serve(self) -> None:
        self.channel.send({"id": 0})
        while True:
            try:
                message, pieces = self.channel.receive()
            except Gone:
                return
            if message["do"] == "given":
                outputs, _ = self.shell.cell(message["code"], message["seconds"])
                wrong = [o["ename"] for o in outputs if o["output_type"] == "error"]
                self.channel.send({"id": message["id"], "wrong": wrong})
            else:
                self.test(message, pieces)

    def test(self, message: dict[str, Any], pieces: list[bytes]) -> None:
        """Run a test; where an answer changed its arguments, it must also pass on a copy of them.

        Otherwise a function could empty the data on which it is judged.
        """
        gate, start = os.pipe()
        spare = os.fork()
        if not spare:
            os.close(start)
            if os.read(gate, 1):
                self.channel.send(self.trial(message, pieces, contents=False))
            os._exit(0)
        os.close(gate)
        verdict = self.trial(message, pieces, contents=True)
        again = verdict["passed"] and self.changed
        if again:
            self.channel.send({"again": True})
            os.write(start, b"1")
        os.close(start)
        _, status = os.waitpid(spare, 0)
        if not again or status:
            self.channel.send(verdict | {"passed": verdict["passed"] and not status})

    def trial(
        self, message: dict[str, Any], pieces: list[bytes], *, contents: bool
    ) -> dict[str, Any]:
        """The verdict, and what a reader may see of it."""
        self.functions, self.broken, self.changed = [], [], False
        self.hidden, self.shared, self.contents = message["hidden"], message["shared"], contents
        self.bind(message, pieces)
        printed, problem = io.StringIO(), None
        try:
            with (
                limited(message["seconds"]), contextlib.redirect_stdout(printed),
                contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings(),
            ):  # fmt: skip
                warnings.simplefilter("ignore")
                self.execute(message["code"])
        except BaseException as raised:  # whatever it is, the test did not pass
            problem = raised
        if problem is None and self.broken:
            problem = self.broken[0]
        return {
            "id": message["id"], "passed": problem is None,
            "late": isinstance(problem, OutOfTime), "printed": printed.getvalue()[:MOST_PRINTED],
            **(self.words(problem, message["code"]) if problem is not None else {}),
        }  # fmt: skip

    def execute(self, code: str) -> None:
        program = compile(
            self.shell.transform_cell(code), "<test>", "exec",
            flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True,
        )  # fmt: skip
        found = eval(program, self.names)
        if inspect.iscoroutine(found):
            asyncio.run(found)

    def bind(self, message: dict[str, Any], pieces: list[bytes]) -> None:
        """Bind the names of the answers; those that they do not define are not there."""
        reader = self.reader(pieces)
        for name in message["defined"]:
            self.names.pop(name, None)
            if name in message["names"]:
                try:
                    self.names[name] = reader.read(message["names"][name])
                except PlainError as problem:
                    self.names[name] = Unsendable(f"what cannot be read ({problem})")
                if isinstance(self.names[name], Answer):
                    self.names[name].__name__ = self.names[name].__qualname__ = name

    def words(self, problem: BaseException, code: str) -> dict[str, Any]:
        """The name and text of what a test raised, and the line at which it did.

        The text of anything but an assertion may repeat what the answer was asked, so that of a
        test with a hidden part does not stand where students read.
        """
        text = " ".join(str(problem).split())[:MOST_WORDS]
        name = type(problem).__name__
        own = isinstance(problem, AssertionError | AnswerError | NameError | OutOfTime)
        shown = text if own or not self.hidden else "the test could not go on with this answer"
        where = problem.__traceback__
        lines = []
        while where is not None:
            if where.tb_frame.f_code.co_filename == "<test>":
                lines = code.splitlines()[where.tb_lineno - 1 : where.tb_lineno]
            where = where.tb_next
        return {"ename": name, "evalue": shown, "whole": [f"{name}: {text}", *lines]}

    # --- calls ---

    def remember(self, function: Any) -> list[Any]:
        if isinstance(function, Answer):
            return [function._number, function.__name__]
        self.functions.append(function)
        return [-len(self.functions), str(getattr(function, "__name__", "function"))]

    def recall(self, number: int, name: str) -> Any:
        if number >= 0:
            return Answer(self, number, "the function")
        if not -len(self.functions) <= number:
            raise PlainError("a function that was not handed over")
        return self.functions[-1 - number]

    def reader(self, pieces: list[bytes]) -> Reader:
        return Reader(pieces, self.recall, told=not self.hidden)

    def call(self, answer: Answer, positional: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Have an answer called: its value, with changed arguments brought back."""
        writer = Writer(self.remember, strict=True)
        arguments = writer.write((positional, named))
        self.say({"call": answer._number, "arguments": arguments, "shared": self.lent(writer)},
                 writer.pieces)  # fmt: skip
        while True:
            message, pieces = self.hear()
            if "back" not in message:
                break
            self.back(message, pieces)
        if self.broken:
            raise self.broken[0]
        if "failed" in message:
            raise AnswerError(f"{answer.__name__} {message['failed']}")
        reader = self.reader(pieces)
        try:
            if "changed" in message:
                after = reader.read(message["changed"])
                self.changed |= restore((positional, named), after, contents=self.contents)
            if "raised" in message:
                raise self.raised(answer.__name__, message["raised"])
            return reader.read(message.get("value"))
        except PlainError as problem:
            raise AnswerError(
                f"{answer.__name__} returned what cannot be read: {problem}"
            ) from None

    def lent(self, writer: Writer) -> Any:
        """The course's variables that this test binds anew, as it has them now."""
        found = {}
        for name in self.shared:
            with contextlib.suppress(PlainError, KeyError):
                found[name] = Writer(strict=True).write(self.names[name]) and self.names[name]
        return writer.write(found)

    def back(self, message: dict[str, Any], pieces: list[bytes]) -> None:
        """An answer calls a function of the test; what that asserts is remembered."""
        writer, reply = Writer(self.remember), {}
        try:
            number = message["back"]
            if type(number) is not int or not 0 <= number < len(self.functions):
                raise PlainError("a function that was not handed over")
            positional, named = self.reader(pieces).read(message["arguments"])
            reply["value"] = writer.write(self.functions[number](*positional, **named))
        except AssertionError as problem:
            self.broken.append(problem)
            reply["raised"] = True
        except Exception:
            reply["raised"] = True
        self.say({"do": "back", **reply}, writer.pieces)

    def raised(self, name: str, told: Any) -> Exception:
        """The exception that an answer raised, as one of Python's own."""
        kinds = told.get("kinds") if isinstance(told, dict) else None
        text = "" if self.hidden or not isinstance(told, dict) else str(told.get("text", ""))[:300]
        for kind in kinds if isinstance(kinds, list) else ():
            module, _, short = str(kind).rpartition(".")
            space: Any = {"builtins": builtins, errors.__name__: errors}.get(module)
            known = getattr(space, short, None)
            if isinstance(known, type) and issubclass(known, Exception):
                if known is Exception or issubclass(known, NEVER):
                    break
                try:
                    return known(f"{name} stopped with {short}" + (f": {text}" if text else ""))
                except TypeError:
                    break
        return AnswerError(f"{name} stopped with an exception" + (f": {text}" if text else ""))

    def say(self, message: dict[str, Any], pieces: list[bytes]) -> None:
        with uninterrupted():
            self.channel.send(message, pieces)

    def hear(self) -> tuple[dict[str, Any], list[bytes]]:
        with uninterrupted():
            return self.channel.receive()


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """The clock of a test waits until a message is whole."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})


def main() -> None:
    prepare(int(sys.argv[1]), int(sys.argv[2]))
    with contextlib.suppress(Broken):
        Judge(Channel(socket.socket(fileno=int(sys.argv[3])))).serve()
    os._exit(0)


if __name__ == "__main__":
    main()
