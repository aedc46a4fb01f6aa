"""The text of a formula taken apart at its outer signs, outside brackets, quotes and backticks."""

import keyword
import re
import unicodedata
from collections.abc import Iterable, Iterator

from hierwidgets.errors import FormulaError

__all__ = [
    "NAME", "as_written", "fail", "pieces", "sides", "split", "stand_in", "standing_in", "walk",
]  # fmt: skip

NAME = r"(?:`[^`]+`|[^\W\d][\w.]*)"
_TYPED = dict(zip("‐‑‒–—−×∗⋅∶∕∣｜∼˜～＋（）“”‘’", "------***:/||~~~+()\"\"''", strict=True))


def fail(text: str, why: str) -> FormulaError:
    """The error of a formula that cannot be read."""
    return FormulaError(
        f"cannot read the formula {text!r}: {why}. Write it as 'y ~ x + (1 | group)' "
        "or 'p(successes, trials) ~ x + (1 | group)'"
    )


def sides(text: str) -> tuple[str, str]:
    """What stands left and right of the tilde."""
    for c in re.sub("`[^`]*`", "", text):
        if c in _TYPED:
            raise fail(text, f"{c!r} (U+{ord(c):04X}) looks like {_TYPED[c]!r}; type that in place")
    parts = [part.strip() for part in split(text, "~")]
    if len(parts) != 2 or not all(parts):
        why = f"it needs one '~' between two sides and has {len(parts) - 1}"
        raise fail(text, why)
    return parts[0], parts[1]


def walk(text: str) -> Iterator[tuple[int, str, int]]:
    """Position, character and bracket depth, outside quotes and backticks."""
    depth, quote = 0, ""
    for i, c in enumerate(text):
        if quote:
            quote = "" if c == quote else quote
        elif c in "'\"`":
            quote = c
        else:
            depth += (c in "([{") - (c in ")]}")
            if depth < 0:
                raise fail(text, f"a bracket is closed before {text[i + 1 :]!r} that is not open")
            yield i, c, depth
    if depth or quote:
        raise fail(text, f"{'a quote' if quote else 'a bracket'} is not closed")


def split(text: str, separators: str) -> list[str]:
    """The text cut at any of the separators outside brackets."""
    cuts = [i for i, c, depth in walk(text) if depth == 0 and c in separators]
    return [text[a:b] for a, b in zip([0, *[c + 1 for c in cuts]], [*cuts, len(text)], strict=True)]


def pieces(right: str, text: str) -> list[tuple[str, str]]:
    """The right-hand side cut at its outer plus and minus signs."""
    parts = [part.strip() for part in split(right, "+-")]
    signs = ["+", *[c for _, c, depth in walk(right) if depth == 0 and c in "+-"]]
    if not parts[0] and len(parts) > 1:
        signs, parts = signs[1:], parts[1:]
    if not all(parts):
        raise fail(text, "a '+' or '-' has nothing beside it")
    return list(zip(signs, parts, strict=True))


# --- names that Python would not take within a call ---------------------------------------


def stand_in(name: str) -> str:
    """What formulaic gets in place of a word of Python or a name Python would read otherwise.

    Examples
    --------
    >>> stand_in("class"), stand_in("classes")
    ('class?', 'classes')
    """
    odd = keyword.iskeyword(name) or unicodedata.normalize("NFKC", name) != name
    return "".join(c if c.isascii() else f"_{ord(c):x}_" for c in name) + "?" if odd else name


def standing_in(part: str) -> str:
    """A bar-free part with stand-ins for the names in backticks that need one."""
    return re.sub("`([^`]+)`", lambda match: f"`{stand_in(match[1])}`", part)


def as_written(text: str, names: Iterable[str]) -> str:
    """Text with the stand-ins of `names` turned back."""
    for name in names:
        if stand_in(name) != name:
            text = text.replace(stand_in(name), name)
    return text
