"""Checks: what they take, what they refuse, and in which words."""

import numpy as np
import pytest

from hierwidgets.base.checks import check_level, check_seed, check_whole
from hierwidgets.errors import DataError


@pytest.mark.parametrize("level", [0.9, np.float64(0.5), np.float32(0.9)])
def test_levels(level):
    check_level(level)


@pytest.mark.parametrize("level", [0, 1, 1.0, 95, -0.1, True, "0.9", None, float("nan"), [0.9]])
def test_what_is_no_level(level):
    with pytest.raises(DataError, match=r"^interval=.*lies between 0 and 1, such as 0\.9"):
        check_level(level, "interval")


def test_a_seed_makes_the_same_numbers_again():
    assert check_seed(3).random() == check_seed(3).random()
    generator = np.random.default_rng(1)
    assert check_seed(generator) is generator


@pytest.mark.parametrize("seed", ["x", -1, 1.5])
def test_what_is_no_seed(seed):
    with pytest.raises(DataError, match="is not a seed; pass a whole number"):
        check_seed(seed)


def test_whole_numbers():
    assert check_whole(np.int64(3), "n", 1) == 3
    assert type(check_whole(np.int64(3), "n", 1)) is int


@pytest.mark.parametrize("value", [0, 11, 2.0, True, "3", None])
def test_what_is_no_whole_number_within_limits(value):
    with pytest.raises(DataError, match="give a whole number of nodes from 1 to 10"):
        check_whole(value, "n_nodes", 1, 10, "nodes")
