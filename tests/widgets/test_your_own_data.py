"""Your own data without a browser: files, menus, problems, pictures, code, and the end."""

import numpy as np
import pandas as pd
import pytest
import traitlets
from ipywidgets import Widget

import hierwidgets as hw
from hierwidgets.widgets import (
    CompetitivenessEffect,
    PoolingComparison,
    PoolingDial,
    YourOwnData,
)

X = "district_competitiveness"


@pytest.fixture
def own():
    made = YourOwnData(hw.load("uk"), outcome="contacted", group="district_id", predictor=X)
    yield made
    made.close()


def upload(instrument, name, content):
    """What the browser sends when a file is chosen."""
    file = {"name": name, "type": "", "size": len(content), "content": memoryview(content),
            "last_modified": pd.Timestamp("2026-01-01", tz="UTC").to_pydatetime()}  # fmt: skip
    instrument.controls["Choose a file"].value = (file,)


def pick(instrument, name, text):
    menu = instrument.controls[name]
    menu.index = list(menu.options).index(text)


def test_from_a_file_to_the_pictures_and_the_code(tmp_path):
    own = YourOwnData()
    assert own.status.startswith("Choose a file: CSV, Excel, Stata or SPSS")
    upload(own, "uk.csv", hw.load("uk").to_csv(index=False).encode())
    assert own.status == (
        "756 rows and 3 columns. Choose the outcome: what you want to explain, one value in each "
        "row."
    )
    pick(own, "Outcome", "contacted")
    assert "Choose the group" in own.status
    assert own.controls["What counts"].label == "Contacted"
    pick(own, "Group", "district_id")
    pick(own, "Predictor", X)
    assert own.controls["Picture"].options[-1] == ("the effect of the predictor", "effect")
    own.controls["Fit the model"].click()
    assert own.view == "dial"
    assert isinstance(own._shown, PoolingDial)
    assert own.status.startswith("756 rows in 253 districts: μ = -3.41, σ = 0.60")
    assert own.code.splitlines()[2] == "data = hw.read('uk.csv')"
    assert own.controls["Code to take away"].value == own.code
    assert own.as_code().startswith("hw.widgets.YourOwnData('uk.csv', outcome='contacted', ")
    own.close()


def test_each_picture_takes_the_place_of_the_one_before(own):
    kinds = {"dial": PoolingDial, "comparison": PoolingComparison, "effect": CompetitivenessEffect}
    for view, kind in kinds.items():
        before = own._shown
        own.view = view
        assert type(own._shown) is kind
        assert own._below.children == (own._shown,)
        assert before is None or before.comm is None
    fit = own.fit
    own.view = "data"
    assert own._below.children == ()
    assert own.fit is fit
    own.predictor = None
    assert own.fit is None


def test_numbers_are_compared_and_have_no_dial():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"school": np.repeat(list("abcdefgh"), 10), "mark": rng.normal(size=80)})
    frame["mark"] += np.repeat(rng.normal(size=8), 10)
    own = YourOwnData(frame, outcome="mark", group="school", view="comparison")
    assert [value for _, value in own.controls["Picture"].options] == ["data", "comparison"]
    assert "mark_i" not in own._symbols.value
    assert r"\sigma_y^2" in own._symbols.value
    assert own.fit.family.name == "gaussian"
    assert own._event_menu.layout.display == "none"
    own.close()


def test_missing_values_wait_for_a_tick():
    frame = hw.load("finland")
    frame.loc[:3, "contacted"] = None
    own = YourOwnData(frame, outcome="contacted", group="district_id", view="dial")
    assert (own.view, own.fit) == ("data", None)
    assert "4 of 1,086 rows miss a value (4 in contacted)" in own.status
    own.controls["leave out rows with missing values"].value = True
    own.controls["Fit the model"].click()
    assert own.view == "dial"
    assert own.fit.nobs == 1082
    assert 'missing="drop"' in own.code
    own.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"y": "same"}, "y has one value only, same"),
        ({"y": lambda f: [f"v{i % 3}" for i in range(len(f))]}, "y has 3 values (v0, v1, v2)"),
        ({"g": range(60)}, "Each value of g has a single row"),
    ],
)
def test_what_stops_is_told_and_no_fit_is_offered(change, words):
    frame = pd.DataFrame({"g": np.repeat(list("abcdef"), 10), "y": ["u", "v"] * 30}).assign(
        **change
    )
    own = YourOwnData(frame, outcome="y", group="g")
    assert words in own.status
    assert own._status.problem
    own.controls["Fit the model"].click()
    assert (own.view, own.fit, own.code) == ("data", None, "")
    own.close()


def test_separation_is_told_in_words():
    frame = pd.DataFrame({"g": np.repeat(list("abcdef"), 10), "y": [0, 1] * 30})
    own = YourOwnData(frame.assign(x=frame["y"] * 2.0), outcome="y", group="g", predictor="x")
    own.view = "dial"
    assert "There is no fit, by separation: the predictors separate the outcomes" in own.status
    assert (own.view, own._status.problem) == ("data", True)
    own.predictor = None
    assert "separation" not in own.status
    own.close()


def test_a_singular_fit_is_shown_and_told():
    frame = pd.DataFrame({"g": np.repeat(list("abcdef"), 10), "y": [0, 1] * 30})
    own = YourOwnData(frame, outcome="y", group="g", view="dial")
    assert own.fit.singular
    assert "The spread of g is estimated as 0: a singular fit" in own.status
    assert not own._status.problem
    own.close()


def test_a_file_that_cannot_be_read_says_so(own):
    upload(own, "a.pdf", b"%PDF")
    assert "a.pdf ends in .pdf; what can be read ends in" in own.status
    assert own.frame.shape == (756, 3)  # the data before stay


def test_a_new_file_starts_anew(own):
    own.view = "dial"
    upload(own, "b.csv", b"g,y\na,1\na,0\nb,1\nb,0\n")
    assert (own.view, own.outcome, own.fit) == ("data", None, None)
    assert list(own.controls["Outcome"].options) == ["choose ...", "g", "y"]


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"outcome": "vote"}, traitlets.TraitError, "outcome must be one of"),
        ({"outcome": "contacted", "event": "Yes"}, traitlets.TraitError, "event must be one of"),
        ({"view": "map"}, traitlets.TraitError, "view must be one of"),
        ({"words": {"group": "x"}}, hw.DataError, "words knows"),
        ({"colour": 1}, TypeError, "does not know 'colour'"),
    ],
)
def test_wrong_arguments_say_what_is_allowed(keywords, error, message):
    before = len(Widget._instances) if hasattr(Widget, "_instances") else 0
    with pytest.raises(error, match=message):
        YourOwnData(hw.load("uk"), **keywords)
    assert before == (len(Widget._instances) if hasattr(Widget, "_instances") else 0)


def test_columns_need_data():
    with pytest.raises(hw.DataError, match="outcome is a column of data; give data"):
        YourOwnData(outcome="y")
    with pytest.raises(hw.DataError, match=r"no file 'none\.csv'"):
        YourOwnData("none.csv")


def test_the_still_shows_the_data_and_the_picture(own):
    alone = own.still()
    own.view = "effect"
    assert len(own.still()) > len(alone)
    assert "253 districts" in own.text_alternatives["hw-raw"]


def test_the_words_go_to_the_picture_below(own):
    made = YourOwnData(hw.load("finland"), outcome="contacted", group="district_id", view="dial",
                       words={"level": "riding", "trials": "voters"})  # fmt: skip
    assert "riding" in made._shown.controls
    assert "14 ridings" in made.status
    made.close()


def test_two_of_them_do_not_close_each_others_pictures():
    frame = hw.load("finland")
    one, two = (YourOwnData(frame, outcome="contacted", group="district_id") for _ in range(2))
    one.view, two.view = "dial", "dial"
    assert one._shown.comm is not None or one._shown._model_id is not None
    assert one._below.children == (one._shown,)
    one.close()
    two.close()
