"""What the lens says: of one level's integral, of all of them, and of the estimates."""

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.fit.fit import Fit

from .integral import Lens
from .words import group_word, plural

__all__ = [
    "TOLD", "about", "axis_name", "data_words", "decimals", "error_words", "errors_words",
    "fitted_words", "from_to", "group_word", "named_level", "node_words", "number",
    "picture_words", "plural", "running_words", "table_rows",
]  # fmt: skip

TOLD = 1e-12  # share of an area: a smaller error is one of arithmetic
RIGHT = 1e-6  # an error above it is told in percent, or as it stands


def named_level(group: str, level: object) -> str:
    """A level with what it is.

    Examples
    --------
    >>> named_level("district_id", 309), named_level("district_id", "District 309")
    ('district 309', 'District 309')
    """
    word, text = group_word(group), str(level)
    return text if word.lower() in text.lower() else f"{word} {text}"


def data_words(fit: Fit, y: float, n: float) -> str:
    """The outcomes of a level: "10 of 23 contacted"."""
    if fit.family.name != "binomial":
        return f"{y:,.10g} counted"
    event = fit.design.event
    said = f" {event.lower()}" if isinstance(event, str) else ""
    return f"{y:,.10g} of {n:,.10g}{said}"


def axis_name(fit: Fit) -> str:
    """The name of the axis on which effects vary."""
    term = fit.design.terms[0]
    if term.names != ("Intercept",):
        return f"b, what a {group_word(term.group)} adds to the slope"
    scales = {"logit": "log-odds", "log": "logarithm of the mean"}
    return f"α, {scales.get(fit.family.link.name, fit.family.link.name)}"


def node_words(nodes: int) -> str:
    """A number of nodes.

    Examples
    --------
    >>> node_words(1), node_words(5)
    ('1 node (Laplace)', '5 nodes')
    """
    return "1 node (Laplace)" if nodes == 1 else f"{nodes} nodes"


def error_words(error: float) -> str:
    """By how much an area is wrong, as a share of it.

    Examples
    --------
    >>> error_words(-0.000698), error_words(1.4e-9), error_words(3e-14)
    ('0.07 % too small', 'right to 8 digits', 'right to 12 digits or more')
    """
    if abs(error) < TOLD:
        return "right to 12 digits or more"
    if abs(error) < RIGHT:
        return f"right to {int(-np.log10(abs(error)))} digits"
    return f"{number(100 * abs(error))} % too {'large' if error > 0 else 'small'}"


def number(value: float) -> str:
    """Two digits that count, written out where that is short.

    Examples
    --------
    >>> number(0.0698), number(12.3), number(0.0000123), number(253)
    ('0.07', '12', '0.000012', '250')
    """
    rounded = float(f"{value:.2g}")
    return f"{rounded:.8f}".rstrip("0").rstrip(".")


def decimals(values: Array, least: int = 2, most: int = 6) -> int:
    """As few decimals as tell the first of some values from the last; 3 if none do.

    Examples
    --------
    >>> import numpy as np
    >>> decimals(np.array([0.3100, 0.3117])), decimals(np.array([0.71, 0.80]))
    (3, 2)
    """
    tell = (d for d in range(least, most) if f"{values[0]:.{d}f}" != f"{values[-1]:.{d}f}")
    return next(tell, 3)


def from_to(values: Array) -> str:
    """The first and the last of some values.

    Examples
    --------
    >>> import numpy as np
    >>> from_to(np.array([-0.7145, -0.8036]))
    '−0.71 to −0.80'
    """
    digits = decimals(values)
    if f"{values[0]:.{digits}f}" == f"{values[-1]:.{digits}f}":
        return minus(f"{values[0]:.{digits}f} throughout")
    return minus(f"{values[0]:.{digits}f} to {values[-1]:.{digits}f}")


def minus(text: str) -> str:
    """The text with the sign of mathematics for a hyphen."""
    return text.replace("-", "\N{MINUS SIGN}")


def about(
    name: str, data: str, sigma: float, nodes: int, shown: Lens, error: float, whole: float,
    fitted: str, others: str,
) -> str:  # fmt: skip
    """The status line.

    Parameters
    ----------
    name, data
        The level and its outcomes, in words.
    sigma, nodes
        Where the lens stands.
    shown, error
        The level's integral, and the share by which its area is wrong.
    whole
        By how much the whole log-likelihood is too high at this sigma.
    fitted
        The estimates with so many nodes, in words.
    others
        "all 14 districts".
    """
    log = minus(f"log {shown.log_areas[nodes - 1]:.4f}, by fine strips {shown.exact:.4f}")
    sums = "right to six decimals"
    if abs(whole) >= RIGHT:
        sums = f"{number(abs(whole))} too {'high' if whole > 0 else 'low'}"
    return (
        f"{name[:1].upper()}{name[1:]}: {data}. By {node_words(nodes)} at σ = {sigma:.3f} its area "
        f"is {error_words(error)} ({log}). Over {others} the log-likelihood is {sums}. {fitted}"
    )


def fitted_words(running: pd.DataFrame, nodes: int, coefficient: str | None) -> str:
    """The estimates with so many nodes, to the decimals in which the numbers of nodes differ."""
    row = running.iloc[nodes - 1]
    if row.isna().any():
        return f"With {node_words(nodes)} there is no fit."
    said = []
    for column, name in (("sd", "σ"), (coefficient, "μ"), ("neg2loglik", "−2 log L")):
        if column is not None:
            values = running[column].dropna().to_numpy()
            symbol = column if name == "μ" and column != "Intercept" else name
            said.append(minus(f"{symbol} = {row[column]:.{max(3, decimals(values))}f}"))
    return f"Fitted with {node_words(nodes)}: {', '.join(said)}."


def picture_words(name: str, sigma: float, nodes: int, shown: Lens, error: float, axis: str) -> str:
    """The text alternative of the picture of the integrand."""
    peak = float(shown.at[shown.integrand.argmax()])
    away = float(abs(shown.integrand - shown.laplace).max())
    return (
        f"The integrand of {name} at sigma {sigma:.3f}, over {axis}, with its peak at {peak:.2f}; "
        f"the normal curve with the same peak and bend is at most {away:.1%} of the height off. "
        f"{node_words(nodes)}: the area is {error_words(error)}."
    )


def errors_words(name: str, errors: Array) -> str:
    """The text alternative of the picture of the errors."""
    some = ", ".join(
        f"{error_words(errors[count - 1])} with {node_words(count)}" for count in (1, 3, 9, 25)
    )
    return f"The error of the area of {name} against the number of nodes: {some}."


def running_words(running: pd.DataFrame, lanes: list[str], fitted: str) -> str:
    """The text alternative of the picture of the estimates."""
    names = {"sd": "sigma", "neg2loglik": "minus twice the log-likelihood"}
    some = "; ".join(
        f"{names.get(lane, lane)} from {from_to(running[lane].dropna().to_numpy())}"
        for lane in lanes
    )
    return f"The estimates from 1 node to {len(running)}: {some}. {fitted}"


def table_rows(shown: Lens, errors: Array, estimates: pd.DataFrame) -> list[list[str]]:
    """For each number of nodes the level's area, its error, and the estimates."""
    columns = [_written(estimates[name].to_numpy()) for name in estimates]
    areas = [minus(f"{area:.6f}") for area in shown.log_areas]
    percent = [minus(f"{100 * error:.2g}") for error in errors]
    counts = map(str, range(1, len(areas) + 1))
    return [list(row) for row in zip(counts, areas, percent, *columns, strict=True)]


def _written(values: Array) -> list[str]:
    digits = max(4, decimals(values[np.isfinite(values)]))
    return ["–" if np.isnan(value) else minus(f"{value:.{digits}f}") for value in values]
