"""What students type, as text and as Python: compared, read, freed of what the stub left."""

import ast
import difflib
import io
import re
import textwrap
import tokenize
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

__all__ = [
    "added",
    "as_code",
    "comments",
    "defined",
    "definitions",
    "is_prose",
    "join_code",
    "readable",
    "same",
    "same_code",
    "tidy",
    "unfilled",
    "wanted",
    "without_stub",
]

LONGEST = 100_000  # characters of a cell that are read as Python
MOST_LINES = 2_000  # of a cell that are compared one by one
TIMED = ("%%time", "%%timeit", "%%capture", "%%prun")  # what follows them is Python
FENCE = re.compile(r"^```+[^\n]*\n(.*?)^```+[ \t]*$", re.MULTILINE | re.DOTALL)
PROSE = re.compile(r"[^\W\d_]{2,}(?:[ ,;:'’-]+[^\W\d_]+){3,}")


def tidy(source: str) -> str:
    """The source with one kind of line end, composed accents and nothing that cannot be stored."""
    source = source.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    return unicodedata.normalize("NFC", source.encode("utf-8", "replace").decode("utf-8"))


def same(one: str, other: str) -> bool:
    """Whether two sources differ in white space alone."""
    return tidy(one).split() == tidy(other).split()


def same_code(one: str, other: str) -> bool:
    """Whether two programs say the same with the same comments, however they are laid out."""
    if same(one, other):
        return True
    trees = _tree(one), _tree(other)
    if None in trees or comments(one).split() != comments(other).split():
        return False
    try:
        first, second = (ast.dump(tree) for tree in trees if tree is not None)
    except RecursionError:
        return False
    return first == second


def readable(source: str) -> bool:
    """Whether Python, or IPython with its magics, can read it."""
    return _tree(source) is not None


@lru_cache(maxsize=64)
def _tree(source: str) -> ast.Module | None:
    """The program, with magics and ``!`` as calls; None where it is no Python."""
    if len(source) > LONGEST:
        return None
    if source.lstrip().startswith(TIMED):
        source = re.sub(r"\s*%%[^\n]*", "", source, count=1)
    for read in (str, _plain):
        try:
            return ast.parse(read(source))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None


def _plain(source: str) -> str:
    """The source without magics, each line in its place."""
    from IPython.core.inputtransformer2 import TransformerManager

    manager: Any = TransformerManager
    return str(manager().transform_cell(source))


def defined(source: str) -> set[str]:
    """The functions, classes and variables that a source binds at its top."""
    tree = _tree(source)
    if tree is None:
        return set(re.findall(r"^(?:def|class) +(\w+)", source, re.MULTILINE))
    return {name for node in tree.body for name in _bound(node)}


def _bound(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
        return
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.stmt):
            yield from _bound(part)
        elif isinstance(part, ast.alias):
            yield (part.asname or part.name).split(".")[0]
        else:
            inside = (n for n in ast.walk(part) if isinstance(n, ast.Name))
            yield from (n.id for n in inside if isinstance(n.ctx, ast.Store))


def wanted(stub: str) -> set[str]:
    """What an answer must define: the stub's names, also those it has in a comment."""
    names = defined(stub) | set(re.findall(r"^# *(\w+) *= *\S", stub, re.MULTILINE))
    return {name for name in names if not name.startswith("_")} or names


def definitions(source: str, names: set[str]) -> str:
    """The parts of a source that bind some of the names."""
    tree, lines = _tree(source), source.split("\n")
    if tree is None or not names:
        return ""
    return "\n\n".join(
        "\n".join(lines[first:last]) for node, first, last in _parts(tree, lines)
        if names & set(_bound(node))
    )  # fmt: skip


def _parts(tree: ast.Module, lines: list[str]) -> Iterator[tuple[ast.stmt, int, int]]:
    """Each statement at the top with its lines."""
    for node in tree.body:
        decorators = [d.lineno for d in getattr(node, "decorator_list", [])]
        last = node.end_lineno or node.lineno
        if last <= len(lines):
            yield node, min([node.lineno, *decorators]) - 1, last


def comments(source: str) -> str:
    """The words of a program's comments and of texts that stand alone, a line each."""
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                found.append(token.string.lstrip("# "))
    except (tokenize.TokenError, SyntaxError):
        pass
    tree = _tree(source)
    for node in tree.body if tree else []:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found.append(str(node.value.value))
    return "\n".join(found)


def is_prose(source: str) -> bool:
    """Whether what stands in a code cell is words: no Python, or comments alone."""
    tree = _tree(source)
    if tree is None:
        return not defined(source) and bool(PROSE.search(source))
    texts = (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant) and
             isinstance(n.value.value, str) for n in tree.body)  # fmt: skip
    return all(texts) and bool(PROSE.search(comments(source)))


def as_code(source: str) -> str:
    """The program in a text: what stands between fences, or all of it."""
    fenced = FENCE.findall(source) if len(source) <= LONGEST else []
    return "\n\n".join(textwrap.dedent(part).rstrip() for part in fenced) if fenced else source


def join_code(sources: list[str]) -> str:
    """Pieces of a program in their order, without those that a later one replaces."""
    if len(sources) < 2:
        return "".join(sources)
    kept = [
        source for k, source in enumerate(sources)
        if not defined(source) or not any(defined(source) <= defined(s) for s in sources[k + 1 :]
                                          if readable(s))
    ]  # fmt: skip
    halves = "\n".join(kept)  # a function that was cut in two
    cut = any(source[:1] in (" ", "\t") for source in kept[1:])
    if not readable(halves) or (all(map(readable, kept)) and not cut):
        sound = [source for source in kept if readable(source)] or kept
        magics = re.compile(rf"^\s*(?:{'|'.join(TIMED)})\b[^\n]*\n")
        return "\n\n".join(magics.sub("", part) if len(sound) > 1 else part for part in sound)
    return halves


def without_stub(source: str, stub: str) -> str:
    """The answer without what the stub left in its way.

    That is a ``raise`` of the stub with statements after it, and a function of the stub that
    was never filled where the answer defines it elsewhere.
    """
    tree, lines = _tree(source), source.split("\n")
    if tree is None:
        return source
    raises = {line.strip() for line in stub.split("\n") if line.strip().startswith("raise ")}
    gone: set[int] = set()
    bodies = [n.body for n in ast.walk(tree) if isinstance(n, ast.Module | ast.FunctionDef)]
    for body in bodies:
        for one in body[:-1]:
            first, last = one.lineno - 1, one.end_lineno or one.lineno
            if isinstance(one, ast.Raise) and "\n".join(lines[first:last]).strip() in raises:
                gone.update(range(first, last))
    parts, given = list(_parts(tree, lines)), _functions(stub)
    for node, first, last in parts:
        named = isinstance(node, ast.FunctionDef) and given.get(node.name, "")
        if named and same(named, "\n".join(lines[first:last])) and any(
            set(_bound(node)) & set(_bound(other)) for other, *_ in parts if other is not node
        ):  # fmt: skip
            gone.update(range(first, last))
    left = "\n".join(line for k, line in enumerate(lines) if k not in gone)
    return left.strip("\n") if gone else source


def _functions(stub: str) -> dict[str, str]:
    """The source of each function of a stub."""
    tree, lines = _tree(stub), stub.split("\n")
    parts = _parts(tree, lines) if tree else iter(())
    return {
        node.name: "\n".join(lines[first:last])
        for node, first, last in parts if isinstance(node, ast.FunctionDef)
    }  # fmt: skip


def unfilled(source: str, stub: str) -> set[str]:
    """The names an answer must define that it does not, or only as the stub does."""
    given, mine = _functions(stub), _functions(without_stub(source, stub))
    left = {n for n, text in mine.items() if n in given and same(text, given[n])}
    return {name for name in wanted(stub) if name in left or name not in defined(source)}


def added(given: str, now: str) -> str:
    """The lines of `now` that are not in `given`."""
    before, after = tidy(given).split("\n"), tidy(now).split("\n")
    if len(after) > MOST_LINES:
        return tidy(now)
    old, new = ([" ".join(line.split()) for line in lines] for lines in (before, after))
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    lines = [
        line for what, *_, start, stop in matcher.get_opcodes() if what in ("insert", "replace")
        for line in after[start:stop]
    ]  # fmt: skip
    return textwrap.dedent("\n".join(lines)).strip("\n")
