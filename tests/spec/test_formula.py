"""Formulas: what is read, what is refused. Everything here is exact."""

from contextlib import suppress

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hierwidgets.errors import FormulaError
from hierwidgets.model import Model
from hierwidgets.spec.formula import coded, named, parse


def bars(text):
    return [str(bar) for bar in parse(text).bars]


# --- what is read -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fixed", "groups", "columns"),
    [
        ("y ~ 1 + (1 | g)", "1", ["(1 | g)"], ("g",)),
        ("y ~ (1 | g)", "1", ["(1 | g)"], ("g",)),
        ("y~x+(1|g)", "x", ["(1 | g)"], ("x", "g")),
        ("y ~ 0 + x + (1 | g)", "0 + x", ["(1 | g)"], ("x", "g")),
        ("y ~ x - 1 + (1 | g)", "x - 1", ["(1 | g)"], ("x", "g")),
        ("y ~ x * z + (1 + x | g)", "x * z", ["(1 + x | g)"], ("x", "z", "g")),
        ("y ~ (x + z)**2 + (x || g)", "(x + z)**2", ["(1 | g)", "(0 + x | g)"], ("x", "z", "g")),
        ("y ~ diag(1 + x | g)", "1", ["diag(1 + x | g)"], ("x", "g")),
        ("y ~ (1 | a*b)", "1", ["(1 | a)", "(1 | b)", "(1 | a:b)"], ("a", "b")),
        ("y ~ x + (1 | a/b)", "x", ["(1 | a)", "(1 | a:b)"], ("x", "a", "b")),
        ("y ~ (1 | a/b/c)", "1", ["(1 | a)", "(1 | a:b)", "(1 | a:b:c)"], ("a", "b", "c")),
        ("y ~ (1 | a:b) + (0 + x | a)", "1", ["(1 | a:b)", "(0 + x | a)"], ("a", "b", "x")),
        ("y ~ log(x) + (1 | g)", "log(x)", ["(1 | g)"], ("x", "g")),
        ("y ~ np.log1p(x) + (1 | g)", "np.log1p(x)", ["(1 | g)"], ("x", "g")),
        ("y ~ `my x` + (1 | `my g`)", "`my x`", ["(1 | my g)"], ("my x", "my g")),
    ],
)
def test_taken_apart(text, fixed, groups, columns):
    f = parse(text)
    assert (f.response, f.trials, f.fixed) == ("y", None, fixed)
    assert bars(text) == groups
    assert f.columns == columns
    assert f.text == text == str(f)


def test_successes_out_of_trials():
    f = parse("p(won, `all games`) ~ x + (1 | g)")
    assert (f.response, f.trials) == ("won", "all games")


# what lme4's expandDoubleVerts makes of them
DOUBLE = {
    "x": ["1", "0 + x"],
    "1": ["1"],
    "0 + x": ["0 + x"],
    "x - 1": ["0 + x"],
    "x + 1": ["1", "0 + x"],
    "f": ["1", "0 + f"],
    "0 + f": ["0 + f"],
    "f + x": ["1", "0 + f", "0 + x"],
    "0 + f + h": ["0 + f", "0 + h"],
    "f * x": ["1", "0 + f", "0 + x", "0 + f:x"],
    "f * h": ["1", "0 + f", "0 + h", "0 + f:h"],
    "f:x": ["1", "0 + f:x"],
    "0 + f:x": ["0 + f:x"],
    "f / x": ["1", "0 + f", "0 + f:x"],
    "(x + z)^2": ["1", "0 + x", "0 + z", "0 + x:z"],
    "poly(x, 2)": ["1", "0 + poly(x, 2)"],
    "I(x ** 2) + log(z)": ["1", "0 + I(x ** 2)", "0 + log(z)"],
    "`my x`": ["1", "0 + `my x`"],
    "log(`class`)": ["1", "0 + log(`class`)"],
}


@pytest.mark.parametrize("lhs", DOUBLE)
@pytest.mark.parametrize("group", ["g", "g/k", "g:k"])
def test_a_double_bar_is_expanded_as_lme4_does(lhs, group):
    groups = {"g": ["g"], "g/k": ["g", "g:k"], "g:k": ["g:k"]}[group]
    assert bars(f"y ~ ({lhs} || {group})") == [
        f"({one} | {g})" for g in groups for one in DOUBLE[lhs]
    ]


def test_diagonal_bars():
    (diagonal,) = parse("y ~ diag(f * x | g)").bars
    assert not diagonal.correlated
    assert parse("y ~ (f * x | g)").bars[0].correlated
    assert bars("y ~ diag(x | a/b)") == ["diag(x | a)", "diag(x | a:b)"]


def test_crossed_groups():
    assert bars("y ~ (x | a*b)") == ["(x | a)", "(x | b)", "(x | a:b)"]
    assert bars("y ~ (1 | a*b*c)") == [
        f"(1 | {g})" for g in ("a", "b", "c", "a:b", "a:c", "b:c", "a:b:c")
    ]
    assert bars("y ~ (1 | a:b*c)") == ["(1 | a:b)", "(1 | c)", "(1 | a:b:c)"]
    assert bars("y ~ (1 | `a * b`)") == ["(1 | a * b)"]


def test_a_constant_number_of_trials():
    assert parse("p(s, 40) ~ (1 | g)").trials == 40
    assert parse("p( s ,1 ) ~ (1 | g)").trials == 1
    for wrong in ("0", "-3", "2.5", "1e3", "n + 1", "'n'", "40, 2", "9" * 20):
        with pytest.raises(FormulaError, match="neither a column nor a whole number"):
            parse(f"p(s, {wrong}) ~ (1 | g)")


def test_plain_columns_are_told_from_transformed_ones():
    assert parse("y ~ x * z + (1 + x | g)").plain
    assert not parse("y ~ log(x) + (1 | g)").plain
    assert not parse("y ~ x + (1 + center(x) | g)").plain


def test_group_name():
    assert parse("y ~ (1 | a/b)").bars[1].group == "a:b"


CALLS = ["log(x)", "sqrt(x)", "center(x)", "poly(x, 2)", "I(x**2)", "bs(x, df=4)",
         "C(z, contr.sum())", "scale(x) * C(z)"]  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_functions_that_are_allowed(call):
    assert parse(f"y ~ {call} + (1 | g)").fixed == call


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "needs one '~'"),
        ("y", "needs one '~'"),
        ("y ~ x ~ z", "has 2"),
        ("~ x", "needs one '~'"),
        ("y ~", "needs one '~'"),
        ("y ~ x + + z + (1 | g)", "nothing beside it"),
        ("y ~ x + (1 | g) +", "nothing beside it"),
        ("y ~ x + (1 | g", "a bracket is not closed"),
        ("y ~ x) + ((1 | g)", "one '|'|stands alone|bracket"),
        ("y ~ `x + (1 | g)", "a quote is not closed"),
        ("y ~ x + 1 | g", "stands alone"),
        ("y ~ x - (1 | g)", "stands alone"),
        ("y ~ x * (1 | g)", "stands alone"),
        ("y ~ x + (1 | g | h)", "needs one '|'"),
        ("y ~ x + ( | g)", "coefficients left of the bar"),
        ("y ~ x + (1 | )", "column names right"),
        ("y ~ x + (1 | log(g))", "column names right"),
        ("y ~ x + (1 | g + h)", "column names right"),
        ("log(y) ~ x + (1 | g)", "the response 'log(y)'|make a column"),
        ("p(y) ~ x + (1 | g)", "make a column"),
        ("y ~ 2 + (1 | g)", "'2' is not a term"),
        ("y ~ x**9 + (1 | g)", "a power goes from 1 to 4"),
        ("y ~ x**2.5 + (1 | g)", "a power goes from 1 to 4"),
        ("y ~ x**1e9 + (1 | g)", "a power|not a term|cannot read"),
        ("y ~ . + (1 | g)", "neither a column nor a number"),
        ("y ~ x % z + (1 | g)", "cannot read"),
        ("y ~ I(x**1000) + (1 | g)", "not a number up to 10"),
        ("y ~ I(9**9) + (1 | g)", "bare number to a power"),
        ("y ~ I(x**z) + (1 | g)", "not a number up to 10"),
        ("y ~ I(2j * x) + (1 | g)", "is no number"),
    ],
)
def test_refused(text, why):
    with pytest.raises(FormulaError) as error:
        parse(text)
    assert any(part in str(error.value) for part in why.split("|")) or why in str(error.value)
    assert repr(text) in str(error.value)


@pytest.mark.parametrize(
    "code",
    [
        "__import__('os').system('touch run')",
        "__import__('os')",
        "eval('1')",
        "exec('1')",
        "open('x')",
        "x.__class__",
        "x.apply(print)",
        "np.load('x')",
        "np.linalg.inv(x)",
        "(lambda: 1)()",
        "log([v for v in x])",
        "log((y := x))",
        "log(x if z else w)",
        "log(f'{x}')",
        "log(x[0])",
        "log(np.os)",
        "print(x)",
        "getattr(x, 'a')",
        "Q('x')",
        "{x.__class__}",
    ],
)
@pytest.mark.parametrize("place", ["y ~ {} + (1 | g)", "y ~ x + ({} | g)"])
def test_code_is_not_run(code, place, tmp_path, monkeypatch):
    """Refused when read, or else taken for the name of a column that is not there."""
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame({"y": [1.0, 2.0, 3.0, 5.0], "x": [1.0, 3.0, 2.0, 2.0], "g": list("aabb")})
    with pytest.raises(FormulaError):
        Model(place.format(code), frame)
    assert not list(tmp_path.iterdir())


def test_too_long_and_too_many():
    with pytest.raises(FormulaError, match="at most 4000 are read"):
        parse("y ~ " + " + ".join(["x"] * 3000))
    with pytest.raises(FormulaError, match="too many"):
        parse("y ~ " + " + ".join(f"x{i}" for i in range(200)) + " + (1 | g)")
    with pytest.raises(FormulaError, match="too many"):
        parse("y ~ " + " * ".join(f"x{i}" for i in range(12)) + " + (1 | g)")


def test_deep_brackets():
    with pytest.raises(FormulaError):
        parse("y ~ " + "(" * 1900 + "x" + ")" * 1900 + " + (1 | g) +")


# --- laws -------------------------------------------------------------------------------------

TOKENS = ["y", "x", "z", "g", "a.b", "`my x`", "~", "+", "-", "*", ":", "/", "**", "^", "(", ")",
          "[", "]", "{", "}", "|", "||", "1", "0", "2", "9e99", "1j", "log", "np.exp", "p", ",",
          ".", "'t'", '"', "`", "%", "%in%", "!", "=", "==", "lambda", "__import__", "\\", "\n",
          "é", "σ", "\x00", " ", "I(", "poly(x, ", "C(", "contr.sum"]  # fmt: skip


@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(TOKENS), max_size=14))
def test_random_tokens_raise_nothing_but_a_formula_error(tokens):
    text = " ".join(tokens)
    for candidate in (text, f"y ~ {text}", f"y ~ x + ({text} | g)", f"y ~ x + (1 | {text})"):
        try:
            f = parse(candidate)
        except FormulaError:
            continue
        assert f.response
        assert f.text == candidate


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(max_size=30))
def test_random_text_raises_nothing_but_a_formula_error(text):
    for candidate in (text, f"y ~ {text}"):
        with suppress(FormulaError):
            assert parse(candidate).text == candidate


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from(["x", "z", "x:z", "log(x)"]), unique=True, max_size=4),
    st.lists(st.sampled_from(["(1 | g)", "(x | h)", "(1 | a/b)", "(z || k)"]), unique=True),
)
def test_order_of_bars_and_terms_does_not_matter_to_what_is_found(terms, groups):
    f = parse("y ~ " + " + ".join(["1", *terms, *groups]))
    back = parse("y ~ " + " + ".join([*reversed(groups), *terms, "1"]))
    assert set(f.bars) == set(back.bars)
    assert set(f.columns) == set(back.columns)
    assert f.plain == back.plain


def test_columns_of_a_part_and_those_it_codes():
    part = "x.y + log(`a b`) + C(`a year`) + C(z) + scale"
    assert named(part) == {"x.y", "a b", "a year", "z", "scale"}
    assert coded(part) == {"a year", "z"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("y ~ x + offset(z) + (1 | g)", "offset='column'"),
        ("y ~ factor(z) + (1 | g)", r"C\(x\) makes levels"),
        ("y ~ log(x.y) + (1 | g)", "a column name with a dot goes in backticks"),
        ("y ~ x + y + (1 | g)", "the response 'y' is on the right-hand side too"),
        ("y ~ x + (1 | y)", "the response 'y' is on the right-hand side too"),
    ],
)
def test_habits_from_elsewhere_are_answered(text, words):
    with pytest.raises(FormulaError, match=words):
        parse(text)


def test_trials_may_be_a_predictor():
    assert "n" in parse("p(s, n) ~ n + (1 | g)").columns
