"""Calls within a formula, ``log(x)`` or ``C(f, contr.sum())``: which are allowed, what they name.

Text in a formula is data, not code: only column names, numbers and a fixed list of functions
get through.
"""

import ast
import re
import unicodedata

from .habits import about_call, about_code, about_word
from .reading import fail

__all__ = ["FUNCTIONS", "coded_in", "names_in"]

FUNCTIONS = frozenset(
    [
        "log",
        "log1p",
        "log2",
        "log10",
        "exp",
        "expm1",
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
_OF_ONE_NUMBER = frozenset(
    ["log", "log1p", "log2", "log10", "exp", "expm1", "abs", "sqrt", "sin", "cos", "tan", "I"]
)
_CONTRASTS = frozenset(["treatment", "sum", "helmert", "poly", "diff"])
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
_QUOTED = re.compile(r"`([^`]+)`")
_C_OPTIONS = frozenset(["contrasts", "levels", "spans_intercept"])
_ELSEWHERE = frozenset(["TRUE", "FALSE", "NULL", "NA"])


def names_in(code: str, text: str) -> list[str]:
    """Columns in a call such as ``log(x)``, after checking that it calls nothing else.

    Parameters
    ----------
    code :
        The call.
    text :
        The formula it is in, for errors.
    """
    _check_spelling(code, text)
    tree, names = _tree(code, text)
    called: set[int] = set()
    for node in ast.walk(tree):
        called |= _check_node(node, code, text)
    loose = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and id(n) not in called]
    if loose:
        raise fail(
            text,
            f"{code!r} reaches into an object; a column name with a dot goes in backticks, and "
            f"only {_function_list()} are allowed",
        )
    found = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called]
    for name in _ELSEWHERE.intersection(found):
        raise fail(text, f"{name!r} in {code!r}: {about_word(name)}")
    return [names.get(name, name) for name in found]


def coded_in(code: str, text: str) -> set[str]:
    """The columns within `code` whose levels ``C(column)`` codes."""
    tree, names = _tree(code, text)
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "C":
            inner = node.args[0] if node.args else None
            if isinstance(inner, ast.Name):
                found.add(names.get(inner.id, inner.id))
    return found


def _check_spelling(code: str, text: str) -> None:
    """Refuse letters that Python would turn into others, such as the micro sign into mu."""
    for word in re.findall(r"[^\W\d]\w*", re.sub("`[^`]*`|\"[^\"]*\"|'[^']*'", "", code)):
        read = unicodedata.normalize("NFKC", word)
        if read != word:
            odd = next(c for c in word if unicodedata.normalize("NFKC", c) != c)
            name = unicodedata.name(odd, f"U+{ord(odd):04X}").lower()
            raise fail(
                text,
                f"within a call Python takes the {name} of {word!r} for another letter; put the "
                f"name in backticks, `{word}`",
            )


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
        hint = about_code(code)
        why = f"{code!r} is not an expression"
        raise fail(text, f"{why}: {hint}" if hint else why) from None


def _function_list() -> str:
    return "the functions " + " ".join(sorted(FUNCTIONS))


def _check_node(node: ast.AST, code: str, text: str) -> set[int]:
    """The nodes that name a function; an error for what is not allowed."""
    match node:
        case ast.Call():
            _check_arguments(node, code, text)
            return _function(node, code, text)
        case ast.Attribute(value=ast.Name(id="contr"), attr=name) if name in _CONTRASTS:
            return {id(node), id(node.value)}
        case ast.BinOp(op=ast.Pow()):
            _check_power(node, code, text)
        case ast.BinOp(op=ast.BitXor()):
            written = code.replace("^", "**")
            raise fail(text, f"'^' in {code!r} is no power in Python; write {written}")
        case ast.Constant(value=value) if not isinstance(value, int | float | str | bool | None):
            raise fail(text, f"{value!r} in {code!r} is no number")
        case _ if not isinstance(node, _NODES):
            raise fail(text, f"{code!r} is more than columns, numbers and {_function_list()}")
    return set()


def _function(node: ast.Call, code: str, text: str) -> set[int]:
    """The nodes that name the function; an error unless it is on the list."""
    match node.func:
        case ast.Name(id=name) if name in FUNCTIONS:
            return {id(node.func)}
        case ast.Attribute(value=ast.Name(id="np"), attr=name) if name in _NUMPY:
            return {id(node.func), id(node.func.value)}
        case ast.Attribute(value=ast.Name(id="contr"), attr=name) if name in _CONTRASTS:
            return {id(node.func), id(node.func.value)}
        case _:
            name = ast.unparse(node.func)
            hint = about_call(name)
            if hint:
                raise fail(text, f"{code!r}: there is no function {name!r} here; {hint}")
            raise fail(
                text,
                f"{code!r} calls a function that is not one of {_function_list()}; make a column "
                "of it before the formula",
            )


def _check_arguments(node: ast.Call, code: str, text: str) -> None:
    """Refuse arguments that a function does not take, before formulaic stumbles over them."""
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    of_contrast = ast.unparse(node.func).startswith("contr.")
    options = [*node.args, *(k.value for k in node.keywords)] if of_contrast else [
        k.value for k in node.keywords
    ]  # fmt: skip
    for value in options:
        if isinstance(value, ast.Name):
            hint = about_word(value.id) or f'a level is text in quotes, "{value.id}"'
            raise fail(text, f"{value.id!r} in {code!r} stands where no column can: {hint}")
    if name in _OF_ONE_NUMBER and (len(node.args) != 1 or node.keywords):
        hint = "; log2(x) and log10(x) have other bases" if name == "log" else ""
        raise fail(text, f"{name}() takes one column, not what {code!r} gives it{hint}")
    if name == "C":
        contrasts = [*node.args[1:], *(k.value for k in node.keywords if k.arg == "contrasts")]
        odd = {k.arg for k in node.keywords} - _C_OPTIONS
        if odd or any(isinstance(c, ast.Constant | ast.Name) for c in contrasts):
            raise fail(text, f"{code!r}: {about_call('relevel')}; {about_call('Sum')}")


def _check_power(node: ast.BinOp, code: str, text: str) -> None:
    size = node.right.operand if isinstance(node.right, ast.UnaryOp) else node.right
    value = size.value if isinstance(size, ast.Constant) else None
    if not isinstance(value, int | float) or abs(value) > 10:
        raise fail(text, f"the power in {code!r} is not a number up to 10")
    if not any(isinstance(n, ast.Name) for n in ast.walk(node.left)):
        raise fail(text, f"{code!r} raises a bare number to a power; write the number itself")
