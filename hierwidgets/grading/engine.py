"""Run a rebuilt notebook: answers in one process, tests in another, and what came of it.

The answers' process runs every cell that is no test. The tests' process runs the course's own
cells and the tests, with stand-ins for what the answers define; this one carries the messages from
one to the other and believes neither more than it must: of the answers it takes outputs to show,
of the tests the verdicts.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import nbformat

from hierwidgets.exam.wire import Broken, Channel, Frame, Gone, Silent

from .cells import grade_id, is_answer, is_test
from .program import Step, steps, unseen
from .sandbox import Limits, Sandboxed, Stopped
from .shown import clean

__all__ = ["Ran", "run"]

START = 120.0  # seconds within which Python has to start
GRACE = 4.0  # seconds until a process that was told to stop counts as silent
IDLE = 1000  # messages without a meaning, after which a process counts as broken
STOPPED = {
    "time": "the time limit of the whole notebook was reached",
    "memory": "the memory limit was passed",
    "processes": "too many processes or threads were started",
}


@dataclass(slots=True)
class Ran:
    """What came of a run: a flag, notes, and the outputs of every code cell by its place."""

    flag: str = "ok"
    notes: list[str] = field(default_factory=list)
    outputs: dict[int, list[Any]] = field(default_factory=dict)

    def note(self, flag: str, words: str) -> None:
        """The first flag stands; every note is kept once."""
        if self.flag == "ok":
            self.flag = flag
        if words not in self.notes:
            self.notes.append(words)


def error(name: str, message: str, whole: Iterable[str] = ()) -> Any:
    """An output that says that a cell failed."""
    return nbformat.v4.new_output(
        "error", ename=name, evalue=message, traceback=list(whole) or [f"{name}: {message}"]
    )


def run(
    notebook: Any, source: Any, files: Path, limits: Limits, *,
    hidden: Iterable[Path] = (), walls: bool = True,
) -> Ran:  # fmt: skip
    """Run a notebook whose cells are the course's but for the answers.

    Parameters
    ----------
    notebook
        The rebuilt submission.
    source
        The assignment's source: its tests and given cells are run as they stand there.
    files
        A folder with the files that belong to the assignment.
    limits, hidden, walls
        As for `Sandboxed`.
    """
    hidden = list(hidden)
    places = _places(notebook)
    ran = Ran()
    answers = tests = None
    try:
        sockets = 1 + max([place for place in places.values() if place is not None], default=0)
        answers = Sandboxed("answers", sockets, files, limits, hidden=hidden, walls=walls)
        tests = Sandboxed("judge", 1, files, limits, hidden=hidden, walls=walls)
        program = steps(source)
        kept = Sitting(answers, limits, ran, program).cells(notebook, places)
        Bench(answers, tests, limits, ran).tests(notebook, program, places, kept)
    finally:
        for process in (answers, tests):
            if process is not None:
                process.end()
    return ran


def _places(notebook: Any) -> dict[int, int | None]:
    """By code cell: the number of the answers' copy in which a test looks; None if no test."""
    places, number, fresh = dict[int, int | None](), 0, True
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        if is_test(cell):
            number += fresh
            places[index], fresh = number, False
        else:
            places[index], fresh = None, True
    return places


class Sitting:
    """Runs all cells that are no tests, and has a copy of the answers kept before each test."""

    def __init__(
        self, answers: Sandboxed, limits: Limits, ran: Ran, program: list[Step]
    ) -> None:  # fmt: skip
        self.answers, self.limits, self.ran = answers, limits, ran
        self.channel = Channel(answers.ends[0], answers.look)
        self.given = {step.code.strip(): list(step.binds) for step in program if not step.test}
        self.owned = {step.name: list(step.owned) for step in program if step.test}
        self.over = started(self.channel, answers)
        if self.over:
            ran.note("crash", self.over)
        self.deadline = time.monotonic() + limits.seconds
        self.number = count(1)

    def cells(self, notebook: Any, places: dict[int, int | None]) -> set[int]:
        """Run the cells; the numbers of the copies that are there."""
        kept: set[int] = set()
        for index, place in places.items():
            cell = notebook.cells[index]
            if self.over:
                if place is None:
                    self.ran.outputs[index] = [error("NotRun", self.over)]
            elif place is None:
                self.one(index, cell)
            elif place not in kept:
                owned = self.owned.get(grade_id(cell), [])
                if self.ask({"do": "keep", "owned": owned}, "") is not None:
                    kept.add(place)
                    self.answers.keep()
        self.channel.close()
        return kept

    def one(self, index: int, cell: Any) -> None:
        name, seconds = grade_id(cell), self.limits.cell_seconds
        binds = [] if is_answer(cell) else self.given.get(cell.source.strip(), [])
        told = self.ask(
            {"do": "run", "code": cell.source, "seconds": seconds, "binds": binds}, name
        )
        outputs = clean(told.get("outputs")) if told is not None else []
        if told is None or told.get("late") is True:
            words = self.over or f"no end after {seconds:g} seconds"
            outputs.insert(0, error("NotRun" if self.over else "CellTimeoutError", words))
            if not self.over:
                self.ran.note("timeout", f"{name or 'a cell of the student'}: {words}")
        self.ran.outputs[index] = outputs

    def ask(self, message: dict[str, Any], name: str) -> dict[str, Any] | None:
        """The reply; None if there is none, and then there will be no other."""
        number, seconds = next(self.number), self.limits.cell_seconds
        begun = time.monotonic()
        left = self.deadline - begun
        try:
            if left <= 0:
                raise Stopped
            self.channel.send({**message, "id": number})
            return awaited(self.channel, number, min(seconds + GRACE, left))[0]
        except Gone:
            if time.monotonic() - begun > seconds:  # killed by the clock of its processor time
                self.stop("timeout", f"{name or 'a cell'}: no end after {seconds:g} seconds")
                return None
            reason = STOPPED.get(self.answers.stopped, "")
            words = f"Python ended in or before {name or 'a cell'}"
            self.stop("crash", reason or words)
        except Silent:
            whole = self.deadline - time.monotonic() <= 0
            words = (
                STOPPED["time"]
                if whole
                else f"{name or 'a cell'}: no end after {seconds:g} seconds"
            )
            self.stop("timeout", words)
        except Broken as problem:
            self.stop("crash", f"{name or 'a cell'}: {problem}")
        except Stopped:
            self.stop("timeout", STOPPED["time"])
        return None

    def stop(self, flag: str, words: str) -> None:
        self.over = words
        self.ran.note(flag, words)


class Bench:
    """Runs the tests and carries their questions to the answers."""

    def __init__(self, answers: Sandboxed, tests: Sandboxed, limits: Limits, ran: Ran) -> None:
        self.answers, self.process, self.limits, self.ran = answers, tests, limits, ran
        self.judge = Channel(tests.ends[0], self.look)
        self.deadline = time.monotonic() + limits.seconds
        self.number, self.dumb = count(1), set[int | None]()
        self.over = started(self.judge, tests)
        if self.over:
            ran.note("crash", self.over)

    def look(self) -> None:
        self.process.look()
        self.answers.look()

    def tests(
        self, notebook: Any, program: list[Step], places: dict[int, int | None], kept: set[int]
    ) -> None:
        where = {grade_id(c): k for k, c in enumerate(notebook.cells) if is_test(c)}
        for step in program:
            if not step.test:
                self.given(step)
            elif step.name in where:
                index = where[step.name]
                place = places.get(index)
                self.ran.outputs[index] = self.test(step, place if place in kept else None)

    def given(self, step: Step) -> None:
        number = next(self.number)
        try:
            if not self.over:
                self.judge.send({"do": "given", "id": number, "code": unseen(step.code),
                                 "seconds": self.limits.cell_seconds})  # fmt: skip
                awaited(self.judge, number, 2 * self.limits.cell_seconds + 30)
        except (Gone, Silent, Broken):
            self.lost(step.name)

    def test(self, step: Step, place: int | None) -> list[Any]:
        """Run one test: its outputs, with an error unless it passed."""
        if self.over:
            return [error("NotRun", self.over)]
        if time.monotonic() > self.deadline:
            self.ran.note("timeout", STOPPED["time"])
            return [error("NotRun", STOPPED["time"])]
        lent = Lent(self.answers, None if place in self.dumb else place, self.limits, self.look)
        try:
            verdict = self.ask(step, lent)
        except (Gone, Silent, Broken):
            self.lost(step.name)
            return [error("NotRun", self.over)]
        finally:
            lent.end()
        if lent.silent:  # its copy is still at work and makes no other
            self.dumb.add(place)
        if lent.trouble and lent.channel is not None and verdict.get("passed") is not True:
            self.ran.note(lent.flag, f"{step.name}: {lent.trouble}")
        return self.outputs(step, verdict)

    def lost(self, name: str) -> None:
        self.over = f"the tests ended in {name or 'a given cell'}: {self.process.log()}".rstrip(
            ": "
        )
        self.ran.note("crash", self.over)

    def ask(self, step: Step, lent: "Lent") -> dict[str, Any]:
        """Start a test, answer its questions, return its verdict."""
        number, seconds = next(self.number), self.limits.cell_seconds
        names, pieces = lent.names(step.defined)
        self.judge.send({
            "do": "test", "id": number, "code": step.code, "hidden": step.hidden, "names": names,
            "defined": list(step.defined), "shared": list(step.shared), "seconds": seconds,
        }, pieces)  # fmt: skip
        latest = time.monotonic() + 2 * seconds + 30
        while True:
            message, pieces = self.judge.receive(max(0.1, latest - time.monotonic()))
            if "call" in message:
                self.judge.send(*lent.call(message, pieces, step))
            elif message.get("do") == "back":
                self.judge.send(*lent.reply(message, pieces))
            elif message.get("again") is True:
                lent.again()
            elif message.get("id") == number:
                return message

    def outputs(self, step: Step, verdict: dict[str, Any]) -> list[Any]:
        outputs = []
        if printed := str(verdict.get("printed") or ""):
            outputs.append(nbformat.v4.new_output("stream", name="stdout", text=printed))
        if verdict.get("passed") is not True:
            if verdict.get("late") is True:
                words = f"no end after {self.limits.cell_seconds:g} seconds"
                self.ran.note("timeout", f"{step.name}: {words}")
                return [*outputs, error("CellTimeoutError", words)]
            outputs.append(error(
                str(verdict.get("ename")), str(verdict.get("evalue")),
                [str(line) for line in verdict.get("whole", [])],
            ))  # fmt: skip
        return outputs


class Lent:
    """The answers as one test meets them: a fresh copy of them, or nobody."""

    def __init__(
        self, answers: Sandboxed, place: int | None, limits: Limits, look: Any
    ) -> None:  # fmt: skip
        self.limits, self.number = limits, count(1)
        self.latest = time.monotonic() + limits.cell_seconds
        self.flag, self.trouble, self.waiting = "crash", "", list[int]()
        self.session, self.silent = 0, False
        self.wanted: tuple[str, ...] = ()
        self.channel = Channel(answers.ends[place], look) if place is not None else None
        if self.channel is None:
            self.trouble = "Python had ended before this cell"
        self.begin()

    def begin(self) -> None:
        """Have a copy of the answers made for one run of a test."""
        self.session = next(_SESSIONS)
        self.tell({"do": "begin", "id": self.session})

    def tell(self, message: dict[str, Any], pieces: list[bytes] | None = None) -> None:
        if self.channel is not None and not self.trouble:
            try:
                self.channel.send(message, pieces)
            except (Gone, Broken):
                self.fail("crash", "Python ended in the answer")

    def end(self) -> None:
        """Let the copy go; another one is made for the next test."""
        self.tell({"do": "end"})

    def again(self) -> None:
        """The test is run a second time, on answers that know nothing of the first."""
        self.end()
        self.latest = time.monotonic() + self.limits.cell_seconds
        self.begin()
        self.names(self.wanted)

    def fail(self, flag: str, words: str) -> None:
        self.flag, self.trouble = flag, words

    def names(self, wanted: tuple[str, ...]) -> tuple[dict[str, Any], list[bytes]]:
        """What the answers bound these names to, in their words."""
        number, self.wanted = next(self.number), wanted
        self.tell({"do": "names", "id": number, "names": list(wanted)})
        message, pieces = self.heard(number, self.limits.cell_seconds)
        found = message.get("names")
        if not isinstance(found, dict):
            return {}, []
        return {name: found[name] for name in wanted if name in found}, pieces

    def call(self, message: dict[str, Any], pieces: list[bytes], step: Step) -> Frame:
        """Hand a call to the answers; their reply or their own question, for the test."""
        number, left = next(self.number), max(0.1, self.latest - time.monotonic())
        self.waiting.append(number)
        self.tell({
            "do": "call", "id": number, "function": message["call"], "seconds": left,
            "arguments": message["arguments"], "shared": message["shared"],
        }, pieces)  # fmt: skip
        return self.next(left)

    def reply(self, message: dict[str, Any], pieces: list[bytes]) -> Frame:
        """Hand a test's reply back to the answer that had called its function."""
        self.tell(message, pieces)
        return self.next(max(0.1, self.latest - time.monotonic()))

    def next(self, seconds: float) -> Frame:
        message, pieces = self.heard(self.waiting[-1], seconds, back=True)
        if "back" in message:
            return {"back": message["back"], "arguments": message.get("arguments")}, pieces
        self.waiting.pop()
        if message.get("late") is True:
            self.fail("timeout", f"no end after {self.limits.cell_seconds:g} seconds")
        if self.trouble:
            return {"failed": f"gave no answer: {self.trouble}"}, []
        return {k: message[k] for k in ("value", "raised", "changed") if k in message}, pieces

    def heard(self, number: int, seconds: float, *, back: bool = False) -> Frame:
        """The reply with this number (or a question); an empty one if none comes."""
        if self.channel is not None and not self.trouble:
            begun = time.monotonic()
            try:
                return awaited(
                    self.channel, number, seconds + GRACE, back=back, session=self.session
                )
            except Gone:
                if time.monotonic() - begun > seconds:  # killed by its clock of processor time
                    self.fail("timeout", f"no end after {self.limits.cell_seconds:g} seconds")
                else:
                    self.fail("crash", "Python ended in the answer")
            except Silent:
                self.silent = True
                self.fail("timeout", f"no end after {self.limits.cell_seconds:g} seconds")
            except Broken as problem:
                self.fail("crash", str(problem))
        return {}, []


def started(channel: Channel, process: Sandboxed) -> str:
    """Wait until a process serves; in words, what went wrong."""
    try:
        awaited(channel, 0, START)
        process.keep(start=True)
    except (Gone, Silent, Broken):
        return f"Python did not start: {process.log() or 'it gives no reason'}"
    return ""


_SESSIONS = count(1)


def awaited(
    channel: Channel, number: int, seconds: float, *, back: bool = False, session: int = 0
) -> Frame:
    """The message with this number; others mean nothing, but that the session has ended."""
    latest = time.monotonic() + seconds
    for _ in range(IDLE):
        message, pieces = channel.receive(max(0.05, latest - time.monotonic()))
        told = message.get("id")
        if type(told) is int and told == number:
            return message, pieces
        if session and message.get("ended") == session:
            raise Gone
        if back and type(message.get("back")) is int:
            return message, pieces
    raise Broken("messages without a meaning")
