"""Models from the outside: what cannot be modelled is refused in a sentence. Everything is exact.

Each case of the battery states what the message must hold: what was given, and what is allowed or
to be done about it.
"""

import copy
import pickle
import re
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.errors import HierwidgetsError


def frame(**changed):
    """Forty rows: a 0/1 response, a text one, a proportion's parts, predictors and groups."""
    rng = np.random.default_rng(11)
    made = pd.DataFrame(
        {
            "y": rng.integers(0, 2, 40),
            "said": np.where(rng.integers(0, 2, 40), "yes", "no"),
            "s": rng.integers(0, 4, 40),
            "n": rng.integers(4, 7, 40),
            "x": rng.normal(size=40),
            "kind": np.tile(["p", "q"], 20),
            "g": np.repeat(list("abcde"), 8),
            "h": np.tile(list("uvwz"), 10),
        }
    )
    return made.assign(**changed)


def with_hole(column, value=None):
    made = frame()
    made[column] = made[column].astype(float if made[column].dtype.kind in "if" else object)
    made.loc[[3, 7], column] = value if value is not None else np.nan
    return made


def glmer(formula="y ~ x + (1 | g)", data=None, **options):
    return lambda: hw.glmer(formula, frame() if data is None else data, **options)


def doubled():
    return pd.concat([frame(), frame()[["x"]]], axis=1)


BATTERY = {
    # columns
    "wrong response": (glmer("z ~ (1 | g)"), hw.FormulaError, ["column 'z'", "'y'"]),
    "wrong predictor": (glmer("y ~ age + (1 | g)"), hw.FormulaError, ["column 'age'", "'x'"]),
    "wrong group": (
        glmer("y ~ x + (1 | herd)"), hw.FormulaError, ["grouping factor 'herd'", "'g'"],
    ),
    "wrong slope": (glmer("y ~ x + (1 + age | g)"), hw.FormulaError, ["column 'age'"]),
    "wrong trials": (glmer("p(s, m) ~ (1 | g)"), hw.FormulaError, ["column 'm'"]),
    "wrong weights": (glmer(weights="w"), hw.FormulaError, ["column 'w'"]),
    "wrong offset": (glmer(offset="w"), hw.FormulaError, ["column 'w'"]),
    "two columns of a name": (glmer(data=doubled()), hw.DataError, ["2 columns named 'x'"]),
    "predictor inside a function": (
        glmer("y ~ log(x) + (1 | g)"), hw.DataError, ["['log(x)']", "not finite"],
    ),
    # frames
    "no rows": (glmer(data=frame().iloc[:0]), hw.DataError, ["no rows"]),
    "a list": (glmer(data=[1, 2]), hw.DataError, ["data frame", "list"]),
    "an array": (glmer(data=np.eye(3)), hw.DataError, ["data frame", "ndarray"]),
    "nothing": (lambda: hw.glmer("y ~ (1 | g)", None), hw.DataError, ["NoneType"]),
    "ragged columns": (
        glmer("y ~ (1 | g)", {"y": [0, 1], "g": ["a"]}), hw.DataError, ["data frame", "length"],
    ),
    # missing and infinite
    "a hole in a predictor": (
        glmer(data=with_hole("x")), hw.DataError, ["2 of 40 rows", "'x': 2", "missing='drop'"],
    ),
    "a hole in the response": (glmer(data=with_hole("y")), hw.DataError, ["'y': 2"]),
    "a hole in the group": (glmer(data=with_hole("g")), hw.DataError, ["'g': 2"]),
    "an infinity": (
        glmer(data=with_hole("x", np.inf)), hw.DataError, ["'x'", "2 infinite"],
    ),
    "missing as what": (glmer(missing="skip"), hw.DataError, ["'skip'", "'raise'", "'drop'"]),
    "nothing but holes": (
        glmer(data=frame(x=np.nan), missing="drop"), hw.DataError, ["every row"],
    ),
    # responses
    "text without an event": (
        glmer("said ~ (1 | g)"), hw.DataError, ["'no', 'yes'", "event='"],
    ),
    "wrong event": (
        glmer("said ~ (1 | g)", event="Yes"), hw.DataError, ["event='Yes'", "'no', 'yes'"],
    ),
    "three levels": (glmer("g ~ x + (1 | h)"), hw.DataError, ["5 levels", "make it two"]),
    "numbers that are not 0 or 1": (
        glmer("x ~ (1 | g)"), hw.DataError, ["'x'", "0 or 1", "p(successes, trials)"],
    ),
    "all 0": (glmer(data=frame(y=0)), hw.FitError, ["'y' is 0 in every row"]),
    "all 1": (glmer(data=frame(y=1)), hw.FitError, ["'y' is 1 in every row"]),
    "more successes than trials": (
        glmer("p(n, s) ~ (1 | g)"), hw.DataError, ["p(n, s)", "successes <= trials"],
    ),
    "half a success": (
        glmer("p(s, n) ~ (1 | g)", frame(s=0.5)), hw.DataError, ["whole numbers"],
    ),
    "successes in words": (glmer("p(said, n) ~ (1 | g)"), hw.DataError, ["numbers", "'said'"]),
    "counts below 0": (
        glmer("y ~ (1 | g)", frame(y=-1), family="poisson"), hw.DataError, ["counts"],
    ),
    "counts with a fraction": (
        glmer("x ~ (1 | g)", family="poisson"), hw.DataError, ["'x'", "whole numbers"],
    ),
    "trials of counts": (
        glmer("p(s, n) ~ (1 | g)", family="poisson"), hw.FormulaError, ["binomial", "poisson"],
    ),
    "event of counts": (
        glmer("s ~ (1 | g)", family="poisson", event=1), hw.DataError, ["event=1", "poisson"],
    ),
    "text as a Gaussian response": (
        lambda: hw.lmer("said ~ (1 | g)", frame()), hw.DataError, ["numbers", "'said'"],
    ),
    "a complex response": (
        lambda: hw.lmer("x ~ (1 | g)", frame(x=1j)), hw.DataError, ["real numbers"],
    ),
    # groups
    "one level": (glmer(data=frame(g="only")), hw.DataError, ["'g' has one level", "'only'"]),
    "lists as levels": (
        glmer(data=frame(g=[["a"], ["b"]] * 20)), hw.DataError, ["'g'", "sorted into levels"],
    ),
    "no group term": (glmer("y ~ x"), hw.FormulaError, ["no group term", "(1 | group)"]),
    "twice the same": (
        glmer("y ~ (1 | g) + (1 + x | g)"), hw.FormulaError, ["'Intercept'", "'g' twice"],
    ),
    # predictors
    "the same twice": (
        glmer("y ~ x + z + (1 | g)", frame(z=2 * frame()["x"])), hw.FormulaError,
        ["combination of the others"],
    ),
    "a constant": (glmer("y ~ z + (1 | g)", frame(z=3.0)), hw.FormulaError, ["'z'", "constant"]),
    "zeros": (glmer("y ~ z + (1 | g)", frame(z=0.0)), hw.FormulaError, ["'z'", "0 in every row"]),
    "separation": (
        glmer(data=frame(y=(frame()["x"] > 0).astype(int))), hw.FitError, ["separate", "'x'"],
    ),
    # formulas
    "not text": (lambda: hw.glmer(3, frame()), hw.FormulaError, ["text", "int"]),
    "an import": (
        glmer("y ~ __import__('os').getcwd() + (1 | g)"), hw.FormulaError, ["__import__"],
    ),
    "an attribute": (glmer("y ~ I(x.__class__) + (1 | g)"), hw.FormulaError, ["x.__class__"]),
    "a lambda": (glmer("y ~ I((lambda: x)()) + (1 | g)"), hw.FormulaError, ["lambda"]),
    "code as a group": (
        glmer("y ~ (1 | __import__('os'))"), hw.FormulaError, ["column names right"],
    ),
    "a huge power": (glmer("y ~ I(x ** 999999999) + (1 | g)"), hw.FormulaError, ["up to 10"]),
    "a tower of powers": (glmer("y ~ I(9 ** 9 ** 9) + (1 | g)"), hw.FormulaError, ["power"]),
    "a huge expansion": (
        glmer("y ~ (x + n + s) ** 99 + (1 | g)"), hw.FormulaError, ["from 1 to 4", "99"],
    ),
    "an open bracket": (glmer("y ~ x + (1 | g"), hw.FormulaError, ["bracket is not closed"]),
    "a closing bracket": (glmer("y ~ x) + (1 | g)"), hw.FormulaError, ["cannot read"]),
    "no tilde": (glmer("y + (1 | g)"), hw.FormulaError, ["one '~'"]),
    "two tildes": (glmer("y ~ x ~ (1 | g)"), hw.FormulaError, ["one '~'", "has 2"]),
    "nothing at all": (glmer(""), hw.FormulaError, ["one '~'"]),
    "a loose bar": (glmer("y ~ 1 | g"), hw.FormulaError, ["stands alone"]),
    "a long formula": (glmer("y ~ " + "x + " * 2000 + "(1 | g)"), hw.FormulaError, ["4000"]),
    # options
    "no nodes": (glmer(n_agq=0), hw.FitError, ["n_agq=0", "1 to 100"]),
    "half nodes": (glmer(n_agq=2.5), hw.FitError, ["n_agq=2.5", "1 to 100"]),
    "a true node": (glmer(n_agq=True), hw.FitError, ["n_agq=True"]),
    "nodes over two crossed terms": (
        glmer("y ~ (1 | g) + (1 | h)", n_agq=25), hw.FormulaError, ["n_agq=25", "n_agq=1"],
    ),
    "nodes over slopes": (
        glmer("y ~ (1 + x | g)", n_agq=9), hw.FormulaError, ["n_agq=9", "one coefficient"],
    ),
    "nodes in a Gaussian model": (
        lambda: hw.Model("x ~ (1 | g)", frame()).maximize(n_agq=9), hw.FormulaError,
        ["n_agq=9", "exactly"],
    ),
    "unknown family": (glmer(family="bernoulli"), hw.FormulaError, ["'bernoulli'", "binomial"]),
    "Gaussian glmer": (glmer(family="gaussian"), hw.FormulaError, ["lmer"]),
    "unknown link": (glmer(link="cauchit"), hw.FormulaError, ["'cauchit'", "probit"]),
    "negative weights": (glmer(weights=-np.ones(40)), hw.DataError, ["weights", "0 or larger"]),
    "weights of 0": (glmer(weights=np.zeros(40)), hw.DataError, ["weights"]),
    "weights in words": (glmer(weights="kind"), hw.DataError, ["weights", "numbers"]),
    "too few weights": (glmer(weights=[1, 2]), hw.DataError, ["weights", "(2,)", "40 rows"]),
    "too long an offset": (glmer(offset=np.ones(41)), hw.DataError, ["offset", "(41,)", "40"]),
    "an offset in words": (glmer(offset=["a"] * 40), hw.DataError, ["offset", "numbers"]),
    "an infinite offset": (glmer(offset=np.full(40, np.inf)), hw.DataError, ["infinite"]),
    "holes in the offset": (
        glmer(offset=np.full(40, np.nan)), hw.DataError, ["missing", "offset"],
    ),
    # other doors
    "no such data": (lambda: hw.load("sweden"), hw.DataError, ["'sweden'", "finland"]),
    "no pooling of what": (
        lambda: hw.no_pooling(frame(), "z", "g"), HierwidgetsError, ["'z'"],
    ),
    "no pooling of no event": (
        lambda: hw.no_pooling(frame(), "said", "g"), hw.DataError, ["'no', 'yes'", "event="],
    ),
    "no pooling of nothing": (
        lambda: hw.no_pooling(frame().iloc[:0], "y", "g"), hw.DataError, ["no rows"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BATTERY)
def test_refused(name):
    call, error, words = BATTERY[name]
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    assert [word for word in words if word not in message] == [], message
    assert isinstance(caught.value, HierwidgetsError)
    assert isinstance(caught.value, ValueError)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


SAME = [  # the same mistake in two places
    ("all 0", "all 1"),
    ("text without an event", "no pooling of no event"),
    ("wrong weights", "wrong offset"),
    ("wrong predictor", "wrong slope"),
    ("negative weights", "weights of 0"),
]


def test_messages_are_distinct():
    said = {}
    for name, (call, error, _) in BATTERY.items():
        with pytest.raises(error) as caught:
            call()
        said.setdefault(re.sub(r"\d+", "#", str(caught.value)), []).append(name)
    assert sorted(tuple(names) for names in said.values() if len(names) > 1) == sorted(SAME)


# --- what is given stays as it is ---------------------------------------------------------------


def kept(data, formula, **options):
    before = copy.deepcopy(data)
    fit = hw.glmer(formula, data, **options)
    if "offset" not in options:  # numbers, which new rows do not carry
        fit.predict(data.drop(columns=["y"]).head(5), interval=0.9)
    fit.summary()
    pd.testing.assert_frame_equal(data, before, check_exact=True)
    assert data.dtypes.tolist() == before.dtypes.tolist()
    return fit


def test_the_frame_given_is_not_changed():
    categorical = frame()
    categorical["g"] = pd.Categorical(categorical["g"], categories=list("edcbaq"))
    categorical.index = [f"row {i}" for i in range(40)]
    kept(categorical, "y ~ x + kind + (1 + x | g)")
    kept(frame(), "y ~ x + (1 | g) + (1 | h)", weights="n")


def test_numbers_given_beside_are_not_changed():
    weights, offset = np.full(40, 2.0), np.linspace(-1, 1, 40)
    before = weights.copy(), offset.copy()
    kept(frame(), "y ~ x + (1 | g)", weights=weights, offset=offset)
    assert (weights == before[0]).all()
    assert (offset == before[1]).all()


# --- ways to say the same -----------------------------------------------------------------------


def same(one, other):
    assert one.loglik == pytest.approx(other.loglik, rel=1e-12)
    assert one.beta == pytest.approx(other.beta, rel=1e-9)
    assert one.theta == pytest.approx(other.theta, abs=1e-6)


def test_glmer_is_a_model_maximised():
    model = hw.Model("y ~ x + (1 | g)", frame(), "binomial")
    same(model.maximize(5), hw.glmer("y ~ x + (1 | g)", frame(), n_agq=5))
    gaussian = hw.Model("x ~ kind + (1 | g)", frame())
    assert gaussian.family.name == "gaussian"
    same(gaussian.maximize(reml=False), hw.lmer("x ~ kind + (1 | g)", frame(), reml=False))


def test_responses_of_any_kind_of_two_values():
    base = glmer("y ~ x + (1 | g)")()
    y = frame()["y"]
    for value, event in [
        (y == 1, None),
        (y.astype(float), None),
        (y.map({0: "no", 1: "yes"}), "yes"),
        (pd.Categorical(y.map({0: "no", 1: "yes"})), "yes"),
        (y.map({0: "no", 1: "yes"}).astype("string"), "yes"),
        (y + 1, 2),
        (y.astype("Int64"), None),
        (y.astype("boolean"), None),
    ]:
        same(base, hw.glmer("y ~ x + (1 | g)", frame(y=value), event=event))


def test_a_mapping_is_a_frame():
    columns = {name: list(values) for name, values in frame().items()}
    same(glmer()(), hw.glmer("y ~ x + (1 | g)", columns))


def test_polars_with_and_without_pyarrow(monkeypatch):
    polars = pytest.importorskip("polars")
    data = polars.DataFrame({name: frame()[name].tolist() for name in ("y", "x", "g")})
    same(glmer()(), hw.glmer("y ~ x + (1 | g)", data))

    def no_arrow(*args, **options):
        raise ModuleNotFoundError("pyarrow is required for converting to pandas")

    monkeypatch.setattr(polars.DataFrame, "to_pandas", no_arrow)
    same(glmer()(), hw.glmer("y ~ x + (1 | g)", data))
    holes = data.with_columns(polars.lit(None).alias("x"))
    with pytest.raises(hw.DataError, match="missing values"):
        hw.glmer("y ~ x + (1 | g)", holes)


def test_dropped_rows_are_counted():
    data = with_hole("x")
    fit = hw.glmer("y ~ x + (1 | g)", data, missing="drop")
    same(fit, hw.glmer("y ~ x + (1 | g)", data.dropna()))
    assert fit.nobs == 38
    assert fit.design.dropped == 2
    assert "2 rows with missing values were dropped" in str(fit.summary())


def test_holes_in_columns_not_in_use_do_not_matter():
    assert hw.glmer("y ~ x + (1 | g)", with_hole("n")).nobs == 40


def test_dropping_keeps_numbers_given_beside_in_step():
    data, w = with_hole("x"), np.arange(1.0, 41.0)
    fit = hw.glmer("y ~ x + (1 | g)", data, weights=w, missing="drop")
    keep = data["x"].notna().to_numpy()
    same(fit, hw.glmer("y ~ x + (1 | g)", data[keep], weights=w[keep]))


def test_repr_and_frozen():
    model = hw.Model("y ~ x + (1 | g) + (1 | h)", frame(), "binomial")
    assert repr(model) == "Model(y ~ x + (1 | g) + (1 | h), binomial; 40 rows, 5 g, 4 h)"
    with pytest.raises(AttributeError):
        model.formula = "y ~ 1"


def test_fits_speak_only_when_asked(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        glmer("y ~ x + (1 + x | g)")()
    assert capsys.readouterr() == ("", "")


def test_scipy_stats_and_optimize_stay_out():
    """The core needs neither; a lecture should not wait for them."""
    import subprocess

    code = (
        "import sys, hierwidgets as hw;"
        "f = hw.glmer('contacted ~ 1 + (1 | district_id)', hw.load('finland'), event='Contacted');"
        "f.predict(interval=0.9); f.summary(); print('scipy.stats' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_errors_survive_pickling():
    """A pool of workers must be able to send them home."""
    with pytest.raises(hw.FormulaError) as caught:
        glmer("z ~ (1 | g)")()
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
