"""Wrong calls of everything public: each gets an error of ours that names what was given.

No tolerance: a case is a callable, arguments, the error's class and a fragment of its message.
Every message is in words and differs from the others; inputs stay as they are. An answer takes
milliseconds, since all but a few wrong calls are refused before anything is fitted.
"""

import time
from collections import Counter
from functools import cache
from inspect import isroutine

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets import DataError, FitError, FormulaError, NewLevelError

F, G = "y ~ x + (1 | g)", "z ~ x + (1 | g)"


@cache
def sixty_rows():
    rng = np.random.default_rng(41)
    n = 60
    x, g = rng.normal(size=n).round(3), np.repeat(list("abcdef"), 10)
    return pd.DataFrame(
        {
            "y": rng.permutation(np.repeat([0, 1], n // 2)),
            "z": x + rng.normal(size=n),
            "x": x,
            "g": g,
            "h": np.tile(list("uvw"), 20),
            "t": np.where(rng.random(n) < 0.5, "yes", "no"),
            "three": np.tile(["low", "mid", "top"], 20),
            "n": rng.integers(1, 6, n) + 1,
            "won": 1,
            "one": "same",
            "w": rng.uniform(0.5, 2, n),
            "group z": g,
        }
    )


def data(**changes):
    return sixty_rows().assign(**changes)


def with_value(column, value, row=3):
    frame = sixty_rows().copy()
    frame[column] = frame[column].astype(object if isinstance(value, str | complex) else float)
    frame.loc[row, column] = value
    return frame


@cache
def fit():
    return hw.glmer(F, sixty_rows())


@cache
def by_count():
    return hw.glmer("y ~ C(n) + (1 | g)", sixty_rows())


@cache
def by_boolean():
    frame = sixty_rows()
    return hw.glmer("y ~ b + (1 | g)", frame.assign(b=frame["t"] == "yes"))


@cache
def by_id():
    return hw.lmer("z ~ x + (1 | m)", sixty_rows().assign(m=np.repeat(np.arange(4, 10), 10)))


@cache
def linear():
    return hw.lmer(G, sixty_rows())


def doubled():
    frame = sixty_rows()
    return pd.concat([frame, frame[["x"]]], axis=1)


def new(**values):
    return pd.DataFrame({"x": [0.5], "g": ["a"]} | {k: [v] for k, v in values.items()})


class Case:
    """One wrong call."""

    def __init__(self, call, args, error, fragment, **named):
        self.call, self.args, self.error, self.fragment, self.named = (
            call, args, error, fragment, named,
        )  # fmt: skip


def glmer(formula, frame, error, fragment, **named):
    return Case(hw.glmer, (formula, frame), error, fragment, **named)


def lmer(formula, frame, error, fragment, **named):
    return Case(hw.lmer, (formula, frame), error, fragment, **named)


def model(formula, frame, error, fragment, **named):
    return Case(hw.Model, (formula, frame), error, fragment, **named)


def method(name, error, fragment, *args, of=fit, **named):
    return Case(lambda *a, **k: getattr(of(), name)(*a, **k), args, error, fragment, **named)


def frames_and_formulas():
    yield glmer("y ~ q + (1 | g)", data(), FormulaError, "column 'q' is not in the data")
    yield glmer("voted ~ x + (1 | g)", data(), FormulaError, "'voted'")
    yield glmer("y ~ x + (1 | herd)", data(), FormulaError, "grouping factor 'herd'")
    yield glmer("y ~ x", data(), FormulaError, "has no group term")
    yield glmer("t ~ x + (1 | g)", data(), DataError, "'no', 'yes'")
    yield glmer("t ~ x + (1 | g)", data(), DataError, "event='maybe'", event="maybe")
    yield glmer("three ~ x + (1 | g)", data(), DataError, "3 levels", event="low")
    yield glmer(F, data(y=np.arange(60)), DataError, "a binomial response is 0 or 1")
    yield glmer(F, data(y=data()["y"] / 2), DataError, "0.5")
    yield glmer(F, with_value("x", np.nan), DataError, "{'x': 1}")
    yield glmer(F, with_value("y", np.nan), DataError, "{'y': 1}")
    yield glmer(F, with_value("x", np.inf), DataError, "column 'x' has 1 infinite")
    yield glmer(F, data().assign(g=[None, *["a", "b", "c"] * 19, "a", "b"]), DataError, "{'g': 1}")
    yield glmer(F, data(x=np.nan), DataError, "none is left", missing="drop")
    yield glmer(F, data(), DataError, "missing='ignore'", missing="ignore")
    yield glmer(F, data().head(0), DataError, "no rows")
    yield glmer("y ~ x + (1 | one)", data(), DataError, "'one' has one level")
    yield glmer(F, data(y=0), FitError, "is 0 in every row")
    yield glmer(F, data(y=1), FitError, "is 1 in every row")
    yield glmer(F, data(y=(data()["x"] > 0).astype(int)), FitError, "'x'")
    yield glmer("y ~ t + three + x:age + (1 | g)", data(), FormulaError, "'age'")
    yield glmer("y ~ log(t) + (1 | g)", data(), FormulaError, "log(t)")
    yield glmer("y ~ log(x) + (1 | g)", data(x=-1.0 - data()["x"] ** 2), DataError, "['log(x)']")
    yield glmer("y ~ sqrt(t) + (1 | g)", data(), FormulaError, "sqrt(t)")
    yield glmer(F, doubled(), DataError, "2 columns named 'x'")
    yield glmer(F, [1, 2, 3], DataError, "a list was given")
    yield glmer(F, None, DataError, "a NoneType was given")
    yield glmer(F, "data.csv", DataError, "a str was given")
    yield glmer(F, {"y": [0, 1], "x": [1]}, DataError, "cannot become a data frame")
    yield glmer("y ~ __import__('os').system('true') + (1 | g)", data(), FormulaError, "__import__")
    yield glmer("y ~ x**99999999 + (1 | g)", data(), FormulaError, "99999999")
    yield glmer("y ~ I(x**99999) + (1 | g)", data(), FormulaError, "x**99999")
    yield glmer("y ~ (x + (1 | g)", data(), FormulaError, "bracket is not closed")
    yield glmer("y ~ x) + (1 | g)", data(), FormulaError, "y ~ x)")
    yield glmer(True, data(), FormulaError, "got bool")
    yield glmer(None, data(), FormulaError, "got NoneType")
    yield glmer(3.5, data(), FormulaError, "got float")
    yield glmer("", data(), FormulaError, "''")
    yield glmer("y ~ one + (1 | g)", data(), FormulaError, "one")
    yield glmer("y ~ x + I(2*x) + (1 | g)", data(), FormulaError, "I(2")
    yield glmer("y ~ x + k + (1 | g)", data(k=0.0), FormulaError, "'k' is 0 in every row")
    yield glmer("y ~ x + (x | g) + (1 | g)", data(), FormulaError, "'Intercept' varies over 'g'")
    yield glmer(F, with_value("x", "?"), DataError, "'x' holds numbers such as")
    yield glmer(F, data(x=data()["x"] + 1j), DataError, "'x' is complex")


def habits():
    """What is written elsewhere; the whole table is in tests/spec/test_habits.py."""
    cells = data()[lambda d: (d["h"] != "u") | (d["t"] != "no")]
    yield glmer("y ~ I(x^2) + (1 | g)", data(), FormulaError, "write I(x**2)")
    yield glmer("y ~ x + x^2 + (1 | g)", data(), FormulaError, "write I(x**2) for the power")
    yield glmer("y ~ log(class) + (1 | g)", data(), FormulaError, "`class`")
    yield glmer("y ~ х + (1 | g)", data(), FormulaError, "U+0445, cyrillic small letter ha")
    yield glmer("y ~ X + (1 | g)", data(), FormulaError, "'x' is, which has other capitals")
    yield glmer('y ~ relevel(h, "v") + (1 | g)', data(), FormulaError, 'contr.treatment("b")')
    yield glmer("y ~ as.factor(n) + (1 | g)", data(), FormulaError, "C(x) makes levels")
    yield glmer("y ~ poly(x, 2, raw = TRUE) + (1 | g)", data(), FormulaError, "True")
    yield glmer("y ~ offset(log(n)) + (1 | g)", data(), FormulaError, "offset='column'")
    yield glmer("y ~ . + (1 | g)", data(), FormulaError, "name the predictors")
    yield glmer("cbind(won, n) ~ x + (1 | g)", data(), FormulaError, "p(won, trials)")
    yield lmer("log(z) ~ x + (1 | g)", data(), FormulaError, "data['log_z'] = np.log(data['z'])")
    yield glmer("y ~ x + (x | g + h)", data(), FormulaError, "(x | g) + (x | h)")
    yield glmer("y ~ x + (1 | factor(g))", data(), FormulaError, "as it is, (1 | g)")
    yield glmer("y ~ ar1(x | g)", data(), FormulaError, "diag(x | g)")
    yield glmer("y ~ diag(x || g)", data(), FormulaError, "diag(... | group)")
    yield glmer("p(won, 0) ~ x + (1 | g)", data(), FormulaError, "'0' are neither a column nor")
    yield glmer("p(n, 2) ~ x + (1 | g)", data(), DataError, "p(n, 2) needs 0 <= successes")
    yield glmer("y ~ h * t + (1 | g)", cells, FormulaError, "no row has h = 'u' and t = 'no'")
    yield glmer(F, data(), DataError, "collinear='keep'", collinear="keep")
    yield lmer(G, data(z=data()["z"] * 1e200), DataError, "in column 'z' cannot be computed with")


def arguments():
    yield glmer(F, data(), FitError, "n_agq=0", n_agq=0)
    yield glmer(F, data(), FitError, "n_agq=2.5", n_agq=2.5)
    yield glmer(F, data(), FitError, "n_agq='9'", n_agq="9")
    yield glmer(F, data(), FitError, "n_agq=True", n_agq=True)
    yield glmer("y ~ (1 | g) + (1 | h)", data(), FormulaError, "n_agq=9 needs", n_agq=9)
    yield glmer(F, data(), DataError, "weights must be 0 or larger", weights=-data()["w"])
    yield glmer(F, data(), FormulaError, "'nowhere'", weights="nowhere")
    yield glmer(F, data(), DataError, "weights must be numbers", weights="t")
    yield glmer(F, data(), DataError, "weights has shape (2,)", weights=[1, 2])
    yield glmer(F, data(), DataError, "weights has infinite", weights=np.full(60, np.inf))
    yield glmer(F, data(), DataError, "offset has shape (59,)", offset=np.zeros(59))
    shifted = data().set_index(np.arange(1, 61))
    yield glmer(F, data(), DataError, "weights is a Series with another", weights=shifted["w"])
    yield lmer(G, data(), DataError, "offset is a Series with another", offset=shifted["w"])
    yield method("refit", DataError, "y is a Series with another index", shifted["y"])
    yield glmer("p(won, n) ~ x + (1 | g)", data(n=0, won=0), DataError, "'n' is 0 in every row")
    yield glmer("p(won, n) ~ x + (1 | g)", data(n=-1), DataError, "the first 1 of -1")
    day = pd.Series(pd.date_range("2020-01-01", periods=60))
    yield glmer("y ~ day + (1 | g)", data(day=day.dt.date), FormulaError, "object of dates: make")
    yield glmer("y ~ day + (1 | g)", data(day=day), FormulaError, "is datetime64")
    yield glmer(F, data(), DataError, "offset must be a column name", offset=["a"] * 60)
    yield glmer(F, data(), DataError, "offset", offset=np.full(60, np.nan))
    yield glmer("p(n, won) ~ x + (1 | g)", data(), DataError, "p(n, won)")
    yield glmer("p(w, n) ~ x + (1 | g)", data(), DataError, "p(w, n) needs whole numbers")
    yield glmer("p(won, none) ~ x + (1 | g)", data(none=0), DataError, "p(won, none)")
    yield glmer("p(t, n) ~ x + (1 | g)", data(), DataError, "successes must be numbers")
    yield glmer("p(won, tries) ~ x + (1 | g)", data(), FormulaError, "'tries'")
    yield glmer(F, data(), FormulaError, "use lmer", family="gaussian")
    yield glmer(F, data(), FormulaError, "'bernoulli'", family="bernoulli")
    yield glmer(F, data(), FormulaError, "family None", family=None)
    yield glmer(F, data(), FormulaError, "link 'identity'", link="identity")
    yield glmer(F, data(), FormulaError, "link ['logit']", link=["logit"])
    yield glmer(G, data(), DataError, "'z' must hold counts", family="poisson")
    yield glmer("w ~ x + (1 | g)", data(), DataError, "'w' must hold counts", family="poisson")
    yield glmer("won ~ x + (1 | g)", data(won=0), FitError, "'won' is 0", family="poisson")
    yield glmer("p(won, n) ~ x + (1 | g)", data(), FormulaError, "not poisson", family="poisson")
    yield lmer("t ~ x + (1 | g)", data(), DataError, "the response must be numbers")
    yield lmer("z ~ x + (1 | row)", data(row=range(60)), FitError, "60 effects for 60 rows")
    yield lmer(G, data(z=1.0), FitError, "no residual")
    yield lmer("z ~ C(g) + (1 | g)", data(), FitError, "coefficient for every level of 'g'")
    yield glmer(F, data(y=data()["g"].isin(list("abc")) * 1), FitError, "no finite maximum")
    yield lmer(G, data(z=data()["z"] + 1j), DataError, "complex")
    yield lmer("z ~ q + (1 | g)", data(), FormulaError, "'q'")
    yield lmer(G, data(), DataError, "reml='yes'", reml="yes")
    yield model(G, data(), FormulaError, "family 3", family=3)
    yield model(G, data(), DataError, "event='yes' is for binomial", event="yes")
    yield model("z ~", data(), FormulaError, "'z ~'")
    yield Case(lambda n: hw.Model(G, data()).maximize(n_agq=n), (5,), FormulaError,
               "n_agq=5: a Gaussian")  # fmt: skip
    yield Case(hw.load, ("france",), DataError, "'france'")
    yield Case(hw.load, (3,), DataError, "no data set 3")
    yield Case(hw.load, (None,), DataError, "no data set None")
    yield Case(hw.read, (3,), DataError, "a int was given")
    yield Case(hw.read, ("survey.docx",), DataError, "ends in .docx")
    yield Case(hw.read, ("nowhere/survey.csv",), DataError, "there is no folder")
    yield Case(hw.read, ("no-such-survey.csv",), DataError, "there is no file 'no-such-survey.csv'")


def predictions():
    yield method("predict", NewLevelError, "'nowhere'", new(g="nowhere"))
    yield method("predict", FormulaError, "'x' is not in the data", new().drop(columns="x"))
    yield method("predict", FormulaError, "'g' is not in the data", new().drop(columns="g"))
    yield method("predict", NewLevelError, "holds the level '99'", new(n=99), of=by_count)
    yield method("predict", NewLevelError, "holds the level 'many'", new(n="many"), of=by_count)
    yield method("predict", NewLevelError, "knows 'False', 'True'", new(b=2), of=by_boolean)
    yield method("predict", NewLevelError, "the level 'maybe'", new(b="maybe"), of=by_boolean)
    yield method("predict", DataError, "booleans such as 'True' in newdata", new(m=True), of=by_id)
    yield method("predict", DataError, "dates such as '2020-01-01' in newdata",
                 new(m=pd.Timestamp("2020-01-01")), of=by_id, new_levels="population")  # fmt: skip
    yield method("predict", DataError, "scale='log'", new(), scale="log")
    yield method("predict", DataError, "interval_of='row'", new(), interval_of="row")
    yield method("predict", DataError, "missing='drop'", new(), missing="drop")
    yield method("predict", DataError, "needs a level", new(), interval_of="observation")
    yield method("predict", DataError, "leave out scale", new(), interval_of="observation",
                 interval=0.9, scale="link")  # fmt: skip
    yield method("predict", DataError, "interval=95", new(), interval=95)
    yield method("predict", DataError, "interval='0.9'", new(), interval="0.9")
    yield method("predict", DataError, "new_levels='ignore'", new(), new_levels="ignore")
    yield method("predict", FormulaError, "group 'h'", new(), re_formula="~ (1 | h)")
    yield method("predict", FormulaError, "asks for 'x'", new(), re_formula="~ (x | g)")
    yield method("predict", FormulaError, "not 7", new(), re_formula=7)
    yield method("predict", DataError, "'x': 1", new(x=np.nan))
    yield method("predict", DataError, "'x'", new(x="high"))
    yield method("predict", DataError, "['x'] are not finite", new(x=np.inf))
    yield method("predict", DataError, "a int was given|an int", 5)
    yield method("predict", DataError, "no rows", new().head(0))
    yield method("predict", DataError, "['estimate']", new(estimate=1))
    yield method("simulate", DataError, "n=0", 0)
    yield method("simulate", DataError, "'x'", 1, seed="x")
    yield method("refit", DataError, "(3,)|3 ", np.zeros(3))
    yield method("refit", DataError, "missing", np.full(60, np.nan))
    yield method("refit", FitError, "is 1 in every row", np.ones(60))
    yield method("confint", DataError, "level=1.5", 1.5)
    yield method("confint", DataError, "method='magic'", 0.9, "magic")
    yield method("confint", DataError, "'q' is not a parameter", 0.9, parameters="q")
    yield method("residuals", DataError, "kind='raw'", "raw")
    yield method("conditional_means", DataError, "n_nodes=1", 1)


def tables():
    yield Case(hw.no_pooling, (data(), "q", "g"), DataError, "'q' is not a column")
    yield Case(hw.no_pooling, (data(), "y", "herd"), DataError, "'herd' is not a column")
    yield Case(hw.no_pooling, (data(), "y", "g"), DataError, "level=90", level=90)
    yield Case(hw.no_pooling, (data(), "y", "g"), DataError, "'bayes'", method="bayes")
    yield Case(hw.no_pooling, ([1], "y", "g"), DataError, "list")
    yield Case(hw.complete_pooling, (data().head(0), "y", "g"), DataError, "no rows")
    yield Case(hw.complete_pooling, (data(), "t", "g"), DataError, "event=")
    yield Case(hw.complete_pooling, (data(), "y", "g"), DataError, "level='a'", level="a")
    yield Case(hw.complete_pooling, (None, "y", "g"), DataError, "NoneType")
    yield Case(hw.partial_pooling, (3,), DataError, "int was given")
    yield Case(hw.partial_pooling, (fit,), DataError, "varies within a level of 'g'")
    yield Case(hw.partial_pooling, (fit,), DataError, "level=-1", level=-1)
    yield Case(
        hw.comparisons,
        (
            fit,
            "q",
        ),
        FormulaError,
        "'q'",
    )
    yield Case(
        hw.comparisons,
        (
            fit,
            [],
        ),
        DataError,
        "variables is empty",
    )
    yield Case(hw.comparisons, (3, "x"), DataError, "a int was given|int")
    yield Case(hw.comparisons, (fit, "x"), DataError, "adjust='tukey'", adjust="tukey")
    yield Case(
        hw.slopes, (fit, "x"), DataError, "adjust='holm' needs", adjust="holm", interval=None
    )
    yield Case(
        hw.comparisons,
        (fit, "x", data(term=1)),
        DataError,
        "newdata already has the columns ['term']",
    )
    yield Case(
        hw.slopes,
        (
            fit,
            "q",
        ),
        FormulaError,
        "'q' is not a predictor",
    )
    yield Case(hw.slopes, (fit, "x", new().head(0)), DataError, "no rows")
    yield Case(hw.slopes, ("fit", "x"), DataError, "str was given")
    yield Case(hw.poststratify, (3, new()), DataError, "int was given")
    yield Case(hw.poststratify, (fit, new()), DataError, "weight='n' is not a column")
    yield Case(hw.poststratify, (fit, new(n=-1)), DataError, "'n' holds -1")
    yield Case(hw.poststratify, (fit, new(n=0)), DataError, "nobody to average over")
    yield Case(hw.compare, (3, 4), DataError, "int")
    yield Case(hw.compare, (fit, linear), DataError, "binomial|family|response")
    yield Case(hw.compare, (fit, None), DataError, "NoneType")
    yield Case(hw.compare, (fit,), DataError, "1 given")
    yield Case(hw.tables, (), DataError, "fit")
    yield Case(hw.tables, (3,), DataError, "int")
    yield Case(hw.tables, (fit,), DataError, "-1", digits=-1)
    yield Case(hw.cross_validate, ({}, data()), DataError, "models")
    yield Case(hw.cross_validate, ({"a": F}, data()), DataError, "folds", folds=1, seed=1,
               progress=False)  # fmt: skip
    yield Case(hw.cross_validate, ({"a": F}, data()), DataError, "by='q'", by="q", seed=1,
               progress=False)  # fmt: skip
    yield Case(hw.cross_validate, ({"a": F}, data()), DataError, "folds='q'", folds="q")
    yield Case(hw.cross_validate, ({"a": F}, data()), DataError, "one fold", folds="one")
    yield Case(hw.cross_validate, ({"a": F}, data()), DataError, "shape", folds=[1, 2])
    yield Case(hw.cross_validate, ({"a": F}, data()), DataError, "several folds", folds="h", by="g")
    yield Case(hw.cross_validate, ({"a": F}, data()), DataError, "weights='q'", weights="q")
    yield Case(hw.cross_validate, ({"a": F}, data()), DataError, "larger than 0", weights="x")
    yield method("r2", DataError, "'latent', 'delta'", "trigamma")
    yield method("r2", DataError, "['residual']", 3, of=linear)
    yield Case(hw.to_marginaleffects, (3,), DataError, "int was given")
    yield Case(hw.to_marginaleffects, (None,), DataError, "NoneType was given")
    yield Case(hw.to_marginaleffects, (data(),), DataError, "DataFrame was given")
    taken = hw.lmer("z ~ estimate + (1 | g)", data(estimate=sixty_rows()["x"]))
    yield Case(hw.to_marginaleffects, (taken,), DataError, "['estimate'], which marginaleffects")
    yield Case(taken.predict, (), DataError, "the data already have the columns ['estimate']")
    yield Case(hw.simulate_and_recover, (3,), DataError, "3", seed=1)
    yield Case(hw.simulate_and_recover, ({},), DataError, "", seed=1)
    yield Case(hw.simulate_and_recover, ("a",), DataError, "a", seed=1)
    asked = hw.Model("z ~ x + (1 | g)", data())
    yield Case(hw.calibrate, (3,), DataError, "model must be a hw.Model", seed=1)
    yield Case(hw.calibrate, (asked, 0), DataError, "repetitions=0", seed=1)
    yield Case(hw.calibrate, (asked, "many"), DataError, "repetitions='many'", seed=1)
    for given, fragment in (("nowhere.npz", "'nowhere.npz'"), (3, "3 was"), (None, "None was")):
        yield Case(hw.load_posterior, (given,), DataError, fragment)
    for given, kind in (("x", "a str"), (3, "a int"), (None, "a NoneType")):
        yield Case(hw.diagnose, (given,), DataError, f"data frame; {kind} was given")
        yield Case(hw.to_arviz, (given,), DataError, f"posterior; {kind} was given")
    yield Case(hw.exercises.check, ("nothing", 1), DataError, "'nothing'")
    yield Case(hw.exercises.hint, ("nowhere",), DataError, "'nowhere'")
    yield Case(hw.exercises.check, (3, 1), DataError, "3")


CASES = [*frames_and_formulas(), *habits(), *arguments(), *predictions(), *tables()]
SPANS = {}  # seconds each took


@cache
def answer(number):
    """What the wrong call raises."""
    case = CASES[number]
    args = [a() if callable(a) else a for a in case.args]
    before = [(v, v.copy(deep=True)) for v in [*args, *case.named.values()]
              if isinstance(v, pd.DataFrame | pd.Series)]  # fmt: skip
    begun = time.monotonic()
    with pytest.raises(Exception) as raised:
        case.call(*args, **case.named)
    SPANS[number] = time.monotonic() - begun
    assert all(now.equals(then) for now, then in before)
    return raised.value


@pytest.mark.parametrize("number", range(len(CASES)))
def test_a_wrong_call_is_answered_in_words(number):
    case, error = CASES[number], answer(number)
    assert type(error) is case.error, repr(error)
    assert isinstance(error, hw.HierwidgetsError)
    assert any(part in str(error) for part in case.fragment.split("|")), str(error)
    assert 10 < len(str(error)) < 700
    assert error.__cause__ is None  # nobody has to read a library's traceback


def test_there_are_enough_of_them():
    assert len(CASES) >= 150
    calls = Counter(case.call for case in CASES)
    public = [n for n in hw.__all__ if n != "widgets" and isroutine(getattr(hw, n))]
    for name in [*public, "Model"]:
        assert calls[getattr(hw, name)] >= 3, name
    messages = {str(answer(i)) for i in range(len(CASES))}
    print(f"\n{len(CASES)} wrong calls of {len(calls)} callables, {len(messages)} messages; "
          f"the slowest took {max(SPANS.values()):.2f} s")  # fmt: skip


def test_different_mistakes_get_different_answers():
    """One function's own mistakes; another's may be the same."""
    same = Counter((case.call, str(answer(i))) for i, case in enumerate(CASES))
    assert [message for (_, message), times in same.items() if times > 1] == []
