"""Names and texts of instruments: what is given, what comes from the columns, what is refused."""

import pytest

import hierwidgets as hw
from hierwidgets.widgets.numbers.words import Words, words_for, words_of


@pytest.mark.parametrize(
    ("group", "outcome", "trials", "expected"),
    [
        ("district_id", "contacted", None, ("district", "districts", "contacted", "respondents")),
        ("county", "voted_left", None, ("county", "counties", "voted left", "rows")),
        ("g", "y", "n", ("level", "levels", "events", "trials")),
        ("Herd", "sick", "cows", ("herd", "herds", "sick", "cows")),
        ("a:b2", "y", None, ("a:b2", "levels of a:b2", "events", "rows")),
    ],
)
def test_the_names_of_columns_are_said_as_words(group, outcome, trials, expected):
    found = words_for(None, group, outcome, trials)
    assert (found.level, found.levels, found.event, found.trials) == expected


def test_a_word_that_is_given_goes_first_and_makes_its_plural():
    found = words_for(Words(level="person", levels="people"), "id", "y")
    assert (found.level, found.levels, found.event) == ("person", "people", "events")
    assert words_for({"level": "ward"}, "area", "y").levels == "wards"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("district", "hw.widgets.Words or a mapping with some of .*; a str was given"),
        ({"group": "district"}, "words knows .*; 'group' was given"),
        ({"level": 3}, r"words\['level'\] must be a text; 3 was given"),
    ],
)
def test_what_is_no_word_is_refused(given, message):
    with pytest.raises(hw.DataError, match=message):
        words_for(given, "g", "y")


def test_a_fit_knows_its_columns():
    fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")
    assert words_of(fit).trials == "respondents"
