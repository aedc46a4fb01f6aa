"""The model of a choice: formula, symbols, words, fit, and code that makes the same fit."""

import ast

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.widgets.numbers.own.columns import Choice
from hierwidgets.widgets.numbers.own.model import (
    code_of,
    fit_of,
    formula_of,
    in_symbols,
    in_words,
    result_words,
)
from hierwidgets.widgets.numbers.words import words_for

RATE = Choice("contacted", "district_id", "Contacted", "district_competitiveness")


@pytest.fixture(scope="module")
def uk():
    return hw.load("uk")


@pytest.fixture(scope="module")
def odd():
    """Columns with names that no formula takes as they stand, and rows with gaps."""
    rng = np.random.default_rng(3)
    effect = rng.normal(size=15).repeat(12)
    came = rng.random(180) < 1 / (1 + np.exp(-effect))
    frame = pd.DataFrame({
        "my group": np.repeat(np.arange(15), 12), "Came?": came,
        "Income (k)": rng.normal(30, 5, 180) + effect, "class": rng.normal(size=180),
    })  # fmt: skip
    frame.loc[3, "Income (k)"] = np.nan
    return frame


def run(code, frame):
    """The fit that the code makes."""
    names = {"data": frame, "hw": hw}
    for line in code.splitlines():
        if line.startswith("fit ="):
            exec(line, names)
    ast.parse(code)
    return names["fit"]


@pytest.mark.parametrize(
    "choice",
    [
        Choice("Came?", "my group", True), Choice("Came?", "my group", False),
        Choice("Came?", "my group", True, "Income (k)", drop=True),
        Choice("Income (k)", "my group", drop=True), Choice("Came?", "my group", True, "class"),
    ],
)  # fmt: skip
def test_the_code_makes_the_same_fit(odd, choice):
    fit = fit_of(odd, choice)
    again = run(code_of(odd, choice, 'hw.read("a.csv")', ["comparison"]), odd)
    assert again.fixef.to_dict() == fit.fixef.to_dict()
    assert again.nobs == fit.nobs == (179 if choice.drop else 180)


def test_the_code_reads_fits_and_shows(uk):
    assert code_of(uk, RATE, "hw.read('uk.csv')", ["dial", "effect"]).splitlines() == [
        "import hierwidgets as hw", "", "data = hw.read('uk.csv')",
        "fit = hw.glmer('contacted ~ 1 + district_competitiveness + (1 | district_id)', data, "
        "event='Contacted')",
        "fit.summary()", "hw.widgets.PoolingDial(fit)",
        "hw.widgets.CompetitivenessEffect(fit, 'district_competitiveness')",
    ]  # fmt: skip
    assert "data =" not in code_of(uk, RATE, "data", [])


def test_names_are_quoted_where_they_must_be():
    assert formula_of(Choice("Came?", "my group", True, "Close.To.Party")) == (
        "`Came?` ~ 1 + Close.To.Party + (1 | `my group`)"
    )


def test_symbols_put_a_predictor_where_it_belongs(uk, odd):
    words = words_for(None, "district_id", "contacted", predictor="district_competitiveness")
    of_groups = in_symbols(uk, RATE, words)
    first, second = of_groups.split(r"\\")
    assert "logit" in first
    assert "gamma" not in first
    assert r"\mu + \gamma_1 x_j" in second
    choice = Choice("Income (k)", "my group", predictor="class")
    first, second = in_symbols(odd, choice, words_for(None, "my group", "y", predictor="class"))\
        .split(r"\\")  # fmt: skip
    assert r"\beta x_i" in first
    assert r"\sigma_y^2" in first
    assert r"\left(\mu,\ \sigma^2\right)" in second


def test_signs_of_latex_are_escaped(odd):
    frame = odd.rename(columns={"Came?": "came_50%_{&}"})
    choice = Choice("came_50%_{&}", "my group", True)
    text = in_symbols(frame, choice, words_for(None, "my group", "came"))
    assert r"came\_50\%\_\{\&\} = True" in text


def test_sentences(uk, odd):
    words = words_for(None, "district_id", "contacted", predictor="district_competitiveness")
    assert in_words(uk, RATE, words) == (
        "Each district has its own level α of the log-odds that contacted is Contacted. The levels "
        "are normal with spread σ around a line: μ, plus γ₁ for each step of x, "
        "district competitiveness."
    )
    assert result_words(fit_of(uk, RATE), words).startswith(
        "756 rows in 253 districts: μ = -3.41, σ = 0.60, district competitiveness 3.87 (standard"
    )
    numbers = fit_of(odd, Choice("Income (k)", "my group", drop=True))
    assert ", σ_y = " in result_words(numbers, words)
