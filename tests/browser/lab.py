"""Start JupyterLab on a folder, open a notebook in Chromium, talk to its kernel.

The Lab application object (``--LabApp.expose_app_in_browser``) says when the kernel is connected
and when a run has ended, so nothing here waits for a fixed time.
"""

import io
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright
from playwright.sync_api import Error as PageError

# On a busy machine an answer may take long, and a wrong one is as wrong later.
expect.set_options(timeout=30_000)
CHROMIUM_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
QUIET_SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "docmanager-extension/plugin": {"autosave": False},
}


LIGHT = "JupyterLab Light"


@dataclass(frozen=True)
class LabServer:
    """A running server: its address, its token, what it serves, the settings it reads."""

    port: int
    token: str
    root: Path
    settings: Path

    def url(self, notebook: str) -> str:
        return f"http://127.0.0.1:{self.port}/lab/tree/{notebook}?token={self.token}&reset"

    def use_theme(self, theme: str) -> None:
        """What pages opened from now on look like."""
        write_settings(self.settings, "apputils-extension/themes", {"theme": theme})

    @property
    def theme(self) -> str:
        path = self.settings / "@jupyterlab" / "apputils-extension" / "themes.jupyterlab-settings"
        return json.loads(path.read_text())["theme"] if path.exists() else LIGHT


def write_settings(folder: Path, plugin: str, values: dict[str, Any]) -> None:
    path = folder / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values), encoding="utf-8")


def write_notebook(path: Path, *sources: str) -> None:
    """A notebook of code cells."""
    cells = [nbformat.v4.new_code_cell(source.strip()) for source in sources]
    kernel = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def lab_environment(state: Path) -> dict[str, str]:
    """The environment of a Lab that neither reads nor writes the user's own settings."""
    own = {
        "JUPYTER_CONFIG_DIR": state / "config",
        "JUPYTER_DATA_DIR": state / "data",
        "JUPYTER_RUNTIME_DIR": state / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": state / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": state / "workspaces",
        "IPYTHONDIR": state / "ipython",
    }
    return {**os.environ, **{name: str(path) for name, path in own.items()}}


@contextmanager
def lab_server(
    root: Path, state: Path, python: str | Path = sys.executable, start_in: Path | None = None
) -> Iterator[LabServer]:
    """JupyterLab serving `root`, with all its own files under `state`, until the block ends.

    It is started in the folder `start_in`, where nbgrader looks for a course.
    """
    server = LabServer(free_port(), secrets.token_hex(16), root, state / "settings")
    for plugin, values in QUIET_SETTINGS.items():
        write_settings(server.settings, plugin, values)
    command = [
        *(str(python), "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={server.port}"),
        "--ServerApp.port_retries=0",
        *(f"--IdentityProvider.token={server.token}", f"--ServerApp.root_dir={root}"),
        "--LabApp.expose_app_in_browser=True",
    ]
    with started(server, command, state, start_in):
        yield server


@contextmanager
def started(
    server: LabServer, command: list[str], state: Path, start_in: Path | None
) -> Iterator[None]:
    """The command that serves, until the block ends; its log and its files are under `state`."""
    log = (state / "lab.log").open("w", encoding="utf-8")
    process = subprocess.Popen(
        command, env=lab_environment(state), cwd=start_in, stdout=log, stderr=log
    )
    try:
        wait_until_serving(server, process, Path(log.name))
        yield
    finally:
        stop(process)
        log.close()


def stop(process: "subprocess.Popen[bytes]", patience: float = 30) -> None:
    """End a server, which is not the test's subject, and leave none behind.

    Jupyter Server that is told to stop while it reads a file waits for a thread of AnyIO that
    waits for work, for ever (seen with Python 3.11 and 3.14).
    """
    process.terminate()
    try:
        process.wait(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until_serving(
    server: LabServer, process: "subprocess.Popen[bytes]", log: Path, seconds: float = 60
) -> None:
    address = f"http://127.0.0.1:{server.port}/api/status?token={server.token}"
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"JupyterLab does not answer; its log ends:\n{log.read_text()[-2000:]}")


@contextmanager
def chromium(executable: str | Path) -> Iterator[Browser]:
    """A headless Chromium of the system's; Playwright gives it a new profile folder."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(executable), args=list(CHROMIUM_FLAGS)
        )
        yield browser
        browser.close()


class Notebook:
    """A notebook open in Lab: run it, ask its kernel, find its widgets.

    Python errors of the kernel become `KernelError` with the traceback's last line; what the
    page writes to the console as an error is kept in `complaints`. A page that has Lab in it
    already opens the notebook there, in a third of the time.
    """

    patience = 60.0
    """Seconds for the kernel to come up."""

    def __init__(self, page: Page, server: LabServer, name: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._listen)
        page.on("pageerror", self._note)
        if page.url.startswith("http"):
            page.evaluate(OPEN, name)
        else:
            page.goto(server.url(name))
        page.wait_for_function(KERNEL_CONNECTED, arg=name, timeout=1000 * self.patience)
        page.evaluate(HIDE_SIDE_BARS)

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _note(self, error: PageError) -> None:
        self.complaints.append(str(error))

    def shut_down(self) -> None:
        """End the kernel and close the page."""
        self.page.evaluate(SHUT_DOWN)
        self.page.close()

    def leave(self) -> None:
        """End the kernel and close the notebook; the page stays open for the next."""
        self.page.evaluate(SHUT_DOWN)
        self.page.evaluate(LEAVE)
        self.page.remove_listener("console", self._listen)
        self.page.remove_listener("pageerror", self._note)

    def restart(self) -> None:
        """Restart the kernel."""
        self.page.evaluate(RESTART)

    def run_all(self, seconds: float = 90) -> None:
        """Run All, as the menu does, and wait for the last cell's end."""
        self.page.evaluate(
            "window.hwRan = false; void (window.hwRun = jupyterapp.commands.execute("
            "'notebook:run-all-cells').then(() => { window.hwRan = true }))"
        )
        self.page.wait_for_function("window.hwRan === true", timeout=1000 * seconds)
        if errors := self.page.evaluate(ERRORS):
            raise KernelError(f"a cell failed: {errors[0]}")

    def python(self, expression: str) -> Any:
        """The value of an expression in the notebook's kernel (through JSON)."""
        code = f"import json as _json; print(_json.dumps({expression}))"
        return json.loads(self.execute(code))

    def settles(self, expression: str, value: Any, seconds: float = 10) -> None:
        """Wait until an expression in the kernel has a value: the last of several messages."""
        deadline = time.monotonic() + seconds
        while (found := self.python(expression)) != value:
            if time.monotonic() > deadline:
                raise AssertionError(f"{expression} is {found!r} and not {value!r}")
            time.sleep(0.1)

    def execute(self, code: str) -> str:
        """Run code in the notebook's kernel, outside any cell; what it prints."""
        answer = self.page.evaluate(EXECUTE, code)
        if answer["error"]:
            raise KernelError(answer["error"])
        return str(answer["text"])

    def widget(self, name: str) -> Locator:
        """The instrument of that class shown in the notebook."""
        return self.page.locator(f".hw-instrument.hw-{name}")

    def portrait(self, widget: Locator) -> bytes:
        """A picture of all of a widget, for the README."""
        self.page.set_viewport_size({"width": 1280, "height": 1600})
        widget.scroll_into_view_if_needed()
        return small(widget.screenshot())


def small(png: bytes) -> bytes:
    """The same picture in 256 colours: a third of the size, and no difference to the eye."""
    out = io.BytesIO()
    image = Image.open(io.BytesIO(png)).convert("RGB")
    few = image.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(out, "PNG", optimize=True)
    return out.getvalue()


class KernelError(RuntimeError):
    """Code sent to a notebook's kernel raised."""


KERNEL_CONNECTED = """(name) => {
  const context = window.jupyterapp?.shell.currentWidget?.context;
  const session = context?.sessionContext;
  return context?.path === name && session?.isReady
      && session.session?.kernel?.connectionStatus === 'connected'
      && session.session.kernel.status === 'idle';
}"""
HIDE_SIDE_BARS = """() => {
  const shell = window.jupyterapp.shell;
  shell.collapseLeft(); shell.collapseRight();
}"""
ERRORS = """() => jupyterapp.shell.currentWidget.context.model.toJSON().cells
  .flatMap((cell) => cell.outputs ?? [])
  .filter((output) => output.output_type === 'error')
  .map((output) => output.ename + ': ' + output.evalue)"""
OPEN = """(path) =>
  void jupyterapp.commands.execute('docmanager:open', {path, factory: 'Notebook'})"""
LEAVE = """() => {
  jupyterapp.shell.currentWidget.dispose();
  window.hwRan = undefined;
}"""
RESTART = "() => jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart()"
SHUT_DOWN = "() => jupyterapp.shell.currentWidget.context.sessionContext.shutdown()"
EXECUTE = """async (code) => {
  const kernel = jupyterapp.shell.currentWidget.context.sessionContext.session.kernel;
  const future = kernel.requestExecute({code, store_history: false, stop_on_error: false});
  let text = '', error = '';
  future.onIOPub = (message) => {
    if (message.header.msg_type === 'stream') text += message.content.text;
    if (message.header.msg_type === 'error')
      error = message.content.ename + ': ' + message.content.evalue;
  };
  await future.done;
  return {text, error};
}"""
