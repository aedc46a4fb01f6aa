"""Kernels that are forks of one process: they behave as others do, and end as others do.

Each test speaks to real kernels, through Jupyter's own client.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from jupyter_client.manager import KernelManager
from support.paths import LECTURES

from hierwidgets.course.kernels import extension, mother, provisioner
from hierwidgets.course.kernels.provisioner import Forked, SharedProvisioner

pytestmark = pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="only Linux gives handles of processes"
)


@pytest.fixture(autouse=True)
def _course(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PATH", str(LECTURES / ".lab"))


@contextmanager
def kernel(**launch: object) -> Iterator[tuple[KernelManager, object]]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(**launch)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=90)
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def said(client: object, code: str) -> str:
    """What code prints."""
    texts: list[str] = []

    def hear(message: dict) -> None:
        texts.append(message["content"].get("text", ""))

    client.execute_interactive(code, output_hook=hear, timeout=60)  # type: ignore[attr-defined]
    return "".join(texts).strip()


def test_a_kernel_has_everything_imported_and_runs_where_it_should(tmp_path: Path) -> None:
    env = {**os.environ, "A_WORD": "told"}
    with kernel(cwd=str(tmp_path), env=env) as (manager, client):
        assert isinstance(manager.provisioner, SharedProvisioner)
        assert isinstance(manager.provisioner.process, Forked)
        asked = "import os, sys; print('bqplot' in sys.modules, os.getcwd(), os.environ['A_WORD'])"
        assert said(client, asked) == f"True {tmp_path} told"
        assert said(client, "print(sys.argv[0], __name__)") == "ipykernel_launcher __main__"
        assert said(client, "print(sys.path.count(''))") == "1"


def test_what_a_cell_left_free_goes_back_at_rest() -> None:
    held = "import psutil; print(psutil.Process().memory_info().rss // 2**20)"  # MiB
    with kernel() as (_, client):
        before = int(said(client, held))
        leave = "kept = [bytes(1000) for _ in range(150_000)]; last = kept[-1]; del kept"
        between = int(said(client, f"{leave}\n{held}"))
        assert between > before + 80
        time.sleep(mother._REST + 1.5)
        assert int(said(client, held)) < before + 40


def test_two_kernels_share_memory_and_no_numbers() -> None:
    code = "import numpy, random; print(numpy.random.rand(), random.random())"
    with kernel() as (one, first), kernel() as (other, second):
        numbers = {*said(first, code).split(), *said(second, code).split()}
        assert len(numbers) == 4
        for manager in (one, other):
            rollup = Path(f"/proc/{manager.provisioner.pid}/smaps_rollup").read_text()
            memory = {line.split()[0]: int(line.split()[1]) for line in rollup.splitlines()[1:]}
            assert memory["Shared_Dirty:"] > memory["Private_Dirty:"]


def test_a_kernel_takes_little_for_itself() -> None:
    """What it writes to is copied: 73 MiB when it imported its debugger and asked all modules."""
    with kernel() as (_, first), kernel() as (other, second):
        for client in (first, second):
            said(client, "import hierwidgets as hw")
        rollup = Path(f"/proc/{other.provisioner.pid}/smaps_rollup").read_text()
        (kib,) = (line.split()[1] for line in rollup.splitlines() if "Private_Dirty:" in line)
        assert int(kib) / 1024 < 30
        asked = "import sys; from hierwidgets.course.kernels.mother import _files; "
        imported = "sorted(n for n, m in sys.modules.items() if getattr(m, '__file__', None))"
        assert said(second, f"{asked}print({{*{imported}}} - {{*_files}})") == "set()"


def test_its_debugger_knows_the_files_of_all_modules_and_stops_at_a_line() -> None:
    with kernel() as (_, client):
        asked = (
            "import sys, ipykernel.ipkernel; "
            "files = {m.__file__ for m in [*sys.modules.values()] if getattr(m, '__file__', 0)}; "
            "print({*get_ipython().kernel._kernel_modules} == files, ipykernel.ipkernel.sys is sys)"
        )
        assert said(client, asked) == "True True"
        debug(client, "initialize", adapterID="", clientID="", pathFormat="path")
        debug(client, "attach")
        code = "a = 1\nb = a + 1\nprint(b)"
        file = debug(client, "dumpCell", code=code)["body"]["sourcePath"]
        place = {"source": {"path": file}, "breakpoints": [{"line": 3}]}
        debug(client, "setBreakpoints", **place, sourceModified=False)
        debug(client, "configurationDone")
        client.execute(code)  # type: ignore[attr-defined]
        thread = _stopped(client)
        stack = debug(client, "stackTrace", threadId=thread)["body"]["stackFrames"]
        assert (stack[0]["source"]["path"], stack[0]["line"]) == (file, 3)
        debug(client, "continue", threadId=thread)
        assert client.get_shell_msg(timeout=30)["content"]["status"] == "ok"  # type: ignore[attr-defined]


_numbers = count(1)


def debug(client: object, command: str, **arguments: object) -> dict:
    """What the debugger answers."""
    request = {"type": "request", "seq": next(_numbers), "command": command}
    request["arguments"] = arguments
    message = client.session.msg("debug_request", request)  # type: ignore[attr-defined]
    client.control_channel.send(message)  # type: ignore[attr-defined]
    while True:
        answer = client.get_control_msg(timeout=60)  # type: ignore[attr-defined]
        if answer["parent_header"].get("msg_id") == message["header"]["msg_id"]:
            assert answer["content"]["success"], answer["content"]
            return answer["content"]


def _stopped(client: object) -> int:
    """The thread that the debugger stops next."""
    while True:
        message = client.get_iopub_msg(timeout=60)  # type: ignore[attr-defined]
        if message["content"].get("event") == "stopped":
            return message["content"]["body"]["threadId"]


def test_a_server_imports_what_kernels_share_before_the_first_is_asked_for() -> None:
    provisioner._hang_up()
    settings = json.loads(
        (LECTURES / ".lab" / "jupyter_server_config.d" / "course.json").read_text()
    )
    named = settings["ServerApp"]["jpserver_extensions"]
    assert named[extension.__name__] is True
    assert extension._jupyter_server_extension_points() == [{"module": extension.__name__}]
    extension._load_jupyter_server_extension(None)
    (mother,) = provisioner._mothers
    with kernel() as (manager, client):
        assert isinstance(manager.provisioner.process, Forked)
        assert said(client, "print(6)") == "6"
        assert provisioner._mothers == [mother]
        extension._load_jupyter_server_extension(None)
        assert provisioner._mothers == [mother]


def test_a_server_starts_where_there_are_no_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    provisioner._hang_up()
    monkeypatch.setattr(provisioner, "_POSSIBLE", False)
    extension._load_jupyter_server_extension(None)
    assert provisioner._mothers == []


def test_interrupt_restart_and_shutdown() -> None:
    with kernel() as (manager, client):
        said(client, "x = 1")
        client.execute("import time; time.sleep(60)")
        time.sleep(1)
        manager.interrupt_kernel()
        reply = client.get_shell_msg(timeout=30)["content"]
        assert reply["ename"] == "KeyboardInterrupt"
        time.sleep(0.5)  # what is asked right after an error is not run
        assert said(client, "print(x)") == "1"
        before = manager.provisioner.pid
        manager.restart_kernel(now=True)
        client.wait_for_ready(timeout=60)
        assert manager.provisioner.pid != before
        assert said(client, "print('x' in globals())") == "False"
        last = manager.provisioner.pid
    assert not _lives(last)
    assert not _lives(before)


def test_a_kernel_that_was_killed_is_noticed() -> None:
    with kernel() as (manager, _):
        assert manager.is_alive()
        os.kill(manager.provisioner.pid, signal.SIGKILL)
        _until(lambda: not manager.is_alive())
        assert manager.provisioner.process.poll() is not None


ALONE = """
import sys, time
from jupyter_client.manager import KernelManager
manager = KernelManager(kernel_name="python3")
manager.start_kernel()
client = manager.client(); client.start_channels(); client.wait_for_ready(timeout=90)
print(manager.provisioner.pid, flush=True)
time.sleep(100)
"""


def test_kernels_end_when_the_server_is_killed() -> None:
    server = subprocess.Popen([sys.executable, "-c", ALONE], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    pid = int(server.stdout.readline())
    parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    server.kill()
    server.wait()
    _until(lambda: not _lives(pid) and not _lives(parent))


def test_a_changed_package_is_imported_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    with kernel() as (_, client):
        old = provisioner._mothers[-1]
        with monkeypatch.context() as later:
            later.setattr(provisioner, "_newest", lambda: old.born + 1)
            with kernel() as (_, other):
                assert provisioner._mothers[-1] is not old
                assert said(other, "print(1)") == "1"
        assert said(client, "print(2)") == "2"  # a kernel of the old one goes on
    _until(lambda: old.process.poll() is not None)  # and was its last


def test_where_it_fails_a_kernel_starts_in_the_usual_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provisioner, "_fork", cannot_fork)
    with kernel() as (manager, client):
        assert isinstance(manager.provisioner.process, subprocess.Popen)
        assert said(client, "print(3)") == "3"


def test_a_late_answer_is_not_taken_for_that_of_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    provisioner._hang_up()
    with monkeypatch.context() as hasty:
        hasty.setattr(provisioner, "_PATIENCE", 0.01)
        with kernel() as (manager, client):
            assert isinstance(manager.provisioner.process, subprocess.Popen)
            assert said(client, "print(4)") == "4"
            (late,) = provisioner._mothers
            _until(lambda: late.process.poll() is not None)
    with kernel() as (manager, client):
        assert isinstance(manager.provisioner.process, Forked)
        (now,) = provisioner._mothers
        assert now is not late
        assert said(client, "print(5)") == "5"


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _until(true: object, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.1)


def test_marginaleffects_is_shared_and_takes_no_jax_with_it() -> None:
    """Its answers are those of a process that finds jax."""
    code = """
import sys
import hierwidgets as hw
there = [name in sys.modules for name in ("marginaleffects", "polars", "jax.numpy")]
from marginaleffects import datagrid, predictions
fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")
model = hw.to_marginaleffects(fit)
grid = datagrid(district_id=lambda column: column.unique())
found = predictions(model, newdata=grid)
print(there, "jax.numpy" in sys.modules, [round(x, 6) for x in found["std_error"].to_list()])
"""
    with kernel() as (_, client):
        shared = said(client, code)
    alone = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shared.startswith("[True, True, False] False [0.")
    assert shared.split("[")[2] == alone.stdout.strip().split("[")[2]


def cannot_fork(_: object) -> Forked:
    raise OSError("no more processes")


def test_what_looks_for_a_notebook_when_it_is_imported_finds_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tables and bars are those of a kernel that was started in the usual way."""
    code = """
import matplotlib, pandas as pd
from tqdm.auto import tqdm
names = ["display.max_columns", "display.max_rows", "display.width", "display.notebook_repr_html"]
print(repr(pd.DataFrame([range(30)] * 3)), [pd.get_option(name) for name in names])
print(matplotlib.get_backend(), tqdm.__mro__[0].__module__)
"""
    with kernel() as (_, client):
        shared = said(client, code)
    monkeypatch.setattr(provisioner, "_fork", cannot_fork)
    with kernel() as (_, client):
        assert said(client, code) == shared
