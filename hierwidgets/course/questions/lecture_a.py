"""The page against the data: an impossible share, rounding twice, means against their error."""

from collections.abc import Callable
from functools import cache
from math import ceil, floor

import pandas as pd

from hierwidgets.course.page import printed as page
from hierwidgets.course.page import values
from hierwidgets.exercises import Exercise, Mistake

__all__ = ["EXERCISES"]


# --- a share that cannot be ---------------------------------------------------------------


def _counts(printed: float, n: int) -> int:
    """How many counts out of n are, as shares rounded to two decimals, the printed one.

    None at all: Brown & Heathers (2017), Soc. Psychol. Personal. Sci. 8(4), the GRIM test.
    """
    return sum(abs(k / n - printed) <= 0.005 + 1e-9 for k in range(n + 1))


def _as_whole(printed: float, n: int) -> int:
    return int(abs(printed * n - round(printed * n)) < 1e-9)


def _within(half: float) -> Callable[[float, int], int]:
    return lambda printed, n: sum(abs(k / n - printed) <= half + 1e-9 for k in range(n + 1))


def _cut_off(printed: float, n: int) -> int:
    return sum(int(100 * k / n) / 100 == printed for k in range(n + 1))


def _large_n(function: Callable[..., object]) -> bool:
    return all(float(function(k / 100, 137)) >= 1 for k in range(0, 101, 7))  # type: ignore[arg-type]


POSSIBLE = Exercise(
    name="A-possible",
    expected=lambda: _counts,
    inputs=((0.40, 23), (0.43, 23), (0.40, 25), (0.32, 756), (0.13, 7), (0.14, 7), (1.0, 3)),
    properties=(("with 137 people every share is possible", _large_n),),
    hints=(
        "Only n + 1 shares are possible: 0/n, 1/n, ... n/n.",
        "Which of them lie within half a unit of the last digit, 0.005, of what is printed?",
        "`sum(abs(k / n - printed) <= 0.005 + 1e-9 for k in range(n + 1))`. The tiny number "
        "forgives floating point.",
    ),
    right="Where it is 0, the printed share is refuted without the data.",
    mistakes=(
        Mistake(
            lambda: _as_whole,
            "printed times n need not be a whole number: the printed share has been rounded.",
        ),
        Mistake(
            lambda: lambda printed, n: min(_counts(printed, n), 1),
            "Not only whether there is one: count them.",
        ),
        Mistake(lambda: _within(0.05), "Half a unit of the second decimal is 0.005."),
        Mistake(lambda: _within(0.01), "Half a unit of the last digit is 0.005, not 0.01."),
        Mistake(
            lambda: lambda printed, n: _counts(printed, n) - (printed > 0.995),
            "n of n is possible, too: `range(n)` stops before it.",
        ),
        Mistake(
            lambda: lambda printed, n: round(printed * n),
            "This is the count that comes nearest. How many would be printed as that share?",
        ),
        Mistake(lambda: _cut_off, "The shares are cut off after two decimals. Round them."),
    ),
)


# --- rounding twice -----------------------------------------------------------------------


def _twice(x: float) -> int:
    return round(round(float(x), 1))


TWICE = Exercise(
    name="A-twice",
    expected=lambda: _twice,
    inputs=((1069.4677,), (1069.44,), (693.8781,), (693.46,), (5130.7215,), (739.5,)),
    atol=1e-9,
    hints=(
        "`round(x, 1)` keeps one decimal. Then round what it returns.",
        "`round(round(x, 1))`.",
    ),
    right="What ends in .45 to .49 goes up by one, against all rules of rounding.",
    mistakes=(
        Mistake(lambda: lambda x: round(float(x)), "Rounded once. First to one decimal."),
        Mistake(
            lambda: lambda x: round(float(x), 1), "Now round the result to a whole number, too."
        ),
        Mistake(lambda: lambda x: floor(round(float(x), 1)), "The decimal is cut off. Round it."),
        Mistake(lambda: lambda x: ceil(x), "This always goes up. Round, twice."),
    ),
)


# --- means against their error ------------------------------------------------------------


@cache
def _both() -> pd.DataFrame:
    columns = ["estimate", "std_error", "ess_bulk", "ess_tail"]
    table = pd.DataFrame(
        {name: {one.label: one.value for one in page.numbers("S85", name)} for name in columns}
    )
    return table.assign(ours=pd.Series(values.ours("S85")["estimate"]))


def _in_errors(size: str = "ess_bulk", scaled: bool = True) -> "pd.Series[float]":
    table = _both()
    error = table["std_error"] / table[size] ** 0.5 if scaled else table["std_error"]
    return (table["estimate"] - table["ours"]) / error


def _difference() -> "pd.Series[float]":
    return _both()["estimate"] - _both()["ours"]


ERRORS = Exercise(
    name="A-errors",
    expected=_in_errors,
    also=(lambda: _in_errors().abs(),),
    atol=5e-3,
    hints=(
        "A mean of draws has an error of its own: posterior sd over the root of the number of "
        "independent draws.",
        "That number is `printed['ess_bulk']`. Divide the difference of the means by the error.",
        "`(printed['estimate'] - converged) / (printed['std_error'] / "
        "np.sqrt(printed['ess_bulk']))`.",
    ),
    right="Measured in its own errors, no mean is far off. The errors are what is large.",
    mistakes=(
        Mistake(
            lambda: _in_errors(scaled=False),
            "This is in posterior sds. The error of the mean is smaller: divide by the root of "
            "the effective number of draws.",
        ),
        Mistake(
            lambda: _in_errors("ess_tail"), "The tail ESS is for quantiles; take the bulk ESS."
        ),
        Mistake(lambda: -_in_errors(), "The sign: the page's minus ours."),
        *(
            Mistake(value, "This is a difference, not yet in units of its error.")
            for value in (_difference, lambda: _difference().abs())
        ),
        Mistake(
            lambda: _difference() / _both()["std_error"] * _both()["ess_bulk"],
            "The root is missing: the error is the posterior sd over the root of the number.",
        ),
        Mistake(
            lambda: _difference() / _both()["std_error"] * 20_000**0.5,
            "The 20,000 draws are not independent: take their effective number.",
        ),
        Mistake(lambda: _in_errors() ** 2, "These are squared. Leave the differences as they are."),
        Mistake(
            lambda: _both()["std_error"] / _both()["ess_bulk"] ** 0.5,
            "These are the errors themselves. Divide the differences of the means by them.",
        ),
    ),
)

EXERCISES = (POSSIBLE, TWICE, ERRORS)
