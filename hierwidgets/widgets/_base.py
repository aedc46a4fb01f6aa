"""What all instruments share: traits on a `VBox`, a status line, a table, a clean end.

An instrument is a thin view. Its numbers come from a pure function that returns a frame; the
class binds traits to marks and changes the marks in place. A subclass

- declares its state as plain traits and names them in `state_names`,
- builds its private children once and hands them to `_assemble`,
- redraws in one method that `_redraw_on` calls whenever a named trait changes.

Errors while redrawing show in the status line, where a student looks, not in a log.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import ipywidgets
import numpy as np
import traitlets

from ._parts import StatusLine, TextTable

__all__ = ["Instrument", "owned_widgets"]


class Instrument(ipywidgets.VBox):  # type: ignore[misc]
    """A box of figures and controls with a status line and a table of its numbers."""

    state_names: ClassVar[tuple[str, ...]] = ()

    _links: tuple[traitlets.link, ...] = ()
    _held: tuple[ipywidgets.Widget, ...] = ()
    _holding = False

    def __init__(self, **unknown: object) -> None:
        if unknown:
            raise TypeError(_unknown_keywords(type(self).__name__, unknown, self.state_names))
        self._status, self._table = StatusLine(), TextTable()
        super().__init__(children=(self._status, self._table))
        self.add_class("hw-instrument")
        self.add_class(f"hw-{type(self).__name__}")

    @property
    def status(self) -> str:
        """The text of the status line."""
        return str(self._status.text)

    def _assemble(self, *parts: ipywidgets.DOMWidget, width: str) -> None:
        self.layout.width, self.layout.max_width = width, "100%"
        self.children = (*parts, self._status, self._table)
        self._held = tuple(owned_widgets(self))
        self._status.on_msg(lambda _, message, buffers: self._front_end_is_there(message))

    def _start_at(self, **state: object) -> None:
        """Set the traits a constructor was given; a wrong value leaves no widget behind."""
        try:
            for name, value in state.items():
                if value is not None:
                    setattr(self, name, value)
        except Exception:
            self.close()
            raise

    def _bind(self, name: str, control: traitlets.HasTraits, trait: str = "value") -> None:
        """Keep the trait `name` of the instrument and a trait of a control equal."""
        self._links = (*self._links, traitlets.link((self, name), (control, trait)))

    def _redraw_on(self, redraw: Callable[[], None], *names: str) -> None:
        """Call `redraw` when one of the traits changes; its errors go to the status line."""
        self.observe(lambda change: self._guarded(redraw), names=list(names))

    def _on_place(self, name: str, action: Callable[[float, float], None]) -> None:
        """Call `action` with the place of a click in the plot of the figure of that class.

        The place is a share of the plot's width, from the left, and of its height, from below.
        """

        def answer(_: object, message: dict[str, Any], buffers: object) -> None:
            if message.get("place") == name:
                self._guarded(lambda: action(float(message["x"]), float(message["y"])))

        self._status.on_msg(answer)
        self._status.clickable = [*self._status.clickable, name]

    def _guarded(self, action: Callable[[], None]) -> None:
        with self._one_message():
            try:
                action()
            except Exception as error:  # whatever it is, the student has to see it
                self._status.problem = True
                self._status.text = f"This could not be drawn: {error}"

    @contextmanager
    def _one_message(self) -> Iterator[None]:
        """Send what changes inside the block as one message, so that one frame shows it all.

        Marks of bqplot send a message each, and the browser paints between them. Until the
        status line's front end has said that it can unpack such a message, each goes by itself.
        """
        if self._holding or not self._status.listening:
            yield
            return
        self._holding = True
        for widget in self._held:
            widget._holding_sync = True
        try:
            yield
        finally:
            self._holding = False
            changed = {}
            for widget in self._held:
                widget._holding_sync = False
                if widget._states_to_send and widget.comm is not None:
                    changed[widget.model_id] = widget.get_state(list(widget._states_to_send))
                widget._states_to_send.clear()
            self._status.send_frame(changed)

    def _front_end_is_there(self, message: dict[str, Any]) -> None:
        """A page can unpack frames from now on; what was sent while it was loading is repeated."""
        if "frames" not in message:
            return
        self._status.listening = True
        if message["frames"] != self._status.frames:
            for widget in self._held:
                widget.send_state()

    def _say(self, text: str, **pictures: str) -> None:
        """Set the status line and the text alternative of each figure, by the figure's class."""
        with self._status.hold_sync():
            self._status.problem = False
            self._status.text = text
            self._status.pictures = {n.replace("_", "-"): text for n, text in pictures.items()}

    def close(self) -> None:
        """Free the front end's and the kernel's memory: links, observers and all children."""
        for link in self._links:
            link.unlink()
        self._links = ()
        for widget in list(owned_widgets(self)):
            widget.unobserve_all()
            ipywidgets.Widget.close(widget)

    def __repr__(self) -> str:
        state = (f"{name}={_short(getattr(self, name))}" for name in self.state_names)
        return f"{type(self).__name__}({', '.join(state)})"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return {"text/plain": repr(self), "application/vnd.jupyter.widget-view+json": view}


def owned_widgets(widget: ipywidgets.Widget) -> Iterator[ipywidgets.Widget]:
    """The widget itself and every widget its synchronised traits hold, each once."""
    seen: dict[int, ipywidgets.Widget] = {}
    waiting = [widget]
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen[id(found)] = found
        for name in found.keys:
            waiting.extend(_widgets_in(getattr(found, name)))
    yield from seen.values()


def _widgets_in(value: object) -> Iterator[ipywidgets.Widget]:
    if isinstance(value, ipywidgets.Widget):
        yield value
    elif isinstance(value, dict):
        yield from _widgets_in(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _widgets_in(item)


def _short(value: object) -> str:
    """Three significant digits: the text must not depend on the last bits of a fit."""
    if isinstance(value, float | np.floating):
        return f"{value:.3g}"
    return repr(value)


def _unknown_keywords(name: str, unknown: Iterable[str], allowed: tuple[str, ...]) -> str:
    given = ", ".join(repr(keyword) for keyword in unknown)
    return f"{name} does not know {given}; its keywords are {', '.join(allowed)}"
