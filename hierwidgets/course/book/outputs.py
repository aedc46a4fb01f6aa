"""The stored outputs of a cell, as the book shows them: words, pictures, tables, instruments."""

import json
import re
from base64 import b64decode
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any, NamedTuple

from .anchors import without_mark
from .links import lite

__all__ = ["Picture", "Shown", "show"]

_PNG, _HTML, _MARKDOWN, _TEXT = "image/png", "text/html", "text/markdown", "text/plain"
_STILL = 'class="hw-still"'
_CAPTION = "**Figure"
_STYLE = re.compile(r"<style.*?</style>\s*", re.DOTALL)
_BORDER = re.compile(r' border="\d+"')
_STILL_PICTURE = re.compile(r'(<img alt="[^"]*" width=")(\d+)(" src=")data:image/png;base64,[^"]*"')
_STILL_END = re.compile(r"<p><em>A still picture:.*?</em></p>\s*</div>\s*$", re.DOTALL)
_STILL_BEGIN = re.compile(r'^\s*<div class="hw-still">')
_TABLE_NAME = re.compile(r"<caption>(.*?)</caption>", re.DOTALL)


class Picture(NamedTuple):
    """A file that a page shows.

    Attributes
    ----------
    name : str
        Below the folder of the sources.
    content : bytes
        A PNG file.
    """

    name: str
    content: bytes


class Shown:
    """What has been shown of a page so far: its pictures, and how many instruments.

    Parameters
    ----------
    page : str
        The file's name without its ending.
    """

    def __init__(self, page: str) -> None:
        self.page = page
        self.pictures: list[Picture] = []
        self.instruments: list[str] = []

    def add(self, content: bytes, folder: str) -> str:
        """Keep a picture, and say what its file is called."""
        name = f"{folder}/{self.page}-{len(self.pictures)}.png"
        self.pictures.append(Picture(name, content))
        return name


def show(outputs: Sequence[Any], shown: Shown) -> list[dict[str, Any]]:
    """The outputs of one cell for the book.

    Parameters
    ----------
    outputs : sequence of dict
        As a notebook stores them.
    shown : Shown
        Takes the pictures and counts the instruments of the page.

    Returns
    -------
    list of dict
        Outputs of the notebook's format. A picture and the caption after it are one figure.
    """
    return list(_shown(list(outputs), shown))


def _shown(outputs: list[Any], shown: Shown) -> Iterator[dict[str, Any]]:
    while outputs:
        output = outputs.pop(0)
        data = {kind: _joined(value) for kind, value in output.get("data", {}).items()}
        if _STILL in data.get(_HTML, ""):
            yield _display(_HTML, _instrument(data, shown))
        elif _PNG in data:
            caption = _caption(outputs[0]) if outputs else ""
            if caption:
                outputs.pop(0)
            yield _display(_MARKDOWN, _figure(data, output.get("metadata", {}), caption, shown))
        elif _MARKDOWN in data:
            yield _display(_MARKDOWN, without_mark(data[_MARKDOWN]))
        elif "<table" in data.get(_HTML, ""):
            yield _display(_HTML, _table(data[_HTML]))
        elif _HTML in data:
            yield _display(_HTML, data[_HTML])
        else:
            yield output


def _joined(value: Any) -> str:
    return "".join(value) if isinstance(value, list) else str(value)


def _display(kind: str, content: str) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": {}, "data": {kind: content}}


def _caption(output: Any) -> str:
    text = _joined(output.get("data", {}).get(_MARKDOWN, ""))
    return text if text.strip().startswith(_CAPTION) else ""


def _figure(data: dict[str, str], metadata: Any, caption: str, shown: Shown) -> str:
    """A figure in MyST: the picture with its alternative text, and its caption."""
    told = metadata.get(_PNG, {})
    alt = told.get("alt", "") or data.get(_TEXT, "")
    name = shown.add(b64decode(data[_PNG]), "pictures")
    options = [f":alt: {json.dumps(' '.join(alt.split()), ensure_ascii=False)}", ":loading: lazy"]
    if "width" in told:
        options.append(f":width: {told['width']}px")
    body = "\n".join(options) + "\n\n" + without_mark(caption).strip()
    return f"```````{{figure}} {name}\n{body}\n```````"


def _instrument(data: dict[str, str], shown: Shown) -> str:
    """An instrument's still as a figure that a player may bring to life."""
    name = re.match(r"[\w.]+", data[_TEXT])
    if name is None:
        raise ValueError(f"this still belongs to no instrument: {data[_TEXT][:60]!r}")
    instrument, index = name[0].split(".")[-1], len(shown.instruments)
    shown.instruments.append(instrument)
    body = _STILL_BEGIN.sub("", _STYLE.sub("", data[_HTML], count=1))
    body = _STILL_END.sub("", body)
    if _PNG in data:
        picture = shown.add(b64decode(data[_PNG]), "_static/stills")
        body = _STILL_PICTURE.sub(rf'\g<1>\g<2>" loading="lazy\g<3>{picture}"', body)
        body = re.sub(r"(<img [^>]*>)", rf'<a href="{picture}">\1</a>', body, count=1)
    body = re.sub(r"<table>", '<div class="table-scroll" tabindex="0"><table>', body, count=1)
    body = body.replace("</table>", "</table></div>", 1)
    return (
        f'<figure class="recorded-instrument" data-instrument="{escape(instrument)}" '
        f'data-page="{escape(shown.page)}" data-index="{index}">{body}'
        f"<figcaption><code>{escape(instrument)}</code>, a still picture. "
        f'<a href="{escape(lite(shown.page))}">Run this page</a>, and it moves.</figcaption>'
        "</figure>"
    )


def _table(html: str) -> str:
    """A table that scrolls by itself, by keyboard too, where the page is narrow."""
    plain = _BORDER.sub("", _STYLE.sub("", html))
    named = _TABLE_NAME.search(plain)
    name = escape(re.sub(r"<[^>]*>", "", named[1])) if named else "Table of what the code returns"
    return f'<div class="table-scroll" role="region" tabindex="0" aria-label="{name}">{plain}</div>'
