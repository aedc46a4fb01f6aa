"""Folders served as a web server would serve a site, and pages with recorded instruments."""

import functools
import http.server
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

__all__ = ["PAGE", "figure", "served", "write_page"]

PAGE = """<!doctype html>
<html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>Recorded</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>body {{ max-width: 760px; margin: 8px auto; font-family: sans-serif; }}
html[data-theme="dark"] {{ background: #121212; color: #e0e0e0; }}</style></head>
<body><main><h1>Recorded</h1>{figures}</main>
<script defer src="instruments/player.js"></script></body></html>
"""


def figure(name: str, instrument: str) -> str:
    """A recorded instrument as the book writes it: a still, until it plays."""
    page, _, index = name.rpartition("-")
    return (
        f'<figure class="recorded-instrument" data-instrument="{instrument}" data-page="{page}" '
        f'data-index="{index}"><p class="still">A still of {instrument}</p>'
        f"<figcaption>{instrument}</figcaption></figure>"
    )


def write_page(path: Path, figures: Sequence[tuple[str, str]], theme: str = "light") -> None:
    """A page with instruments, as names of their files and of their classes."""
    text = "".join(figure(*one) for one in figures)
    path.write_text(PAGE.format(theme=theme, figures=text), encoding="utf-8")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder, while it is served."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()
