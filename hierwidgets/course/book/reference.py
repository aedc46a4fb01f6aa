"""The pages of the reference: every public name, with the docstring that stands beside its code."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from inspect import getsourcefile, getsourcelines, isclass, unwrap
from pathlib import Path
from typing import Any, NamedTuple

import hierwidgets

from .links import REPOSITORY

__all__ = ["PARTS", "Part", "pages", "source"]


class Part(NamedTuple):
    """One page of the reference.

    Attributes
    ----------
    name, title, about : str
        Its file, its heading, and what it holds, in a sentence.
    names : tuple of str
        Public names below `hierwidgets`; one that ends in ``.*`` stands for every public name of
        that module that no other part names.
    """

    name: str
    title: str
    about: str
    names: tuple[str, ...]


PARTS = (
    Part("models", "Models", "From a formula and a data frame to a fit.",
         ("glmer", "lmer", "Model")),
    Part("fit", "A fit", "What maximum likelihood gives, and what is read off it.",
         ("Fit", "compare", "tables")),
    Part("posterior", "Draws", "What sampling gives, and how it is judged.",
         ("Posterior", "load_posterior", "diagnose", "to_arviz")),
    Part("priors", "Priors", "Priors as a user names them.", ("Priors", "priors.*")),
    Part("pooling", "Pooling", "One rate for each, one for all, and what lies between.",
         ("no_pooling", "complete_pooling", "partial_pooling")),
    Part("quantities", "Quantities of interest", "Comparisons, slopes, and shares of a country.",
         ("comparisons", "slopes", "poststratify", "to_marginaleffects")),
    Part("validation", "Trying a model", "Hide data, or make some up, and see what comes back.",
         ("cross_validate", "simulate_and_recover", "calibrate")),
    Part("data", "Data", "The course's data sets, and files of one's own.", ("load", "read")),
    Part("widgets", "Instruments", "What can be dragged, and the tables behind it.",
         ("widgets.*",)),
    Part("exercises", "Exercises", "How answers are checked, and how to add questions.",
         ("exercises.*",)),
    Part("errors", "Errors and warnings", "Each says what was given, what is allowed, what to do.",
         ("HierwidgetsError", "DataError", "FitError", "FitWarning", "FormulaError",
          "MissingExtraError", "NewLevelError")),
)  # fmt: skip


def pages() -> dict[str, str]:
    """The pages of the reference in reStructuredText, which is what docstrings are written in.

    Returns
    -------
    dict of str
        Texts by file name, the first page among them.
    """
    every = {f"reference/{part.name}.rst": _page(part) for part in PARTS}
    table = "\n".join(
        f"   * - :doc:`{part.title} <{part.name}>`\n     - {part.about}" for part in PARTS
    )
    entries = "\n".join(f"   {part.name}" for part in PARTS)
    every["reference/index.rst"] = (
        f"{_heading('Reference', '=')}\n"
        "Every public name of ``import hierwidgets as hw``: what it computes, shapes, units, "
        "errors, the source of its formula, and an example that is run as a test.\n\n"
        f".. list-table::\n   :widths: 25 75\n\n{table}\n\n"
        f".. toctree::\n   :hidden:\n\n{entries}\n"
    )
    return every


def source(domain: str, info: Mapping[str, str]) -> str | None:
    """The address of the code of a name, for Sphinx's ``linkcode``; None for what has no lines.

    Parameters
    ----------
    domain : str
        The language; only ``"py"`` has addresses.
    info : mapping
        ``"module"`` and ``"fullname"``, as ``linkcode`` passes them.
    """
    if domain != "py" or not info["module"].startswith("hierwidgets"):
        return None
    value: Any = sys.modules.get(info["module"])  # Sphinx has imported it
    for name in info["fullname"].split("."):
        value = getattr(value, name, None)
    value = unwrap(value.fget if isinstance(value, property) and value.fget else value)
    try:
        file, (lines, first) = getsourcefile(value), getsourcelines(value)
    except TypeError:  # a number, an attribute
        return None
    root = Path(hierwidgets.__path__[0]).parent
    if file is None or not Path(file).is_relative_to(root / "hierwidgets"):
        return None
    place = Path(file).relative_to(root).as_posix()
    return f"{REPOSITORY}/blob/main/{place}#L{first}-L{first + len(lines) - 1}"


def _page(part: Part) -> str:
    entries = "\n".join(_entry(name) for name in names(part))
    return f"{_heading(part.title, '=')}\n{part.about}\n\n{entries}"


def names(part: Part) -> Iterator[str]:
    """The names of a part below `hierwidgets`, those of its modules written out."""
    for name in part.names:
        module = name.removesuffix(".*")
        if module == name:
            yield name
            continue
        for one in _value(module.split(".")).__all__:
            if not _named(one):
                yield f"{module}.{one}"


def _named(name: str) -> bool:
    return any(name in part.names for part in PARTS)


def _entry(name: str) -> str:
    value = _value(name.split("."))
    lines = [_heading(name.rsplit(".", maxsplit=1)[-1], "-"), ""]
    if isclass(value):
        kind, members = "class", not issubclass(value, Exception)
        if issubclass(value, Exception):
            kind = "exception"
        lines += [f".. auto{kind}:: hierwidgets.{name}"]
        if members:
            lines += ["   :members:", "   :inherited-members: " + _foreign(value)]
    elif callable(value):
        lines += [f".. autofunction:: hierwidgets.{name}"]
    else:
        lines += [f".. autodata:: hierwidgets.{name}"]
    return "\n".join(lines) + "\n"


def _foreign(value: type) -> str:
    """The bases whose members are none of ours to explain."""
    bases = [base.__name__ for base in value.__mro__ if not base.__module__.startswith("hierwidg")]
    return ", ".join(dict.fromkeys(bases))


def _value(path: Sequence[str]) -> Any:
    value: Any = hierwidgets
    for name in path:
        value = getattr(value, name)
    return value


def _heading(title: str, line: str) -> str:
    return f"{title}\n{line * len(title)}\n"
