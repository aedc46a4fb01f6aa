"""What of a notebook has to run so that one of its cells can: the lines it rests on, and no others.

A lecture shows an instrument in the middle of an argument. To make the same instrument again, its
cell needs a data set and a fit from above it, but none of the figures.
"""

import ast
from collections.abc import Sequence

__all__ = ["needed_code"]


def needed_code(cells: Sequence[str]) -> str:
    """The statements on which the last expression of the last cell rests, in their order.

    A statement is kept if it binds a name that is needed, or changes what such a name holds: an
    assignment to a part of it, or a loop or block that goes through it and assigns to parts.

    Parameters
    ----------
    cells
        The code of the notebook's code cells, up to and including the one that is wanted.

    Returns
    -------
    str
        Python code whose last line is that expression.

    Examples
    --------
    >>> print(needed_code(["a = [1]; b = 2", "a[0] = 5", "print(b)", "c = 3; max(a)"]))
    a = [1]
    a[0] = 5
    max(a)
    """
    statements = [one for cell in cells for one in ast.parse(cell).body]
    last = statements.pop()
    if not isinstance(last, ast.Expr):
        raise ValueError(f"the cell ends with a statement, not an expression: {ast.unparse(last)}")
    wanted, kept = _read(last), list[ast.stmt]([last])
    for one in reversed(statements):
        bound, changed = _bound(one), _changed(one)
        if not (bound | changed) & wanted:
            continue
        if isinstance(one, ast.Assign) and all(isinstance(t, ast.Name) for t in one.targets):
            wanted -= bound  # what they held before is not needed
        wanted |= _read(one)
        kept.append(one)
    return "\n".join(ast.unparse(one) for one in reversed(kept))


def _read(statement: ast.stmt) -> set[str]:
    return {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def _bound(statement: ast.stmt) -> set[str]:
    names = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
    return names


def _changed(statement: ast.stmt) -> set[str]:
    """Names of what a part of is assigned to; of a loop or block, all that it reads as well."""
    targets = [
        node.value
        for node in ast.walk(statement)
        if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store)
    ]
    names = {node.id for one in targets for node in ast.walk(one) if isinstance(node, ast.Name)}
    if names and isinstance(statement, ast.For | ast.While | ast.With | ast.If | ast.Try):
        names |= _read(statement)
    return names
