"""The numbers of poststratification with weights to turn, against `hw.poststratify`, to 1e-12."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import hierwidgets as hw
from hierwidgets.course.models import POLL
from hierwidgets.course.studies.poststratification import country, survey
from hierwidgets.widgets import poststrat_frame
from hierwidgets.widgets.numbers import poststrat as numbers

NUMBERS = ["estimate", "std_error", "conf_low", "conf_high"]


@pytest.fixture(scope="module")
def cells():
    return country()


@pytest.fixture(scope="module")
def poll(cells):
    return survey(cells, 600, seed=3)


@pytest.fixture(scope="module")
def fit(poll):
    return hw.glmer(POLL, poll)


def test_the_census_gives_what_poststratify_gives(fit, cells):
    found = poststrat_frame(fit, cells, by="age")
    whole, parts = hw.poststratify(fit, cells), hw.poststratify(fit, cells, by="age")
    assert found["of"].to_list() == [
        "raw", "modelled", "poststratified", "18-34", "35-59", "60+"
    ]  # fmt: skip
    assert_allclose(found.loc[2, NUMBERS].to_numpy(float), whole[NUMBERS].iloc[0], rtol=1e-12)
    assert_allclose(found.loc[3:, NUMBERS], parts[NUMBERS], rtol=1e-12)
    assert_allclose(found.loc[3:, "share"], parts["n"] / parts["n"].sum(), rtol=1e-12)


@pytest.mark.parametrize("shares", [(0.2, 0.3, 0.5), (0.0, 0.0, 1.0), (2, 3, 5)])
def test_other_shares_are_other_weights_of_the_cells(fit, cells, shares):
    found = poststrat_frame(fit, cells, by="education", shares=shares)
    wanted = dict(zip(["school", "training", "degree"], shares, strict=True))
    people = cells.groupby("education")["n"].transform("sum")
    turned = cells.assign(n=cells["n"] / people * cells["education"].map(wanted))
    whole = hw.poststratify(fit, turned)
    assert_allclose(found.loc[2, NUMBERS].to_numpy(float), whole[NUMBERS].iloc[0], rtol=1e-12)
    assert found.loc[3:, "share"].sum() == pytest.approx(1.0)


def test_raw_and_modelled_are_of_the_respondents(fit, poll, cells):
    found = poststrat_frame(fit, cells, level=0.8).set_index("of")
    n = poll["respondents"].sum()
    p = poll["contacted"].sum() / n
    se = np.sqrt(p * (1 - p) / n)
    z = 1.2815515655446004
    assert_allclose(found.loc["raw", NUMBERS].to_numpy(float), [p, se, p - z * se, p + z * se])
    sampled = hw.poststratify(fit, poll, weight="respondents", level=0.8)[NUMBERS].iloc[0]
    assert_allclose(found.loc["modelled", NUMBERS].to_numpy(float), sampled, rtol=1e-12)


def test_people_one_by_one_give_the_same_as_people_counted(poll, cells):
    """A row per respondent: the modelled rate and the shares of the sample are those of cells."""
    parts = [
        poll.loc[poll.index.repeat(count)].assign(y=outcome)
        for outcome, count in ((1, poll["contacted"]), (0, poll["respondents"] - poll["contacted"]))
    ]
    one_by_one = hw.glmer("y ~ education + age + (1 | district)", pd.concat(parts))
    counted = hw.glmer(POLL, poll)
    one, other = (numbers.kinds(m, cells, by="education") for m in (one_by_one, counted))
    assert_allclose(one.sample, other.sample)
    assert_allclose(one.raw, other.raw)
    assert_allclose(one.modelled, other.modelled, rtol=1e-4)
    assert one.respondents == other.respondents == 600


def test_columns_that_make_kinds(fit, cells):
    assert numbers.groupings(fit, cells, "n") == ["education", "age"]
    assert numbers.groupings(fit, cells.assign(contacted=1), "n") == ["education", "age"]
    few = cells[cells["district"] < "district 04"]
    assert numbers.groupings(fit, few, "n") == ["district", "education", "age"]


def test_kinds_stand_in_the_order_of_their_categories(poll, cells):
    order = ["degree", "school", "training"]
    ordered = cells.assign(education=pd.Categorical(cells["education"], order))
    assert numbers.kinds(hw.glmer(POLL, poll), ordered).names == tuple(order)


def test_of_many_cells_some_are_shown_one_by_one(fit, cells):
    many = pd.concat([cells] * 4).assign(n=1)
    found = numbers.kinds(fit, many)
    assert (found.size, len(found.cells), len(found.kind)) == (1440, 600, 600)
    assert numbers.kinds(fit, cells).cells.shape == (360,)


def test_shares_that_are_turned_add_up_to_one(fit, cells):
    found = numbers.kinds(fit, cells)
    rng = np.random.default_rng(0)
    shares = found.census
    for _ in range(300):
        k, share = int(rng.integers(3)), float(rng.choice([0.0, 1.0, rng.random()]))
        shares = numbers.turned(found, shares, k, share)
        assert shares.sum() == pytest.approx(1.0, abs=1e-12)
        assert (shares >= 0).all()
        assert shares[k] == pytest.approx(share, abs=5.1e-5)


@pytest.mark.parametrize(
    ("change", "more", "words"),
    [
        (lambda c: c[c["education"] != "degree"], {}, "of the kind 'degree' are in no cell"),
        (lambda c: c.assign(n=c["n"] * (c["age"] != "60+")), {"by": "age"}, "the kind '60\\+'"),
        (lambda c: c, {"by": "district"}, r"2 to 6 values are \['education', 'age'\]"),
        (lambda c: c[c["education"] == "degree"].assign(age="60+"), {}, "no column of the cells"),
        (lambda c: c.drop(columns="age"), {}, "age"),
        (lambda c: c, {"shares": (1, -1, 1)}, "0 or larger"),
        (lambda c: c, {"level": 0}, "level=0"),
    ],
)
def test_what_cannot_be_shown_is_said_in_words(fit, cells, change, more, words):
    with pytest.raises(hw.HierwidgetsError, match=words):
        poststrat_frame(fit, change(cells), **more)


def test_only_rates_are_shown(cells):
    linear = hw.lmer("x ~ 1 + (1 | g)", pd.DataFrame({"g": list("abc") * 4, "x": range(12)}))
    with pytest.raises(hw.DataError, match="must be binomial"):
        poststrat_frame(linear, cells)
