"""Checks of choices give the value back, or say what was given and what is allowed."""

import pytest
import traitlets

from hierwidgets.widgets.parts.choices import known_level, one_of, within

LEVELS = ["a", "b", "c", "d"]


def test_what_is_allowed_comes_back() -> None:
    assert one_of("sort", "n", ["n", "name"]) == "n"
    assert within("sigma", 5.0, 0.01, 5.0) == 5.0
    assert known_level("selected", None, LEVELS, "ward") is None
    assert known_level("level", "d", LEVELS, "ward", optional=False) == "d"


@pytest.mark.parametrize(
    ("optional", "says"),
    [
        (True, "selected must be None or one of the 4 levels of ward ('a', 'b', 'c', ...); 7 was"),
        (False, "selected must be one of the 4 levels of ward ('a', 'b', 'c', ...); 7 was given"),
    ],
)
def test_an_unknown_level_is_refused(optional: bool, says: str) -> None:
    with pytest.raises(traitlets.TraitError) as found:
        known_level("selected", 7, LEVELS, "ward", optional)
    assert says in str(found.value)


def test_none_is_no_level_where_one_is_needed() -> None:
    with pytest.raises(traitlets.TraitError, match="None was given"):
        known_level("level", None, LEVELS, "ward", optional=False)


@pytest.mark.parametrize(
    ("value", "says"), [(float("nan"), "nan was given"), (10**400, "; 1000"), (-0.5, "-0.5 was")]
)
def test_numbers_outside_are_refused_whatever_they_are(value: float, says: str) -> None:
    with pytest.raises(traitlets.TraitError, match=says):
        within("first", value, 1, 14)


def test_the_message_can_write_the_choices_otherwise() -> None:
    with pytest.raises(traitlets.TraitError, match="one of 'a', and 3 more; 'q' was given"):
        one_of("level", "q", LEVELS, "'a', and 3 more")
