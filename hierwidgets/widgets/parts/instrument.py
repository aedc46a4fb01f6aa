"""What all instruments share: traits on a `VBox`, a status line, a table, a clean end.

An instrument is a thin view. Its numbers come from a pure function that returns a frame; the
class binds traits to marks and changes the marks in place. A subclass

- declares its state as plain traits and names them in `state_names`,
- builds its private children once and hands them to `_assemble`,
- redraws in one method that `_redraw_on` calls whenever a named trait changes.

Errors while redrawing show in the status line, where a student looks, not in a log.

Two things come by themselves. `as_code` writes the call that makes the instrument as it stands:
every name in `state_names` is a keyword of the constructor. And where there is no kernel, a
still stands in for the instrument, of `picture`, the status line and the table; a subclass whose
figures are not all bqplot's Lines, Scatter and Label has its own `picture`.

What a student sees and operates has public names, for tests and for whoever looks closer:
`status`, `text_alternatives`, `table`, `controls` and `figures`. A panel is an attribute named
after its picture, and its marks are attributes of the panel.
"""

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import bqplot
import ipywidgets
import numpy as np
import traitlets

from hierwidgets.errors import DataError, HierwidgetsError
from hierwidgets.widgets.numbers.words import Words

from . import reruns
from .controls import CodeLine, NamedSlider, StatusLine, TextTable
from .later import Later
from .layout import Shown, bench
from .still import draw, encoded, figure_rows, html, legends

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Instrument", "StateError", "given", "owned_widgets", "variable"]

_VIEW = "application/vnd.jupyter.widget-view+json"
_KINDS = {
    "a float": "a number", "an int": "a whole number", "a unicode string": "a text",
    "a boolean": "True or False",
}  # fmt: skip


class StateError(DataError, traitlets.TraitError):  # type: ignore[misc]
    """A value that a part of an instrument's state cannot have."""


class Instrument(ipywidgets.VBox):  # type: ignore[misc]
    """A box of figures and controls with a status line and a table of its numbers."""

    state_names: ClassVar[tuple[str, ...]] = ()

    _links: tuple[traitlets.link, ...] = ()
    _held: tuple[ipywidgets.Widget, ...] = ()
    _holding = False
    _put_off: tuple[Later, ...] = ()
    _arguments: Mapping[str, Any] = {}
    _at_start: Mapping[str, Any] = {}

    def __new__(cls, *args: Any, **keywords: Any) -> "Instrument":
        made = super().__new__(cls, *args, **keywords)
        try:
            bound = inspect.signature(cls.__init__).bind(made, *args, **keywords)
        except TypeError:
            return made  # __init__ says what is wrong
        made._arguments = dict(list(bound.arguments.items())[1:])
        return made

    def __setattr__(self, name: str, value: object) -> None:
        if name not in self.state_names:
            return super().__setattr__(name, value)
        try:
            super().__setattr__(name, value)
        except HierwidgetsError:
            raise
        except (TypeError, ValueError) as error:
            if value is None or isinstance(value, str | bool | int | float):
                raise
            # an array or a frame, where it is compared with what is allowed
            raise StateError(f"{name} takes one plain value; {given(value)} was given") from error
        except traitlets.TraitError as error:
            text = str(error)
            if text.startswith(f"The {name!r} trait of"):  # of the wrong kind
                kind = self.traits()[name].info()
                text = f"{name} must be {_KINDS.get(kind, kind)}; {given(value)} was given"
            raise StateError(text) from None

    def __init__(self, **unknown: object) -> None:
        if unknown:
            raise TypeError(_unknown_keywords(type(self).__name__, unknown, self.state_names))
        self._status, self._table, self._code = StatusLine(), TextTable(), CodeLine()
        super().__init__(children=(self._status, self._code, self._table))
        self.add_class("hw-instrument")
        self.add_class(f"hw-{type(self).__name__}")

    @property
    def status(self) -> str:
        """The text of the status line."""
        return str(self._status.text)

    @property
    def text_alternatives(self) -> dict[str, str]:
        """What a screen reader says of each figure, by the figure's class."""
        return dict(self._status.pictures)

    @property
    def table(self) -> TextTable:
        """The table of numbers; while it is closed its rows wait."""
        return self._table

    @property
    def controls(self) -> dict[str, ipywidgets.DOMWidget]:
        """Sliders, menus, boxes and buttons, each by the name that stands beside or on it."""
        found = {}
        for one in owned_widgets(self):
            name = getattr(one, "description", "") or getattr(one, "label", "")
            if name and isinstance(one, ipywidgets.DOMWidget):
                found[name] = one
        return found

    @property
    def figures(self) -> dict[str, bqplot.Figure]:
        """The figures, by the class under which their text alternatives find them."""
        inside = (one for one in owned_widgets(self) if isinstance(one, bqplot.Figure))
        return {name: one for one in inside for name in one._dom_classes}

    @property
    def waiting(self) -> bool:
        """Whether something is still to be computed, since a slider has just moved."""
        return any(later.waiting for later in self._put_off)

    def _assemble(
        self,
        controls: Iterable[ipywidgets.DOMWidget],
        pictures: Iterable[Shown],
        *below: ipywidgets.DOMWidget,
    ) -> None:
        """Everything in its place; the status line is the last of the controls."""
        stand = bench((*controls, self._status), pictures)
        self.children = (stand, self._code, *below, self._table)
        self._held = tuple(owned_widgets(self))
        for one in self._held:
            if isinstance(one, NamedSlider):
                one.observe(self._echo, names="value")
        self._status.on_msg(lambda _, message, buffers: self._front_end_is_there(message))
        self._code.on_msg(lambda _, message, buffers: self._send_code(message))
        self._at_start = {name: getattr(self, name) for name in self.state_names}
        reruns.made(self)

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

    def _at_rest(self, action: Callable[[], None], seconds: float) -> Later:
        """An action for when nothing has moved for so many seconds; `close` forgets it."""
        later = Later(lambda: self._guarded(action), seconds)
        self._put_off = (*self._put_off, later)
        return later

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
        """A page can unpack frames from now on; what was sent while it was loading is repeated.

        It asks again until it has an answer that agrees with what it shows.
        """
        if "frames" not in message:
            return
        status = self._status
        status.listening = True
        status.pages |= {message.get("page", "")}
        if (message["frames"], message.get("text", status.text)) != (status.frames, status.text):
            here = (widget for widget in self._held if widget.comm is not None)
            status.send_frame({widget.model_id: widget.get_state() for widget in here})
        status.send({"answer": status.text})

    def _echo(self, change: dict[str, Any]) -> None:
        """A slider that one page moved is moved in the others; alone, a page needs no echo."""
        slider = change["owner"]
        if len(self._status.pages) > 1 and "value" in slider._property_lock:
            self._status.send_frame({slider.model_id: slider.get_state(["value", "mover"])})

    def _say(self, text: str, **pictures: str) -> None:
        """Set the status line and the text alternative of each figure, by the figure's class."""
        with self._status.hold_sync():
            self._status.problem = False
            self._status.text = text
            self._status.pictures = {n.replace("_", "-"): text for n, text in pictures.items()}

    def as_code(self) -> str:
        """The call that makes this instrument as it stands, as a line of Python.

        A fit or a data frame goes by its name in the notebook, or by that of the parameter where
        it has none. A part of the state that was neither given nor changed is left out.
        """
        given, parts = dict(self._arguments), []
        for name, parameter in inspect.signature(type(self).__init__).parameters.items():
            if name in self.state_names:
                value = getattr(self, name)
                if name in given or not _same(value, self._at_start.get(name, value)):
                    parts.append(f"{name}={_literal(value, name)}")
            elif name in given and parameter.kind is not parameter.VAR_KEYWORD:
                text = _literal(given[name], name)
                positional = parameter.kind is parameter.POSITIONAL_OR_KEYWORD
                parts.append(text if positional and not _named(parts) else f"{name}={text}")
        return f"hw.widgets.{type(self).__name__}({', '.join(parts)})"

    def _send_code(self, message: dict[str, Any]) -> None:
        if message.get("wanted"):
            self._guarded(lambda: self._code.send({"code": self.as_code()}))

    def picture(self) -> "Figure | None":
        """The instrument's figures as they stand, as one matplotlib figure."""
        rows = list(figure_rows(self))
        return draw(rows, legends(self)) if rows else None

    def still(self) -> str:
        """What stands in for the instrument where there is no kernel."""
        return self._stills()["text/html"]

    def _stills(self) -> dict[str, str]:
        """The still as HTML, and as a picture alone for pages that take no HTML."""
        with self._table.hold_sync():  # rows are up to date only while the table is open
            was, self._table.is_open = self._table.is_open, True
            self._table.is_open = was
        status, image = self.status, None
        try:
            image = encoded(self.picture())
        except Exception as error:  # the instrument itself may well work
            status = f"{status} The picture could not be drawn: {error}"
        table = self._table.title, self._table.columns, self._table.rows
        words = html(image, " ".join(self._status.pictures.values()), status, table)
        return {"text/html": words} | ({} if image is None else {"image/png": image.data})

    def close(self) -> None:
        """Free the front end's and the kernel's memory: links, observers and all children."""
        self._arguments = self._at_start = {}
        for later in self._put_off:
            later.forget()
        for link in self._links:
            link.unlink()
        self._links = ()
        aside = [held for value in vars(self).values() for held in _widgets_in(value)]
        for root in (*aside, self):  # a part that is not shown at present is freed too
            for widget in list(owned_widgets(root)):
                widget.unobserve_all()
                ipywidgets.Widget.close(widget)

    def __repr__(self) -> str:
        state = (f"{name}={_short(getattr(self, name))}" for name in self.state_names)
        return f"{type(self).__name__}({', '.join(state)})"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return {"text/plain": repr(self), **self._stills(), _VIEW: view}

    def _ipython_display_(self) -> None:
        """The still, and after it the instrument: two outputs, of which a page shows one.

        In one output the still would be lost on a page that prefers a view and then finds no model.
        """
        from IPython.display import display

        bundle = self._repr_mimebundle_()
        view = {_VIEW: bundle.pop(_VIEW)}
        alt = {"alt": " ".join(self._status.pictures.values())}
        for output in (bundle, view):
            display(output, raw=True, metadata={n: alt for n in output if n == "image/png"})
        reruns.shown(self)


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


def given(value: object, most: int = 60) -> str:
    """What was given, on one line that is not too long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _short(value: object) -> str:
    """Three significant digits: the text must not depend on the last bits of a fit."""
    if isinstance(value, float | np.floating):
        return f"{value:.3g}"
    return repr(value)


def _same(one: object, other: object) -> bool:
    try:
        return bool(one == other)
    except ValueError:  # frames and arrays
        return one is other


def _named(parts: list[str]) -> bool:
    """Whether a keyword has been written, after which no argument may go without its name."""
    return any("=" in part.split("(")[0].split("'")[0].split('"')[0] for part in parts)


def _literal(value: Any, name: str) -> str:
    """Source code of a value: itself if it is plain, else the variable that holds it."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, str | bool | int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        inner = ", ".join(_literal(each, name) for each in value)
        if isinstance(value, list):
            return f"[{inner}]"
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if known := variable(value):
        return known
    if isinstance(value, Words):
        return f"hw.widgets.{value!r}"
    if isinstance(value, dict):
        inner = ", ".join(f"{key!r}: {_literal(each, name)}" for key, each in value.items())
        return f"{{{inner}}}"
    return name


def variable(value: object) -> str | None:
    """The name under which the notebook knows an object, if it does."""
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    names = shell.user_ns if shell else {}
    found = (n for n, held in names.items() if held is value and not n.startswith("_"))
    return next(found, None)


def _unknown_keywords(name: str, unknown: Iterable[str], allowed: tuple[str, ...]) -> str:
    given = ", ".join(repr(keyword) for keyword in unknown)
    return f"{name} does not know {given}; its keywords are {', '.join(allowed)}"
