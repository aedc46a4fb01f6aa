"""Frames, model columns and designs: what the arrays hold, and that nothing is lost on the way.

Everything is exact or to 1e-12, sums in another order. The columns are compared with arrays made
by hand from the frame.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.core_cases import LINKS, RESPONSE, frame

import hierwidgets as hw
from hierwidgets.spec.design import as_frame, build, indicator, level_sums
from hierwidgets.spec.families import family
from hierwidgets.spec.formula import parse
from hierwidgets.spec.rank import check_rank


def made(formula, data=None, kind="binomial", **options):
    return build(parse(formula), frame() if data is None else data, family(kind), **options)


def expanded(values, design):
    """(n, ...) collapsed rows -> one per observation."""
    return values[design.rows]


# --- the arrays -------------------------------------------------------------------------------


@pytest.mark.parametrize("formula", ["p(s, n) ~ x * w + (1 + x | g)", "p(s, n) ~ x*w + (x | g)"])
def test_columns_by_hand(formula):
    d, data = made(formula), frame()
    assert d.names == ("Intercept", "x", "w", "x:w")
    X = np.column_stack([np.ones(len(data)), data["x"], data["w"], data["x"] * data["w"]])
    assert expanded(d.X, d) == pytest.approx(X, abs=1e-15)
    (term,) = d.terms
    assert expanded(term.Z, d) == pytest.approx(X[:, :2], abs=1e-15)
    assert term.names == ("Intercept", "x")
    assert term.levels[expanded(term.codes, d)].tolist() == data["g"].tolist()


def test_text_is_coded_by_treatment():
    d = made("y ~ h + (1 | g)")
    assert d.names == ("Intercept", "h[T.1]", "h[T.2]", "h[T.3]", "h[T.4]")
    dummies = np.column_stack([frame()["h"] == level for level in "1234"])
    assert (expanded(d.X, d)[:, 1:] == dummies).all()


def test_functions_and_quoted_names():
    data = frame().rename(columns={"x": "my x"})
    d = made("y ~ `my x` + np.exp(w) + I(n ** 2) + (1 | g)", data)
    X = np.column_stack([np.ones(len(data)), data["my x"], np.exp(data["w"]), data["n"] ** 2])
    assert expanded(d.X, d) == pytest.approx(X, rel=1e-14)


def test_no_intercept():
    assert made("y ~ 0 + x + (1 | g)").names == ("x",)
    assert made("y ~ x - 1 + (0 + x | g)").terms[0].names == ("x",)


def test_terms_by_decreasing_number_of_levels_and_leading_rows_sorted():
    d = made("y ~ (1 | a) + (1 | h) + (1 | g)")
    assert [t.group for t in d.terms] == ["g", "h", "a"]
    assert (np.diff(d.terms[0].codes) >= 0).all()


def test_nested_levels_are_named_by_both():
    d = made("y ~ (1 | a/b)")
    inner, outer = d.terms
    assert (inner.group, outer.group) == ("a:b", "a")
    both = frame()["a"] + ":" + frame()["b"]
    assert inner.levels[expanded(inner.codes, d)].tolist() == both.tolist()
    assert sorted(inner.levels) == sorted(set(both))


def test_bars_over_the_same_group_are_merged_uncorrelated():
    d = made("y ~ (1 | g) + (0 + x | g)")
    (term,) = d.terms
    assert term.names == ("Intercept", "x")
    assert term.blocks == ((0,), (1,))
    assert d.template.m == 2
    assert made("y ~ (x || g)").terms[0].blocks == ((0,), (1,))
    assert made("y ~ (x | g)").terms[0].blocks == ((0, 1),)


def test_a_category_under_a_double_bar_has_all_its_levels():
    """As in lme4: (f || g) is (1 | g) + (0 + f | g)."""
    (term,) = made("y ~ (h || g)", frame()).terms
    assert term.names == ("Intercept", "h[0]", "h[1]", "h[2]", "h[3]", "h[4]")
    assert term.blocks == ((0,), (1, 2, 3, 4, 5))
    (term,) = made("y ~ (0 + h || g)", frame()).terms
    assert term.blocks == ((0, 1, 2, 3, 4),)
    (term,) = made("y ~ (h*x || g)", frame()).terms
    assert [len(block) for block in term.blocks] == [1, 5, 1, 5]
    assert all(name.startswith("h[") and name.endswith(":x") for name in term.names[7:])


def test_a_diagonal_term_has_a_block_for_each_column():
    """As in glmmTMB: diag(f | g) has the columns of ~ f, each with an sd of its own."""
    (term,) = made("y ~ diag(h | g)", frame()).terms
    assert term.names == ("Intercept", "h[T.1]", "h[T.2]", "h[T.3]", "h[T.4]")
    assert term.blocks == ((0,), (1,), (2,), (3,), (4,))
    assert made("y ~ diag(x | g)").terms[0].blocks == ((0,), (1,))
    (term,) = made("y ~ diag(0 + h | g)", frame()).terms
    assert term.names == ("h[0]", "h[1]", "h[2]", "h[3]", "h[4]")
    assert len(term.blocks) == 5


def test_categories_keep_their_order_and_drop_what_is_not_there():
    data = frame().assign(g=pd.Categorical(frame()["g"], categories=list("876543210zq")))
    d = made("y ~ (1 | g)", data)
    assert d.terms[0].levels.tolist() == list("876543210")
    assert made("y ~ (1 | g)").terms[0].levels.tolist() == list("012345678")


def test_numbers_as_levels_are_sorted_as_numbers():
    data = frame().assign(g=frame()["g"].astype(int) + 5)
    assert made("y ~ (1 | g)", data).terms[0].levels.tolist() == list(range(5, 14))


# --- collapsing -------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "link"), LINKS)
def test_collapsing_keeps_the_likelihood(kind, link):
    """For any eta that is a function of the row, to rounding."""
    data = frame().assign(x=frame()["x"].round(0), g=frame()["a"])
    d = build(parse(f"{RESPONSE[kind]} ~ x + (1 | g)"), data, family(kind, link))
    assert len(d.y) < len(data)
    assert d.nobs == len(data)
    fam = family(kind, link)
    eta = np.random.default_rng(0).normal(size=len(d.y))
    y = data["s" if kind == "binomial" else "count"].to_numpy(float)
    n = data["n"].to_numpy(float) if kind == "binomial" else np.ones(len(y))
    full = fam.loglik(y, n, expanded(eta, d)).sum() + fam.counting(y, n).sum()
    assert fam.loglik(d.y, d.trials, eta).sum() + d.constant == pytest.approx(full, rel=1e-12)
    assert d.saturated == pytest.approx(fam.saturated(y, n).sum(), rel=1e-12)


def test_several_countries_collapse_to_districts():
    d = made(
        "contacted ~ district_competitiveness * electoral_rules + (1 | district_id)"
        " + (1 + district_competitiveness | election_id)",
        hw.load("rainey2015"),
        event="Contacted",
    )
    assert d.nobs == 5126
    assert len(d.y) == 567
    assert d.trials.sum() == 5126
    assert d.constant == 0.0


def test_rows_of_a_function_collapse_too():
    data = frame().assign(x=frame()["x"].round(0))
    assert len(made("y ~ I(x ** 2) + (1 | a)", data).y) < len(data)


def test_offsets_keep_rows_apart():
    data = frame().assign(x=0.0, known=np.arange(len(frame())) % 2)
    d = made("y ~ 1 + (1 | a)", data, offset="known")
    assert len(d.y) == 6
    assert expanded(d.offset, d).tolist() == data["known"].tolist()


def test_gaussian_rows_stay_single():
    data = frame().assign(x=0.0)
    d = made("count ~ 1 + (1 | g)", data, "gaussian", weights="n")
    assert len(d.y) == len(data)
    assert expanded(d.y, d).tolist() == data["count"].tolist()
    assert expanded(d.trials, d).tolist() == data["n"].tolist()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_permuting_rows_changes_nothing(seed):
    order = np.random.default_rng(seed).permutation(len(frame()))
    one, other = made("p(s, n) ~ x + (1 | g) + (1 | h)"), made(
        "p(s, n) ~ x + (1 | g) + (1 | h)", frame().iloc[order]
    )  # fmt: skip
    assert expanded(other.X, other) == pytest.approx(expanded(one.X, one)[order], abs=0)
    for t, o in zip(one.terms, other.terms, strict=True):
        assert t.levels.tolist() == o.levels.tolist()
        assert expanded(o.codes, other).tolist() == expanded(t.codes, one)[order].tolist()
    assert sorted(one.y) == sorted(other.y)
    assert one.constant == pytest.approx(other.constant, rel=1e-12)


def test_many_keys_do_not_overflow():
    """Codes are combined into one number; seven columns of 900 values exceed 64 bits."""
    rng, n = np.random.default_rng(0), 900
    data = pd.DataFrame({f"x{i}": rng.normal(size=n) for i in range(7)})
    data = data.assign(y=rng.integers(0, 2, n), g=np.arange(n) % 30)
    data = pd.concat([data, data])
    d = made("y ~ " + " + ".join(f"x{i}" for i in range(7)) + " + (1 | g)", data)
    assert len(d.y) == n
    assert (d.trials == 2).all()


def test_level_sums():
    d = made("p(s, n) ~ x + (1 | g)")
    expected = frame().groupby("g")["s"].sum().to_numpy()
    assert level_sums(d.terms[0], d.y).tolist() == expected.tolist()


# --- new data ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "formula",
    ["p(s, n) ~ x * w + (1 + x | g) + (1 | a/b)", "p(s, n) ~ scale(x) + h + (1 | g)"],
)
def test_the_own_data_give_the_own_arrays(formula):
    d = made(formula)
    new = d.apply(frame())
    assert pytest.approx(expanded(d.X, d), abs=1e-13) == new.X
    for t, codes, Z in zip(d.terms, new.codes, new.Z, strict=True):
        assert codes.tolist() == expanded(t.codes, d).tolist()
        assert pytest.approx(expanded(t.Z, d), abs=1e-13) == Z


def test_scaling_is_that_of_the_fit():
    """scale(x) of one new row is not 0: mean and sd are those of the data fitted."""
    d = made("y ~ scale(x) + (1 | g)")
    x = frame()["x"]
    new = d.apply(frame().iloc[[4]])
    assert new.X[0, 1] == pytest.approx((x.iloc[4] - x.mean()) / x.std(), rel=1e-12)


def test_levels_of_another_dtype_are_matched_by_value():
    d = made("y ~ (1 | g)")
    new = frame().iloc[:5].assign(g=pd.Categorical(list("84zz0"), categories=list("z048")))
    assert [d.terms[0].levels[c] if c >= 0 else None for c in d.apply(new).codes[0]] == [
        "8", "4", None, None, "0",
    ]  # fmt: skip


@pytest.mark.parametrize("change", [{"x": np.nan}, {"g": None}])
def test_new_data_have_no_holes(change):
    with pytest.raises(hw.DataError, match="missing values"):
        made("y ~ x + (1 | g)").apply(frame().assign(**change))


def test_new_values_outside_of_a_function_s_reach():
    d = made("y ~ log(n) + (1 | g)")
    with pytest.raises(hw.DataError, match=r"\['log\(n\)'\] are not finite"):
        d.apply(frame().assign(n=0))


# --- indicator, frames, rank --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "event", "expected"),
    [
        ([0, 1, 1], None, [0, 1, 1]),
        ([True, False], None, [1, 0]),
        ([0.0, 1.0], None, [0, 1]),
        (["a", "b"], "a", [1, 0]),
        ([0, 1], 0, [1, 0]),
        ([3, 7], 7, [0, 1]),
        ([1, 1], None, [1, 1]),
        (["a", "a"], "a", [1, 1]),
        (pd.Categorical(["a", "a"], categories=["a", "b"]), "b", [0, 0]),
    ],
)
def test_indicator(values, event, expected):
    found = indicator(pd.Series(values), event)
    assert found.dtype == np.float64
    assert found.tolist() == expected


@pytest.mark.parametrize(
    ("values", "event", "words"),
    [
        ([0, 2], None, "holds '0', '2'"),
        (["a", "b"], None, "say which one counts as 1"),
        (["a", "b"], "c", "event='c' is not a level"),
        (["a", "b", "c"], "a", "3 levels 'a', 'b', 'c'"),
        (["a", None], "a", "1 missing"),
        ([0, np.nan], None, "1 missing"),
    ],
)
def test_indicator_refuses(values, event, words):
    with pytest.raises(hw.DataError, match=words):
        indicator(pd.Series(values, name="said"), event)


def test_a_frame_is_not_copied():
    data = frame()
    assert as_frame(data) is data


def test_a_frame_of_another_kind():
    class Other:
        def to_pandas(self):
            return pd.DataFrame({"x": [1]})

    class Wrong:
        def to_pandas(self):
            return [1]

    assert as_frame(Other()).equals(pd.DataFrame({"x": [1]}))
    with pytest.raises(hw.DataError, match="a Wrong was given"):
        as_frame(Wrong())


def test_rank():
    x = np.linspace(0, 1, 9)
    one = np.ones(9)
    check_rank(np.column_stack([one, x, x**2]), ("a", "b", "c"))
    check_rank(np.column_stack([one, 1e6 + x]), ("a", "b"))  # nearly constant, yet not
    check_rank(np.zeros((9, 0)), ())
    with pytest.raises(hw.FormulaError, match="'c' is constant or a combination"):
        check_rank(np.column_stack([one, x, 2 * x - 1]), ("a", "b", "c"))
    with pytest.raises(hw.FormulaError, match="'b' is 0 in every row"):
        check_rank(np.column_stack([one, 0 * x]), ("a", "b"))
    with pytest.raises(hw.FormulaError):
        check_rank(np.random.default_rng(0).normal(size=(2, 3)), ("a", "b", "c"))


def test_indicators_that_stood_beside_a_missing_value() -> None:
    for column in ([0, 1, 1, None], [True, False, True, None]):
        kept = pd.Series(column, dtype=object, name="y").dropna()
        assert indicator(kept).tolist() == [float(v) for v in column[:3]]
