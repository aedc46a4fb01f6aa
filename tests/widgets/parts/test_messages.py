"""One redraw is one message to the page, once the page can unpack it; before, one for each mark."""

from unittest import mock

import ipywidgets
import numpy as np
import pytest
from support.page import click, listen, status_line

import hierwidgets as hw
from hierwidgets.widgets.parts.instrument import owned_widgets


@pytest.fixture
def dial():
    fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")
    dial = hw.widgets.PoolingDial(fit)
    yield dial
    dial.close()


def messages(action):
    """What widgets send while `action` runs: pairs of a widget and its message."""
    sent = []

    def send(widget, msg, buffers=None):
        sent.append((widget, msg))

    with mock.patch.object(ipywidgets.Widget, "_send", send):
        action()
    return sent


def test_marks_speak_for_themselves_until_a_page_listens(dial):
    sent = messages(lambda: setattr(dial, "sigma", 2.0))
    assert {msg["method"] for _, msg in sent} == {"update"}
    assert dial.estimates.pooled in [widget for widget, _ in sent]


def test_one_message_holds_every_change(dial):
    listen(dial)
    pooled = dial.estimates.pooled.y.copy()
    sent = messages(lambda: setattr(dial, "sigma", 2.0))
    (frame,) = [msg["content"] for _, msg in sent if msg["method"] == "custom"]
    others = {widget for widget, msg in sent if msg["method"] == "update"}
    assert others <= {dial.controls["σ, spread"]}  # what the trait is linked to
    states = frame["states"]
    assert {
        dial.estimates.pooled.model_id,
        dial.estimates.segments.model_id,
        status_line(dial).model_id,
    } <= set(states)
    assert states[status_line(dial).model_id]["text"] == dial.status
    assert states[status_line(dial).model_id]["frames"] == 1
    assert [dial.estimates.pooled.model_id, "y", "value"] in frame["buffer_paths"]
    assert not np.array_equal(dial.estimates.pooled.y, pooled)


def test_nothing_is_sent_when_nothing_changes(dial):
    listen(dial)
    dial.sigma = 2.0
    assert messages(lambda: click(dial, "hw-estimates", 0.5, 0.999)) == []  # nothing is near


def test_marks_speak_again_after_a_redraw_that_failed(dial):
    listen(dial)
    with mock.patch.object(dial.profile, "show", side_effect=ValueError("no luck")):
        sent = messages(lambda: setattr(dial, "sigma", 2.0))
    (frame,) = [msg["content"] for _, msg in sent if msg["method"] == "custom"]
    assert "no luck" in frame["states"][status_line(dial).model_id]["text"]
    assert not any(widget._holding_sync for widget in owned_widgets(dial))
    sent = messages(lambda: setattr(dial.profile.here, "x", [1.0, 1.0]))
    assert [msg["method"] for _, msg in sent] == ["update"]


def test_a_page_that_missed_frames_gets_every_state(dial):
    listen(dial)
    dial.sigma = 2.0
    assert status_line(dial).frames == 1
    sent = messages(lambda: listen(dial, frames=1))
    assert [msg["content"] for _, msg in sent] == [{"answer": dial.status}]
    (_, frame), _ = messages(lambda: listen(dial, frames=0))
    every = {dial.estimates.pooled, dial.estimates.segments, status_line(dial)}
    assert set(frame["content"]["states"]) >= {widget.model_id for widget in every}


def test_a_page_with_another_text_gets_every_state(dial):
    asked = {"frames": 0, "text": "", "page": "one"}
    sent = messages(lambda: status_line(dial)._handle_custom_msg(asked, []))
    (_, frame), (_, last) = sent
    states = frame["content"]["states"]
    assert {dial.estimates.pooled.model_id, status_line(dial).model_id} <= set(states)
    assert last["content"] == {"answer": dial.status}


def test_what_is_repeated_says_who_moved_a_slider(dial):
    """A page that has moved it, and stands further on by now, leaves that value out."""
    slider = dial.controls["σ, spread"]
    slider.set_state({"value": 2.0, "mover": "one"})
    asked = {"frames": 0, "text": "", "page": "one"}
    sent = messages(lambda: status_line(dial)._handle_custom_msg(asked, []))
    assert [msg["method"] for widget, msg in sent if widget is slider] == []
    state = sent[0][1]["content"]["states"][slider.model_id]
    assert (state["value"], state["mover"]) == (2.0, "one")


def test_a_slider_moved_on_one_page_moves_on_the_others(dial):
    slider = dial.controls["σ, spread"]

    def moved(to):
        sent = messages(lambda: slider.set_state({"value": to, "mover": "one"}))
        states = [msg["content"]["states"] for _, msg in sent if msg["method"] == "custom"]
        return [state[slider.model_id] for state in states if slider.model_id in state]

    for page, echoed in (("one", []), ("two", [{"value": 2.0, "mover": "one"}])):
        asked = {"frames": status_line(dial).frames, "text": dial.status, "page": page}
        status_line(dial)._handle_custom_msg(asked, [])
        assert moved(2.0 if echoed else 1.0) == echoed
    assert dial.sigma == 2.0
