"""What every instrument can do: write itself as code, stand still without a kernel, be freed.

No browser: the code is run again and must give the same state; the still is read as HTML and its
picture's points are those of the marks.
"""

import inspect
import io
import re
from base64 import b64decode
from collections.abc import Callable
from html.parser import HTMLParser
from types import SimpleNamespace

import bqplot
import matplotlib.image
import nbformat
import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances
from support.colours import CONES, GROUNDS, apart, contrast
from support.maps import each_map_once
from support.page import ask_for_code, click, listen, part, status_line

import hierwidgets as hw
from hierwidgets.course import notebooks
from hierwidgets.course.models import REGIONS
from hierwidgets.course.studies import regions
from hierwidgets.widgets import PoolingDial
from hierwidgets.widgets.parts import instrument as base
from hierwidgets.widgets.parts import still as stills
from hierwidgets.widgets.parts.controls import CodeLine
from hierwidgets.widgets.parts.instrument import Instrument

VIEW = "application/vnd.jupyter.widget-view+json"
INTERCEPT = "contacted ~ 1 + (1 | district_id)"


@pytest.fixture(scope="module")
def given():
    """What a notebook has: data and fits under names of their own."""
    finland, uk = hw.load("finland"), hw.load("uk")
    return {
        "hw": hw,
        "chains": hw.widgets.stuck_chains(),
        "finland": finland,
        "uk": uk,
        "one": hw.glmer(INTERCEPT, finland, event="Contacted"),
        "slopes": hw.glmer(REGIONS, regions.survey(regions=12)[0]),
        "post": hw.load_posterior("finland"),
        "two": hw.glmer(INTERCEPT, uk, event="Contacted"),
        "cells": uk[["district_id", "district_competitiveness"]]
        .drop_duplicates()
        .assign(n=range(1, 254), close=lambda d: d["district_competitiveness"] > 0.7),
        "close": hw.glmer(
            "contacted ~ close + (1 | district_id)",
            uk.assign(close=uk["district_competitiveness"] > 0.7),
            event="Contacted",
        ),
        "line": hw.glmer(
            "contacted ~ district_competitiveness + (1 | district_id)", uk, event="Contacted"
        ),
    }


@pytest.fixture(scope="module", autouse=True)
def one_map():
    with each_map_once():
        yield


# For each class a call, and a change of state that a student would make.
CASES = {
    "BoundaryExplorer": (
        "hw.widgets.BoundaryExplorer(slopes, seed=4)",
        lambda w: w.set_trait("penalty", "Wishart"),
    ),
    "ChainClinic": ("hw.widgets.ChainClinic(chains)", lambda w: w.set_trait("parameter", "slow")),
    "CompetitivenessEffect": (
        'hw.widgets.CompetitivenessEffect(line, "district_competitiveness")',
        lambda w: w.set_trait("high", 0.7),
    ),
    "DistrictStrip": (
        'hw.widgets.DistrictStrip(finland, "contacted", "district_id", "Contacted", sort="n")',
        lambda w: w.set_trait("method", "wilson"),
    ),
    "GenerativeLadder": (
        "hw.widgets.GenerativeLadder()",
        lambda w: w.set_trait("corr", -0.5),
    ),
    "Guess309": (
        "hw.widgets.Guess309(finland, outcome='contacted', group='district_id', event='Contacted')",
        lambda w: w.set_trait("guess", 0.31),
    ),
    "IntegralLens": ("hw.widgets.IntegralLens(one)", lambda w: w.set_trait("nodes", 5)),
    "PoolingComparison": (
        'hw.widgets.PoolingComparison({"Finland": one, "UK": two})',
        lambda w: w.set_trait("shown", "UK"),
    ),
    "PoolingDial": ("hw.widgets.PoolingDial(one)", lambda w: w.set_trait("sigma", 1.25)),
    "Poststrat": (
        "hw.widgets.Poststrat(close, cells)",
        lambda w: w.set_trait("shares", (0.25, 0.75)),
    ),
    "PriorDial": ("hw.widgets.PriorDial(post)", lambda w: w.set_trait("sd_scale", 0.5)),
    "PriorTimesLikelihood": (
        "hw.widgets.PriorTimesLikelihood(one)",
        lambda w: w.set_trait("multiplier", 4.0),
    ),
    "RecoveryLab": ("hw.widgets.RecoveryLab(seed=4)", lambda w: w.set_trait("sigma", 0.6)),
    "SlopeShrinkage": ("hw.widgets.SlopeShrinkage(slopes)", lambda w: w.set_trait("corr", 0.2)),
    "YourOwnData": (
        'hw.widgets.YourOwnData(uk, outcome="contacted", group="district_id", view="dial")',
        lambda w: w.set_trait("view", "comparison"),
    ),
}


def instruments() -> list[str]:
    """Every public instrument."""
    found = [getattr(hw.widgets, name) for name in hw.widgets.__all__]
    return [c.__name__ for c in found if isinstance(c, type) and issubclass(c, Instrument)]


@pytest.fixture
def make(given):
    made = []

    def make_one(name: str) -> Instrument:
        made.append(eval(CASES[name][0], dict(given)))
        return made[-1]

    yield make_one
    for instrument in made:
        instrument.close()


def test_every_instrument_is_tried() -> None:
    assert sorted(CASES) == sorted(instruments())


every = pytest.mark.parametrize("name", instruments())
Make = Callable[[str], Instrument]


@every
def test_tables_hold_texts(make: Make, name: str) -> None:
    """As many in each row as there are columns: the table does not look at them one by one."""
    instrument = make(name)
    CASES[name][1](instrument)
    table = instrument.table
    table.is_open = True
    assert all(isinstance(text, str) for row in table.rows for text in row)
    assert {len(row) for row in table.rows} <= {len(table.columns)}


# --- as code ------------------------------------------------------------------------------------


def state(instrument: Instrument) -> dict[str, object]:
    return {name: getattr(instrument, name) for name in instrument.state_names}


@every
def test_every_part_of_the_state_is_a_keyword(name: str) -> None:
    cls = getattr(hw.widgets, name)
    assert set(cls.state_names) <= set(inspect.signature(cls.__init__).parameters)


@every
def test_the_code_makes_the_same_state_again(make: Make, given, name: str, monkeypatch) -> None:
    monkeypatch.setattr(base, "variable", lambda value: named(given, value))
    instrument = make(name)
    CASES[name][1](instrument)
    again = eval(instrument.as_code(), dict(given))
    try:
        assert state(again) == state(instrument)
        assert again.as_code() == instrument.as_code()
    finally:
        again.close()


def named(given: dict[str, object], value: object) -> str | None:
    return next((name for name, held in given.items() if held is value), None)


def test_the_code_is_short_and_follows(make: Make) -> None:
    dial = make("PoolingDial")
    assert dial.as_code() == "hw.widgets.PoolingDial(fit)"
    dial.set_trait("sigma", 0.31)
    dial.set_trait("selected", "District 309")
    assert dial.as_code() == "hw.widgets.PoolingDial(fit, sigma=0.31, selected='District 309')"
    dial.set_trait("imagined", (3, 9))
    assert dial.as_code().endswith("imagined=(3.0, 9.0))")


def test_data_go_by_the_notebooks_name_for_them(make: Make, given, monkeypatch) -> None:
    names = {"_": given["one"], "_3": given["one"], "my_fit": given["one"]}
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(user_ns=names))
    assert make("PoolingDial").as_code() == "hw.widgets.PoolingDial(my_fit)"


def test_the_button_gets_the_code(make: Make, monkeypatch) -> None:
    dial, sent = make("PoolingDial"), []
    monkeypatch.setattr(part(dial, CodeLine), "send", sent.append)
    ask_for_code(dial)
    assert sent == [{"code": dial.as_code()}]


# --- without a kernel ---------------------------------------------------------------------------


class Reader(HTMLParser):
    """The texts, the images and the table of a still."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.rows: list[list[str]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.images.append(dict(attrs))
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_data(self, data):
        self.texts.append(data)
        if self.lasttag in ("th", "td"):
            self.rows[-1][-1] += data.strip()


@every
def test_a_still_has_words_picture_and_table(make: Make, name: str) -> None:
    instrument = make(name)
    CASES[name][1](instrument)
    bundle = instrument._repr_mimebundle_()
    assert bundle["text/plain"] == repr(instrument)
    assert bundle[VIEW]["model_id"] == instrument.model_id
    still = Reader(bundle["text/html"])
    assert instrument.status in still.texts
    assert not any("could not be drawn" in text for text in still.texts)
    (image,) = still.images
    assert image["alt"] == " ".join(instrument.text_alternatives.values())
    data = re.fullmatch("data:image/png;base64,(.*)", str(image["src"]))
    assert data
    height, width = matplotlib.image.imread(io.BytesIO(b64decode(data[1]))).shape[:2]
    assert width >= 700
    assert height >= 150
    assert still.rows == ([list(instrument.table.columns), *instrument.table.rows]
                          if instrument.table.rows else [])  # fmt: skip
    assert not instrument.table.is_open


@every
def test_a_still_is_the_same_each_time(make: Make, name: str) -> None:
    assert make(name).still() == make(name).still()


def test_the_stills_table_is_that_of_the_present_state(make: Make) -> None:
    dial = make("PoolingDial")
    first = Reader(dial.still()).rows
    dial.set_trait("sigma", 2.0)
    assert dial.table.rows == first[1:]  # a closed table waits
    assert Reader(dial.still()).rows != first


def test_the_picture_has_the_marks_points(make: Make) -> None:
    dial = make("PoolingDial")
    axes = dial.picture().axes
    upper = next(a for a in axes if a.get_ylabel() == "share contacted")
    raw = next(c for c in upper.collections if len(c.get_offsets()) == 14)
    np.testing.assert_allclose(raw.get_offsets()[:, 1], dial.estimates.raw.y)
    assert upper.get_xlim() == (dial.estimates.place.min, dial.estimates.place.max)
    assert [text.get_text() for text in upper.get_xticklabels()][-1] == "District 309"
    key = next(a for a in axes if a.texts)
    names = [text.get_text() for text in key.texts]
    assert names[:2] == ["no pooling: raw rate", "partial pooling"]


def test_figures_that_are_not_shown_are_left_out(make: Make) -> None:
    dial = make("PoolingDial")
    assert [len(row) for row in stills.figure_rows(dial)] == [1, 2]
    dial.weights.figure.layout.display = "none"
    assert [len(row) for row in stills.figure_rows(dial)] == [1, 1]


def test_a_picture_that_fails_leaves_words_and_table(make: Make, monkeypatch) -> None:
    dial = make("PoolingDial")

    def fail():
        raise ValueError("no luck")

    monkeypatch.setattr(dial, "picture", fail)
    still = Reader(dial.still())
    assert any("could not be drawn: no luck" in text for text in still.texts)
    assert still.images == []
    assert len(still.rows) == 15


def test_cleaning_keeps_the_still_and_drops_the_view() -> None:
    def output(**data):
        return nbformat.v4.new_output("display_data", data)

    still = output(**{"text/html": "<div>still</div>", "text/plain": "PoolingDial()", VIEW: {}})
    bare = output(**{"text/plain": "Bar()", VIEW: {"model_id": "abc"}})
    cell = nbformat.v4.new_code_cell("1", outputs=[still, bare])
    notebooks.clean(nbformat.v4.new_notebook(cells=[cell]))
    assert set(cell.outputs[0].data) == {"text/html", "text/plain"}
    assert cell.outputs[1].data[VIEW] == {"model_id": f"{1:032x}"}


def test_cleaning_drops_the_view_that_follows_its_still(make: Make) -> None:
    still, view = (
        nbformat.v4.new_output("display_data", data)
        for data in ({"text/html": make("Guess309").still()}, {VIEW: {"model_id": "abc"}})
    )
    printed = nbformat.v4.new_output("stream", text="1")
    cell = nbformat.v4.new_code_cell("1", outputs=[view, still, view, printed, view])
    notebooks.clean(nbformat.v4.new_notebook(cells=[cell]))
    assert [list(output.get("data", {})) for output in cell.outputs] == [
        [VIEW], ["text/html"], [], [VIEW]
    ]  # fmt: skip


def test_a_display_is_a_still_and_then_the_instrument(make: Make, monkeypatch) -> None:
    shown = []
    about = []

    def display(data, raw, metadata):
        shown.append(data)
        about.append(metadata)

    monkeypatch.setattr("IPython.display.display", display)
    game = make("Guess309")
    game._ipython_display_()
    words = " ".join(game.text_alternatives.values())
    assert about == [{"image/png": {"alt": words}}, {}]
    assert [set(data) for data in shown] == [{"text/plain", "text/html", "image/png"}, {VIEW}]
    assert b64decode(shown[0]["image/png"]).startswith(b"\x89PNG")
    assert shown[1][VIEW]["model_id"] == game.model_id


# --- colours --------------------------------------------------------------------------------------


def looks(mark: bqplot.Mark) -> tuple[object, ...]:
    """What tells a mark from others without colour: its kind, and its dashes or shape."""
    if isinstance(mark, bqplot.Scatter):
        return "points", mark.marker, mark.fill, mark.default_size > 150
    width = int(np.digitize(mark.stroke_width, [1.2, 2.0, 3.0]))  # hair, thin, line, thick
    return "line", mark.line_style, mark.marker, mark.fill, width


@every
def test_no_two_marks_are_told_apart_by_colour_alone(make: Make, name: str) -> None:
    instrument = make(name)
    CASES[name][1](instrument)
    for figure in instrument.figures.values():
        drawn = [mark for mark in figure.marks
                 if isinstance(mark, bqplot.Lines | bqplot.Scatter) and mark.visible]  # fmt: skip
        for i, one in enumerate(drawn):
            for other in drawn[:i]:
                if one.colors[0] == other.colors[0] or looks(one) != looks(other):
                    continue
                for missing in CONES:
                    far = apart(one.colors[0], other.colors[0], missing)
                    assert far > 20, (looks(one), one.colors[0], other.colors[0], missing)


@every
@pytest.mark.parametrize("ground", GROUNDS)
def test_every_mark_stands_out_in_both_themes(make: Make, name: str, ground: str) -> None:
    for figure in make(name).figures.values():
        for mark in figure.marks:
            if isinstance(mark, bqplot.Lines | bqplot.Scatter):
                assert contrast(mark.colors[0], GROUNDS[ground]) >= 3, mark


# --- the end ------------------------------------------------------------------------------------


@every
def test_closing_frees_every_widget_and_what_was_given(given, name: str) -> None:
    before = set(_instances)
    instrument = eval(CASES[name][0], dict(given))
    instrument.still()
    instrument.close()
    assert set(_instances) == before
    assert instrument._arguments == {}


def test_a_page_that_missed_a_message_can_tell(make: Make, monkeypatch) -> None:
    dial, sent = make("PoolingDial"), []
    listen(dial)
    monkeypatch.setattr(status_line(dial), "send", lambda content, buffers: sent.append(content))
    dial.set_trait("sigma", 1.0)
    dial.set_trait("sigma", 2.0)
    assert [content["frames"] for content in sent] == [1, 2]


def test_places_are_told_only_where_they_are_asked_for(make: Make) -> None:
    dial = make("PoolingDial")
    assert status_line(dial).clickable == ["hw-estimates", "hw-weights"]
    click(dial, "hw-profile", 0.5, 0.5)
    assert dial.selected is None


def test_wrong_keywords_leave_the_error_to_the_constructor(given) -> None:
    with pytest.raises(TypeError, match="does not know 'colour'"):
        PoolingDial(given["one"], colour="red")
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        PoolingDial()
