"""What stands in the way of a model, or should be known of it, in words."""

from typing import NamedTuple

import pandas as pd

from hierwidgets.fit.fit import Fit

from .columns import LEVELS, NUMBERS, ONE, TWO, Choice, kind_of, listed, values_of, varies_within

__all__ = [
    "Problem",
    "after_the_fit",
    "before_the_fit",
    "can_be_fitted",
    "refused",
    "what_to_choose",
]

FEW = 5  # groups: sigma is hardly known
MANY = 12  # levels of a predictor


class Problem(NamedTuple):
    """A sentence or two, and whether there can be no fit before it is mended."""

    text: str
    stops: bool


def what_to_choose(choice: Choice) -> str:
    """What is still to be chosen, or nothing."""
    if choice.outcome is None:
        return "Choose the outcome: what you want to explain, one value in each row."
    if choice.group is None:
        return "Choose the group: what your rows belong to, such as a district or a school."
    return ""


def before_the_fit(frame: pd.DataFrame, choice: Choice) -> list[Problem]:
    """What the columns that are chosen cannot be used for, and what will need care.

    Examples
    --------
    >>> frame = pd.DataFrame({"g": ["a", "a", "b", "b"], "y": [1, 1, 1, 1]})
    >>> before_the_fit(frame, Choice("y", "g"))[0].text
    'y has one value only, 1: there is nothing to explain. Choose another outcome.'
    """
    if what_to_choose(choice):
        return []
    rows = frame[choice.columns]
    found = [*_twice(choice), *_missing(rows, choice)]
    rows = rows.dropna()
    if not rows.empty:
        found += [*_outcome(rows, choice), *_group(rows, choice), *_predictor(rows, choice)]
    return sorted(found, key=lambda problem: not problem.stops)


def can_be_fitted(frame: pd.DataFrame, choice: Choice) -> bool:
    """Whether everything is chosen, and nothing stands in the way."""
    found = before_the_fit(frame, choice)
    return not what_to_choose(choice) and not any(problem.stops for problem in found)


def _twice(choice: Choice) -> list[Problem]:
    named = [choice.outcome, choice.group, *([choice.predictor] if choice.predictor else [])]
    if len(set(named)) == len(named):
        return []
    twice = next(name for name in named if named.count(name) > 1)
    return [Problem(f"{twice} is chosen twice. Outcome, group and predictor are three columns; "
                    "choose another for one of them.", True)]  # fmt: skip


def _missing(rows: pd.DataFrame, choice: Choice) -> list[Problem]:
    """Rows that miss a value: they stop the fit until somebody has decided to leave them out."""
    gone = rows.isna()
    count = int(gone.any(axis=1).sum())
    if not count:
        return []
    by = ", ".join(f"{int(gone[name].sum()):,} in {name}" for name in rows if gone[name].any())
    if count == len(rows):
        return [Problem(f"Every row misses a value ({by}). Choose other columns.", True)]
    have = "row misses" if count == 1 else "rows miss"
    told = f"{count:,} of {len(rows):,} {have} a value ({by})."
    if not choice.drop:
        return [Problem(f"{told} Tick 'leave out rows with missing values' to go on without them, "
                        "or fill them in your file.", True)]  # fmt: skip
    return [Problem(f"{told} They are left out: the estimates speak for the "
                    f"{len(rows) - count:,} others.", False)]  # fmt: skip


def _outcome(rows: pd.DataFrame, choice: Choice) -> list[Problem]:
    name = str(choice.outcome)
    kind, values = kind_of(rows[name]), values_of(rows[name])
    if kind == ONE:
        return [Problem(f"{name} has one value only, {listed(values)}: there is nothing to "
                        "explain. Choose another outcome.", True)]  # fmt: skip
    if kind == LEVELS:
        one = values[0]
        return [Problem(
            f"{name} has {len(values)} values ({listed(values)}). The outcome must have two, or be "
            f"numbers. Make one of two first, for example data['is_{one}'] = data[{name!r}] == "
            f"{one!r}, and hand that data in.", True)]  # fmt: skip
    if kind == TWO and choice.event not in values:
        return [Problem(f"Say which value of {name} counts: {listed(values)}.", True)]
    if kind == NUMBERS and not varies_within(rows, name, str(choice.group)):
        return [Problem(f"{name} has one value within each {choice.group}: it belongs to groups, "
                        "not to rows. Take it as the predictor.", True)]  # fmt: skip
    whole = kind == NUMBERS and bool((rows[name] % 1 == 0).all()) and len(values) <= 7
    if whole:
        return [Problem(f"{name} has the {len(values)} values {listed(values, 7)}: they are taken "
                        "as numbers, as far apart as they look.", False)]  # fmt: skip
    return []


def _group(rows: pd.DataFrame, choice: Choice) -> list[Problem]:
    name = str(choice.group)
    sizes = rows.groupby(name, observed=True).size()
    if len(sizes) < 2:
        return [Problem(f"{name} has one value only: pooling needs at least two groups, better "
                        "ten. Choose another group.", True)]  # fmt: skip
    single = int((sizes == 1).sum())
    if single == len(sizes):
        return [Problem(f"Each value of {name} has a single row, so that groups and rows cannot be "
                        "told apart. Choose a coarser group.", True)]  # fmt: skip
    found = []
    if len(sizes) < FEW:
        found.append(Problem(f"{name} has {len(sizes)} groups: how far groups differ can hardly be "
                             "learnt from so few.", False))  # fmt: skip
    if single:
        have = "group has a single row" if single == 1 else "groups have a single row each"
        found.append(Problem(f"{single:,} of {len(sizes):,} {have}: pooling will pull hard "
                             "there.", False))  # fmt: skip
    return found


def _predictor(rows: pd.DataFrame, choice: Choice) -> list[Problem]:
    name = choice.predictor
    if name is None or name in (choice.outcome, choice.group):
        return []
    kind, values = kind_of(rows[name]), values_of(rows[name])
    if kind == ONE:
        return [Problem(f"{name} has one value only, {listed(values)}, and explains nothing. "
                        "Choose another predictor, or none.", True)]  # fmt: skip
    if kind == LEVELS and len(values) > MANY:
        return [Problem(f"{name} has {len(values)} values ({listed(values)}): too many for a "
                        "predictor of levels. Merge some, or take it as the group.",
                        True)]  # fmt: skip
    if varies_within(rows, name, str(choice.group)):
        return [Problem(f"{name} differs within {choice.group}: it is a predictor of rows. It is "
                        "in the model; the picture of an effect is for predictors of groups.",
                        False)]  # fmt: skip
    return []


def after_the_fit(fit: Fit) -> list[Problem]:
    """What a reader has to know of a fit: sigma at 0, a search that did not end.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> frame = pd.DataFrame({"g": list("aabbccdd"), "y": [0, 1] * 4})
    >>> after_the_fit(hw.glmer("y ~ 1 + (1 | g)", frame))[0].text[:36]
    'The spread of g is estimated as 0: a'
    """
    found = []
    group = fit.design.terms[0].group
    if fit.singular:
        found.append(Problem(
            f"The spread of {group} is estimated as 0: a singular fit. It says that the groups "
            "differ no more than chance makes them differ, not that they are all the same; "
            "fit.confint() shows how large the spread may be.", False))  # fmt: skip
    if not fit.converged:
        found.append(Problem("The search for the best values did not end where it should. Rescale "
                             "large numbers and fit once more.", False))  # fmt: skip
    return found


def refused(error: Exception) -> Problem:
    """Why there is no fit, as the package says it."""
    text = str(error)
    start = "There is no fit: " if "separate" not in text else "There is no fit, by separation: "
    return Problem(f"{start}{text}.", True)
