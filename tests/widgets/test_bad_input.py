"""Wrong calls of every widget: each gets an error that names what was given and what is allowed.

No tolerance: a case is a call, arguments, the error's class and fragments of its message. Wrong
values of the state, given to the constructor or set later, and wrong data get a `DataError` of
ours; unknown keywords the `TypeError` of Python, in our words. Nothing is left behind, inputs
stay as they are, and frames of other kinds that hold the same data give the same widget.
"""

from collections import Counter
from functools import cache

import numpy as np
import pandas as pd
import pytest
from ipywidgets.widgets.widget import _instances
from support.maps import each_map_once

import hierwidgets as hw
from hierwidgets import DataError, FormulaError
from hierwidgets.widgets import (
    BoundaryExplorer,
    ChainClinic,
    CompetitivenessEffect,
    DistrictStrip,
    GenerativeLadder,
    Guess309,
    IntegralLens,
    PoolingComparison,
    PoolingDial,
    Poststrat,
    PriorDial,
    PriorTimesLikelihood,
    RecoveryLab,
    SlopeShrinkage,
    YourOwnData,
)


@pytest.fixture(scope="module", autouse=True)
def one_map():
    with each_map_once():
        yield


@cache
def people():
    """36 answers in four groups, with a predictor that has one value in each."""
    rng = np.random.default_rng(7)
    group = np.repeat(list("abcd"), [6, 8, 10, 12])
    rate = np.repeat([0.3, 0.4, 0.6, 0.7], [6, 8, 10, 12])
    y = (rng.random(36) < rate).astype(int)
    answer = np.where(y, "yes", "no")
    return pd.DataFrame({"y": y, "answer": answer, "g": group, "x": rate, "z": rng.normal(size=36)})


@cache
def fit():
    return hw.glmer("y ~ 1 + (1 | g)", people())


@cache
def line():
    return hw.glmer("y ~ x + (1 | g)", people())


@cache
def linear():
    return hw.lmer("z ~ 1 + (1 | g)", people())


@cache
def chains():
    return {"mu": np.random.default_rng(8).normal(size=(4, 100))}


def with_hole(column):
    return people().assign(**{column: people()[column].where(people().index != 3)})


def doubled(column):
    return pd.concat([people(), people()[[column]]], axis=1)


def strip(frame=None, outcome="y", group="g", *more, **named):
    return DistrictStrip(people() if frame is None else frame, outcome, group, *more, **named)


def guess(frame=None, **named):
    columns = {"outcome": "y", "group": "g", "level": "a"} | named
    return Guess309(people() if frame is None else frame, **columns)


def dial(model=fit, **named):
    return PoolingDial(model(), **named)


def prior(model=fit, *more, **named):
    return PriorTimesLikelihood(model(), *more, **named)


def through(model=fit, *more, **named):
    return IntegralLens(model(), *more, **named)


@cache
def drawn():
    model = hw.Model("y ~ 1 + (1 | g)", people(), "binomial")
    return model.sample(seed=1, draws=250, method="importance", progress=False)


def turned(post=drawn, **named):
    return PriorDial(post(), **named)


@cache
def pair():
    return hw.glmer("y ~ z + (1 + z | g)", people())


def boundary(model=pair, **named):
    return BoundaryExplorer(model(), **named)


def slopes(model=pair, **named):
    return SlopeShrinkage(model(), **named)


def own(*given, **named):
    return YourOwnData(*given or (people(),), **named)


def comparison(fits=fit, **named):
    return PoolingComparison(fits(), **named)


def effect(model=line, predictor="x", **named):
    return CompetitivenessEffect(model(), predictor, **named)


def lab(**named):
    return RecoveryLab(**named)


def clinic(run=chains, **named):
    return ChainClinic(run(), **named)


@cache
def several():
    """Four classes in six schools, with a predictor of classes and two kinds of school."""
    rng = np.random.default_rng(9)
    school = np.repeat(np.arange(6), 40)
    klass = np.repeat(np.arange(24), 10)
    x = rng.random(24)[klass]
    kind = np.where(school % 2, "old", "new")
    eta = -1 + x + 0.5 * rng.normal(size=6)[school] + 0.5 * rng.normal(size=24)[klass]
    y = (rng.random(240) < 1 / (1 + np.exp(-eta))).astype(int)
    return pd.DataFrame({"y": y, "x": x, "kind": kind, "school": school, "klass": klass})


def several_fit(formula="y ~ x * kind + (1 | klass) + (1 + x || school)", **changed):
    return hw.glmer(formula, several().assign(**changed))


@cache
def several_line():
    return several_fit()


def ladder(model=several_line, **named):
    return GenerativeLadder(model(), **named)


def population(model=several_line, cells=None, **named):
    cells = several().drop_duplicates("klass").assign(n=1) if cells is None else cells()
    return Poststrat(model(), cells, **named)


def later(make, **state):
    """The state set after the widget has been made."""

    def call():
        widget = make()
        try:
            for name, value in state.items():
                setattr(widget, name, value)
        finally:
            widget.close()

    return call


def of(make, *arguments, **named):
    return lambda: make(*arguments, **named)


NAN = float("nan")
CASES = [
    ("strip", of(strip, [1, 2]), DataError, "data must be a data frame; a list was given"),
    ("strip", of(strip, outcome="voted"), DataError, "'voted' is not a column; columns are ['y'"),
    ("strip", of(strip, outcome=3), DataError, "3 is not a column; columns are ['y'"),
    ("strip", of(strip, with_hole("y")), DataError, "'y' has 1 missing values; drop them"),
    ("strip", of(strip, with_hole("g")), DataError, "factor 'g' has 1 missing values; drop"),
    ("strip", of(strip, people().head(0)), DataError, "have no rows; at least one"),
    ("strip", of(strip, doubled("g")), DataError, "have 2 columns named 'g'"),
    ("strip", of(strip, people().assign(y=people()["y"] / 2)), DataError, "'0.5', but a binomial"),
    ("strip", of(strip, None, "answer", "g", "may"), DataError, "'may' is not a level of 'answer'"),
    ("strip", of(strip, colour=1), TypeError, "does not know 'colour'; its keywords are level"),
    ("strip", of(strip, level="high"), DataError, "level must be a number; 'high' was given"),
    ("strip", of(strip, show_n="yes"), DataError, "show_n must be True or False; 'yes' was"),
    ("strip", later(strip, method="exactly"), DataError, "['wald', 'wilson', 'jeffreys', 'exact']"),
    ("strip", later(strip, selected="q"), DataError, "levels of g ('a', 'b', 'c', ...); 'q' was"),
    ("strip", later(strip, first=NAN), DataError, "first must be a whole number; nan was"),
    ("strip", later(strip, shown=7.5), DataError, "shown must be a whole number; 7.5 was given"),
    ("guess", of(guess, [1]), DataError, "data must be a data frame; a list was given"),
    ("guess", of(Guess309, people()), DataError, "name the columns of your data: outcome="),
    ("guess", of(guess, outcome="v"), DataError, "'v' is not a column; columns are ['y'"),
    ("guess", of(guess, level="q"), DataError, "the 4 levels ('a', 'b', 'c', ...); 'q' was"),
    ("guess", of(guess, people().head(0)), DataError, "have no rows; at least one"),
    ("guess", of(guess, with_hole("y")), DataError, "'y' has 1 missing values; drop them"),
    ("guess", of(guess, doubled("y")), DataError, "have 2 columns named 'y'"),
    ("guess", of(guess, opened=3), DataError, "places of reasons, such as (0, 2); 3 was given"),
    ("guess", of(guess, opened=[9]), DataError, "places of reasons, 0 to 3; (9,) was given"),
    ("guess", of(guess, tip=1), TypeError, "does not know 'tip'; its keywords are guess"),
    ("guess", later(guess, guess=2), DataError, "guess must be from 0 to 1; 2 was given"),
    ("guess", later(guess, revealed=True), DataError, "make a guess first: set guess to"),
    ("dial", of(dial, people), DataError, "a binomial fit with one (1 | group), as hw.glmer"),
    ("dial", of(dial, linear), DataError, "gives; this fit is gaussian"),
    ("dial", of(dial, sgima=1), TypeError, "does not know 'sgima'; its keywords are sigma, mu"),
    ("dial", of(dial, sigma="big"), DataError, "sigma must be a number; 'big' was given"),
    ("dial", of(dial, sigma=NAN), DataError, "sigma must be from 0.01 to 5; nan was given"),
    ("dial", of(dial, imagined=(5, 3)), DataError, "y events, from 0 to n; (5, 3) was given"),
    ("dial", later(dial, mu=99), DataError, "; 99 was given"),
    ("dial", later(dial, scale="log"), DataError, "('probability', 'logit'); 'log' was given"),
    ("dial", later(dial, selected=np.arange(3)), DataError, "one plain value; array([0, 1, 2])"),
    ("dial", later(dial, selected="q"), DataError, "levels of g ('a', 'b', 'c', ...); 'q' was"),
    ("prior", of(prior, people), DataError, "a DataFrame was given"),
    ("prior", of(prior, linear), DataError, "gives; this fit is gaussian"),
    ("prior", of(prior, fit, "q"), DataError, "one of the 4 levels of g ('"),
    ("prior", of(prior, tau=1), TypeError, "does not know 'tau'; its keywords are level, mu"),
    ("prior", of(prior, n=5, y=9), DataError, "y must be from 0 to 5; 9 was given"),
    ("prior", of(prior, full_bayes="no"), DataError, "full_bayes must be True or False; 'no' was"),
    ("prior", later(prior, sigma=np.inf), DataError, "sigma must be from 0.01 to 5; inf was given"),
    ("prior", later(prior, scale="odds"), DataError, "('probability', 'logit'); 'odds' was given"),
    ("through", of(through, people), DataError, "lens needs a binomial or Poisson fit with one"),
    ("through", of(through, linear), DataError, "is gaussian, and its integral has a formula"),
    ("through", of(through, fit, "q"), DataError, "one of the 4 levels of g ('"),
    ("through", of(through, node=3), TypeError, "does not know 'node'; its keywords are level, n"),
    ("through", of(through, nodes=0), DataError, "number from 1 to 25; 0 was given"),
    ("through", of(through, nodes=2.5), DataError, "nodes must be a whole number; 2.5 was given"),
    ("through", later(through, nodes="3"), DataError, "nodes must be a whole number; '3' was"),
    ("through", later(through, sigma=-1), DataError, "sigma must be from 0.01 to 5; -1 was given"),
    ("through", later(through, sigma="wide"), DataError, "sigma must be a number; 'wide' was"),
    ("turned", of(turned, people), DataError, "takes a posterior, as Model.sample or hw.load"),
    ("turned", of(turned, fit), DataError, "a Fit was given"),
    ("turned", of(turned, sd_shpe="flat"), TypeError, "does not know 'sd_shpe'; its keywords are"),
    ("turned", of(turned, sd_shape="lkj"), DataError, "'half-normal', 'half-t, 3 df', 'half-Cauc"),
    ("turned", of(turned, sd_scale=NAN), DataError, "sd_scale must be from 0.05 to 25; nan was"),
    ("turned", of(turned, level="q"), DataError, "one of the 4 levels of g ('"),
    ("turned", later(turned, eta="small"), DataError, "eta must be a number; 'small' was given"),
    ("turned", later(turned, quantity=3), DataError, "quantity must be a text; 3 was given"),
    ("turned", later(turned, parameter="mu"), DataError, "['Intercept', 'sd Intercept | g']; 'mu'"),
    ("slopes", of(slopes, people), DataError, "(1 + x | group)', data) gives; a DataFrame was"),
    ("slopes", of(slopes, fit), DataError, "(1 + x | group)', data) gives; this one has (Inter"),
    ("slopes", of(slopes, tip=1), TypeError, "does not know 'tip'; its keywords are sd_intercept"),
    ("slopes", of(slopes, corr=2), DataError, "corr must be from -1 to 1; 2 was given"),
    ("slopes", of(slopes, selected="q"), DataError, "levels of g ('a', 'b', 'c', ...); 'q' was"),
    ("slopes", later(slopes, sd_slope=-1), DataError, "sd_slope must be from 0 to "),
    ("slopes", later(slopes, sd_intercept="much"), DataError, "sd_intercept must be a number; "),
    ("boundary", of(boundary, people), DataError, "takes a fit, as hw.glmer gives; a DataFrame"),
    ("boundary", of(boundary, linear), DataError, "a binomial or Poisson fit; this one is Gauss"),
    ("boundary", of(boundary, fit), DataError, "(1 + x | group); this one has (Intercept | g)"),
    ("boundary", of(boundary, group="q"), DataError, "group='q' has no intercept and slope that"),
    ("boundary", of(boundary, tip=1), TypeError, "does not know 'tip'; its keywords are penalty"),
    ("boundary", of(boundary, penalty="L2"), DataError, "'gamma', 'LKJ']; 'L2' was given"),
    ("boundary", of(boundary, surveys=2.5), DataError, "surveys must be a whole number from 5 to"),
    ("boundary", later(boundary, corr=-2), DataError, "corr must be from -1 to 1; -2 was given"),
    ("boundary", later(boundary, strength="much"), DataError, "strength must be a number; 'much'"),
    ("boundary", later(boundary, sd=NAN), DataError, "sd must be from 0 to "),
    ("comparison", of(comparison, people), DataError, "a DataFrame was given"),
    ("comparison", of(comparison, dict), DataError, "an empty dict was given"),
    ("comparison", of(comparison, lambda: {1: fit()}), DataError, "must be texts; 1 was given"),
    ("comparison", of(comparison, lambda: [fit()]), DataError, "a list was given"),
    ("comparison", of(comparison, shown="b"), DataError, "shown must be one of 'y ~ 1"),
    ("comparison", of(comparison, tip=1), TypeError, "does not know 'tip'; its keywords are shown"),
    ("comparison", of(comparison, n_low="few"), DataError, "n_low must be a number; 'few' was"),
    ("comparison", later(comparison, highlight=3), DataError, "highlight must be a text; 3 was"),
    ("comparison", later(comparison, n_high=99), DataError, "n_high must be from 6 to 12; 99 was"),
    ("effect", of(effect, people), DataError, "a DataFrame was given"),
    ("effect", of(effect, linear), DataError, "this one is gaussian"),
    ("effect", of(effect, predictor="age"), FormulaError, "'age' is not a predictor of this model"),
    ("effect", of(effect, compare="sex"), FormulaError, "compare='sex' is not another predictor"),
    ("effect", of(effect, without=3), DataError, "without must be a fit or a posterior; a int"),
    ("effect", lambda: effect(without=line()), DataError, "without still holds 'x'; fit the model"),
    ("effect", of(effect, average_draws=0), DataError, "a whole number above 0; 0 is not"),
    ("effect", of(effect, average_draws="all"), DataError, "a whole number above 0; 'all' is"),
    ("effect", of(effect, lo=0.3), TypeError, "does not know 'lo'; its keywords are with_pred"),
    ("effect", later(effect, low=9), DataError, "low must be from 0.3 to 0.7; 9.0 was given"),
    ("effect", later(effect, target="mean"), DataError, "('typical', 'average', 'new'); 'mean'"),
    ("effect", later(effect, level=0.99), DataError, "(0.8, 0.9, 0.95); 0.99 was given"),
    ("effect", later(effect, quantity="odds"), DataError, "'marginal effect'); 'odds' was given"),
    ("lab", of(lab, n="france"), DataError, "'uk' or a whole number from 1 to 200; 'france' was"),
    ("lab", of(lab, n=people()), DataError, "n must be a whole number from 1 to 200; y answer"),
    ("lab", of(lab, J=2.5), DataError, "J must be a whole number from 2 to 300; 2.5 was given"),
    ("lab", of(lab, sigma=NAN), DataError, "sigma must be from 0 to 3; nan was given"),
    ("lab", of(lab, mu="a"), DataError, "mu must be a number; 'a' was given"),
    ("lab", of(lab, tip=1), TypeError, "does not know 'tip'; its keywords are n, J, mu"),
    ("lab", later(lab, reps=1), DataError, "reps must be a whole number from 10 to 2000; 1 was"),
    ("lab", later(lab, show=["x"]), DataError, "show must be a text; ['x'] was given"),
    ("ladder", of(ladder, people), DataError, "where rule holds two texts; a DataFrame"),
    ("ladder", of(ladder, linear), DataError, "holds two texts; this one is gaussian with link"),
    ("ladder", of(ladder, fit), DataError, "where rule holds two texts; this one is y ~ 1 + (1 |"),
    ("ladder", lambda: ladder(lambda: several_fit(kind=several()["school"] % 2)), DataError,
     "needs x * rule, where rule holds two texts; the coefficients of this fit are ['Intercept',"),
    ("ladder", lambda: ladder(lambda: several_fit(x=100 * several()["x"])), DataError,
     "the ladder's axis goes from 0 to 1; 'x' goes from"),
    ("ladder", of(ladder, delta_0=1), TypeError, "does not know 'delta_0'; its keywords are delta"),
    ("ladder", of(ladder, delta_00="low"), DataError, "delta_00 must be a number; 'low' was given"),
    ("ladder", of(ladder, delta_11=NAN), DataError, "delta_11 must be from -100 to 100; nan was"),
    ("ladder", of(ladder, sd_slope=-1), DataError, "sd_slope must be from 0 to 20; -1 was given"),
    ("ladder", of(ladder, people=0), DataError, "people must be a whole number from 1 to 100; 0"),
    ("ladder", later(ladder, corr=1.5), DataError, "corr must be from -1 to 1; 1.5 was given"),
    ("ladder", later(ladder, zero="PR"), DataError, "zero must be one of ('old', 'new'); 'PR' was"),
    ("ladder", later(ladder, seed=2.5), DataError, "seed must be a whole number from 0 to 9999;"),
    ("population", of(population, people), DataError, "a posterior; a DataFrame is not"),
    ("population", of(population, linear), DataError, "this one is gaussian"),
    ("population", of(population, cells=lambda: 3), DataError, "a int was given"),
    ("population", of(population, weight="N"), DataError, "weight='N' is not a column of the"),
    ("population", of(population, by="klass"), DataError, "with 2 to 6 values are ['kind', 'sch"),
    ("population", of(population, tip=1), TypeError, "does not know 'tip'; its keywords are by, s"),
    ("population", of(population, level=2), DataError, "level=2; a confidence level lies between"),
    ("population", of(population, shares=(1, 2, 3)), DataError, "2 numbers, one for each of 'new'"),
    ("population", of(population, shares="all"), DataError, "0 or larger and not all 0; 'all' was"),
    ("population", later(population, shares=(0, 0)), DataError, "and not all 0; (0, 0) was given"),
    ("population", later(population, shares=(NAN, 1)), DataError, "not all 0; (nan, 1) was given"),
    ("population", later(population, by="x"), DataError, "by must be one of ['kind', 'school']"),
    ("own", of(own, outcome="q"), DataError, "outcome must be one of"),
    ("own", of(own, outcome="y", group="herd"), DataError, "'herd' was given"),
    ("own", of(own, outcome="answer", group="g", event="maybe"), DataError, "'maybe' was given"),
    ("own", of(own, outcome="y", group="g", view="pie"), DataError, "'pie' was given"),
    ("own", of(own, None, outcome="y"), DataError, "give data, or choose a file first"),
    ("own", of(own, 3), DataError, "int"),
    ("own", of(own, "survey.docx"), DataError, "ends in .docx"),
    ("own", of(own, tip=1), TypeError, "YourOwnData does not know 'tip'"),
    ("own", later(own, outcome="nobody"), DataError, "'nobody' was given"),
    ("clinic", of(clinic, lambda: 3), DataError, "the run is a int; give a posterior, a data"),
    ("clinic", of(clinic, people), DataError, "the run lacks the columns ['rhat', 'ess_bulk', 'e"),
    ("clinic", of(clinic, dict), DataError, "the clinic needs a run; the dict is empty"),
    ("clinic", of(clinic, lambda: {"mu": np.full((4, 100), NAN)}), DataError, "mu"),
    ("clinic", of(clinic, chains=1), DataError, "chains are several, such as (1, 2); 1 was given"),
    ("clinic", of(clinic, chains=[9]), DataError, "2 or more of 1 to 4, to compare them; (9,)"),
    ("clinic", of(clinic, thin=2.5), DataError, "thin must be a whole number; 2.5 was given"),
    ("clinic", of(clinic, thin="a"), DataError, "thin must be a whole number; 'a' was given"),
    ("clinic", of(clinic, tip=1), TypeError, "does not know 'tip'; its keywords are run"),
    ("clinic", later(clinic, parameter="zeta"), DataError, "must be one of 'mu'; 'zeta' was given"),
    ("clinic", later(clinic, ess=-1), DataError, "ess must be one of 400, 1000, 2000; -1 was"),
]  # fmt: skip


@cache
def answer(i):
    with pytest.raises((ValueError, TypeError)) as found:
        CASES[i][1]()
    return found.value


@pytest.mark.parametrize("i", range(len(CASES)), ids=[f"{i}-{c[0]}" for i, c in enumerate(CASES)])
def test_a_wrong_call_says_what_was_given_and_what_is_allowed(i):
    _, _, error, says = CASES[i]
    before, frame = set(_instances), people().copy()
    found = answer(i)
    assert isinstance(found, error)
    assert says in str(found)
    assert set(_instances) == before  # no widget is left behind
    pd.testing.assert_frame_equal(people(), frame)


def test_different_mistakes_get_different_answers():
    for_each = Counter((case[0], str(answer(i))) for i, case in enumerate(CASES))
    assert [text for text, times in for_each.items() if times > 1] == []


def test_every_widget_has_wrong_calls_of_its_own():
    counts = Counter(case[0] for case in CASES)
    every = (getattr(hw.widgets, name) for name in hw.widgets.__all__)
    assert len(counts) == sum(isinstance(one, type) and hasattr(one, "as_code") for one in every)
    assert min(counts.values()) >= 3
    messages = {str(answer(i)) for i in range(len(CASES))}
    print(f"\n{len(CASES)} wrong calls of {len(counts)} widgets, {len(messages)} messages")


def kinds():
    polars = pytest.importorskip("polars")
    frame = people()[["y", "answer", "g"]]
    yield polars.from_pandas(frame)
    yield frame.convert_dtypes()
    yield frame.astype({"y": "Int64", "g": "category"})
    yield frame.astype({"y": "boolean", "g": "string"})
    yield frame.astype({"y": float})


def test_other_kinds_of_frames_give_the_same_widgets():
    wanted = strip()
    said, rows = wanted.status, wanted.table.rows
    wanted.close()
    for frame in kinds():
        for made in (strip(frame), strip(frame, "answer", "g", "yes")):
            assert (made.status, made.table.rows) == (said, rows)
            made.close()
        game = guess(frame, guess=0.5)
        assert game.guess == 0.5
        game.close()


def test_missing_values_of_nullable_columns_are_counted():
    hole = with_hole("answer").convert_dtypes()
    with pytest.raises(DataError, match="'answer' has 1 missing values"):
        strip(hole, "answer", "g", "yes")
