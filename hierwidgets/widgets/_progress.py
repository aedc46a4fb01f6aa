"""A progress bar with a name, which that of ipywidgets lacks."""

from pathlib import Path

import anywidget
import traitlets as t

__all__ = ["ProgressBar"]

_HERE = Path(__file__).parent


class ProgressBar(anywidget.AnyWidget):  # type: ignore[misc]
    """How much is done, as a bar and in words: "120 of 500 repetitions"."""

    _esm = _HERE / "progress_bar.js"
    _css = _HERE / "progress_bar.css"

    label = t.Unicode().tag(sync=True)
    unit = t.Unicode().tag(sync=True)
    done = t.Int(0).tag(sync=True)
    total = t.Int(1).tag(sync=True)
