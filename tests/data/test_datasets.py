"""The packaged data: every value as in the source file, and the counts the source publishes.

The files are read a second time with the standard library, which knows nothing of pandas'
guesses about types or missing values.
"""

import csv
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from hierwidgets.data.datasets import codebook, load
from hierwidgets.errors import DataError

FILES = {
    "finland": "finland.csv",
    "uk": "uk.csv",
    "rainey2015": "rainey2015.csv",
    "rainey2015_individual": "rainey_ld.csv",
}


@pytest.mark.parametrize("name", FILES)
def test_every_value_is_the_value_of_the_file(name):
    text = files("hierwidgets.data").joinpath(FILES[name]).read_text(encoding="utf-8")
    header, *rows = csv.reader(text.splitlines())
    frame = load(name)
    assert list(frame.columns) == [column or "row_id" for column in header]
    assert len(frame) == len(rows)
    for column, values in zip(frame.columns, zip(*rows, strict=True), strict=True):
        if pd.api.types.is_numeric_dtype(frame[column]):
            np.testing.assert_array_equal(frame[column], [float(value) for value in values])
        else:
            assert frame[column].tolist() == list(values)


@pytest.mark.parametrize(
    ("name", "respondents", "districts", "contacted"),
    [("finland", 1086, 14, 225), ("uk", 756, 253, 242), ("rainey2015", 5126, 567, 1392)],
)
def test_published_counts(name, respondents, districts, contacted):
    frame = load(name)
    assert len(frame) == respondents
    assert frame["district_id"].nunique() == districts
    assert (frame["contacted"] == "Contacted").sum() == contacted


def test_text_is_object_and_nothing_is_missing():
    for name in FILES:
        frame = load(name)
        kinds = {str(dtype) for dtype in frame.dtypes}
        assert kinds <= {"object", "int64", "float64"}
        assert not frame.isna().any().any()


def test_finland_and_uk_are_parts_of_the_whole():
    whole = load("rainey2015")
    for name, election in [("finland", "Finland"), ("uk", "Great Britain")]:
        part = whole[whole["election_id"] == election].reset_index(drop=True)
        part["district_id"] = part["district_id"].str.replace(f"{election}; ", "", regex=False)
        frame = load(name)
        pd.testing.assert_frame_equal(frame, part[frame.columns], check_dtype=False)


def test_individual_rows_are_those_of_rainey2015():
    whole, individual = load("rainey2015"), load("rainey2015_individual")
    assert (individual["Contacted"] == (whole["contacted"] == "Contacted")).all()
    assert (individual["Alpha.Polity"] == whole["election_id"]).all()
    label = individual["Alpha.Polity"] + "; District " + individual["District"].astype(str)
    assert (label == whole["district_id"]).all()
    assert ((individual["PR"] == 1) == (whole["electoral_rules"] == "PR")).all()


@pytest.mark.parametrize("name", ["uk", "rainey2015"])
def test_competitiveness_is_a_property_of_the_district(name):
    by_district = load(name).groupby("district_id")["district_competitiveness"]
    assert (by_district.nunique() == 1).all()


def test_each_call_gives_a_fresh_copy():
    first = load("finland")
    first.loc[0, "contacted"] = "changed"
    first["extra"] = 1
    assert load("finland").loc[0, "contacted"] == "Not Contacted"
    assert "extra" not in load("finland")


@pytest.mark.parametrize("name", ["sweden", "", None, 3, ["finland"]])
def test_unknown_name_lists_the_data_sets(name):
    with pytest.raises(DataError, match="'finland', 'uk', 'rainey2015', 'rainey2015_individual'"):
        load(name)


@pytest.mark.parametrize("name", FILES)
def test_the_codebook_describes_every_column(name):
    book, frame = codebook(name), load(name)
    assert book["column"].tolist() == list(frame.columns)
    assert book["distinct"].tolist() == [frame[column].nunique() for column in frame]
    assert book["meaning"].str.len().min() > 3
    for column, values in zip(book["column"], book["values"], strict=True):
        if pd.api.types.is_numeric_dtype(frame[column]) and frame[column].nunique() > 5:
            low, high = map(float, values.split(" to "))
            np.testing.assert_allclose([low, high], frame[column].agg(["min", "max"]), atol=0.005)
        elif frame[column].nunique() <= 5:
            assert values.split(", ") == [str(v) for v in sorted(frame[column].unique())]
        else:
            assert values.removeprefix("such as ") in set(frame[column])
    assert all(f"``{name}``" in load.__doc__ for name in FILES)
    assert all(column in load.__doc__ for column in book["column"])
