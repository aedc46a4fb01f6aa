"""What an answer's cell showed, made safe to be put on a page that others open."""

import re
from typing import Any

import bleach
import nbformat

__all__ = ["clean"]

MOST_TEXT = 20_000  # characters of a text
MOST_DATA = 2_000_000  # characters of a picture or table
MOST_OUTPUTS = 50
PICTURES = ("image/png", "image/jpeg")
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
TAGS_WORDS = """
    a b br caption code col colgroup dd div dl dt em h1 h2 h3 h4 h5 h6 hr i li ol p
    pre small span strong sub sup table tbody td tfoot th thead tr u ul
"""
TAGS = frozenset(TAGS_WORDS.split())


def clean(outputs: Any) -> list[Any]:
    """The outputs that are outputs, cut to size, without anything that could run in a browser."""
    found = []
    for output in outputs[:MOST_OUTPUTS] if isinstance(outputs, list) else []:
        made = _one(output) if isinstance(output, dict) else None
        if made is not None:
            found.append(made)
    return found


def _one(output: dict[str, Any]) -> Any:
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return nbformat.v4.new_output("stream", name=name, text=_text(output.get("text")))
    if kind == "error":
        lines = output.get("traceback")
        return nbformat.v4.new_output(
            "error", ename=_text(output.get("ename"))[:200], evalue=_text(output.get("evalue")),
            traceback=[_text(line) for line in lines[:30]] if isinstance(lines, list) else [],
        )  # fmt: skip
    if kind in ("display_data", "execute_result") and isinstance(output.get("data"), dict):
        more = {"execution_count": None} if kind == "execute_result" else {}
        return nbformat.v4.new_output(kind, data=_data(output["data"]), **more)
    return None


def _data(data: dict[str, Any]) -> dict[str, str]:
    made = {}
    for name in ("text/plain", "text/html", "text/latex", *PICTURES):
        value = data.get(name)
        if not isinstance(value, str) or len(value) > MOST_DATA:
            continue
        if name in PICTURES and BASE64.fullmatch(value):
            made[name] = value
        elif name == "text/html":
            body = re.sub(r"(?is)<(style|script)\b.*?(</\1\s*>|\Z)", "", value)
            made[name] = bleach.clean(
                body, tags=TAGS, attributes=["class", "colspan", "rowspan", "border", "title"],
                strip=True, strip_comments=True,
            )  # fmt: skip
        elif name.startswith("text/"):
            made[name] = value[:MOST_TEXT]
    return made or {"text/plain": "[an output of another kind]"}


def _text(value: Any) -> str:
    return value[:MOST_TEXT] if isinstance(value, str) else ""
