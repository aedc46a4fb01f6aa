"""Names and texts that the numbers of several instruments share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

from hierwidgets.errors import DataError
from hierwidgets.fit.fit import Fit
from hierwidgets.posterior.posterior import Posterior

__all__ = [
    "Estimated", "GivenWords", "Words", "abbreviated", "event_name", "group_word", "place_of",
    "plural", "rate_name", "share_name", "shorter", "spoken", "three_digits", "words_for",
    "words_of",
]  # fmt: skip

Estimated = Fit | Posterior
ELECTORAL = ("district", "constituency", "election", "ward")  # whose rows are respondents


@dataclass(frozen=True, slots=True)
class Words:
    """What a reader calls the things that an instrument shows; each may be left out.

    Attributes
    ----------
    level : str
        One value of the grouping factor: "district".
    event : str
        The outcome that is counted: "contacted".
    trials : str
        What the events are counted among, in the plural: "respondents".
    levels : str
        Several of them, where that is not `level` with an s: "people".
    predictor : str
        The group-level predictor: "competitiveness".

    Examples
    --------
    >>> Words(level="herd", trials="cows").level
    'herd'
    """

    level: str = ""
    event: str = ""
    trials: str = ""
    levels: str = ""
    predictor: str = ""


GivenWords = Words | Mapping[str, str] | None


def words_for(
    given: GivenWords, group: str, outcome: str, trials: str | None = None, predictor: str = ""
) -> Words:
    """The words that were given, and for the rest the names of the columns as one says them.

    Parameters
    ----------
    given
        `Words`, a mapping with the same names, or None.
    group, outcome
        Columns of the data.
    trials
        The column that counts the trials, or None where each row is one.
    predictor
        A column, where one is shown.

    Returns
    -------
    Words
        All filled in.

    Raises
    ------
    DataError
        For other names than those of `Words`, and for words that are no texts.

    Examples
    --------
    >>> found = words_for({"trials": "voters"}, "district_id", "contacted")
    >>> found.level, found.levels, found.event, found.trials
    ('district', 'districts', 'contacted', 'voters')
    """
    chosen = _checked(given)
    level = chosen.level or (group_word(group) if len(group) > 1 else "level")
    many = chosen.levels or (plural(level) if level[-1:].isalpha() else f"levels of {level}")
    if trials is None:
        counted = "respondents" if level in ELECTORAL else "rows"
    else:
        counted = spoken(trials) if len(trials) > 1 else "trials"
    return Words(
        level=level,
        event=chosen.event or (spoken(outcome) if len(outcome) > 1 else "events"),
        trials=chosen.trials or counted,
        levels=many,
        predictor=chosen.predictor or spoken(predictor),
    )


def words_of(model: Estimated, given: GivenWords = None) -> Words:
    """`words_for` the first group term of a model."""
    formula = model.design.formula
    trials = None if formula.trials is None else str(formula.trials)
    if trials is not None and trials.isdigit():
        trials = "trials"  # p(y, 12): the same number in every row
    return words_for(given, model.design.terms[0].group, formula.response, trials)


def _checked(given: GivenWords) -> Words:
    if given is None or isinstance(given, Words):
        return given or Words()
    known = [field.name for field in fields(Words)]
    if not isinstance(given, Mapping):
        raise DataError(
            f"words must be hw.widgets.Words or a mapping with some of {known}; "
            f"a {type(given).__name__} was given"
        )
    strange = [name for name in given if name not in known]
    if strange:
        raise DataError(f"words knows {known}; {strange[0]!r} was given")
    for name, word in given.items():
        if not isinstance(word, str):
            raise DataError(f"words[{name!r}] must be a text; {word!r} was given")
    return replace(Words(), **given)


def spoken(column: str) -> str:
    """The name of a column as one says it.

    Examples
    --------
    >>> spoken("district_competitiveness"), spoken("Close.To.Party"), spoken("ENEP")
    ('district competitiveness', 'close to party', 'ENEP')
    """
    name = column.replace("_", " ").replace(".", " ").strip()
    return name.lower() if name.istitle() else name


def group_word(group: str) -> str:
    """What one group is called: the column's name without what makes it a column's.

    Examples
    --------
    >>> group_word("district_id"), group_word("Home.Town"), group_word("NUTS")
    ('district', 'home town', 'NUTS')
    """
    return spoken(group.removesuffix("_id").removesuffix("_ID").removesuffix(".id"))


def plural(word: str) -> str:
    """Several of them.

    Examples
    --------
    >>> plural("district"), plural("county"), plural("class")
    ('districts', 'counties', 'classes')
    """
    if word.endswith("y") and word[-2:-1] not in {"a", "e", "o", "u", ""}:
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"


def rate_name(model: Estimated) -> str:
    """What the rates of a binomial model are rates of: "share contacted" or "y / n"."""
    design = model.design
    if design.formula.trials is not None:
        return f"{spoken(design.formula.response)} / {spoken(str(design.formula.trials))}"
    return share_name(design.formula.response, design.event)


def share_name(outcome: str, event: object | None) -> str:
    """What the share of rows with an event is called; without one, 1 is counted.

    Examples
    --------
    >>> share_name("contacted", "Contacted"), share_name("first_vote", "Greens")
    ('share contacted', 'share with first vote = Greens')
    >>> share_name("contacted", None)
    'share contacted'
    """
    if event is None:
        return f"share {spoken(outcome)}"
    counted = event_name(outcome, event)
    return f"share with {counted}" if "=" in counted else f"share {counted}"


def event_name(outcome: str, event: object | None) -> str:
    """What is counted: the outcome's name alone, where the event has the same.

    Examples
    --------
    >>> event_name("contacted", "Contacted"), event_name("contacted", "Not Contacted")
    ('contacted', 'contacted = Not Contacted')
    """
    name = spoken(outcome)
    if str(event).casefold() == name.casefold():
        return name
    return f"{name} = {1 if event is None else event}"


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
