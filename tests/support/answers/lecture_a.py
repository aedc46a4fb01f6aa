"""The page against the data: which shares can be, rounding twice, means in units of their error."""

import numpy as np
import pandas as pd

from hierwidgets.course.page import printed as page
from hierwidgets.course.page import values
from support.answers import Answers


def by_sum(printed, n):
    return sum(abs(k / n - printed) <= 0.005 + 1e-9 for k in range(n + 1))


def by_rounding(printed, n):
    return sum(1 for k in range(n + 1) if round(k / n, 2) == printed)


def by_array(printed, n):
    return np.count_nonzero(np.isclose(np.round(np.arange(n + 1) / n, 2), printed))


def by_text(printed, n):
    return [f"{k / n:.2f}" for k in range(n + 1)].count(f"{printed:.2f}")


def as_text(x):
    return int(float(f"{float(f'{x:.1f}'):.0f}"))


def answers():
    columns = ["estimate", "std_error", "ess_bulk", "ess_tail"]
    printed = pd.DataFrame(
        {name: {one.label: one.value for one in page.numbers("S85", name)} for name in columns}
    )
    converged = pd.Series(values.ours("S85")["estimate"])
    difference = printed["estimate"] - converged
    error = printed["std_error"] / np.sqrt(printed["ess_bulk"])
    errors = difference / error
    return {
        "A-possible": Answers(
            right=(by_sum, by_rounding, by_array, by_text),
            wrong=(
                (
                    lambda p, n: int(abs(p * n - round(p * n)) < 1e-9),
                    "need not be a whole number",
                ),
                (lambda p, n: int(by_sum(p, n) > 0), "count them"),
                (lambda p, n: by_sum(p, n) > 0, "true or false"),
                (lambda p, n: 0, "too small"),
                (
                    lambda p, n: sum(abs(k / n - p) <= 0.05 for k in range(n + 1)),
                    "Half a unit of the second decimal is 0.005",
                ),
                (
                    lambda p, n: sum(abs(k / n - p) <= 0.01 for k in range(n + 1)),
                    "Half a unit of the last digit",
                ),
                (
                    lambda p, n: sum(round(k / n, 2) == p for k in range(n)),
                    "n of n is possible, too",
                ),
                (lambda p, n: sum(k / n == p for k in range(n + 1)), "has been rounded"),
                (
                    lambda p, n: [k for k in range(n + 1) if round(k / n, 2) == p],
                    "A single number is asked for, and these are 0 values",
                ),
                (lambda p, n: round(p * n), "How many would be printed as that share"),
                (
                    lambda p, n: sum(int(100 * k / n) / 100 == p for k in range(n + 1)),
                    "The shares are cut off after two decimals",
                ),
            ),
        ),
        "A-twice": Answers(
            right=(
                lambda x: round(round(x, 1)),
                lambda x: round(round(x, 1), 0),
                lambda x: np.round(np.round(x, 1)),
                as_text,
                lambda x: int(np.rint(np.around(x, decimals=1))),
            ),
            wrong=(
                (lambda x: round(x), "Rounded once"),
                (lambda x: round(x, 1), "Now round the result"),
                (lambda x: int(round(x, 1)), "The decimal is cut off"),
                (lambda x: round(round(x, 2)), "First to one decimal"),
                (lambda x: np.ceil(x), "always goes up"),
                (lambda x: np.floor(x), "The decimal is cut off"),
                (lambda x: str(round(round(x, 1))), "this is a text"),
                (lambda x: round(round(x, 1)) + 1, "too large"),
            ),
        ),
        "A-errors": Answers(
            right=(
                errors,
                errors.round(2),
                errors.abs(),
                errors.abs().round(2),
                errors.to_dict(),
                list(errors),
                errors.sample(frac=1, random_state=1),
                difference * np.sqrt(printed["ess_bulk"]) / printed["std_error"],
            ),
            wrong=(
                (difference / printed["std_error"], "in posterior sds"),
                (
                    difference / (printed["std_error"] / np.sqrt(printed["ess_tail"])),
                    "take the bulk ESS",
                ),
                (-errors, "The sign"),
                (difference / (printed["std_error"] / printed["ess_bulk"]), "The root is missing"),
                (difference / (printed["std_error"] / np.sqrt(20_000)), "not independent"),
                (difference, "not yet in units"),
                (difference.abs(), "not yet in units"),
                (errors**2, "These are squared"),
                (error, "the errors themselves"),
                (errors.drop("Intercept"), "1 labels are missing"),
                (errors.max(), "8 numbers are asked for"),
            ),
        ),
    }
