"""One redraw is one message to the page, once the page can unpack it; before, one for each mark."""

from unittest import mock

import ipywidgets
import numpy as np
import pytest

import hierwidgets as hw


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


def say_ready(dial, frames=0):
    dial._status._handle_custom_msg({"frames": frames}, [])


def redraw(dial):
    dial._guarded(dial._draw)


def test_marks_speak_for_themselves_until_a_page_listens(dial):
    sent = messages(lambda: setattr(dial, "sigma", 2.0))
    assert {msg["method"] for _, msg in sent} == {"update"}
    assert dial._estimates.pooled in [widget for widget, _ in sent]


def test_one_message_holds_every_change(dial):
    say_ready(dial)
    pooled = dial._estimates.pooled.y.copy()
    sent = messages(lambda: setattr(dial, "sigma", 2.0))
    (frame,) = [msg["content"] for _, msg in sent if msg["method"] == "custom"]
    others = {widget for widget, msg in sent if msg["method"] == "update"}
    assert others <= {dial._sigma_slider}  # what the trait is linked to
    states = frame["states"]
    assert {
        dial._estimates.pooled.model_id,
        dial._estimates.segments.model_id,
        dial._status.model_id,
    } <= set(states)
    assert states[dial._status.model_id]["text"] == dial.status
    assert states[dial._status.model_id]["frames"] == 1
    assert [dial._estimates.pooled.model_id, "y", "value"] in frame["buffer_paths"]
    assert not np.array_equal(dial._estimates.pooled.y, pooled)


def test_nothing_is_sent_when_nothing_changes(dial):
    say_ready(dial)
    redraw(dial)
    assert messages(lambda: dial._guarded(lambda: None)) == []


def test_marks_speak_again_after_a_redraw_that_failed(dial):
    say_ready(dial)
    with mock.patch.object(dial, "_draw_profile", side_effect=ValueError("no luck")):
        sent = messages(lambda: redraw(dial))
    (frame,) = [msg["content"] for _, msg in sent if msg["method"] == "custom"]
    assert "no luck" in frame["states"][dial._status.model_id]["text"]
    assert not any(widget._holding_sync for widget in dial._held)
    sent = messages(lambda: setattr(dial._here, "x", [1.0, 1.0]))
    assert [msg["method"] for _, msg in sent] == ["update"]


def test_a_page_that_missed_frames_gets_every_state(dial):
    say_ready(dial)
    dial.sigma = 2.0
    assert dial._status.frames == 1
    sent = messages(lambda: say_ready(dial, frames=1))
    assert sent == []
    sent = messages(lambda: say_ready(dial, frames=0))
    assert {widget for widget, _ in sent} >= {
        dial._estimates.pooled,
        dial._estimates.segments,
        dial._status,
    }
