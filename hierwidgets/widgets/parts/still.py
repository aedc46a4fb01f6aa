"""An instrument as it stands, for readers without a kernel: a picture, its words and its table.

The picture is drawn from the marks themselves, so every instrument has one and it always agrees
with what the page shows. It is an output of its own, before that of the instrument. Its style
sheet lets one of the two be seen: the instrument where it lives, and the still everywhere else,
where a page would show an error, or wait for ever, in the instrument's place.
"""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import bqplot
import ipywidgets
import numpy as np

from hierwidgets.base.palette import STILL_GRID

from .still_legend import LINE, Key, draw_legend, keys_in, legend_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Image", "draw", "encoded", "figure_rows", "html", "legends"]

_DPI = 100
_SHARP = 1.4  # points of the picture for one of the page, for fine screens
_POINTS = 72 / _DPI  # of one pixel
_LINES = {"solid": "-", "dashed": (0, (5, 5)), "dotted": ":", "dash_dotted": "-."}
_MARKERS = {
    "circle": "o", "square": "s", "diamond": "d", "triangle-up": "^", "triangle-down": "v",
    "cross": "P", "rectangle": "s", "ellipse": "o", "arrow": ">", "plus": "+", "crosshair": "+",
}  # fmt: skip
_TURNED: dict[str, dict[str, Any]] = {  # names that are not level, by the side of their axis
    "bottom": {"ha": "right", "va": "top", "rotation_mode": "anchor"},
    "top": {"ha": "center", "va": "bottom"},
}
_OUTPUT = ".jp-OutputArea-child"
_LIVES = ".hw-instrument:not(.hw-lifeless)"
_STYLE = (
    f"{_OUTPUT}:has(.hw-still):has(+ {_OUTPUT} {_LIVES}), {_OUTPUT}:has(.hw-still) + "
    f"{_OUTPUT}:has(> .jp-OutputArea-output:not([data-mime-type])):not(:has({_LIVES})) "
    "{ display: none; }"
)
_GAP = 12  # pixels between figures that stand side by side


def figure_rows(widget: ipywidgets.Widget) -> Iterator[list[bqplot.Figure]]:
    """The bqplot figures that are shown inside a widget, in rows as on the page."""
    layout = getattr(widget, "layout", None)
    if layout is not None and (layout.display == "none" or layout.visibility == "hidden"):
        return
    if isinstance(widget, bqplot.Figure):
        yield [widget]
    elif isinstance(widget, ipywidgets.Box):
        rows = [row for child in widget.children for row in figure_rows(child)]
        if isinstance(widget, ipywidgets.HBox) and rows:
            yield [one for row in rows for one in row]
        else:
            yield from rows


def legends(widget: ipywidgets.Widget) -> list[Key]:
    """The keys of the legends that are shown inside a widget."""
    if isinstance(widget, ipywidgets.HTML):
        return keys_in(widget.value)
    if isinstance(widget, ipywidgets.Box) and widget.layout.display != "none":
        return [key for child in widget.children for key in legends(child)]
    return []


def draw(rows: Sequence[Sequence[bqplot.Figure]], keys: list[Key]) -> "Figure":
    """Rows of bqplot figures as one matplotlib figure, with the same sizes, marks and axes.

    The keys of the legend stand above them.
    """
    from matplotlib.figure import Figure

    sizes = [[_size(one) for one in row] for row in rows]
    width = max(sum(w for w, _ in row) + _GAP * (len(row) - 1) for row in sizes)
    lines = legend_rows(keys, width)
    key_height = LINE * len(lines) + (6 if lines else 0)
    height = key_height + sum(max(h for _, h in row) for row in sizes)
    whole = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)
    if lines:
        key = whole.add_axes((0, 1 - key_height / height, 1, key_height / height))
        key.set(xlim=(0, width), ylim=(key_height - 2, -2))
        key.axis("off")
        draw_legend(key, lines, _POINTS)
    top = height - key_height
    for row, measures in zip(rows, sizes, strict=True):
        left = 0.0
        for one, (w, h) in zip(row, measures, strict=True):
            margin = one.fig_margin
            box = (
                (left + margin["left"]) / width,
                (top - h + margin["bottom"]) / height,
                (w - margin["left"] - margin["right"]) / width,
                (h - margin["top"] - margin["bottom"]) / height,
            )
            _draw_one(whole.add_axes(box), one)
            left += w + _GAP
        top -= max(h for _, h in measures)
    return whole


class Image(NamedTuple):
    """A picture as a PNG file in base64, and how wide a page shows it, in pixels."""

    data: str
    width: int


def encoded(picture: "Figure | None") -> Image | None:
    """The picture as a file; the same picture gives the same bytes."""
    if picture is None:
        return None
    out = BytesIO()
    picture.savefig(
        out, format="png", dpi=_SHARP * _DPI, facecolor="white", metadata={"Software": None}
    )
    width = round(picture.get_figwidth() * _DPI)
    return Image(b64encode(out.getvalue()).decode("ascii"), width)


def html(
    image: Image | None,
    alt: str,
    status: str,
    table: tuple[str, Sequence[str], Sequence[Sequence[str]]],
) -> str:
    """Words, picture and table of an instrument as plain HTML."""
    parts = [f"<p>{escape(status)}</p>"] if status else []
    if image is not None:
        source = f"data:image/png;base64,{image.data}"
        parts.append(f'<img alt="{escape(alt)}" width="{image.width}" src="{source}">')
    if table[2]:
        parts.append(_table(*table))
    parts.append("<p><em>A still picture: run the cell, and it moves.</em></p>")
    return f'<div class="hw-still"><style>{_STYLE}</style>{"".join(parts)}</div>'


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(value)}</td>" for value in rest)
        + "</tr>\n"
        for first, *rest in rows
    )
    return (
        f"<details><summary>{escape(title)}</summary><table>"
        f"<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></details>"
    )


def _size(one: bqplot.Figure) -> tuple[float, float]:
    return tuple(
        float(getattr(one.layout, side).removesuffix("px")) for side in ("width", "height")
    )  # type: ignore[return-value]


def _draw_one(ax: "Axes", one: bqplot.Figure) -> None:
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.set_xticks([])
    ax.set_yticks([])
    for axis in one.axes:
        _draw_axis(ax, axis)
    for order, mark in enumerate(one.marks, start=3):
        if not mark.visible:
            continue
        _follow_scales(ax, mark.scales)
        if isinstance(mark, bqplot.Lines):
            _draw_lines(ax, mark, order)
        elif isinstance(mark, bqplot.Scatter):
            _draw_scatter(ax, mark, order)
        elif isinstance(mark, bqplot.Label):
            _draw_texts(ax, mark)
    for axis in one.axes:  # after the marks, which move limits that are not set
        _follow_scales(ax, {"y" if axis.orientation == "vertical" else "x": axis.scale})


def _follow_scales(ax: "Axes", scales: dict[str, bqplot.Scale]) -> None:
    for name in "xy":
        scale = scales.get(name)
        if isinstance(scale, bqplot.LogScale) and getattr(ax, f"get_{name}scale")() != "log":
            getattr(ax, f"set_{name}scale")("log")
            getattr(ax, f"{name}axis").set_minor_locator(_some_ticks(0))
        if scale is not None and None not in (scale.min, scale.max):
            ends = (scale.max, scale.min) if scale.reverse else (scale.min, scale.max)
            getattr(ax, f"set_{name}lim")(*ends)


def _draw_axis(ax: "Axes", axis: bqplot.Axis) -> None:
    name: Literal["x", "y"] = "y" if axis.orientation == "vertical" else "x"
    _follow_scales(ax, {name: axis.scale})
    side = axis.side
    if side in ("top", "right"):
        ax = (ax.secondary_xaxis if name == "x" else ax.secondary_yaxis)(side)  # type: ignore[assignment]
        ax.spines[side].set_visible(False)
    one = getattr(ax, f"{name}axis")
    if not axis.visible:
        one.set_visible(False)
        return
    one.set_label_text(axis.label or "", fontsize=8)
    if axis.tick_values is None:
        one.set_major_locator(_some_ticks(axis.num_ticks))
    else:
        hidden = axis.num_ticks == 0 or (axis.tick_style or {}).get("display") == "none"
        values = np.array([] if hidden else axis.tick_values, dtype=float)
        names = {float(at): text for at, text in (axis.tick_labels or {}).items()}
        one.set_ticks(values, [names.get(float(value), _number(value)) for value in values])
    rotate = axis.tick_rotate or 0
    ax.tick_params(axis=name, labelsize=7, labelrotation=-rotate)
    if rotate:
        for text in one.get_ticklabels():
            text.set(**_TURNED[side])
    if axis.grid_lines in ("solid", "dashed"):
        ax.grid(axis=name, linestyle=_LINES[axis.grid_lines], color=STILL_GRID, linewidth=0.6)


def _some_ticks(most: int | None) -> Any:
    from matplotlib.ticker import AutoLocator, NullLocator

    return NullLocator() if most == 0 else AutoLocator()


def _number(value: float) -> str:
    return f"{value + 0.0:g}".replace("-", "\N{MINUS SIGN}")


def _draw_lines(ax: "Axes", mark: bqplot.Lines, order: int) -> None:
    xs, ys = np.atleast_2d(mark.x), np.atleast_2d(mark.y)
    if xs.size == 0 or ys.size == 0:
        return
    for i, y in enumerate(ys):
        x = xs[min(i, len(xs) - 1)]
        color = mark.colors[i % len(mark.colors)]
        fill = mark.fill_colors[i] if i < len(mark.fill_colors) else color
        if mark.fill == "inside":
            alpha = mark.fill_opacities[i] if i < len(mark.fill_opacities) else 1.0
            ax.fill(*_closed_parts(x, y), color=fill, alpha=alpha, linewidth=0, zorder=order)
        ax.plot(
            np.append(x, x[:1]) if mark.close_path else x,
            np.append(y, y[:1]) if mark.close_path else y,
            color=color, linestyle=_LINES[mark.line_style], solid_capstyle="round", zorder=order,
            linewidth=mark.stroke_width * _POINTS,
            alpha=mark.opacities[i] if i < len(mark.opacities) else 1.0,
            marker=_MARKERS[mark.marker] if mark.marker else None,
            markersize=np.sqrt(mark.marker_size) * _POINTS,
        )  # fmt: skip
    if mark.fill == "between" and len(ys) > 1:
        fill = mark.fill_colors[0] if mark.fill_colors else mark.colors[0]
        alpha = mark.fill_opacities[0] if mark.fill_opacities else 1.0
        ax.fill_between(xs[0], ys[0], ys[1], color=fill, alpha=alpha, linewidth=0, zorder=order)


def _closed_parts(x: Any, y: Any) -> list[Any]:
    """x and y of each part between two gaps, in turn, as `Axes.fill` takes them."""
    gaps = np.flatnonzero(np.isnan(x) | np.isnan(y))
    parts: list[Any] = []
    for a, b in zip(np.split(x, gaps), np.split(y, gaps), strict=True):
        inside = np.isfinite(a) & np.isfinite(b)
        parts += [a[inside], b[inside]]
    return parts


def _draw_scatter(ax: "Axes", mark: bqplot.Scatter, order: int) -> None:
    x, y = np.asarray(mark.x, dtype=float), np.asarray(mark.y, dtype=float)
    if x.size == 0:
        return
    color = [mark.colors[i % len(mark.colors)] for i in range(x.size)]
    alpha = mark.opacities[0] if len(mark.opacities) else 1.0
    area = mark.default_size * _POINTS**2 * 4 / np.pi  # bqplot's area, matplotlib's square
    ax.scatter(
        x, y, s=area, marker=_MARKERS[mark.marker], zorder=order, alpha=alpha,
        facecolors=color if mark.fill else "none", edgecolors=mark.stroke or color,
        linewidths=mark.stroke_width * _POINTS,
    )  # fmt: skip
    if mark.names is not None and mark.display_names:
        for place in zip(x, y, np.asarray(mark.names), strict=True):
            ax.annotate(str(place[2]), place[:2], (3, 3), textcoords="offset points", fontsize=7)


def _draw_texts(ax: "Axes", mark: bqplot.Label) -> None:
    """Texts at their places, moved by the mark's offsets, in the color of matplotlib's texts."""
    across = {"start": "left", "middle": "center", "end": "right"}[mark.align]
    moved = (mark.x_offset * _POINTS, -mark.y_offset * _POINTS)
    for x, y, text in zip(mark.x, mark.y, np.asarray(mark.text), strict=True):
        ax.annotate(
            str(text), (float(x), float(y)), moved, textcoords="offset points", fontsize=7,
            ha=across, va="baseline", annotation_clip=False,
        )  # fmt: skip
