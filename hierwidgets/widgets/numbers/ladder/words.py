"""What the ladder says: names of what is turned, the status line, the pictures in words."""

from collections.abc import Sequence

import numpy as np

from hierwidgets.widgets.numbers.words import shorter

from .draws import Election
from .parameters import LOW, Parameters, closest, ladder_frame, line_sd, rates_at, share_below

__all__ = [
    "COLUMNS", "coding_text", "codings", "coefficient_names", "election_words", "elections_words",
    "implied_text", "rows",
]  # fmt: skip

DELTAS, BETAS = ("δ00", "δ01", "δ10", "δ11"), ("β0", "β2", "β1", "β3")
COLUMNS = ["", "typical rate", "90 % of elections", "90 % of districts", "sd of lines, log-odds"]
_LONGEST = 12  # characters of a rule's name beside a slider


def codings(rules: tuple[str, str]) -> list[tuple[str, str]]:
    """The two codings as a menu has them, each with the rule that is 0.

    Examples
    --------
    >>> codings(("SMD", "PR"))
    [('SMD is 0 (equations)', 'SMD'), ('PR is 0 (software)', 'PR')]
    """
    whose = ("equations", "software")
    return [(f"{rule} is 0 ({who})", rule) for rule, who in zip(rules, whose, strict=True)]


def coefficient_names(rules: tuple[str, str], second: bool) -> list[str]:
    """Names of the four coefficients while the first or the second rule is coded 0.

    Examples
    --------
    >>> coefficient_names(("SMD", "PR"), second=True)
    ['β0, intercept of PR', 'β2, what SMD adds to it', 'β1, slope of PR', 'β3, what SMD adds to it']
    """
    zero, one = (shorter(rule, _LONGEST) for rule in (rules[::-1] if second else rules))
    said = (f"intercept of {zero}", f"what {one} adds to it", f"slope of {zero}")
    letters = BETAS if second else DELTAS
    return [f"{letter}, {text}" for letter, text in zip(letters, (*said, said[1]), strict=True)]


def coding_text(coefficients: Sequence[float], rules: tuple[str, str], second: bool) -> str:
    r"""The other coding's names for the same lines; `coefficients` are that coding's.

    Examples
    --------
    >>> coding_text((-2.0, -1.0, 1.0, 3.0), ("SMD", "PR"), second=False)
    'With PR as 0, the same lines: β0\xa0−2.00, β2\xa0−1.00, β1\xa01.00, β3\xa03.00.'
    """
    letters, zero = (DELTAS, rules[0]) if second else (BETAS, rules[1])
    numbers = (f"{value + 0.0:.2f}".replace("-", "−") for value in coefficients)
    said = (
        f"{letter}\N{NO-BREAK SPACE}{number}"
        for letter, number in zip(letters, numbers, strict=True)
    )
    return f"With {zero} as 0, the same lines: {', '.join(said)}."


def implied_text(
    parameters: Parameters, rules: tuple[str, str], ends: Sequence[tuple[float, float]]
) -> str:
    """What the setting implies: elections at both ends of the axis, districts below a rate."""
    texts = []
    for second, rule in enumerate(rules):
        rates = rates_at(parameters, bool(second), np.array([0.0, 1.0]))
        at0, at1 = (
            f"{low:.2f} to {high:.2f}"
            for low, high in zip(rates.election_low, rates.election_high, strict=True)
        )
        below = share_below(parameters, bool(second), ends[second])
        texts.append(
            f"{rule}: 90 % of elections have rates of {at0} at competitiveness 0 and {at1} at 1; "
            f"{100 * below:.0f} % of districts lie below {LOW:g}."
        )
    middle = closest(parameters)
    if middle is not None:
        texts.append(f"Elections are most alike at {middle:.2f}.")
    return " ".join(texts)


def elections_words(parameters: Parameters, rule: str, second: bool, count: int) -> str:
    """The picture of a rule's elections in words."""
    x = np.array([0.0, 1.0])
    rates, apart = rates_at(parameters, second, x), line_sd(parameters, x)
    at = [
        f"{rates.typical[i]:.2f} at competitiveness {x[i]:g}, of 90 % of elections "
        f"{rates.election_low[i]:.2f} to {rates.election_high[i]:.2f} (sd of their lines "
        f"{apart[i]:.2f})"
        for i in range(2)
    ]
    middle = closest(parameters)
    if middle is not None:
        sd = float(line_sd(parameters, np.array(middle)))
        at.append(f"their lines are most alike at {middle:.2f}, sd {sd:.2f}")
    return f"{count} elections under {rule}, contact against competitiveness: {'; '.join(at)}."


def election_words(rule: str, found: Election, people: int) -> str:
    """The picture of one election in words."""
    return (
        f"One election under {rule}: the rates of its {len(found.rate)} districts lie between "
        f"{found.rate.min():.2f} and {found.rate.max():.2f}; the shares of {people} respondents "
        f"in each lie between {found.share.min():.2f} and {found.share.max():.2f}."
    )


def rows(parameters: Parameters, rules: tuple[str, str]) -> list[list[str]]:
    """The rows of the table, whose columns are `COLUMNS`."""
    return [
        [
            f"{row.rule} at {row.competitiveness:g}",
            f"{row.typical:.3f}",
            f"{row.election_low:.3f} to {row.election_high:.3f}",
            f"{row.district_low:.3f} to {row.district_high:.3f}",
            f"{row.line_sd:.3f}",
        ]
        for row in ladder_frame(parameters, rules).itertuples()
    ]
