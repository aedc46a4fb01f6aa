"""A still's picture has the points, the colours and the ticks of the marks."""

import bqplot
import ipywidgets

from hierwidgets.widgets.parts import still as stills
from hierwidgets.widgets.parts.charts import upright
from hierwidgets.widgets.parts.instrument import owned_widgets


def test_marks_of_all_kinds_are_drawn() -> None:
    scales = {"x": bqplot.LogScale(min=1, max=100), "y": bqplot.LinearScale(reverse=True)}
    lines = bqplot.Lines(
        scales=scales, x=[1, 10, 100], y=[[1, 2, 3], [3, 4, 5]], colors=["red", "blue"],
        fill="between", fill_colors=["grey"], fill_opacities=[0.5], opacities=[1, 0.5],
    )  # fmt: skip
    hidden = bqplot.Scatter(scales=scales, x=[1], y=[1], visible=False)
    named = bqplot.Scatter(scales=scales, x=[2], y=[1], names=["here"])
    axes = [
        bqplot.Axis(scale=scales["x"], side="top", grid_lines="solid"),
        upright(bqplot.Axis(scale=scales["y"], tick_values=[-1, 0, 2])),
    ]
    layout = {"width": "300px", "height": "200px"}
    margin = {"top": 10, "bottom": 20, "left": 30, "right": 10}
    figure = bqplot.Figure(
        marks=[lines, hidden, named], axes=axes, fig_margin=margin, layout=layout
    )
    (ax,) = [a for a in stills.draw([[figure]], []).axes if a.lines]
    assert [line.get_color() for line in ax.lines] == ["red", "blue"]
    assert ax.get_xscale() == "log"
    assert ax.get_xlim() == (1, 100)
    assert len(ax.collections) == 2  # the band and the point that is shown
    assert [text.get_text() for text in ax.texts] == ["here"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["\N{MINUS SIGN}1", "0", "2"]
    for widget in [*owned_widgets(figure)]:
        ipywidgets.Widget.close(widget)
