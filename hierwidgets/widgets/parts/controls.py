"""Small front-end parts that ipywidgets lacks: a named slider, a live status line, a table.

Each is a few lines of JavaScript beside this file, loaded by anywidget. They exist because the
slider of ipywidgets 8 has no accessible name and its HTML widget cannot be a live region.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets as t
from ipywidgets.widgets.widget import _remove_buffers

__all__ = [
    "Chips", "CodeLine", "NamedSlider", "NumberBox", "ProgressBar", "StatusLine", "TextTable",
    "button", "menu", "source", "switch",
]  # fmt: skip


def source(*names: str) -> str:
    """The texts of front-end files: given a path, anywidget would keep every widget for ever."""
    folder = Path(__file__).parent / "static"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def menu(name: str, options: Sequence[Any], value: Any = None) -> ipywidgets.Dropdown:
    """A menu with its name beside it, at the first of its options if no value is given."""
    start = {"index": 0} if value is None else {"value": value}
    return ipywidgets.Dropdown(
        description=name, options=options, layout={"width": "auto"},
        style={"description_width": "initial"}, **start,
    )  # fmt: skip


def switch(name: str, on: bool) -> ipywidgets.Checkbox:
    """A box to tick, with its name."""
    return ipywidgets.Checkbox(value=on, description=name, indent=False, layout={"width": "auto"})


def button(name: str, tooltip: str) -> ipywidgets.Button:
    """A button as wide as its name."""
    return ipywidgets.Button(description=name, tooltip=tooltip, layout={"width": "auto"})


class NamedSlider(anywidget.AnyWidget):  # type: ignore[misc]
    """A labelled slider with a number box; `log` spaces its steps evenly in the logarithm."""

    _esm = source("typed.js", "named_slider.js")

    label = t.Unicode().tag(sync=True)
    value = t.Float().tag(sync=True, echo_update=False)  # an echo would cost a frame
    mover = t.Unicode().tag(sync=True, echo_update=False)  # the page that moved it last
    min = t.Float(0.0).tag(sync=True)
    max = t.Float(1.0).tag(sync=True)
    steps = t.Int(200).tag(sync=True)
    log = t.Bool(False).tag(sync=True)
    digits = t.Int(3).tag(sync=True)


class StatusLine(anywidget.AnyWidget):  # type: ignore[misc]
    """One line of text in a live region, and the text alternatives of the pictures.

    `pictures` maps the class of a figure inside the same instrument to its text alternative;
    `clickable` has the classes of those whose clicks are told, as shares of the plot.
    It also takes the states of all other widgets of the instrument to the page in one message;
    `frames` counts those messages, `listening` says that a page can unpack them, and `pages` has
    the names of those that asked.
    """

    _esm = source("axis_names.js", "status_line.js")
    _css = source("instrument.css")

    text = t.Unicode().tag(sync=True)
    problem = t.Bool(False).tag(sync=True)
    pictures = t.Dict(value_trait=t.Unicode(), key_trait=t.Unicode()).tag(sync=True)
    frames = t.Int(0).tag(sync=True)
    clickable = t.List(t.Unicode()).tag(sync=True)
    listening = False
    pages: frozenset[str] = frozenset()  # that have it open, or had it

    def send_frame(self, states: dict[str, dict[str, Any]]) -> None:
        """Send new states of several widgets, by model id, in one message."""
        if not states:
            return
        with self.hold_sync():
            self.frames += 1
            self._states_to_send.discard("frames")  # it goes with the others
        states.setdefault(self.model_id, {})["frames"] = self.frames
        bare, paths, buffers = _remove_buffers(states)
        self.send({"states": bare, "buffer_paths": paths, "frames": self.frames}, buffers)


class TextTable(anywidget.AnyWidget):  # type: ignore[misc]
    """A table of texts behind a title that opens and closes it; the first column names rows."""

    _esm = source("text_table.js")

    title = t.Unicode().tag(sync=True)
    columns = t.List(t.Unicode()).tag(sync=True)
    rows = t.List().tag(sync=True)  # of lists of texts, not looked at one by one: it takes long
    is_open = t.Bool(False).tag(sync=True)


class CodeLine(anywidget.AnyWidget):  # type: ignore[misc]
    """A button that asks for a line of code (`wanted`), shows it and copies it."""

    _esm = source("code_line.js")


class NumberBox(anywidget.AnyWidget):  # type: ignore[misc]
    """A labelled box for one number; empty is None."""

    _esm = source("typed.js", "number_box.js")

    label = t.Unicode().tag(sync=True)
    value = t.Float(None, allow_none=True).tag(sync=True)
    min = t.Float(0.0).tag(sync=True)
    max = t.Float(1.0).tag(sync=True)
    whole = t.Bool(False).tag(sync=True)


class Chips(anywidget.AnyWidget):  # type: ignore[misc]
    """Buttons that open and close a text each; `opened` holds the places of the open ones."""

    _esm = source("chips.js")

    label = t.Unicode().tag(sync=True)
    names = t.List(t.Unicode()).tag(sync=True)
    texts = t.List(t.Unicode()).tag(sync=True)
    opened = t.List(t.Int()).tag(sync=True)


class ProgressBar(anywidget.AnyWidget):  # type: ignore[misc]
    """How much is done, as a bar and in words: "120 of 500 repetitions"."""

    _esm = source("progress_bar.js")
    _css = source("progress_bar.css")

    label = t.Unicode().tag(sync=True)
    unit = t.Unicode().tag(sync=True)
    done = t.Int(0).tag(sync=True)
    total = t.Int(1).tag(sync=True)
