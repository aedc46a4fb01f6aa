"""Headings and links of the lectures, as the book has them.

A heading of a lecture ends in "· core" or "· optional"; in the book it does not. A link to one is
written as JupyterLab finds it, ``09-fragile-fits.ipynb#The-fit-·-core``: the heading's text with
hyphens for spaces.
"""

import re

from ..path import CORE, OPTIONAL

__all__ = ["local", "slug", "without_mark"]

_MARK = re.compile(rf"[ \t]*·[ \t]*({CORE}|{OPTIONAL})[ \t]*$")
_HEADING = re.compile(r"^#{1,6}[ \t]", re.MULTILINE)
_FENCED = re.compile(r"(^```.*?^```[ \t]*$)", re.MULTILINE | re.DOTALL)
_ANCHOR = re.compile(rf"(\]\([^()\s]*#[^()\s]*?)-·-(?:{CORE}|{OPTIONAL})\)")
_LECTURES = re.compile(r"(\]\()(?:\.\./)*lectures/")


def slug(heading: str) -> str:
    """The anchor of a heading, as JupyterLab makes it.

    Examples
    --------
    >>> slug("Two voices: prior times likelihood")
    'Two-voices:-prior-times-likelihood'
    """
    return heading.strip().replace(" ", "-")


def without_mark(markdown: str) -> str:
    """Markdown whose headings, and whose links to headings, have lost their marks.

    Examples
    --------
    >>> without_mark("## The fit · core\\n\\nSee [above](#The-fit-·-core), · core")
    '## The fit\\n\\nSee [above](#The-fit), · core'
    """
    parts = _FENCED.split(markdown)
    return "".join(part if i % 2 else _plain(part) for i, part in enumerate(parts))


def _plain(markdown: str) -> str:
    lines = [_MARK.sub("", ln) if _HEADING.match(ln) else ln for ln in markdown.split("\n")]
    return _ANCHOR.sub(r"\1)", "\n".join(lines))


def local(markdown: str) -> str:
    """Markdown of a page above the lectures, with its links to them as seen from among them.

    Examples
    --------
    >>> local("[00](lectures/00-map-and-notation.ipynb)")
    '[00](00-map-and-notation.ipynb)'
    """
    return _LECTURES.sub(r"\1", markdown)
