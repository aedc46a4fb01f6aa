"""The printed form of a fit, after arm::display (Gelman & Hill 2007, appendix C)."""

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from .results import Fit

__all__ = ["Summary", "summarize"]


@dataclass(frozen=True, slots=True, repr=False)
class Summary:
    """A fit in print: plain text, or an HTML table in a notebook.

    Attributes
    ----------
    title : str
    coefficients : DataFrame
        Index: names; columns estimate, std_error (and z, p).
    errors : DataFrame
        group, term, sd, corr.
    facts : tuple of str
        One line each.
    """

    title: str
    coefficients: pd.DataFrame
    errors: pd.DataFrame
    facts: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([self.title, *self._coefficient_lines(), "", *self._error_lines(),
                          "", *self.facts])  # fmt: skip

    __repr__ = __str__

    def _coefficient_lines(self) -> list[str]:
        width = max([len(str(n)) for n in self.coefficients.index], default=0)
        lines = [f"{'coefficient':<{max(width, 11)}}  estimate (std. error)"]
        for name, row in self.coefficients.iterrows():
            line = f"{name!s:<{max(width, 11)}}  {row['estimate']:8.2f} ({row['std_error']:.2f})"
            if "z" in row:
                line += f"  z = {row['z']:6.2f}  p {_p(row['p'])}"
            lines.append(line)
        return lines

    def _error_lines(self) -> list[str]:
        groups = max([len("group"), *self.errors["group"].map(len)])
        terms = max([len("term"), *self.errors["term"].map(len)])
        lines = [f"{'group':<{groups}}  {'term':<{terms}}    sd  corr"]
        for group, term, sd, corr in self.errors.itertuples(index=False):
            more = f"  {corr}" if corr else ""
            lines.append(f"{group!s:<{groups}}  {term!s:<{terms}}  {sd:4.2f}{more}")
        return lines

    def _repr_html_(self) -> str:
        def cell(value: object, header: bool = False) -> str:
            tag, scope = ("th", ' scope="row"') if header else ("td", "")
            return f"<{tag}{scope}>{escape(str(value))}</{tag}>"

        head = ["coefficient", "estimate", "std. error"]
        detail = "z" in self.coefficients
        rows = []
        for name, row in self.coefficients.iterrows():
            cells = [
                cell(name, True),
                cell(f"{row['estimate']:.2f}"),
                cell(f"{row['std_error']:.2f}"),
            ]
            if detail:
                cells += [cell(f"{row['z']:.2f}"), cell(_p(row["p"]).removeprefix("= "))]
            rows.append("<tr>" + "".join(cells) + "</tr>")
        first = _table(head + (["z", "p"] if detail else []), rows)
        rows = [
            "<tr>"
            + cell(r.group, True)
            + cell(r.term)
            + cell(f"{r.sd:.2f}")
            + cell(r.corr)
            + "</tr>"
            for r in self.errors.itertuples()
        ]
        second = _table(["group", "term", "sd", "corr"], rows)
        facts = "".join(f"<li>{escape(fact)}</li>" for fact in self.facts)
        return f"<p><code>{escape(self.title)}</code></p>{first}{second}<ul>{facts}</ul>"


def _table(head: list[str], rows: list[str]) -> str:
    titles = "".join(f'<th scope="col">{escape(h)}</th>' for h in head)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def summarize(fit: "Fit", detail: bool = False) -> Summary:
    """The printed form of `fit`."""
    return Summary(
        title=f"{fit.design.formula}  [{fit.family.name}, {fit.family.link.name} link]",
        coefficients=coefficient_table(fit, detail),
        errors=error_table(fit),
        facts=tuple(_facts(fit)),
    )


def coefficient_table(fit: "Fit", detail: bool = True) -> pd.DataFrame:
    """estimate, std_error and, with `detail`, Wald z and two-sided p, by coefficient."""
    table = pd.DataFrame({"estimate": fit.fixef, "std_error": fit.std_error})
    if detail:
        from scipy.special import ndtr

        z = table["estimate"] / table["std_error"]
        table = table.assign(z=z, p=2 * ndtr(-np.abs(z)))
    return table


def error_table(fit: "Fit") -> pd.DataFrame:
    """group, term, sd and the correlations with the terms above it, as text."""
    varcorr = fit.varcorr
    rows = []
    for group, term, sd in varcorr.loc[varcorr["other"].isna(), ["group", "term", "sd"]].itertuples(
        index=False
    ):
        pairs = varcorr[(varcorr["group"] == group) & (varcorr["other"] == term)]
        rows.append((group, term, sd, " ".join(f"{c:.2f}" for c in pairs["corr"])))
    return pd.DataFrame(rows, columns=["group", "term", "sd", "corr"])


def _method(fit: "Fit") -> str:
    if fit.family.name == "gaussian":
        return "REML" if fit.reml else "maximum likelihood"
    return "Laplace" if fit.n_agq == 1 else f"{fit.n_agq}-point adaptive quadrature"


def _facts(fit: "Fit") -> list[str]:
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
    facts += [f"singular: {what}" for what in fit.collapsed]
    if not fit.converged:
        facts.append(fit.message)
    return facts
