"""Still figures: the marks stand where the numbers are, whatever order the frames come in.

Positions are read back from matplotlib's artists and compared with the data exactly. Colours of
stored pictures may be off by 12 of 255, which no eye can tell; see the last test.
"""

from base64 import b64decode
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from hierwidgets.base.palette import STYLES
from hierwidgets.course.figures.base import district_strip, png, show
from hierwidgets.errors import DataError
from hierwidgets.fit.pooling import complete_pooling, no_pooling

DATA = pd.DataFrame(
    {
        "place": pd.Categorical(["a"] * 6 + ["b"] * 4 + ["c"] * 5, categories=["c", "a", "b"]),
        "y": [1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0],
    }
)


@pytest.fixture
def frame():
    return no_pooling(DATA, "y", "place")


def axes_of(**options):
    return district_strip(DATA, "y", "place", **options).axes[0]


def test_one_circle_per_row_close_to_its_answer():
    offsets = axes_of().collections[0].get_offsets()
    assert len(offsets) == len(DATA)
    offsets = np.asarray(offsets)
    assert np.abs(offsets[:, 1] - DATA["y"].to_numpy()).max() <= 0.05
    assert np.abs(offsets[:, 0] - DATA["place"].cat.codes.to_numpy()).max() <= 0.36


def test_with_estimates_the_answers_stand_above_and_below_them(frame):
    middle, *strips = district_strip(DATA, "y", "place", estimates={"no pooling": frame}).axes
    assert not middle.collections[1:]  # no circle, only the bars
    shown = []
    for strip in strips:
        low, high = strip.get_ylim()
        heights = np.asarray(strip.collections[0].get_offsets())[:, 1]
        shown.append(int(((low < heights) & (heights < high)).sum()))
    assert shown == [DATA["y"].sum(), (1 - DATA["y"]).sum()]
    boxes = [axes.get_position().height for axes in (middle, *strips)]
    assert boxes[0] > 2 * (boxes[1] + boxes[2])
    assert [strip.get_yticklabels()[0].get_text() for strip in strips] == ["yes", "no"]


def test_every_interval_lies_inside_its_axes(frame):
    axes = axes_of(estimates={"no pooling": frame}, sizes=True)
    low, high = axes.get_ylim()
    assert low < frame["conf_low"].min()
    assert frame["conf_high"].max() < high
    assert frame["conf_high"].max() > 1  # a share is not, and has no tick there
    assert all(0 <= round(tick, 9) <= 1 for tick in axes.get_yticks())


def test_other_estimates_do_not_wear_a_pooling_style(frame):
    names = ["one", "two", "three"]
    bars = axes_of(estimates=dict.fromkeys(names, frame)).containers
    assert len({bar[0].get_color() for bar in bars}) == len(names)
    assert not {bar[0].get_color() for bar in bars} & {style.color for style in STYLES.values()}


def test_the_jitter_is_seeded():
    first, again, other = (axes_of(seed=seed).collections[0].get_offsets() for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_estimates_stand_at_their_own_level(frame):
    shuffled = frame.sample(frac=1, random_state=3)
    bars = axes_of(estimates={"no pooling": shuffled}).containers[0]
    np.testing.assert_allclose(bars[0].get_ydata(), [0.8, 1 / 6, 0.5])
    ends = np.array([segment[:, 1] for segment in bars[2][0].get_segments()])
    np.testing.assert_allclose(ends.astype(float), frame[["conf_low", "conf_high"]])


def test_kinds_of_pooling_differ_in_colour_marker_and_line(frame):
    for pair in ("color", "marker", "linestyle"):
        assert len({getattr(style, pair) for style in STYLES.values()}) == len(STYLES)
    both = {"no pooling": frame, "complete pooling": complete_pooling(DATA, "y", "place")}
    axes, yes, _ = district_strip(DATA, "y", "place", estimates=both).axes
    for name, bars in zip(both, axes.containers, strict=True):
        assert bars[0].get_color() == STYLES[name].color
        assert bars[0].get_marker() == STYLES[name].marker
    assert [text.get_text() for text in yes.get_legend().get_texts()] == list(both)


def test_sizes_are_the_numbers_of_rows(frame):
    axes = axes_of(estimates={"no pooling": frame}, sizes=True)
    assert [text.get_text() for text in axes.texts] == ["5", "6", "4"]
    np.testing.assert_allclose([text.xy[1] for text in axes.texts], frame["conf_high"])
    assert [label.get_text() for label in axes.figure.axes[-1].get_xticklabels()] == ["c", "a", "b"]


def test_many_levels_get_no_tick_labels():
    data = pd.DataFrame({"place": range(253), "y": [0, 1] * 126 + [1]})
    axes = district_strip(data, "y", "place").axes[0]
    assert len(axes.get_xticks()) == 0
    assert axes.get_xlabel() == "place (253)"


def test_errors_say_what_is_missing(frame):
    with pytest.raises(DataError, match="'z' is not a column"):
        district_strip(DATA, "z", "place")
    with pytest.raises(DataError, match="'no pooling' have no row for the level 'c'"):
        axes_of(estimates={"no pooling": frame[frame["level"] != "c"]})


def test_show_gives_picture_caption_and_text_form(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *a, **k: shown.append((a[0], k)))
    show(district_strip(DATA, "y", "place"), "**Figure 1.** Three `places`.")
    (picture, options), (caption, _) = shown
    assert b64decode(picture["image/png"]).startswith(b"\x89PNG")
    assert picture["text/plain"] == "Figure 1. Three places."
    assert options["metadata"]["image/png"]["alt"] == "Figure 1. Three places."
    assert caption.data == "**Figure 1.** Three `places`."


def test_a_small_mark_keeps_its_colour():
    figure = Figure(figsize=(4, 3))
    axes = figure.add_subplot()
    for width in np.linspace(0.2, 3, 60):
        axes.plot([0, 1], [0, width], color=str(width / 3.5), linewidth=width)
    axes.plot(0.5, 2, "D", color=STYLES["partial pooling"].color)
    pixels = np.asarray(Image.open(BytesIO(png(figure))).convert("RGB"), int)
    distance = np.abs(pixels - [217, 95, 2]).max(axis=2)
    assert distance.min() <= 12


def test_pale_bands_keep_their_colours():
    """Beside many other colours two pale areas stay what they are, and white stays white."""
    figure = Figure(figsize=(8, 4))
    axes = figure.subplots()
    axes.scatter(range(200), range(200), c=range(200), cmap="turbo")
    pale = ["#e7e6f2", "#daf0e7"]
    for place, color in enumerate(pale):
        axes.axvspan(40 * place, 40 * place + 40, ymin=0.6, color=color)
    pixels = np.asarray(Image.open(BytesIO(png(figure))).convert("RGB"), int)
    for color in [*pale, "#ffffff"]:
        wanted = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
        assert (pixels == wanted).all(axis=2).sum() > 5000


def test_in_a_browser_a_figure_keeps_all_its_colours(monkeypatch):
    figure = Figure(figsize=(4, 3))
    figure.add_subplot().imshow(np.arange(400).reshape(20, 20))
    few = Image.open(BytesIO(png(figure)))
    monkeypatch.setattr("hierwidgets.base.platform.IN_BROWSER", True)
    all_ = Image.open(BytesIO(png(figure)))
    assert few.size == all_.size
    assert (few.mode, all_.mode) == ("P", "RGBA")
