"""The public names: each listed one works, is documented and shows an example."""

import doctest
import inspect

import pytest

import hierwidgets as hw
import hierwidgets.widgets

CALLABLES = sorted(n for n in hw.__all__ if callable(getattr(hw, n)))
ERRORS = {
    n for n in CALLABLES if inspect.isclass(getattr(hw, n)) and n.endswith(("Error", "Warning"))
}


@pytest.mark.parametrize("name", hw.__all__)
def test_each_name_is_there_and_documented(name: str) -> None:
    assert inspect.getdoc(getattr(hw, name))


def test_names_are_sorted_and_unique() -> None:
    assert list(hw.__all__) == sorted(set(hw.__all__))
    assert set(hw.__all__) <= set(dir(hw))


@pytest.mark.parametrize("name", sorted(set(CALLABLES) - ERRORS))
def test_each_callable_shows_an_example(name: str) -> None:
    public = getattr(hw, name)
    assert doctest.DocTestParser().get_examples(inspect.getdoc(public) or "")


@pytest.mark.parametrize("name", sorted(hierwidgets.widgets.__all__))
def test_each_widget_is_there_and_documented(name: str) -> None:
    assert inspect.getdoc(getattr(hierwidgets.widgets, name))


def test_an_unknown_name_says_so() -> None:
    with pytest.raises(AttributeError, match="no attribute 'glmr'"):
        _ = hw.glmr  # type: ignore[attr-defined]
