"""Names and texts that the numbers of several instruments share."""

from collections.abc import Sequence

from hierwidgets.errors import DataError
from hierwidgets.fit.fit import Fit
from hierwidgets.posterior.posterior import Posterior

__all__ = ["Estimated", "abbreviated", "place_of", "rate_name", "shorter", "three_digits"]

Estimated = Fit | Posterior


def rate_name(model: Estimated) -> str:
    """What the rates of a binomial model are rates of: "Pr(contacted = Contacted)" or "y / n"."""
    design = model.design
    if design.formula.trials is not None:
        return f"{design.formula.response} / {design.formula.trials}"
    return f"Pr({design.formula.response} = {1 if design.event is None else design.event})"


def shorter(name: str, most: int) -> str:
    """A name cut to at most so many characters.

    Examples
    --------
    >>> shorter("District 309", 9)
    'District…'
    """
    return name if len(name) <= most else f"{name[: most - 1]}…"


def abbreviated(text: str, most: int) -> str:
    """Words whose longest are cut until all have room in so many characters, if that can be.

    Examples
    --------
    >>> abbreviated("sd district_competitiveness | election_id", 26)
    'sd district… | election_id'
    """
    words = text.split(" ")
    while sum(map(len, words)) + len(words) - 1 > most:
        longest = max(range(len(words)), key=lambda k: len(words[k]))
        if len(words[longest]) <= 5:
            break
        words[longest] = f"{words[longest].rstrip('…')[:-2]}…"
    return " ".join(words)


def three_digits(value: float) -> str:
    """A number with three digits that count, written out.

    Examples
    --------
    >>> three_digits(64.47), three_digits(61_982.3), three_digits(1.546)
    ('64.5', '62,000', '1.55')
    """
    return f"{float(f'{value:.3g}'):,.15g}"


def place_of(level: object, levels: Sequence[object], whose: str = "") -> int:
    """The place of a level among all, or a DataError that names some.

    Examples
    --------
    >>> place_of("e", ["a", "b", "c", "d"], " of ward")
    Traceback (most recent call last):
    hierwidgets.errors.DataError: level must be one of the 4 levels of ward ('a', 'b', 'c', ...); \
'e' was given
    """
    if level not in levels:
        some = ", ".join(map(repr, levels[:3]))
        raise DataError(
            f"level must be one of the {len(levels)} levels{whose} ({some}, ...); "
            f"{level!r} was given"
        )
    return levels.index(level)
