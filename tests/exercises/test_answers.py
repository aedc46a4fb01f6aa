"""What differs between an answer and what is expected; the words are tested with `check`."""

import numpy as np
import pandas as pd
import pytest

from hierwidgets.exercises.answers import mismatch


def test_mismatch_treats_missing_as_equal_only_where_expected():
    assert mismatch([1, np.nan], [1, np.nan], 1e-3) is None
    assert mismatch([1, np.nan], [1, 2], 1e-3) is not None


@pytest.mark.parametrize("answer", [0.43, 0.435, 0.4348, 0.434783, 10 / 23, np.float32(10 / 23)])
def test_rounded_numbers_agree_where_that_is_asked_for(answer):
    assert mismatch(answer, 10 / 23, 1e-6, rounded=True) is None


@pytest.mark.parametrize("answer", [0.4, 0.44, 0.436, 0.4347, 0.43479, 0.5, 0, 43, 0.0])
def test_numbers_rounded_too_far_or_wrongly_do_not(answer):
    assert mismatch(answer, 10 / 23, 1e-6, rounded=True) is not None


def test_each_number_of_a_list_is_taken_with_its_own_decimals():
    expected = [0.08621, 0.4, 265.43, -1.003]
    assert mismatch([0.09, 0.40, 265, -1.0], expected, 1e-6, rounded=True) is None
    assert mismatch([0.09, 0.40, 265, -1.1], expected, 1e-6, rounded=True) is not None
    assert mismatch(pd.Series(expected).round(2), pd.Series(expected), 1e-6, rounded=True) is None


def test_true_and_false_in_a_column_are_ones_and_zeros():
    expected = pd.Series([1, 0], index=["a", "b"])
    assert mismatch(expected == 1, expected, 1e-9) is None
    assert mismatch([True, False], expected, 1e-9) is None
    assert mismatch(expected == 0, expected, 1e-9) is not None


def test_labels_that_are_numbers_are_known_as_texts():
    expected = pd.Series([0.1, 0.2], index=["309", "310"])
    assert mismatch(pd.Series([0.2, 0.1], index=[310, 309]), expected, 1e-9) is None
    assert mismatch({309: 0.1, 310: 0.2}, expected, 1e-9) is None
    assert mismatch({309: 0.1, 311: 0.2}, expected, 1e-9) == "2 labels are missing, such as '309'."
    table = pd.DataFrame({"rate": expected})
    assert mismatch(table.set_axis([309, 310]), table, 1e-9) is None


def test_the_message_is_about_what_is_wrong_when_rounded():
    told = mismatch((0.2, 0.5), (0.2023, 0.4348), 1e-3, rounded=True)
    assert told == "1 of 2 numbers differ; the first is number 2, too large."
