"""Formulas as lme4 writes them: ``y ~ x + (1 + x | g)``, ``p(y, n) ~ x + (1 | a/b)``.

The group terms ("bars") are read here; the rest is left to formulaic. Text in a formula
is data, not code: only column names, numbers and a fixed list of functions get through.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from hierwidgets.errors import FormulaError

if TYPE_CHECKING:
    from formulaic.parser.types import Token

__all__ = ["Bar", "Formula", "coded", "named", "parse", "pieces"]

FUNCTIONS = frozenset(
    [
        "log",
        "log2",
        "log10",
        "exp",
        "abs",
        "sqrt",
        "sin",
        "cos",
        "tan",
        "I",
        "C",
        "center",
        "scale",
        "standardize",
        "poly",
        "bs",
        "cs",
        "cr",
        "cc",
    ]
)
_NUMPY = frozenset(
    ["log", "log1p", "log2", "log10", "exp", "expm1", "sqrt", "abs", "sin", "cos", "tan", "square"]
)
_CONTRASTS = frozenset(["treatment", "sum", "helmert", "poly", "diff"])
_OPERATORS = frozenset(["+", "-", "*", ":", "/", "(", ")", "**", "^"])
_NODES = (
    ast.Expression,
    ast.Call,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.BinOp,
    ast.UnaryOp,
    ast.operator,
    ast.unaryop,
    ast.Compare,
    ast.cmpop,
    ast.keyword,
    ast.Tuple,
    ast.List,
    ast.Attribute,
)
_LONGEST = 4000
_MOST_NAMES = 100
_MOST_CROSSINGS = 8
_LARGEST_POWER = 4
_NAME = r"(?:`[^`]+`|[^\W\d][\w.]*)"
_GROUP = re.compile(rf"\s*{_NAME}\s*(?:[:/]\s*{_NAME}\s*)*")
_QUOTED = re.compile(r"`([^`]+)`")
_HINTS = {
    "offset": "an offset is an argument: offset='column'",
    "factor": "C(x) makes levels of numbers",
    "s": "splines are cr(x, df=4, constraints='center') and bs(x, df=4)",
    "ns": "a natural spline is cr(x, df=4, constraints='center')",
}
_TRIALS = re.compile(rf"p\(\s*({_NAME})\s*,\s*({_NAME})\s*\)")


@dataclass(frozen=True, slots=True)
class Bar:
    """One group term: the coefficients `lhs` vary over the levels of `factors` (crossed).

    ``correlated`` is False for a double bar, ``(x || g)``.
    """

    lhs: str
    factors: tuple[str, ...]
    correlated: bool = True

    @property
    def group(self) -> str:
        """The grouping factor's name, "a" or "a:b"."""
        return ":".join(self.factors)

    def __str__(self) -> str:
        return f"({self.lhs} {'|' if self.correlated else '||'} {self.group})"


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
        Column of binomial trials of ``p(y, n) ~ ...``, else None.
    fixed :
        The bar-free part, for formulaic.
    bars :
        The group terms, nested ones expanded: ``(1 | a/b)`` is ``(1 | a)`` and ``(1 | a:b)``.
    columns :
        Every column the right-hand side needs, groups included.
    plain :
        Whether all of it is plain columns, so that equal rows give equal model rows.
    """

    text: str
    response: str
    trials: str | None
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
    left, right = _sides(text)
    response, trials = _response(left, text)
    fixed: list[str] = []
    bars: list[Bar] = []
    for sign, piece in pieces(right, text):
        if _has_bar(piece):
            bars.extend(_bars(sign, piece, text))
        else:
            fixed.append(f"{sign} {piece}")
    fixed_text = " ".join(fixed).removeprefix("+ ") or "1"
    columns, plain = _names(fixed_text, text)
    _parse_fixed(fixed_text, text)
    for bar in bars:
        names, bar_plain = _names(bar.lhs, text)
        _parse_fixed(bar.lhs, text)
        columns += [*names, *bar.factors]
        plain &= bar_plain
    if response in columns:
        raise _fail(text, f"the response {response!r} is on the right-hand side too")
    return Formula(
        text,
        response,
        trials,
        fixed_text,
        tuple(bars),
        tuple(dict.fromkeys(columns)),
        plain,
    )


def _fail(text: str, why: str) -> FormulaError:
    return FormulaError(
        f"cannot read the formula {text!r}: {why}. Write it as 'y ~ x + (1 | group)' "
        "or 'p(successes, trials) ~ x + (1 | group)'"
    )


def _sides(text: str) -> tuple[str, str]:
    parts = [part.strip() for part in _split(text, "~")]
    if len(parts) != 2 or not all(parts):
        raise _fail(text, f"it needs one '~' between two sides and has {len(parts) - 1}")
    return parts[0], parts[1]


def _walk(text: str) -> Iterator[tuple[int, str, int]]:
    """Position, character and bracket depth, outside quotes and backticks."""
    depth, quote = 0, ""
    for i, c in enumerate(text):
        if quote:
            quote = "" if c == quote else quote
        elif c in "'\"`":
            quote = c
        else:
            depth += (c in "([{") - (c in ")]}")
            yield i, c, depth
    if depth or quote:
        raise _fail(text, f"{'a quote' if quote else 'a bracket'} is not closed")


def _split(text: str, separators: str) -> list[str]:
    cuts = [i for i, c, depth in _walk(text) if depth == 0 and c in separators]
    return [text[a:b] for a, b in zip([0, *[c + 1 for c in cuts]], [*cuts, len(text)], strict=True)]


def pieces(right: str, text: str) -> list[tuple[str, str]]:
    """The right-hand side cut at its outer plus and minus signs."""
    parts = [part.strip() for part in _split(right, "+-")]
    signs = ["+", *[c for _, c, depth in _walk(right) if depth == 0 and c in "+-"]]
    if not parts[0] and len(parts) > 1:
        signs, parts = signs[1:], parts[1:]
    if not all(parts):
        raise _fail(text, "a '+' or '-' has nothing beside it")
    return list(zip(signs, parts, strict=True))


def _has_bar(piece: str) -> bool:
    return any(c == "|" for _, c, _ in _walk(piece))


def _bars(sign: str, piece: str, text: str) -> list[Bar]:
    if sign == "-" or not (piece.startswith("(") and piece.endswith(")")):
        raise _fail(text, f"a group term stands alone as '(1 | group)', not as {piece!r}")
    parts = _split(piece[1:-1], "|")
    correlated = len(parts) == 2
    if not correlated and not (len(parts) == 3 and not parts[1]):
        raise _fail(text, f"{piece!r} needs one '|' (or '||')")
    lhs, group = parts[0].strip(), parts[-1].strip()
    if not lhs or not _GROUP.fullmatch(group):
        raise _fail(text, f"{piece!r} needs coefficients left of the bar and column names right")
    return [Bar(lhs, factors, correlated) for factors in _factors(group)]


def _factors(group: str) -> list[tuple[str, ...]]:
    """``a/b`` is a, then a:b; ``a:b`` is a:b."""
    nested = [
        tuple(name.strip().strip("`") for name in _split(part, ":")) for part in _split(group, "/")
    ]
    return [
        tuple(dict.fromkeys(name for part in nested[: i + 1] for name in part))
        for i in range(len(nested))
    ]


def _response(left: str, text: str) -> tuple[str, str | None]:
    if match := _TRIALS.fullmatch(left):
        return match[1].strip("`"), match[2].strip("`")
    if not re.fullmatch(_NAME, left):
        raise _fail(
            text,
            f"the response {left!r} is neither a column nor p(successes, trials); "
            "make a column of it first",
        )
    return left.strip("`"), None


def _tokens(part: str, text: str) -> "list[Token]":
    from formulaic.errors import FormulaicError  # here and below: a fifth of the package's import
    from formulaic.parser.algos.tokenize import tokenize

    try:
        return list(tokenize(part))
    except FormulaicError as error:
        raise _fail(text, str(error).splitlines()[0]) from None


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
    found = set()
    for token in _tokens(part, part):
        if token.kind and token.kind.value == "python":
            tree, names = _tree(token.token, part)
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    inner = node.args[0] if node.args else None
                    if node.func.id == "C" and isinstance(inner, ast.Name):
                        found.add(names.get(inner.id, inner.id))
    return frozenset(found)


def _parse_fixed(part: str, text: str) -> None:
    from formulaic import Formula as Recipe
    from formulaic.errors import FormulaicError

    try:
        Recipe(part)
    except (FormulaicError, SyntaxError, ValueError, TypeError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise _fail(text, why) from None
    except Exception:  # its parser stumbles over some nonsense, such as a bracket after a comma
        raise _fail(text, f"{part.strip()!r} cannot be read") from None


def _names(part: str, text: str) -> tuple[list[str], bool]:
    """Columns that `part` names, and whether it is free of function calls; checks safety."""
    names: list[str] = []
    plain, crossings, power = True, 0, False
    for token in _tokens(part, text):
        kind, word = token.kind and token.kind.value, token.token
        if kind == "name":
            names.append(word)
        elif kind == "python":
            plain = False
            names.extend(_python_names(word, text))
        elif kind == "operator":
            if word not in _OPERATORS:
                raise _fail(text, f"{word!r} has no meaning here")
            crossings += word in "*/"
        elif kind == "value":
            _check_value(word, power, text)
        power = kind == "operator" and word in ("**", "^")
    if len(names) > _MOST_NAMES or crossings > _MOST_CROSSINGS:
        raise _fail(
            text,
            f"it has {len(names)} names and {crossings} crossings, which is too many",
        )
    return names, plain


def _check_value(word: str, power: bool, text: str) -> None:
    try:
        number = float(word)
    except ValueError:
        raise _fail(text, f"{word!r} is neither a column nor a number") from None
    if power and not (number.is_integer() and 1 <= number <= _LARGEST_POWER):
        raise _fail(text, f"a power goes from 1 to {_LARGEST_POWER}, not {word}")
    if not power and number not in (0, 1):
        raise _fail(text, f"{word!r} is not a term; 1 keeps the intercept, 0 drops it")


def _python_names(code: str, text: str) -> list[str]:
    """Columns in a call such as ``log(x)``, after checking that it calls nothing else."""
    tree, names = _tree(code, text)
    called: set[int] = set()
    for node in ast.walk(tree):
        if not isinstance(node, _NODES):
            raise _fail(text, f"{code!r} is more than columns, numbers and {_function_list()}")
        if isinstance(node, ast.Call):
            called |= _check_call(node, code, text)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            _check_power(node, code, text)
        if isinstance(node, ast.Constant) and not isinstance(
            node.value, int | float | str | bool | None
        ):
            raise _fail(text, f"{node.value!r} in {code!r} is no number")
    loose = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and id(n) not in called]
    if loose:
        raise _fail(
            text,
            f"{code!r} reaches into an object; a column name with a dot goes in backticks, and "
            f"only {_function_list()} are allowed",
        )
    found = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called]
    return [names.get(name, name) for name in found]


def _tree(code: str, text: str) -> tuple[ast.Expression, dict[str, str]]:
    """The expression, names in backticks replaced, and what the replacements stand for."""
    names: dict[str, str] = {}

    def stand_in(match: re.Match[str]) -> str:
        names[f"quoted_{len(names)}_"] = match[1]
        return list(names)[-1]

    plain = _QUOTED.sub(stand_in, code.strip())
    try:
        return ast.parse(plain, mode="eval"), names
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _fail(text, f"{code!r} is not an expression") from None


def _function_list() -> str:
    return "the functions " + " ".join(sorted(FUNCTIONS))


def _check_call(node: ast.Call, code: str, text: str) -> set[int]:
    """The nodes that name the function; an error unless it is on the list."""
    match node.func:
        case ast.Name(id=name) if name in FUNCTIONS:
            return {id(node.func)}
        case ast.Attribute(value=ast.Name(id="np"), attr=name) if name in _NUMPY:
            return {id(node.func), id(node.func.value)}
        case ast.Attribute(value=ast.Name(id="contr"), attr=name) if name in _CONTRASTS:
            return {id(node.func), id(node.func.value)}
        case ast.Name(id=name) if name in _HINTS:
            raise _fail(text, f"{code!r}: there is no function {name!r} here; {_HINTS[name]}")
        case _:
            raise _fail(text, f"{code!r} calls a function that is not one of {_function_list()}")


def _check_power(node: ast.BinOp, code: str, text: str) -> None:
    power = node.right.operand if isinstance(node.right, ast.UnaryOp) else node.right
    size = power.value if isinstance(power, ast.Constant) else None
    if not isinstance(size, int | float) or abs(size) > 10:
        raise _fail(text, f"the power in {code!r} is not a number up to 10")
    if not any(isinstance(n, ast.Name) for n in ast.walk(node.left)):
        raise _fail(text, f"{code!r} raises a bare number to a power; write the number itself")
