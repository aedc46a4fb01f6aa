"""The printed form of a fit, after arm::display (Gelman & Hill 2007, appendix C)."""

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from hierwidgets.base.checks import check_whole
from hierwidgets.base.tables import html_table, p_value

from .record import FitRecord
from .satterthwaite import degrees_of_freedom

__all__ = ["Summary", "summarize"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Summary:
    """A fit in print: plain text, or an HTML table in a notebook.

    Attributes
    ----------
    title : str
    coefficients : DataFrame
        Index: names; columns estimate, std_error (and z, p; of a Gaussian fit df, t, p).
    errors : DataFrame
        group, term, sd, corr.
    facts : tuple of str
        One line each.
    digits : int
        Decimals of estimates, standard errors and sds.
    """

    title: str
    coefficients: pd.DataFrame
    errors: pd.DataFrame
    facts: tuple[str, ...]
    digits: int = 2

    def __str__(self) -> str:
        return "\n".join([self.title, *self._coefficient_lines(), "", *self._error_lines(),
                          "", *self.facts])  # fmt: skip

    __repr__ = __str__

    def _coefficient_lines(self) -> list[str]:
        width = max([len("coefficient"), *(len(str(n)) for n in self.coefficients.index)])
        rows = self._coefficient_cells()
        size = max([8, *(len(row[1]) for row in rows)])
        lines = [f"{'coefficient':<{width}}  estimate (std. error)"]
        for name, estimate, error, *rest in rows:
            line = f"{name:<{width}}  {estimate:>{size}} ({error})"
            for label, text in zip(self._tested(), rest, strict=True):
                equal = "" if text.startswith("<") else "= "
                line += f"  {label} {equal}{text if label == 'p' else text.rjust(6)}"
            lines.append(line)
        return lines

    def _error_lines(self) -> list[str]:
        rows = [("group", "term", "sd", "corr"), *self._error_cells()]
        groups, terms, sds = (max(len(row[i]) for row in rows) for i in range(3))
        return [
            f"{group:<{groups}}  {term:<{terms}}  {sd:>{max(sds, 4)}}  {corr}".rstrip()
            for group, term, sd, corr in rows
        ]

    def _coefficient_cells(self) -> list[list[str]]:
        d, rows = self.digits, []
        for name, row in self.coefficients.iterrows():
            cells = [str(name), f"{row['estimate']:.{d}f}", f"{row['std_error']:.{d}f}"]
            cells += [_test_cell(column, float(row[column])) for column in self._tested()]
            rows.append(cells)
        return rows

    def _tested(self) -> list[str]:
        """The columns beyond estimate and standard error."""
        return [str(column) for column in self.coefficients.columns[2:]]

    def _error_cells(self) -> list[tuple[str, str, str, str]]:
        return [
            (str(group), str(term), f"{sd:.{self.digits}f}", str(corr))
            for group, term, sd, corr in self.errors.itertuples(index=False)
        ]

    def _repr_html_(self) -> str:
        head = ["coefficient", "estimate", "std. error", *self._tested()]
        first = html_table("Coefficients", head, self._coefficient_cells())
        second = html_table(
            "Standard deviations over groups", ["group", "term", "sd", "corr"], self._error_cells()
        )
        facts = "".join(f"<li>{escape(fact)}</li>" for fact in self.facts)
        return f"<p><code>{escape(self.title)}</code></p>{first}{second}<ul>{facts}</ul>"


def _test_cell(column: str, value: float) -> str:
    if column == "p":
        return p_value(value)
    return f"{value:.1f}" if column == "df" else f"{value:.2f}"


def summarize(fit: FitRecord, detail: bool = False, digits: int = 2) -> Summary:
    """The printed form of `fit`."""
    digits = check_whole(digits, "digits", 0, 10, "decimals")
    return Summary(
        title=f"{fit.design.formula}  [{fit.family.name}, {fit.family.link.name} link]",
        coefficients=coefficient_table(fit, detail),
        errors=error_table(fit),
        facts=tuple(_facts(fit)),
        digits=digits,
    )


def coefficient_table(fit: FitRecord, detail: bool = True) -> pd.DataFrame:
    """estimate, std_error and, with `detail`, what tests each coefficient against 0.

    z and p from the normal distribution; of a Gaussian fit df (Satterthwaite's), t and p.
    """
    table = pd.DataFrame({"estimate": fit.fixef, "std_error": fit.std_error})
    if not detail:
        return table
    from scipy.special import ndtr, stdtr

    ratio = table["estimate"] / table["std_error"]
    if fit.family.name != "gaussian":
        return table.assign(z=ratio, p=2 * ndtr(-np.abs(ratio)))
    df = degrees_of_freedom(fit)
    return table.assign(df=df, t=ratio, p=2 * stdtr(df, -np.abs(ratio)))


def error_table(fit: FitRecord) -> pd.DataFrame:
    """group, term, sd and the correlations with the terms above it, as text."""
    varcorr = fit.varcorr
    rows = []
    for group, term, sd in varcorr.loc[varcorr["other"].isna(), ["group", "term", "sd"]].itertuples(
        index=False
    ):
        pairs = varcorr[(varcorr["group"] == group) & (varcorr["other"] == term)]
        rows.append((group, term, sd, " ".join(f"{c:.2f}" for c in pairs["corr"])))
    return pd.DataFrame(rows, columns=["group", "term", "sd", "corr"])


def _method(fit: FitRecord) -> str:
    if fit.family.name == "gaussian":
        return "REML" if fit.reml else "maximum likelihood"
    return "Laplace" if fit.n_agq == 1 else f"{fit.n_agq}-point adaptive quadrature"


def _facts(fit: FitRecord) -> list[str]:
    groups = ", ".join(f"{t.group} {t.J}" for t in fit.design.terms)
    method = _method(fit)
    facts = [
        f"{fit.nobs} observations; groups: {groups}; {method}",
        f"AIC {fit.aic:.1f}, BIC {fit.bic:.1f}, logLik {fit.loglik:.1f}",
        f"conditional deviance {fit.conditional_deviance:.1f}, "
        f"DIC {fit.dic:.1f} (as arm prints it)",
    ]
    if fit.design.dropped:
        facts.append(f"{fit.design.dropped} rows with missing values were dropped")
    if fit.design.without_trials:
        facts.append(f"{fit.design.without_trials} rows with 0 trials were left out")
    if fit.design.left_out:
        facts.append(
            f"left out, since other columns determine them: {', '.join(fit.design.left_out)}"
        )
    facts += [f"singular: {what}" for what in fit.collapsed]
    if not fit.converged:
        facts.append(fit.message)
    return facts
