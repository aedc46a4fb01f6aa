"""Run one rebuilt notebook: ``python -m hierwidgets.grading.runner FD``.

Reads a request as JSON from standard input and writes one line of JSON to the file descriptor
for every code cell, as soon as it is done, so that a run that is killed leaves what it had. The
notebook is on no disk while answers run. The parent (`grades`) limits and isolates the process.
"""

import ast
import asyncio
import ctypes
import json
import os
import secrets
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from .cells import is_answer, is_test

GUARD = Path(__file__).with_name("guard.py")
MOST_TEXT = 20_000  # characters of one output that are kept
MOST_OUTPUTS = 50  # outputs of one cell that are kept
MOST_BYTES = 2_000_000  # of one picture or table


class Client(NotebookClient):  # type: ignore[misc]
    """Keeps no more of a cell's output than a reader would look at."""

    def output(self, outs: list[Any], msg: Any, display_id: str, cell_index: int) -> Any:
        content = msg["content"]
        if msg["msg_type"] == "stream":
            last = outs[-1] if outs else {}
            same = last.get("output_type") == "stream" and last.get("name") == content["name"]
            room = MOST_TEXT - (len(last["text"]) if same else 0)
            if room <= 0:
                return None
            if len(content["text"]) > room:
                content["text"] = content["text"][:room] + "\n[the rest is cut off]"
        elif len(json.dumps(content.get("data", ""), default=str)) > MOST_BYTES:
            content["data"] = {"text/plain": "[a very large output was left out]"}
        if len(outs) >= MOST_OUTPUTS:
            return None
        return super().output(outs, msg, display_id, cell_index)


def error(name: str, message: str) -> Any:
    """An output that says that a cell failed."""
    return nbformat.v4.new_output(
        "error", ename=name, evalue=message, traceback=[f"{name}: {message}"]
    )


class Run:
    """One notebook in one kernel, cell by cell."""

    def __init__(self, request: dict[str, Any], out: Any) -> None:
        self.notebook = nbformat.from_dict(request["notebook"])
        self.out, self.limit = out, float(request["cell_seconds"])
        self.key = f"_{secrets.token_hex(8)}"
        self.client = Client(
            self.notebook, timeout=self.limit, interrupt_on_timeout=True, allow_errors=True,
            kernel_name="python3", record_timing=False, resources={"metadata": {"path": "."}},
        )  # fmt: skip

    async def all(self) -> None:
        """Run everything; after a dead kernel what is left counts as failed."""
        dead = guarded = False
        async with self.client.async_setup_kernel():
            for index, cell in enumerate(self.notebook.cells):
                if cell.cell_type != "code":
                    continue
                if not guarded and not dead and is_answer(cell):
                    await self.ask(self.install())
                    guarded = True
                changed: list[str] = []
                if not dead:
                    dead, changed = await self.one(index, cell, guarded)
                else:
                    cell.outputs = [error("DeadKernelError", "Python had ended before this cell")]
                self.report(index, cell, changed, dead)

    async def one(self, index: int, cell: Any, guarded: bool) -> tuple[bool, list[str]]:
        """Run a cell; whether the kernel died, and which trusted names had been changed."""
        changed: list[str] = []
        try:
            if guarded and is_test(cell):
                changed = await self.changed()
            if changed:
                names = ", ".join(changed[:5])
                cell.outputs = [error("Tampered", f"what the tests rely on was changed: {names}")]
                return False, changed
            start = time.monotonic()
            await self.client.async_execute_cell(cell, index)
            if time.monotonic() - start > self.limit:  # it was interrupted
                cell.outputs.insert(0, self.too_long())
            if guarded and is_test(cell):
                await self.ask(f"get_ipython().{self.key}.after()")
        except (CellTimeoutError, TimeoutError):
            cell.outputs = [self.too_long()]
        except DeadKernelError:
            cell.outputs = [error("DeadKernelError", "this cell ended Python itself")]
            return True, changed
        except CellExecutionError:
            pass  # it is among the outputs
        if not await self.client.km.is_alive():
            cell.outputs = [error("DeadKernelError", "this cell ended Python itself")]
            return True, changed
        return False, changed

    def too_long(self) -> Any:
        return error("CellTimeoutError", f"no end after {self.limit:g} seconds")

    def install(self) -> str:
        text = GUARD.read_text(encoding="utf-8")
        return (
            f"_s = {{}}; exec({text!r}, _s); "
            f"object.__setattr__(get_ipython(), {self.key!r}, _s['Guard'](get_ipython())); del _s"
        )

    async def changed(self) -> list[str]:
        """The trusted names that differ now; rebinds those of the notebook itself."""
        answer = await self.ask(f"(get_ipython().{self.key}.before(), "
                                f"get_ipython().{self.key}.problems())[1]")  # fmt: skip
        return list(answer)

    async def ask(self, code: str) -> Any:
        """The value of an expression in the kernel (a list of texts), outside any cell."""
        expressions = {} if "exec(" in code else {"v": code}
        statement = "" if expressions else code
        client = self.client.kc
        message = client.execute(
            statement, silent=True, store_history=False, user_expressions=expressions
        )
        while True:
            reply = await asyncio.wait_for(client.get_shell_msg(timeout=self.limit), self.limit)
            if reply["parent_header"].get("msg_id") == message:
                break
        found = reply["content"].get("user_expressions", {}).get("v", {})
        if reply["content"]["status"] != "ok" or (expressions and found.get("status") != "ok"):
            return ["the guard itself"]
        return ast.literal_eval(found["data"]["text/plain"]) if expressions else None

    def report(self, index: int, cell: Any, changed: list[str], dead: bool) -> None:
        line = {
            "index": index, "outputs": cell.outputs, "count": cell.get("execution_count"),
            "changed": changed, "dead": dead,
        }  # fmt: skip
        self.out.write(json.dumps(line) + "\n")
        self.out.flush()


def hide() -> None:
    """Keep other processes of the same user out of this one's memory and files (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE


def main() -> None:
    hide()
    request = json.load(sys.stdin)
    with os.fdopen(int(sys.argv[1]), "w", encoding="utf-8") as out:
        os.set_inheritable(out.fileno(), False)
        run = Run(request, out)
        asyncio.run(run.all())
        out.write(json.dumps({"end": True}) + "\n")


if __name__ == "__main__":
    main()
