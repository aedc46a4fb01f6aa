"""The lectures without a server: the site on a port, a notebook of it open in Chromium.

The page is JupyterLab again, so `lab.Notebook` drives it; only where it is differs, and that each
browser keeps its own copy of the notebooks.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lab import Notebook

from hierwidgets.course.lite import site


@dataclass(frozen=True)
class LiteSite:
    """The served site: its port, and the folder that is served."""

    port: int
    root: Path

    def url(self, notebook: str) -> str:
        return f"http://127.0.0.1:{self.port}/lab/index.html?path={notebook}"


def build_site(out: Path, root: Path) -> None:
    """What ``make lite`` does; fetched files are kept where it keeps them."""
    site.build(out, root / "lectures", root, root / "build" / "lite")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


class LiteNotebook(Notebook):
    """A notebook of the site; its kernel is Python that has yet to be fetched and started."""

    patience = 300.0


@contextmanager
def served(root: Path) -> Iterator[LiteSite]:
    """What ``python -m http.server`` would show of `root`, until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield LiteSite(server.server_address[1], root)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
