"""A progress bar with a name, which that of ipywidgets lacks."""

import anywidget
import traitlets as t

from .controls import source

__all__ = ["ProgressBar"]


class ProgressBar(anywidget.AnyWidget):  # type: ignore[misc]
    """How much is done, as a bar and in words: "120 of 500 repetitions"."""

    _esm = source("progress_bar.js")
    _css = source("progress_bar.css")

    label = t.Unicode().tag(sync=True)
    unit = t.Unicode().tag(sync=True)
    done = t.Int(0).tag(sync=True)
    total = t.Int(1).tag(sync=True)
