"""Recordings against the instruments they were made from.

At a recorded place words and choices are the instrument's own, letter by letter, and every mark is
within an eighth of a pixel of where it is, long curves within a quarter: `SHARE` units a pixel,
or `COARSER` ones, rounded. Between the recorded
positions of a lattice marks are within half a pixel, and numbers in words within two units of
their last printed digit: the bounds that `record` refuses to break, tried here at other places.
"""

import importlib

import numpy as np
import pytest

import hierwidgets as hw
from hierwidgets.errors import DataError
from hierwidgets.widgets.parts.controls import NamedSlider
from hierwidgets.widgets.recording import axes as positions
from hierwidgets.widgets.recording.capture import at_rest, moved
from hierwidgets.widgets.recording.check import truth
from hierwidgets.widgets.recording.pixels import SHARE
from hierwidgets.widgets.recording.plans import plan_of
from hierwidgets.widgets.recording.replay import Replay, weights
from hierwidgets.widgets.recording.tracks import COARSER, as_text

recording = importlib.import_module("hierwidgets.widgets.recording.record")
ROUNDED_CURVE = 0.5 * COARSER / SHARE + 1e-3
ROUNDED = 0.5 / SHARE + 1e-3  # pixels; the last for a base that is kept to a thousandth of a unit


@pytest.fixture(scope="module")
def finland():
    return hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")


@pytest.fixture
def few_steps(monkeypatch):
    """A tenth of the steps of long sliders, μ's lattice apart: no proof rests on their number."""
    whole = positions.slider_values

    def fewer(slider):
        values = whole(slider)
        thin = len(values) > 40 and not slider.label.startswith("μ")
        return (*values[:-1:10], values[-1]) if thin else values

    monkeypatch.setattr(positions, "slider_values", fewer)


def make(name, finland):
    made = {
        "PoolingDial": lambda: hw.widgets.PoolingDial(finland, selected="District 309"),
        "PriorTimesLikelihood": lambda: hw.widgets.PriorTimesLikelihood(
            finland, "District 309", scale="logit"
        ),
        "PoolingComparison": lambda: hw.widgets.PoolingComparison(finland),
        "DistrictStrip": lambda: hw.widgets.DistrictStrip(
            hw.load("finland"), "contacted", "district_id", "Contacted"
        ),
        "Guess309": hw.widgets.Guess309,
        "ChainClinic": lambda: hw.widgets.ChainClinic(hw.widgets.printed_summary()),
    }
    return made[name]()


@pytest.mark.parametrize(
    "name",
    ["PoolingDial", "PriorTimesLikelihood", "PoolingComparison", "DistrictStrip", "Guess309",
     "ChainClinic"],
)  # fmt: skip
def test_a_recorded_place_is_what_the_instrument_shows(name, finland, few_steps):
    shown = make(name, finland)
    replay = Replay(recording.record(shown).to_bytes())
    plan, names = plan_of(shown), recording.names_of(shown)
    nodes = [axis["nodes"] for axis in replay.header["axes"]]
    rng = np.random.default_rng(5)
    tried = [tuple(int(rng.choice(places)) for places in nodes) for _ in range(25)]
    places = [place for place in tried if plan.possible(place)]
    with at_rest(shown):
        seen = moved(shown, plan, places)
    tracks = {(track["model"], track["trait"]): track for track in replay.header["tracks"]}
    assert seen.changed
    for i, place in enumerate(places):
        frame = replay.frame(place)
        for (widget, trait), values in seen.changed.items():
            if seen.hidden(widget, i):
                continue
            key = names[widget], trait
            compare(tracks[key], frame[key], (widget, trait), values[i])
    shown.close()


def compare(track, told, key, value):
    if track["kind"] == "text":
        assert told == as_text(key, value)
        return
    one, other = np.atleast_1d(told), np.atleast_1d(np.asarray(value, dtype=float))
    assert one.shape == other.shape
    assert np.array_equal(np.isnan(one), np.isnan(other))
    if track["log"]:
        one, other = np.log10(one), np.log10(other)
    assert np.nanmax(np.abs(one - other), initial=0.0) / track["pixel"] <= (
        ROUNDED_CURVE if "wide" in track else ROUNDED
    )


def test_between_recorded_places_the_dial_is_within_its_bounds(finland, few_steps):
    dial = hw.widgets.PoolingDial(finland)
    made = recording.record(dial)
    assert any(len(axis["nodes"]) < len(axis["values"]) for axis in made.header["axes"])
    with at_rest(dial):
        found = truth(
            dial, plan_of(dial), made.to_bytes(), recording.names_of(dial), tried=400, seed=7
        )
    assert found.pixels <= recording.MOST_PIXELS
    assert found.digits <= recording.MOST_DIGITS
    dial.close()


def test_a_marker_on_its_way_out_of_sight_is_within_the_bound(finland, few_steps, monkeypatch):
    """It rests on recorded positions of one side alone there, whose rounding grows on the way."""
    monkeypatch.setattr(recording, "TRIED", 1)
    dial = hw.widgets.PoolingDial(finland, selected="District 309")
    replay = Replay(recording.record(dial).to_bytes())
    plan, names = plan_of(dial), recording.names_of(dial)
    edges = [one["edge"] is not None for one in replay.header["series"]]
    held = [
        track
        for track in replay.header["tracks"]
        if track["kind"] == "array" and any(edges[k] for k in track["series"] if k >= 0)
    ]
    assert held
    sigma, mu = (range(len(axis.values)) for axis in plan.axes)
    places = [(s, m) for s in sigma[::7] for m in mu]
    with at_rest(dial):
        seen = moved(dial, plan, places)
    shown = {(names[w], trait): values for (w, trait), values in seen.changed.items()}
    for track in held:
        for place, value in zip(places, shown[track["model"], track["trait"]], strict=True):
            apart = np.abs(replay._value(track, place) - value).max() / track["pixel"]
            assert apart <= recording.MOST_PIXELS, place
    dial.close()


def test_a_lattice_too_wide_is_refused(finland, few_steps, monkeypatch):
    monkeypatch.setattr(recording, "MOST_PIXELS", 1e-9)
    monkeypatch.setattr(recording, "FINEST_STRIDE", 11)  # one finer one is tried
    monkeypatch.setattr(recording, "TRIED", 20)
    dial = hw.widgets.PoolingDial(finland)
    with pytest.raises(DataError, match="off by"):
        recording.record(dial)
    dial.close()


def test_an_instrument_without_a_plan_is_not_recorded():
    clinic = hw.widgets.RecoveryLab(n=25, J=10, reps=20)
    assert recording.record(clinic) is None
    clinic.close()


def test_recording_leaves_the_instrument_as_it_was(finland, few_steps):
    shown = hw.widgets.PriorTimesLikelihood(finland, "District 309")
    before = repr(shown), shown.status, shown.table.is_open
    first = recording.record(shown).to_bytes()
    assert (repr(shown), shown.status, shown.table.is_open) == before
    shown.close()
    again = hw.widgets.PriorTimesLikelihood(finland, "District 309")
    assert recording.record(again).to_bytes() == first
    again.close()


@pytest.mark.parametrize("degree", range(6))
def test_six_positions_carry_a_polynomial_of_degree_five(degree):
    """Lagrange's formula is exact for it; the tolerance is that of floats."""
    along = np.sort(np.random.default_rng(1).uniform(-1, 1, 60))
    nodes = np.arange(0, 60, 7)
    for at in (1, 12, 33, 55):
        told = sum(s * along[u] ** degree for s, u in weights(along, nodes, nodes, at))
        assert told == pytest.approx(along[at] ** degree, rel=1e-9, abs=1e-9)


def test_a_slider_has_the_values_its_front_end_gives():
    """Those of named_slider.js: a power of the share, rounded, and both ends as they are."""
    slider = NamedSlider(label="s", value=0.01, min=0.01, max=5, log=True, steps=800)
    values = positions.slider_values(slider)
    assert values[0] == 0.01
    assert values[-1] == 5
    assert round(0.01 * 500**0.5, 3) in values
    assert max(len(f"{v:.10f}".rstrip("0").partition(".")[2]) for v in values) <= 3
    slider.close()
