"""The model of one's own data: as a formula, in symbols, in words, fitted, and as code."""

import re
from typing import Any

import numpy as np
import pandas as pd

from hierwidgets.fit.fit import Fit
from hierwidgets.model import glmer, lmer
from hierwidgets.spec.frames import as_frame
from hierwidgets.widgets.numbers.words import Words

from .columns import TWO, Choice, kind_of, varies_within

__all__ = ["code_of", "fit_of", "formula_of", "in_symbols", "in_words", "is_rate", "result_words"]

_PLAIN = re.compile(r"[^\W\d][\w.]*")
_TEX = {
    "\\": r"\textbackslash ", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$",
    "{": r"\{", "}": r"\}", "~": r"\sim ", "^": r"\wedge ",
}  # fmt: skip


def is_rate(frame: pd.DataFrame, choice: Choice) -> bool:
    """Whether the outcome has two values, so that rates are modelled; else means of numbers."""
    return choice.outcome is not None and kind_of(frame[choice.outcome]) == TWO


def formula_of(choice: Choice) -> str:
    """The formula of the model.

    Examples
    --------
    >>> formula_of(Choice("voted", "district_id", predictor="Age group"))
    'voted ~ 1 + `Age group` + (1 | district_id)'
    """
    right = "1" if choice.predictor is None else f"1 + {_quoted(choice.predictor)}"
    return f"{_quoted(str(choice.outcome))} ~ {right} + (1 | {_quoted(str(choice.group))})"


def _quoted(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else f"`{name}`"


def fit_of(frame: pd.DataFrame, choice: Choice) -> Fit:
    """The model, fitted by maximum likelihood (a Gaussian one by REML).

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = fit_of(hw.load("finland"), Choice("contacted", "district_id", event="Contacted"))
    >>> fit.fixef.round(2).to_dict()
    {'Intercept': -1.37}
    """
    formula, missing = formula_of(choice), "drop" if choice.drop else "raise"
    if is_rate(frame, choice):
        event: Any = None if _counts_itself(frame, choice) else choice.event
        return glmer(formula, as_frame(frame), event=event, missing=missing)
    return lmer(formula, as_frame(frame), missing=missing)


def _counts_itself(frame: pd.DataFrame, choice: Choice) -> bool:
    """Whether 1 or True is the event, which needs no saying."""
    column = frame[str(choice.outcome)]
    numeric = pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)
    zero_one = set(column.dropna().unique()) <= {0, 1}
    return bool(numeric and zero_one and choice.event == 1)


def code_of(frame: pd.DataFrame, choice: Choice, source: str, views: list[str]) -> str:
    """The lines of Python that make the same fit and the same pictures.

    Parameters
    ----------
    frame, choice
        The data and the columns.
    source
        The expression that gives the data, ``hw.read("my.csv")`` or the name of a frame.
    views
        Which pictures there are: "dial", "comparison", "effect".
    """
    options = []
    if is_rate(frame, choice) and not _counts_itself(frame, choice):
        event = choice.event.item() if isinstance(choice.event, np.generic) else choice.event
        options.append(f"event={event!r}")
    if choice.drop:
        options.append('missing="drop"')
    call = "hw.glmer" if is_rate(frame, choice) else "hw.lmer"
    arguments = ", ".join([f"{formula_of(choice)!r}", "data", *options])
    lines = ["import hierwidgets as hw", ""]
    lines += [] if source == "data" else [f"data = {source}"]
    lines += [f"fit = {call}({arguments})", "fit.summary()"]
    shown = {
        "dial": "hw.widgets.PoolingDial(fit)",
        "comparison": "hw.widgets.PoolingComparison(fit)",
        "effect": f"hw.widgets.CompetitivenessEffect(fit, {choice.predictor!r})",
    }
    return "\n".join([*lines, *(shown[view] for view in views)])


# --- symbols and words ---


def in_symbols(frame: pd.DataFrame, choice: Choice, words: Words) -> str:
    """The model as LaTeX. Source: Gelman & Hill (2007), sections 12.2, 12.6 and 14.1.

    Row i belongs to group j[i]. A predictor of rows stands in the first line, one of groups in
    the second.
    """
    j, of_rows, of_groups = _tex(words.level), "", ""
    if choice.predictor is not None:
        if varies_within(frame, choice.predictor, str(choice.group)):
            of_rows = r" + \beta x_i"
        else:
            of_groups = r" + \gamma_1 x_j"
    group = rf"\text{{{j}}}[i]"
    if is_rate(frame, choice):
        event = _tex(f"{choice.outcome} = {choice.event}")
        first = rf"\Pr(\text{{{event}}})_i &= \operatorname{{logit}}^{{-1}}"
        first += rf"\left(\alpha_{{{group}}}{of_rows}\right)"
    else:
        y = _tex(str(choice.outcome))
        first = rf"\text{{{y}}}_i &\sim \operatorname{{N}}"
        first += rf"\left(\alpha_{{{group}}}{of_rows},\ \sigma_y^2\right)"
    second = rf"\alpha_j &\sim \operatorname{{N}}\left(\mu{of_groups},\ \sigma^2\right)"
    return rf"\begin{{aligned}} {first} \\ {second} \end{{aligned}}"


def _tex(text: str) -> str:
    return "".join(_TEX.get(sign, sign) for sign in text)


def in_words(frame: pd.DataFrame, choice: Choice, words: Words) -> str:
    """The same model in sentences."""
    rate = is_rate(frame, choice)
    what = (f"the log-odds that {choice.outcome} is {choice.event}" if rate
            else f"the mean of {choice.outcome}")  # fmt: skip
    text = f"Each {words.level} has its own level α of {what}."
    if choice.predictor is None:
        return f"{text} The levels are normal around μ with spread σ."
    if varies_within(frame, choice.predictor, str(choice.group)):
        return (
            f"{text} In each row x, {words.predictor}, adds to it, β for a step of one. The levels "
            "are normal around μ with spread σ."
        )
    return (
        f"{text} The levels are normal with spread σ around a line: μ, plus γ₁ for each step of "
        f"x, {words.predictor}."
    )


def result_words(fit: Fit, words: Words) -> str:
    """What came out: rows, groups, mu, sigma, and the slope with its standard error."""
    table = fit.varcorr
    sd = float(table.loc[table["group"] == fit.design.terms[0].group, "sd"].iloc[0])
    text = (
        f"{fit.nobs:,} rows in {len(fit.design.terms[0].levels):,} {words.levels}: "
        f"μ = {fit.fixef['Intercept']:.2f}, σ = {sd:.2f}"
    )
    if fit.family.name == "gaussian":
        residual = float(table.loc[table["group"] == "Residual", "sd"].iloc[0])
        text += f", σ_y = {residual:.2f}"
    for name in [name for name in fit.fixef.index if name != "Intercept"][:3]:
        error = f"(standard error {fit.std_error[name]:.2f})"
        text += f", {name.replace('_', ' ')} {fit.fixef[name]:.2f} {error}"
    return f"{text}."
