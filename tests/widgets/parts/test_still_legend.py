"""The key of a picture is read from its HTML and drawn again; `legend` writes what is read."""

import numpy as np

from hierwidgets.widgets.parts import still_legend
from hierwidgets.widgets.parts.legend import legend as legend_of


def test_a_legends_keys_and_their_drawings() -> None:
    legend = (
        '<div class="hw-legend"><span><svg width="18" height="16" stroke-width="2">'
        '<path d="M9 1l5 7-5 7-5-7z" fill="red"/></svg>one</span>'
        '<span><svg width="30" height="16"><path d="M0 8h30V2" stroke="blue"/></svg>two</span>'
        "</div>"
    )
    keys = still_legend.keys_in(legend)
    assert [key[:2] for key in keys] == [("one", 18.0), ("two", 30.0)]
    corners, closed = still_legend.corners_of(keys[0][2][0].get("d"))
    assert np.array(corners).tolist() == [[9, 1], [14, 8], [9, 15], [4, 8]]
    assert closed
    corners, closed = still_legend.corners_of(keys[1][2][0].get("d"))
    assert np.array(corners).tolist() == [[0, 8], [30, 8], [30, 2]]
    assert not closed
    assert still_legend.keys_in("<b>no legend</b>") == []
    assert [len(row) for row in still_legend.legend_rows(keys, 90)] == [1, 1]
    assert [len(row) for row in still_legend.legend_rows(keys, 300)] == [2]


def test_names_with_signs_of_html_are_read_back() -> None:
    keys = still_legend.keys_in(legend_of([("n < 5 & more", '<circle r="5"/>')], width=30))
    assert [key[:2] for key in keys] == [("n < 5 & more", 30.0)]


def test_a_fill_that_is_seen_through_stays_so() -> None:
    from matplotlib.figure import Figure

    shapes = '<rect x="2" y="2" width="22" height="12" fill="blue" fill-opacity="0.25"/>'
    ax = Figure().add_subplot()
    keys = still_legend.keys_in(legend_of([("band", shapes), ("dot", '<circle r="5"/>')]))
    still_legend.draw_legend(ax, still_legend.legend_rows(keys, 300), points=1.0)
    assert [patch.get_alpha() for patch in ax.patches] == [0.25, 1.0]
