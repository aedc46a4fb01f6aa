"""The stored calibrations: five models whose ranks are even, and the first of them made again.

Draws that a sampler makes in another order are another sample, so a rank may move by Monte Carlo
error: at most 25 of 99, five standard errors of a rank among 99 independent draws.
"""

import numpy as np
import pytest

from hierwidgets.course.studies import ranks
from hierwidgets.errors import DataError


@pytest.mark.parametrize("name", ranks.NAMES)
def test_stored_ranks_are_even(name: str) -> None:
    found = ranks.stored(name)
    assert len(found.ranks) == 200
    assert found.summary()["inside"].all(), found.check()
    # One survey of the page's model gives draws worth less than the ranks ask for; lecture 12b
    # says so.
    assert (found.runs["effective"] < ranks.KEPT).sum() == (name == "page")
    model, _ = ranks.described(name)
    assert found.ranks.shape == found.truths.shape
    assert found.ranks.shape[1] >= 3
    assert found.formula == model.formula
    assert found.ranks.min(axis=None) >= 0
    assert found.ranks.max(axis=None) <= ranks.KEPT


@pytest.mark.slow
@pytest.mark.parametrize("name", ranks.NAMES[:4])
def test_first_repetitions_are_made_again(name: str) -> None:
    stored, again = ranks.stored(name), ranks.make(name, 5)
    assert np.abs(again.truths - stored.truths[:5]).max(axis=None) < 1e-3
    assert np.abs(again.ranks - stored.ranks[:5]).max(axis=None) <= 25


def test_an_unknown_name() -> None:
    with pytest.raises(DataError, match="there is no table 'ranks_pages'"):
        ranks.stored("pages")
