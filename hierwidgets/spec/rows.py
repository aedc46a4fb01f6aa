"""Rows to predict: which group effects enter them, and on which scale they are read.

`re_formula` has the meaning it has in lme4 and brms: None keeps every group effect, "~0"
none, "~ (1 | g)" those of g.
"""

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array, normal_quantile
from hierwidgets.errors import DataError, FormulaError, NewLevelError

from .design import Design, NewRows, as_frame
from .families import Family
from .formula import parse, terms
from .levels import label

__all__ = [
    "as_frame",
    "check_offset",
    "kept_columns",
    "labels",
    "linear_predictor",
    "link_interval",
    "rows_of",
    "to_response",
]


def kept_columns(design: Design, re_formula: str | None) -> list[NDArray[np.bool_]]:
    """For each term, which of its k columns `re_formula` keeps.

    Raises
    ------
    FormulaError
        It names a group or a coefficient the model does not have.
    """
    if re_formula is None:
        return [np.ones(term.k, bool) for term in design.terms]
    kept = [np.zeros(term.k, bool) for term in design.terms]
    for group, names in _asked(re_formula).items():
        term = next((i for i, t in enumerate(design.terms) if t.group == group), None)
        have = [t.group for t in design.terms]
        if term is None:
            raise FormulaError(f"re_formula names the group {group!r}; the model has {have}")
        for name in names:
            found = _matching(name, design.terms[term].names)
            if not found:
                raise FormulaError(
                    f"re_formula asks for {name!r} within {group!r}; it varies in "
                    f"{list(design.terms[term].names)}"
                )
            kept[term][found] = True
    return kept


def _asked(re_formula: str) -> dict[str, list[str]]:
    """Groups and coefficient names in ``~ (1 + x | g)``; none in ``~0``."""
    if not isinstance(re_formula, str):
        raise FormulaError(f"re_formula is None or text such as '~ (1 | g)', not {re_formula!r}")
    text = re_formula.strip().removeprefix("~").strip()
    if text in ("0", "NA", "-1"):
        return {}
    parsed = parse(f"response ~ 0 + {text or '0'}")
    if not parsed.bars or parsed.fixed != "0":
        raise FormulaError(f"re_formula {re_formula!r} is neither '~0' nor a sum of group terms")
    asked: dict[str, list[str]] = {}
    for bar in parsed.bars:
        asked.setdefault(bar.group, []).extend(_coefficients(bar.lhs))
    return asked


def _coefficients(lhs: str) -> list[str]:
    """What varies within a bar: "1 + x" is Intercept and x, "x - 1" is x."""
    return ["Intercept" if term == "1" else term.replace("`", "") for term in terms(lhs)]


def _matching(asked: str, names: tuple[str, ...]) -> list[int]:
    """Where a coefficient is among `names`; a predictor of levels stands for all of its columns."""
    name = asked.replace(" ", "")
    known = [n.replace("`", "").replace(" ", "") for n in names]
    exact = [i for i, n in enumerate(known) if n == name]
    return exact or [i for i, n in enumerate(known) if _term_of(n) == _term_of(name)]


def _term_of(column: str) -> str:
    """The term a column belongs to: "f[T.b]:x" is of f:x."""
    return re.sub(r"\[[^\[\]]*\]", "", column)


def check_offset(design: Design) -> None:
    """Refuse new rows where the offset was given as numbers, which they do not carry."""
    if design.offset_column is None and design.offset.any():
        raise DataError(
            "the offset of this fit was given as numbers, which new rows do not carry; "
            "fit again with the name of a column"
        )


def rows_of(
    design: Design,
    newdata: pd.DataFrame | None,
    kept: list[NDArray[np.bool_]],
    new_levels: str,
    offset: Array | None = None,
) -> NewRows:
    """The rows to predict, unseen levels dealt with.

    `offset` is that of the rows, for a fit that got it as numbers and not as a column.
    """
    if new_levels not in ("error", "population", "sample"):
        raise DataError(f"new_levels={new_levels!r}; choose 'error', 'population' or 'sample'")
    if newdata is None:
        rows = design.rows
        return NewRows(
            design.X[rows],
            design.offset[rows],
            tuple(t.codes[rows] for t in design.terms),
            tuple(t.Z[rows] * k for t, k in zip(design.terms, kept, strict=True)),
        )
    if offset is None:
        check_offset(design)
    groups = [t.group for t, k in zip(design.terms, kept, strict=True) if k.any()]
    new = design.apply(newdata, groups)
    for term, codes in zip(design.terms, new.codes, strict=True):
        if term.group in groups and new_levels == "error" and (codes < 0).any():
            strange = labels(as_frame(newdata), term.factors)[codes < 0]
            raise NewLevelError(
                f"newdata holds the {term.group} {strange[0]!r}, which the fit has not seen; "
                "pass new_levels='population' (its effect is 0) or 'sample' (its effect is "
                "unknown, with the fitted sd)"
            )
    Z = tuple(z * k for z, k in zip(new.Z, kept, strict=True))
    return NewRows(new.X, new.offset if offset is None else offset, new.codes, Z)


def labels(frame: pd.DataFrame, factors: tuple[str, ...]) -> NDArray[np.object_]:
    """The level of each row, as text."""
    parts = [[label(v) for v in frame[f]] for f in factors]
    return np.array(list(map(":".join, zip(*parts, strict=True))), dtype=object)


def linear_predictor(new: NewRows, beta: Array, effects: list[Array]) -> Array:
    """eta (n,) at group effects b, one (J, k) per term; an unseen level has effect 0."""
    eta = new.X @ beta + new.offset
    for codes, Z, b in zip(new.codes, new.Z, effects, strict=True):
        known = codes >= 0
        eta[known] += np.einsum("ij,ij->i", Z[known], b[codes[known]])
    return eta


def link_interval(eta: Array, se: Array, level: float) -> dict[str, Array]:
    """std_error, conf_low and conf_high on the link scale."""
    z = normal_quantile(level)
    return {"std_error": se, "conf_low": eta - z * se, "conf_high": eta + z * se}


def to_response(family: Family, columns: dict[str, Array]) -> dict[str, Array]:
    """Estimate and limits through the inverse link; std_error by the delta method."""
    mu, dmu = family.link.inverse(columns["estimate"])
    out = {"estimate": mu}
    if "std_error" in columns:
        out["std_error"] = columns["std_error"] * dmu
        out["conf_low"] = family.link.inverse(columns["conf_low"])[0]
        out["conf_high"] = family.link.inverse(columns["conf_high"])[0]
    return out
