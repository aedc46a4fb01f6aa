"""Group terms of a formula: ``(1 + x | g)``, ``(x || g)``, ``diag(f | g)``, ``(1 | a/b)``.

Each becomes one `Bar` or several, as lme4 expands them:

    (1 | a/b)     (1 | a) + (1 | a:b)
    (1 | a*b)     (1 | a) + (1 | b) + (1 | a:b)
    (f*x || g)    (1 | g) + (0 + f | g) + (0 + x | g) + (0 + f:x | g)
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

from .habits import about_group, about_structure
from .reading import NAME, fail, split

__all__ = ["Bar", "bars"]

_GROUP = re.compile(rf"\s*{NAME}\s*(?:[:/*]\s*{NAME}\s*)*")
_WRAPPED = re.compile(r"([A-Za-z_][\w.]*)\s*(\(.*\))", re.DOTALL)
_MOST_CROSSED = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """One group term: the coefficients `lhs` vary over the levels of `factors` (crossed).

    ``correlated`` is False for a diagonal covariance, ``diag(x | g)``.
    """

    lhs: str
    factors: tuple[str, ...]
    correlated: bool = True

    @property
    def group(self) -> str:
        """The grouping factor's name, "a" or "a:b"."""
        return ":".join(self.factors)

    def __str__(self) -> str:
        return f"{'' if self.correlated else 'diag'}({self.lhs} | {self.group})"


def bars(sign: str, piece: str, text: str, terms: Callable[[str], list[str]]) -> list[Bar]:
    """The group terms that a piece of a formula stands for.

    Parameters
    ----------
    sign, piece :
        The piece and the sign before it.
    text :
        The whole formula, for errors.
    terms :
        ``"f*x" -> ["1", "f", "x", "f:x"]``.
    """
    wrapped = _WRAPPED.fullmatch(piece)
    inner = wrapped[2] if wrapped else piece
    if sign == "-" or not (inner.startswith("(") and inner.endswith(")")):
        raise fail(text, f"a group term stands alone as '(1 | group)', not as {piece!r}")
    if wrapped and wrapped[1] != "diag":
        why = about_structure(wrapped[1])
        raise fail(text, why or f"a group term stands alone as '(1 | group)', not as {piece!r}")
    parts = split(inner[1:-1], "|")
    doubled = len(parts) == 3 and not parts[1]
    if len(parts) != 2 and not doubled:
        raise fail(text, f"{piece!r} needs one '|' (or '||'); terms of one group share one bar")
    lhs, group = parts[0].strip(), parts[-1].strip()
    if not lhs or not _GROUP.fullmatch(group) or ("/" in group and "*" in group):
        hint = about_group(lhs or "1", group)
        why = f"{piece!r} needs coefficients left of the bar and column names right"
        raise fail(text, f"{why}: {hint}" if hint else why)
    if doubled and wrapped:
        raise fail(text, f"{piece!r} says twice that covariances are 0; write diag(... | group)")
    each = _uncorrelated(terms(lhs)) if doubled else [lhs]
    return [Bar(one, factors, not wrapped) for factors in _factors(group, text) for one in each]


def _uncorrelated(terms: list[str]) -> list[str]:
    """Each term by itself; a factor without the intercept has a column for each level."""
    return [term if term == "1" else f"0 + {term}" for term in terms]


def _factors(group: str, text: str) -> list[tuple[str, ...]]:
    """``a/b`` is a, then a:b; ``a*b`` is a, b, then a:b; ``a:b`` is a:b."""
    sign = "*" if "*" in re.sub("`[^`]*`", "", group) else "/"
    parts = [
        tuple(name.strip().strip("`") for name in split(part, ":")) for part in split(group, sign)
    ]
    if sign == "/":
        chosen = [parts[: i + 1] for i in range(len(parts))]
    elif len(parts) <= _MOST_CROSSED:
        sizes = range(1, len(parts) + 1)
        chosen = [list(some) for size in sizes for some in combinations(parts, size)]
    else:
        raise fail(text, f"{group!r} crosses {len(parts)} factors; at most {_MOST_CROSSED}")
    return [tuple(dict.fromkeys(name for part in some for name in part)) for some in chosen]
