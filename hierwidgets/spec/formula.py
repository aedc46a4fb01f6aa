"""Formulas as lme4 writes them: ``y ~ x + (1 + x | g)``, ``p(y, n) ~ x + (1 | a/b)``.

The group terms ("bars") are read here; the rest is left to formulaic. Text in a formula
is data, not code: only column names, numbers and a fixed list of functions get through.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hierwidgets.errors import FormulaError

from .expressions import coded_in, names_in
from .group_terms import Bar, bars
from .habits import about_response, about_word
from .reading import NAME, as_written, fail, pieces, sides, standing_in, walk

if TYPE_CHECKING:
    from formulaic.parser.types import Token

__all__ = [
    "Bar", "Formula", "coded", "named", "parse", "terms",
]  # fmt: skip

_OPERATORS = frozenset(["+", "-", "*", ":", "/", "(", ")", "**", "^"])
_LONGEST = 4000
_MOST_NAMES = 100
_MOST_CROSSINGS = 8
_LARGEST_POWER = 4
_TRIALS = re.compile(rf"p\(\s*({NAME})\s*,\s*({NAME}|[^()]+?)\s*\)")


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula taken apart.

    Attributes
    ----------
    text :
        As given.
    response :
        Column or expression left of the tilde.
    trials :
        Column of binomial trials of ``p(y, n) ~ ...``, or their number in ``p(y, 40) ~ ...``,
        else None.
    fixed :
        The bar-free part, for formulaic.
    bars :
        The group terms, expanded: ``(1 | a/b)`` is ``(1 | a)`` and ``(1 | a:b)``, ``(x || g)``
        is ``(1 | g)`` and ``(0 + x | g)``.
    columns :
        Every column the right-hand side needs, groups included.
    plain :
        Whether all of it is plain columns, so that equal rows give equal model rows.
    """

    text: str
    response: str
    trials: str | int | None
    fixed: str
    bars: tuple[Bar, ...]
    columns: tuple[str, ...]
    plain: bool

    def __str__(self) -> str:
        return self.text


@lru_cache(maxsize=256)
def parse(text: str) -> Formula:
    """Read a formula.

    Parameters
    ----------
    text :
        ``response ~ terms + (coefficients | group)``; names with spaces go in backticks.

    Raises
    ------
    FormulaError
        When the text is no such formula, or calls something that is not on the list.

    Examples
    --------
    >>> f = parse("contacted ~ district_competitiveness + (1 | district_id)")
    >>> f.fixed, [str(bar) for bar in f.bars]
    ('district_competitiveness', ['(1 | district_id)'])
    """
    if len(text) > _LONGEST:
        raise FormulaError(f"the formula has {len(text)} characters; at most {_LONGEST} are read")
    left, right = sides(text)
    response, trials = _response(left, text)
    fixed: list[str] = []
    found: list[Bar] = []
    for sign, piece in pieces(right, text):
        if any(c == "|" for _, c, _ in walk(piece)):
            found += bars(sign, piece, text, lambda lhs: _varying(lhs, text))
        else:
            fixed.append(f"{sign} {piece}")
    fixed_text = " ".join(fixed).removeprefix("+ ") or "1"
    columns, plain = _names(fixed_text, text)
    _parse_fixed(fixed_text, text)
    for bar in found:
        names, bar_plain = _names(bar.lhs, text)
        _parse_fixed(bar.lhs, text)
        columns += [*names, *bar.factors]
        plain &= bar_plain
    if response in columns:
        raise fail(text, f"the response {response!r} is on the right-hand side too")
    return Formula(
        text,
        response,
        trials,
        fixed_text,
        tuple(found),
        tuple(dict.fromkeys(columns)),
        plain,
    )


def _response(left: str, text: str) -> tuple[str, str | int | None]:
    if match := _TRIALS.fullmatch(left):
        return match[1].strip("`"), _trials(match[2], text)
    if not re.fullmatch(NAME, left):
        raise fail(
            text,
            f"the response {left!r} is neither a column nor p(successes, trials); "
            + about_response(left),
        )
    return left.strip("`"), None


def _trials(given: str, text: str) -> str | int:
    """A column, or how many trials every row has."""
    if re.fullmatch(NAME, given):
        return given.strip("`")
    if not re.fullmatch(r"[0-9]{1,15}", given) or int(given) < 1:
        raise fail(
            text, f"the trials {given!r} are neither a column nor a whole number, 1 or larger"
        )
    return int(given)


def _varying(lhs: str, text: str) -> list[str]:
    """The terms of a bar-free part, after its checks; some are needed."""
    _names(lhs, text)
    _parse_fixed(lhs, text)
    found = terms(lhs)
    if not found:
        raise fail(text, f"nothing varies in {lhs!r}")
    return found


def terms(part: str) -> list[str]:
    """The terms of a bar-free part, products written out.

    Examples
    --------
    >>> terms("f * x"), terms("0 + log(x) + `a b`")
    (['1', 'f', 'x', 'f:x'], ['log(x)', '`a b`'])
    """
    from formulaic import Formula as Recipe

    names = named(part)
    return [
        ":".join(_factor(factor, names) for factor in term.factors)
        for term in Recipe(standing_in(part))
    ]


def _factor(factor: Any, names: frozenset[str]) -> str:
    expr = as_written(str(factor.expr), names)
    column = factor.eval_method.name == "LOOKUP"
    return f"`{expr}`" if column and not re.fullmatch(NAME, expr) else expr


def _tokens(part: str, text: str) -> "list[Token]":
    from formulaic.errors import FormulaicError  # here and below: a fifth of the package's import
    from formulaic.parser.algos.tokenize import tokenize

    try:
        return list(tokenize(part))
    except FormulaicError as error:
        raise fail(text, str(error).splitlines()[0]) from None


def named(part: str) -> frozenset[str]:
    """The columns that a bar-free formula part needs.

    Examples
    --------
    >>> sorted(named("log(x) + `a b`:C(z)"))
    ['a b', 'x', 'z']
    """
    return frozenset(_names(part, part)[0])


def coded(part: str) -> frozenset[str]:
    """The columns whose levels are coded by ``C(column)``, numbers among them.

    Examples
    --------
    >>> sorted(coded("x + C(year) + log(z)"))
    ['year']
    """
    found: set[str] = set()
    for token in _tokens(part, part):
        if token.kind and token.kind.value == "python":
            found |= coded_in(token.token, part)
    return frozenset(found)


def _parse_fixed(part: str, text: str) -> None:
    from formulaic import Formula as Recipe
    from formulaic.errors import FormulaicError

    try:
        Recipe(standing_in(part))
    except (FormulaicError, SyntaxError, ValueError, TypeError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise fail(text, why) from None
    except Exception:  # its parser stumbles over some nonsense, such as a bracket after a comma
        raise fail(text, f"{part.strip()!r} cannot be read") from None


def _names(part: str, text: str) -> tuple[list[str], bool]:
    """Columns that `part` names, and whether it is free of function calls; checks safety."""
    names: list[str] = []
    plain, crossings, power, single = True, 0, False, ""
    for token in _tokens(part, text):
        kind, word = token.kind and token.kind.value, token.token
        if kind == "name":
            names.append(word)
        elif kind == "python":
            plain = False
            names.extend(names_in(word, text))
        elif kind == "operator":
            if word not in _OPERATORS:
                raise fail(text, _meaningless(word))
            crossings += word in "*/"
        elif kind == "value":
            _check_value(word, power, text)
            if power and single:
                inner = re.fullmatch(r"I\((.*)\)", single)
                raise fail(
                    text,
                    f"{single}^{word} crosses {single} with itself, which leaves {single}; "
                    f"write I({inner[1] if inner else single}**{word}) for the power",
                )
        power = kind == "operator" and word in ("**", "^")
        if not power:
            single = word if kind in ("name", "python") else ""
    if len(names) > _MOST_NAMES or crossings > _MOST_CROSSINGS:
        raise fail(
            text,
            f"it has {len(names)} names and {crossings} crossings, which is too many",
        )
    return names, plain


def _meaningless(word: str) -> str:
    hint = about_word(word)
    return f"{word!r} has no meaning here" + (f": {hint}" if hint else "")


def _check_value(word: str, power: bool, text: str) -> None:
    try:
        number = float(word)
    except ValueError:
        hint = about_word(word)
        if word[0] in "'\"":
            hint = f"a column goes without quotes, {word[1:-1]}"
        why = f"{word!r} is neither a column nor a number"
        raise fail(text, f"{why}: {hint}" if hint else why) from None
    if power and not (number.is_integer() and 1 <= number <= _LARGEST_POWER):
        raise fail(text, f"a power goes from 1 to {_LARGEST_POWER}, not {word}")
    if not power and number not in (0, 1):
        raise fail(text, f"{word!r} is not a term; 1 keeps the intercept, 0 drops it")
