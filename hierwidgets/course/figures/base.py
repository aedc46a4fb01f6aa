"""The lectures' still figures: raw answers by district, estimates with intervals, captions.

matplotlib is imported when a figure is drawn. Kinds of pooling keep one colour, one marker and
one line style through all lectures, so that none of them is told by colour alone.
"""

from base64 import b64encode
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from hierwidgets.base import platform
from hierwidgets.base.memory import give_back
from hierwidgets.base.palette import BROWN, GREEN, GRID, OTHER, RIM, SCORE, STYLES, Style
from hierwidgets.errors import DataError, MissingExtraError
from hierwidgets.spec.design import indicator

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["blank_figure", "district_strip", "legend_above", "png", "require_columns", "show"]


_OTHERS = (Style(BROWN, "v", "--"), Style(OTHER, "^", "-"), Style(SCORE, "P", ":"))
_MOST_LABELS = 40  # more tick labels than this cannot be read


def blank_figure(
    width: float, height: float, layout: Literal["constrained"] | None = "constrained"
) -> "Figure":
    """An empty figure, in inches, that no window or notebook shows by itself.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError(
            f"figures need matplotlib; {platform.how_to_get('hierwidgets[lab]')}"
        ) from error
    return Figure(figsize=(width, height), layout=layout)


def legend_above(axes: "Axes", ncols: int) -> None:
    """One legend for the whole figure, outside above it: the marks of `axes` stand for all."""
    handles, labels = axes.get_legend_handles_labels()
    axes.figure.legend(handles, labels, loc="outside upper center", ncols=ncols, frameon=False)


def require_columns(frame: pd.DataFrame, *columns: str, of: str = "") -> None:
    """Say which column is missing, of which frame, and which columns there are."""
    name = f"{of}: " if of else ""
    for column in columns:
        if column not in frame.columns:
            raise DataError(f"{name}{column!r} is not a column; columns are {list(frame)}")


def district_strip(
    data: pd.DataFrame,
    outcome: str,
    group: str,
    *,
    event: object | None = None,
    estimates: Mapping[str, pd.DataFrame] | None = None,
    sizes: bool = False,
    seed: int = 1,
) -> "Figure":
    """Every answer as a jittered circle, a column per level, and estimates between them.

    With estimates, the answers stand in two narrow strips above and below, so that the intervals
    have the height of the picture to themselves.

    Parameters
    ----------
    data, outcome, group, event
        As in :func:`hierwidgets.fit.pooling.no_pooling`.
    estimates
        Frames with ``level estimate conf_low conf_high``, by name; the names of `STYLES` keep
        their style. Levels are matched by label.
    sizes
        Write each level's number of rows above its interval.
    seed
        Seed of the jitter, which moves circles sideways and a little up or down.

    Raises
    ------
    DataError
        If a column, or a level of the data in one of the frames, is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.base import district_strip
    >>> data = pd.DataFrame({"g": ["a", "a", "b"], "y": [0, 1, 1]})
    >>> [axis.get_ylabel() for axis in district_strip(data, "y", "g").axes]
    ['y']
    """
    require_columns(data, outcome, group)
    labels = pd.Categorical(data[group]).remove_unused_categories()
    frames = _by_label(estimates or {}, labels.categories)
    figure, axes, strips = _canvas(outcome, group, bool(frames))
    for strip in strips:
        _circles(strip, labels.codes, indicator(data[outcome], event), seed)
    for place, name in enumerate(frames):
        _estimates(axes, name, frames[name], place, len(frames))
    if sizes:
        _sizes(axes, np.bincount(labels.codes), list(frames.values()))
    if frames:
        _shares_only(axes)
        strips[0].legend(*axes.get_legend_handles_labels(), loc="lower left",
                         bbox_to_anchor=(0, 1), ncols=3, frameon=False)  # fmt: skip
    _ticks(strips[-1], [str(label) for label in labels.categories])
    return figure


def show(figure: "Figure", caption: str) -> None:
    """Put a figure and its caption under a notebook cell.

    The caption is Markdown and says what there is to see, so that it serves readers who cannot
    see the picture; it also is the picture's text form.
    """
    from IPython.display import Markdown, display
    from matplotlib import pyplot

    plain = caption.replace("*", "").replace("$", "").replace("`", "")
    drawn = b64encode(png(figure)).decode()  # as text: not every kernel takes bytes
    picture = {"image/png": drawn, "text/plain": plain}
    width = {"width": round(96 * figure.get_size_inches()[0])}
    display(picture, raw=True, metadata={"image/png": width | {"alt": plain}})
    display(Markdown(caption))
    pyplot.close(figure)
    give_back()


def png(figure: "Figure") -> bytes:
    """The figure at 144 dots per inch in at most 96 colours: a third of the bytes in the notebook.

    Half a hundred are chosen for coverage, so that a small mark keeps its colour; the others are
    the most frequent ones, so that a pale band keeps its own. In a browser, where nobody keeps the
    notebook, it has all its colours, for to reduce them takes as long as to draw.
    """
    from PIL import Image

    full, small = BytesIO(), BytesIO()
    figure.savefig(full, format="png", dpi=144, bbox_inches="tight")
    if platform.IN_BROWSER:
        return full.getvalue()
    picture = Image.open(full).convert("RGB")
    pixels = np.asarray(picture.convert("RGBX")).view(">u4").reshape(-1).astype(np.uint32)
    colors, place, times = np.unique(pixels, return_inverse=True, return_counts=True)
    rgb = np.stack([colors >> 24, colors >> 16 & 255, colors >> 8 & 255], axis=1).astype(np.int64)
    covering = picture.quantize(50, method=Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = np.vstack(
        [rgb[np.argsort(-times, kind="stable")[:46]], np.reshape(covering, (-1, 3))]
    )
    nearest = ((rgb[:, None] - palette) ** 2).sum(axis=2).argmin(axis=1)
    reduced = Image.fromarray(nearest[place].astype(np.uint8).reshape(picture.size[::-1]))
    reduced.putpalette(palette.ravel().tolist())
    reduced.save(small, format="png", optimize=True)
    return small.getvalue()


def _canvas(outcome: str, group: str, between: bool) -> "tuple[Figure, Axes, list[Axes]]":
    """The figure, the axes of the estimates, and those of the answers: one, or yes and no."""
    named = outcome.replace("_", " ")
    figure = blank_figure(8, 4.6 if between else 2.6)
    if between:
        grid = figure.add_gridspec(3, 1, height_ratios=[1, 6, 1], hspace=0)
        axes = figure.add_subplot(grid[1], ylabel=f"share {named}")
        strips = [figure.add_subplot(grid[place], sharex=axes) for place in (0, 2)]
        for strip, answer in zip(strips, (1, 0), strict=True):
            strip.set(ylim=(answer - 0.09, answer + 0.09), yticks=[answer])
            strip.set_yticklabels(["yes" if answer else "no"])
            strip.set_facecolor(GRID)
        for above in (strips[0], axes):
            above.spines["bottom"].set_visible(False)
            above.tick_params(axis="x", length=0, labelbottom=False)
    else:
        axes = figure.add_subplot(ylabel=named, yticks=[0, 1])
        strips = [axes]
    strips[-1].set_xlabel(group.removesuffix("_id").replace("_", " "))
    for part in {axes, *strips}:
        part.spines[["top", "right"]].set_visible(False)
    return figure, axes, strips


def _circles(axes: "Axes", codes: Any, values: Any, seed: int) -> None:
    shift = np.random.default_rng(seed).uniform(-1, 1, size=(2, len(codes)))
    style: dict[str, Any] = {
        "facecolors": "none",
        "edgecolors": RIM,
        "alpha": 0.5,
        "linewidths": 0.7,
    }
    axes.scatter(codes + 0.36 * shift[0], values + 0.05 * shift[1], s=12, **style)


def _by_label(
    estimates: Mapping[str, pd.DataFrame], levels: "pd.Index[Any]"
) -> dict[str, pd.DataFrame]:
    frames = {name: frame.set_index("level") for name, frame in estimates.items()}
    for name, frame in frames.items():
        absent = [level for level in levels if level not in frame.index]
        if absent:
            raise DataError(f"the estimates {name!r} have no row for the level {absent[0]!r}")
    return {name: frame.loc[list(levels)] for name, frame in frames.items()}


def _estimates(axes: "Axes", name: str, frame: pd.DataFrame, place: int, many: int) -> None:
    style = STYLES.get(name, _OTHERS[place % len(_OTHERS)])
    x = np.arange(len(frame)) + 0.24 * (place - (many - 1) / 2)
    estimate, low, high = frame[["estimate", "conf_low", "conf_high"]].to_numpy(dtype=float).T
    bars = axes.errorbar(
        x,
        estimate,
        yerr=np.clip([estimate - low, high - estimate], 0, None),
        fmt=style.marker,
        color=style.color,
        capsize=4,
        label=name,
    )
    for line in bars.lines[2]:
        line.set_linestyle(style.linestyle)


def _shares_only(axes: "Axes") -> None:
    """Ticks where a share can be, though an interval may reach farther."""
    ends = axes.get_ylim()
    axes.set_yticks([tick for tick in axes.get_yticks() if -1e-9 < tick < 1 + 1e-9])
    axes.set_ylim(ends)


def _sizes(axes: "Axes", counts: Any, frames: list[pd.DataFrame]) -> None:
    tops = (
        np.max([frame["conf_high"] for frame in frames], axis=0) if frames else np.ones(len(counts))
    )
    box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": GREEN}
    for x, (count, top) in enumerate(zip(counts, tops, strict=True)):
        axes.annotate(
            str(count),
            (x, top),
            xytext=(0, 8),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            bbox=box,
        )
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.1 * (high - low))  # so that the highest number has room


def _ticks(axes: "Axes", labels: list[str]) -> None:
    if len(labels) <= _MOST_LABELS:
        axes.set_xticks(range(len(labels)), labels)
    else:
        axes.set_xticks([])
        axes.set_xlabel(f"{axes.get_xlabel()} ({len(labels)})")
