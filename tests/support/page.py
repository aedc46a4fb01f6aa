"""What the page tells an instrument: that it listens, where a click was, that code is wanted."""

from bqplot import Scatter
from ipywidgets import Widget

from hierwidgets.widgets.parts.controls import CodeLine, StatusLine
from hierwidgets.widgets.parts.instrument import Instrument, owned_widgets


def part(instrument: Instrument, kind: type[Widget]) -> Widget:
    """The one widget of that kind inside an instrument."""
    (found,) = [widget for widget in owned_widgets(instrument) if isinstance(widget, kind)]
    return found


def status_line(instrument: Instrument) -> StatusLine:
    return part(instrument, StatusLine)


def listen(instrument: Instrument, frames: int = 0) -> None:
    """The page can unpack frames, and has unpacked so many."""
    tell(status_line(instrument), {"frames": frames})


def click(instrument: Instrument, figure: str, x: float, y: float) -> None:
    """A click in the plot of the figure of that class, at shares of its width and height."""
    tell(status_line(instrument), {"place": figure, "x": x, "y": y})


def ask_for_code(instrument: Instrument) -> None:
    tell(part(instrument, CodeLine), {"wanted": True})


def tell(widget: Widget, message: dict[str, object]) -> None:
    widget._handle_custom_msg(message, [])


def click_point(mark: Scatter, index: int) -> None:
    """A click on a point that tells its own clicks."""
    mark._handle_custom_msgs(mark, {"event": "element_click", "data": {"index": index}})
