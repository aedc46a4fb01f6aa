"""What the explorer says of a hill: no tolerance, the words are compared."""

from types import SimpleNamespace

import numpy as np
import pytest

from hierwidgets.widgets.numbers.boundary import words
from hierwidgets.widgets.numbers.boundary.elections import Tally
from hierwidgets.widgets.numbers.boundary.hill import Look, Place

HILL = SimpleNamespace(levels=8, group="election_id", largest=2.0)


def seen(sds, corrs):
    """A look whose regions are these sds and correlations."""
    grid = np.linspace(0, 2, 21), np.linspace(-1, 1, 21)
    inside = np.outer(
        (grid[1] >= corrs[0] - 1e-9) & (grid[1] <= corrs[1] + 1e-9),
        (grid[0] >= sds[0] - 1e-9) & (grid[0] <= sds[1] + 1e-9),
    )
    return Look(*grid, np.where(inside, -0.1, -9.0), 0.0, Place(sds[0], corrs[1]), ())


@pytest.mark.parametrize(
    ("sds", "corrs", "says"),
    [
        ((0, 1.5), (-1, 1), "tell nothing: all from −1 to 1 are in the 90 % region. Sds from 0"),
        ((0, 1.5), (-0.5, 1), "roughly: the 90 % region goes from −0.50 to 1.00, up to the edge"),
        ((0.3, 1.2), (-0.5, 0.5), "from its edges: the 90 % region goes from −0.50 to 0.50."),
        ((0.3, 1.2), (-1, 1), "That slopes differ is told: sds from 0.30 to 1.2 are in it."),
    ],
)
def test_it_says_what_the_likelihood_can_tell(sds, corrs, says):
    assert says in words.known_words(HILL, seen(sds, corrs))
    assert "8 elections" in words.known_words(HILL, seen(sds, corrs))


def test_it_says_which_edge_the_maximum_is_at():
    assert "slopes do not differ" in words.top_words(HILL, seen((0, 1), (-1, 0.5)), "none", 0.0)
    at_one = words.top_words(HILL, seen((0.3, 1), (-1, 1)), "none", 0.0)
    assert at_one.endswith("correlation of 1.00: at the edge, where every slope follows from the "
                           "height.")  # fmt: skip
    off = words.top_words(HILL, seen((0.3, 1), (-1, 0.5)), "Wishart", 0.645)
    assert off.endswith("0.50: off the edge; it costs 0.65 of log-likelihood.") or "0.64" in off


def test_it_counts_surveys():
    none = [Tally(8, 0, 0, 0), Tally(16, 0, 0, 0)]
    assert words.surveys_words(HILL, none, running=False) == (
        "Run makes up surveys of 8 to 16 elections from it."
    )
    some = [Tally(8, 4, 3, 0), Tally(16, 3, 1, 1)]
    assert words.surveys_words(HILL, some, running=True) == (
        "Singular fits so far: 3 of 4 with 8, 1 of 3 with 16 elections. 1 could not be fitted."
    )


def test_a_truth_outside_all_regions():
    assert words.truth_words(Place(1.9, -0.2), -3.4).endswith(
        "at best 3.4 lower, outside all regions."
    )
