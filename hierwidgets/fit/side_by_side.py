"""Fits side by side, as modelsummary sets them."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from hierwidgets.base.checks import check_whole
from hierwidgets.base.tables import html_table, text_table
from hierwidgets.errors import DataError
from hierwidgets.spec.parameters import parameters, value

from .intervals import estimates
from .record import FitRecord

__all__ = ["Tables", "tables"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Tables:
    """Fits side by side: plain text, or an HTML table in a notebook.

    Attributes
    ----------
    table : DataFrame
        Index: coefficients, then sds and correlations, then ``nobs aic bic loglik``; one column
        per fit, missing where a fit does not have the row.
    std_error : DataFrame
        Of the coefficients, with the same columns.
    digits : int
        Decimals in print.
    """

    table: pd.DataFrame
    std_error: pd.DataFrame
    digits: int

    def _rows(self) -> list[list[str]]:
        rows = []
        for name, values in self.table.iterrows():
            digits = _DIGITS.get(str(name), self.digits)
            label = _LABELS.get(str(name), str(name))
            rows.append([label, *(_number(v, digits) for v in values.to_list())])
            if name in self.std_error.index:
                below = [_number(v, self.digits) for v in self.std_error.loc[str(name)]]
                rows.append(["", *(f"({text})" if text else "" for text in below)])
        return rows

    def __str__(self) -> str:
        head = ["", *map(str, self.table.columns)]
        # a number over its error in brackets: the last digits stand under each other
        rows = [
            [first, *(cell if cell.endswith(")") else f"{cell} " for cell in rest)]
            for first, *rest in self._rows()
        ]
        return "\n".join(text_table(head, rows))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows: list[list[str]] = []
        for first, *rest in self._rows():
            if first or not rows:
                rows.append([first, *rest])
            else:  # in the cell of its estimate, so that the row heading is read with both
                rows[-1][1:] = [f"{a} {b}".strip() for a, b in zip(rows[-1][1:], rest, strict=True)]
        caption = "Fits side by side: estimate (std. error)"
        return html_table(caption, ["term", *map(str, self.table.columns)], rows)


_LABELS = {"nobs": "observations", "aic": "AIC", "bic": "BIC", "loglik": "logLik"}
_DIGITS = {"nobs": 0, "aic": 1, "bic": 1, "loglik": 1}


def _number(x: Any, digits: int) -> str:
    return "" if pd.isna(x) else f"{x:.{digits}f}"


def tables(*fits: FitRecord, digits: int = 3, **named: FitRecord) -> Tables:
    """Fits side by side: estimates and standard errors, sds, correlations, AIC, BIC, logLik.

    Parameters
    ----------
    *fits :
        They are called (1), (2) and so on.
    digits :
        Decimals in print; the numbers themselves are in `table` and `std_error`.
    **named :
        Fits with a name of their own: ``hw.tables(empty=fit0, full=fit1)``.

    Raises
    ------
    DataError
        There is nothing to show, or something is not a fit.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> uk = hw.load("uk")
    >>> fit0 = hw.glmer("contacted ~ (1 | district_id)", uk, event="Contacted")
    >>> fit1 = hw.glmer("contacted ~ district_competitiveness + (1 | district_id)", uk,
    ...                 event="Contacted")
    >>> print(hw.tables(fit0, fit1, digits=2))
                                    (1)      (2)
    Intercept                    -0.85    -3.41
                                 (0.10)   (0.66)
    district_competitiveness               3.87
                                          (0.96)
    sd Intercept | district_id    0.71     0.60
    observations                   756      756
    AIC                          941.8    927.2
    BIC                          951.1    941.1
    logLik                      -468.9   -460.6
    """
    columns = {f"({i})": fit for i, fit in enumerate(fits, start=1)} | named
    if not columns:
        raise DataError("tables needs at least one fit")
    for name, fit in columns.items():
        if not isinstance(fit, FitRecord):
            raise DataError(f"tables takes fits; {name} is a {type(fit).__name__}")
    digits = check_whole(digits, "digits", 0, 10, "decimals")
    values = {name: _values(fit) for name, fit in columns.items()}
    errors = {name: dict(fit.std_error) for name, fit in columns.items()}
    order = _order(list(columns.values()))
    coefficients = [name for name in order if any(name in column for column in errors.values())]
    return Tables(_beside(values, order), _beside(errors, coefficients), digits)


def _values(fit: FitRecord) -> dict[str, float]:
    at = estimates(fit)
    out = {p.name: value(p, at) for p in parameters(fit.design, fit.family)}
    return out | {"nobs": fit.nobs, "aic": fit.aic, "bic": fit.bic, "loglik": fit.loglik}


def _order(fits: list[FitRecord]) -> list[str]:
    """Coefficients, sds, correlations, sigma, and how well each fits."""
    found = [p for fit in fits for p in parameters(fit.design, fit.family)]
    kinds = ("coefficient", "sd", "corr", "sigma")
    names = [p.name for kind in kinds for p in found if p.kind == kind]
    return list(dict.fromkeys([*names, *_LABELS]))


def _beside(columns: dict[str, dict[str, float]], order: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {label: pd.Series(column, dtype=float).reindex(order) for label, column in columns.items()},
        index=pd.Index(order),
    )
