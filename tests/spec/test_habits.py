"""Habits from R, lme4, brms, glmmTMB and patsy: each is answered by the spelling here, or works.

No tolerance. A habit is a formula and a fragment of the answer; the spellings that answers
propose are tried on data, so that no answer sends a reader astray.
"""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.spec.habits import CALLS, about_call, about_column


def data() -> pd.DataFrame:
    rng = np.random.default_rng(10)
    n = 240
    frame = pd.DataFrame(
        {
            "g": np.repeat(np.arange(12), 20), "g2": np.tile(list("uvwx"), 60),
            "x": rng.normal(size=n).round(2), "z": rng.uniform(1, 2, n).round(3),
            "f": rng.choice(list("abc"), n), "h": rng.choice(list("pq"), n),
            "n": rng.integers(5, 9, n), "dark": rng.random(n) < 0.5,
        }
    )  # fmt: skip
    frame["y"] = (rng.random(n) < 0.4).astype(int)
    frame["s"] = rng.binomial(frame["n"], 0.4)
    frame["m"] = frame["n"] - frame["s"]
    for name, like in (("class", "x"), ("lambda", "z"), ("µ", "x"), ("a b", "z"), ("my.x", "x")):
        frame[name] = frame[like].to_numpy()
    return frame


REFUSED = {
    # powers
    "y ~ I(x^2) + (1 | g)": "write I(x**2)",
    "y ~ I(x^2 + z^2) + (1 | g)": "write I(x**2 + z**2)",
    "y ~ x^2 + (1 | g)": "write I(x**2)",
    "y ~ x + x**2 + (1 | g)": "write I(x**2)",
    "y ~ x:z^2 + (1 | g)": "write I(z**2)",
    "y ~ x + (x^2 | g)": "write I(x**2)",
    # words
    "y ~ log(class) + (1 | g)": "backticks, `class`",
    "y ~ I(lambda**2) + (1 | g)": "backticks, `lambda`",
    "y ~ log(µ) + (1 | g)": "the micro sign",
    "y ~ μ + (1 | g)": "'µ' (U+00B5, micro sign)",
    "y ~ х + (1 | g)": "'х' (U+0445, cyrillic small letter ha)",
    "y ~ x + (1 | ɡ)": "'ɡ'",
    "у ~ x + (1 | g)": "'у' (U+0443, cyrillic small letter u)",
    "y ~ X + (1 | g)": "'x' is, which has other capitals",
    "y ~ `x ` + (1 | g)": "'x' is, which differs in spaces",
    "y ~ 'x' + (1 | g)": "without quotes, x",
    "y ~ d$x + (1 | g)": "write x and not data$x",
    "y ~ x – 1 + (1 | g)": "looks like '-'",
    "y ~ x + (1 ∣ g)": "looks like '|'",
    "y ∼ x + (1 | g)": "looks like '~'",
    "y ~ x + (1 | g)) + z": "is not open",
    # constants
    "y ~ TRUE + (1 | g)": "1 keeps the intercept",
    "y ~ T + (1 | g)": "1 keeps the intercept",
    "y ~ False + (1 | g)": "0 drops the intercept",
    "y ~ NULL + (1 | g)": "1 keeps the intercept",
    "y ~ I(dark == TRUE) + (1 | g)": "Python writes True",
    "y ~ poly(x, 2, raw = TRUE) + (1 | g)": "Python writes True",
    "y ~ poly(x, 2, raw = T) + (1 | g)": "Python writes True",
    "y ~ cos(2 * pi * x) + (1 | g)": "3.14159",
    # levels and contrasts
    'y ~ relevel(f, "b") + (1 | g)': 'C(x, contr.treatment("b"))',
    'y ~ relevel(f, ref = "b") + (1 | g)': 'C(x, contr.treatment("b"))',
    'y ~ C(f, Treatment("b")) + (1 | g)': 'C(x, contr.treatment("b"))',
    'y ~ C(f, base = "b") + (1 | g)': 'C(x, contr.treatment("b"))',
    'y ~ C(f, "b") + (1 | g)': 'C(x, contr.treatment("b"))',
    "y ~ C(f, contr.treatment(b)) + (1 | g)": '"b"',
    "y ~ C(f, Sum) + (1 | g)": "C(x, contr.sum())",
    "y ~ C(f, Helmert()) + (1 | g)": "contr.helmert()",
    "y ~ factor(n) + (1 | g)": "C(x) makes levels of numbers",
    "y ~ as.factor(n) + (1 | g)": "C(x) makes levels of numbers",
    "y ~ ordered(f) + (1 | g)": "contr.poly()",
    "y ~ as.numeric(f) + (1 | g)": "pd.to_numeric",
    'y ~ as.integer(f == "a") + (1 | g)': "I(x == 'a')",
    # calls
    "y ~ log(x, 2) + (1 | g)": "log2(x)",
    "y ~ log(z, base = 2) + (1 | g)": "log2(x)",
    "y ~ ns(x, 3) + (1 | g)": "cr(x, df=4, constraints='center')",
    "y ~ s(x) + (1 | g)": "bs(x, df=4)",
    "y ~ te(x, z) + (1 | g)": "bs(x, df=4):bs(z, df=4)",
    "y ~ t2(x, z) + (1 | g)": "bs(x, df=4):bs(z, df=4)",
    "y ~ x + offset(log(n)) + (1 | g)": "data['log_n'] = np.log(data['n'])",
    "y ~ x + weights(n) + (1 | g)": "weights='column'",
    "y ~ ifelse(x > 0, 1, 0) + (1 | g)": "np.where",
    "y ~ cut(x, 3) + (1 | g)": "pd.cut",
    "y ~ gp(x) + (1 | g)": "no Gaussian processes",
    "y ~ mo(n) + (1 | g)": "C(x)",
    "y ~ pmax(x, 0) + (1 | g)": "before the formula",
    "y ~ x > 0 + (1 | g)": "I(x > 0)",
    "y ~ f %in% h + (1 | g)": "write g:f",
    "y ~ x & z + (1 | g)": "x:z",
    "y ~ !dark + (1 | g)": "I(x == False)",
    "y ~ . + (1 | g)": "' + '.join(names)",
    # responses
    "cbind(s, m) ~ x + (1 | g)": "data['trials'] = data['s'] + data['m'], then p(s, trials)",
    "cbind(s, n - s) ~ x + (1 | g)": "p(s, n)",
    "s / n ~ x + (1 | g)": "p(s, n)",
    "s | trials(n) ~ x + (1 | g)": "p(s, n)",
    "log(y) ~ x + (1 | g)": "data['log_y'] = np.log(data['y']), then 'log_y ~ ...'",
    "log1p(y) ~ x + (1 | g)": "data['log1p_y'] = np.log1p(data['y'])",
    "I(y == 1) ~ x + (1 | g)": "event=1",
    "factor(y) ~ x + (1 | g)": "event=",
    "scale(y) ~ x + (1 | g)": "data['new']",
    ". ~ x + (1 | g)": "name the column",
    # group terms
    "y ~ x + (x | g + g2)": "(x | g) + (x | g2)",
    "y ~ x + (1 | factor(g))": "(1 | g)",
    "y ~ x + (1 | as.factor(g))": "(1 | g)",
    "y ~ x + (1 | interaction(g, g2))": "(1 | g:g2)",
    "y ~ x + (1 | g %in% g2)": "(1 | g2/g)",
    "y ~ x + (1 | d$g)": "(1 | g)",
    "y ~ x + (1 | 'g')": "(1 | g)",
    "y ~ x + (1 | gr(g, by = f))": "(1 | g)",
    "y ~ x + (1 | mm(g, g2))": "no mm()",
    "y ~ x + (1 |p| g)": "one bar",
    "y ~ x + ar1(x + 0 | g)": "diag(x | g)",
    "y ~ x + us(x | g)": "free in (x | g)",
    "y ~ x + cs(x | g)": "(x || g)",
    "y ~ x + diag(x || g)": "diag(... | group)",
    "y ~ x + (1 | g/g2*f)": "write out",
    "y ~ x + (0 || g)": "nothing varies",
}


@pytest.mark.parametrize("formula", REFUSED)
def test_refused_in_words(formula: str) -> None:
    with pytest.raises(hw.FormulaError) as error:
        hw.Model(formula, data(), "binomial")
    assert REFUSED[formula] in str(error.value)
    assert len(str(error.value)) < 700


def test_answers_differ() -> None:
    """Whatever stands after the formula itself."""
    said = {}
    for formula in REFUSED:
        with pytest.raises(hw.FormulaError) as error:
            hw.Model(formula, data(), "binomial")
        said[formula] = str(error.value).replace(repr(formula), "")
    assert len(set(said.values())) > 0.9 * len(said)


WORKS = {
    "y ~ I(x**2) + (1 | g)": ["I(x ** 2)"],
    "y ~ (x + z)^2 + (1 | g)": ["x", "z", "x:z"],
    "y ~ `x` + (1 | `g`)": ["x"],
    "`y` ~ x + (1 | g)": ["x"],
    "y ~ class + `lambda` + (1 | g)": ["class", "lambda"],
    "y ~ log(`lambda`) + (1 | g)": ["log(`lambda`)"],
    "y ~ I(`class`**2) + `class`:f + (`class` | g)": ["I(`class` ** 2)", *(
        f"class:f[{v}]" for v in "abc")],
    "y ~ µ + log(`lambda`) + I(`µ`**2) + (1 | g)": ["µ", "log(`lambda`)", "I(`µ` ** 2)"],
    "y ~ my.x + (1 | g)": ["my.x"],
    "y ~ I(`my.x` + 1) + (1 | g)": ["I(`my.x` + 1)"],
    "y ~ log1p(z) + (1 | g)": ["log1p(z)"],
    "y ~ expm1(z) + np.log1p(z) + (1 | g)": ["expm1(z)", "np.log1p(z)"],
    "y ~ log2(z) + (1 | g)": ["log2(z)"],
    "y ~ x - 1 + (1 | g)": None,
    "y ~ 0 + x + (1 | g)": None,
    "y ~ -1 + x + (1 | g)": None,
    "y ~ scale(x) + center(z) + (1 | g)": ["scale(x)", "center(z)"],
    "y ~ poly(x, 2) + (1 | g)": ["poly(x, 2)[1]", "poly(x, 2)[2]"],
    "y ~ poly(x, 2, raw=True) + (1 | g)": ["poly(x, 2, raw=True)[0]", "poly(x, 2, raw=True)[1]"],
    "y ~ bs(x, df=4) + (1 | g)": [f"bs(x, df=4)[{i}]" for i in (1, 2, 3, 4)],
    "y ~ cr(x, df=4, constraints='center') + (1 | g)": [
        f"cr(x, df=4, constraints='center')[{i}]" for i in (1, 2, 3, 4)],
    "y ~ I(x > 0) + (1 | g)": ["I(x > 0)"],
    "y ~ I(f == 'a') + (1 | g)": ["I(f == 'a')"],
    "y ~ I((x > 0) & (z > 1.5)) + (1 | g)": ["I((x > 0) & (z > 1.5))"],
    "y ~ I(dark == False) + (1 | g)": ["I(dark == False)"],
    "y ~ C(n) + (1 | g)": ["C(n)[T.6]", "C(n)[T.7]", "C(n)[T.8]"],
    'y ~ C(f, contr.treatment("b")) + (1 | g)': [
        f"C(f, contr.treatment('b'))[T.{v}]" for v in "ac"],
    'y ~ C(f, contr.treatment(base="b")) + (1 | g)': [
        f"C(f, contr.treatment(base='b'))[T.{v}]" for v in "ac"],
    "y ~ C(f, levels=['b', 'a', 'c']) + (1 | g)": [
        f"C(f, levels=['b', 'a', 'c'])[T.{v}]" for v in "ac"],
    "y ~ C(f, contr.sum()) + (1 | g)": [f"C(f, contr.sum())[S.{v}]" for v in "ab"],
    "y ~ C(f, contr.sum) + (1 | g)": [f"C(f, contr.sum)[S.{v}]" for v in "ab"],
    "y ~ C(f, contr.helmert()) + (1 | g)": [f"C(f, contr.helmert())[H.{v}]" for v in "bc"],
    "y ~ C(f, contr.diff()) + (1 | g)": [f"C(f, contr.diff())[D.{v}]" for v in "bc"],
    "y ~ C(f, contr.poly(), levels=['a', 'b', 'c']) + (1 | g)": [
        f"C(f, contr.poly(), levels=['a', 'b', 'c'])[.{v}]" for v in "LQ"],
    "p(s, n) ~ x + (1 | g)": ["x"],
    "p(s, 8) ~ x + (1 | g)": ["x"],
    "y ~ f/h + (1 | g2/g)": None,
    "y ~ f:h + (1 | g:g2)": None,
    "y ~ f + (x || g) + diag(f | g2)": ["f[T.b]", "f[T.c]"],
}  # fmt: skip


@pytest.mark.parametrize("formula", WORKS)
@pytest.mark.filterwarnings("ignore")
def test_works(formula: str) -> None:
    """The columns, and the same predictions for the rows and for some of them in another order."""
    frame = data()
    model = hw.Model(formula, frame, "binomial")
    if WORKS[formula] is not None:
        assert set(model.design.names) == {"Intercept", *WORKS[formula]}
    fit = model.maximize()
    own = fit.predict()["estimate"]
    rows = frame.drop(columns=["y", "s"]).iloc[[200, 3, 77]]
    again = fit.predict(rows)["estimate"]
    assert again.to_numpy() == pytest.approx(own.iloc[[200, 3, 77]].to_numpy(), abs=1e-12)


@pytest.mark.parametrize("contrast", ["contr.treatment('b')", "contr.sum()", "contr.helmert()",
                                      "contr.diff()", "contr.poly()"])  # fmt: skip
def test_contrasts_change_the_coefficients_and_not_the_model(contrast: str) -> None:
    plain = hw.glmer("y ~ f + x + (1 | g)", data())
    coded = hw.glmer(f"y ~ C(f, {contrast}) + x + (1 | g)", data())
    assert coded.loglik == pytest.approx(plain.loglik, abs=1e-8)
    assert coded.predict()["estimate"].to_numpy() == pytest.approx(
        plain.predict()["estimate"].to_numpy(), abs=1e-6
    )


def test_a_reference_level_by_formula_and_by_categories() -> None:
    by_formula = hw.glmer('y ~ C(f, contr.treatment("b")) + (1 | g)', data())
    ordered = data().assign(f=pd.Categorical(data()["f"], ["b", "a", "c"]))
    by_order = hw.glmer("y ~ f + (1 | g)", ordered)
    assert by_formula.fixef.to_numpy() == pytest.approx(by_order.fixef.to_numpy(), abs=1e-8)


PROPOSED = {
    'C(x, contr.treatment("b"))': "f", "C(x, contr.sum())": "f", "C(x, contr.helmert())": "f",
    "C(x, contr.diff())": "f", "C(x, contr.poly())": "f", 'C(x, levels=["b", "a"])': "h",
    "C(x)": "n", "bs(x, df=4)": "z", "bs(x, df=4):bs(z, df=4)": "my.x",
    "cr(x, df=4, constraints='center')": "z", "I(x == 'a')": "f", "I(x > 0)": "my.x",
    "I(x == 1)": "dark", "center(x)": "z",
}  # fmt: skip


@pytest.mark.parametrize("term", PROPOSED)
@pytest.mark.filterwarnings("ignore")
def test_what_answers_propose_is_read(term: str) -> None:
    """On a column of the kind that the answer is about."""
    frame = data().assign(x=lambda d: d[PROPOSED[term]])
    frame["x"] = frame["x"].replace({"p": "b", "q": "a"})
    assert any(term in answer for answer in map(about_call, CALLS))
    fit = hw.glmer(f"y ~ {term} + (1 | g)", frame)
    assert len(fit.fixef) > 1


@pytest.mark.parametrize(
    ("given", "have"),
    [("μ", "µ"), ("µ", "μ"), ("сount", "count"), ("Age", "age"), ("age", " age"), ("age", "age "),
     ("a\u00a0b", "a b"), ("age", "a\u200bge"), ("ο", "o"), ("Α", "A"), ("ｘ", "x"),
     ("é", "e\u0301")],
)  # fmt: skip
def test_look_alikes_are_named(given: str, have: str) -> None:
    assert repr(have) in about_column(given, ["other", have])
    assert about_column(given, ["other", "columns"]) == ""
