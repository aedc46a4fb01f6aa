"""The public names: each listed one works, is documented and shows an example."""

import doctest
import inspect
import pkgutil
import subprocess
import sys

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


def test_the_import_is_light() -> None:
    """`import hierwidgets` loads the errors and nothing that is installed, NumPy included."""
    code = (
        "import sys; before = set(sys.modules); import hierwidgets\n"
        "loaded = sorted(set(sys.modules) - before)\n"
        "print(*[name for name in loaded if name.split('.')[0] not in sys.stdlib_module_names])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["hierwidgets", "hierwidgets.errors"]


def test_names_are_right_whatever_was_imported_before() -> None:
    """A module that is called like a function would hide it once something has imported it."""
    modules = {found.name for found in pkgutil.iter_modules(hw.__path__)}
    assert modules & set(hw.__all__) == {"exercises", "priors", "widgets"}
