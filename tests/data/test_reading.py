"""Files as people have them: separators, encodings, labels; and what goes wrong with them."""

import importlib.util

import numpy as np
import pandas as pd
import pyreadstat
import pytest

import hierwidgets as hw
from hierwidgets.data import reading

FRAME = pd.DataFrame({"district": ["Åbo", "B", "B"], "voted": [1, 0, 1], "share": [0.5, 0.25, 1.5]})


def same(found, expected=FRAME):
    assert found.columns.tolist() == expected.columns.tolist()
    for column in expected:
        assert found[column].tolist() == expected[column].tolist()


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("ending", ["csv", "CSV", "txt", "tsv"])
def test_text_of_any_separator_and_encoding(tmp_path, separator, encoding, ending):
    path = tmp_path / f"a.{ending}"
    FRAME.to_csv(path, sep=separator, encoding=encoding, index=False)
    found = hw.read(path)
    same(found)
    assert found["district"].dtype == object


@pytest.mark.parametrize("separator", [";", "\t"])
def test_decimal_commas_are_numbers(tmp_path, separator):
    FRAME.to_csv(tmp_path / "a.csv", sep=separator, decimal=",", index=False)
    same(hw.read(tmp_path / "a.csv"))


def test_commas_in_quoted_names_are_no_separators(tmp_path):
    (tmp_path / "a.csv").write_text('name,y\n"Smith, J.",1\n"Doe, A.",0\n')
    same(hw.read(tmp_path / "a.csv"), pd.DataFrame({"name": ["Smith, J.", "Doe, A."], "y": [1, 0]}))


def test_a_column_of_numbers_without_a_name_is_the_rows(tmp_path):
    FRAME.to_csv(tmp_path / "a.csv")
    assert hw.read(tmp_path / "a.csv").columns.tolist() == ["row_id", *FRAME]


def test_excel_and_its_sheets(tmp_path):
    path = tmp_path / "a.xlsx"
    with pd.ExcelWriter(path) as book:
        FRAME.to_excel(book, sheet_name="survey", index=False)
        FRAME.assign(voted=0).to_excel(book, sheet_name="other", index=False)
    same(hw.read(path))
    assert hw.read(str(path), sheet="other")["voted"].sum() == 0
    assert hw.read(path, sheet=1)["voted"].sum() == 0
    with pytest.raises(hw.DataError, match=r"has the sheets \['survey', 'other'\]; 'third' was"):
        hw.read(path, sheet="third")


CODED = pd.DataFrame({
    "g": ["a", "b", "b", "a"], "answer": [2.0, 1.0, np.nan, 2.0], "age": [18.0, 99.0, 30.0, 40.0],
    "twin": [1.0, 2.0, 3.0, 1.0],
})  # fmt: skip
LABELS = {
    "answer": {1: "no", 2: "yes", 3: "never given"}, "age": {99: "and older"},
    "twin": {1: "same", 2: "same", 3: "other"},
}  # fmt: skip


@pytest.mark.parametrize(("ending", "write"), [
    ("dta", pyreadstat.write_dta), ("sav", pyreadstat.write_sav), ("zsav", pyreadstat.write_sav),
])  # fmt: skip
def test_labels_of_stata_and_spss_become_categories(tmp_path, ending, write):
    path = tmp_path / f"a.{ending}"
    compressed = {"compress": True} if ending == "zsav" else {}
    write(CODED, str(path), variable_value_labels=LABELS,
          column_labels=["", "Did you vote?", "", ""], **compressed)  # fmt: skip
    found = hw.read(path)
    assert found["answer"].cat.categories.tolist() == ["no", "yes", "never given"]
    assert found["answer"].isna().tolist() == [False, False, True, False]
    assert found["answer"].dropna().tolist() == ["yes", "no", "yes"]
    assert found["age"].tolist() == [18.0, 99.0, 30.0, 40.0]
    assert found["twin"].tolist() == ["same (1)", "same (2)", "other", "same (1)"]
    assert found["g"].tolist() == ["a", "b", "b", "a"]
    assert found.attrs["labels"] == {"answer": "Did you vote?"}


def test_missing_by_declaration_is_missing(tmp_path):
    path = tmp_path / "a.sav"
    pyreadstat.write_sav(CODED, str(path), missing_ranges={"age": [99]})
    assert hw.read(path)["age"].isna().tolist() == [False, True, False, False]


def test_a_labelled_file_can_be_fitted(tmp_path):
    finland = hw.load("finland")
    coded = finland.assign(contacted=(finland["contacted"] == "Contacted").astype(int))
    path = tmp_path / "finland.dta"
    pyreadstat.write_dta(coded, str(path), variable_value_labels={"contacted": {0: "No", 1: "Yes"}})
    fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.read(path), event="Yes")
    assert round(fit.fixef["Intercept"], 2) == -1.37


def test_what_was_uploaded_is_read_by_its_name(tmp_path):
    FRAME.to_excel(tmp_path / "a.xlsx", index=False)
    same(reading.read_bytes("C:/Data/a.xlsx", (tmp_path / "a.xlsx").read_bytes()))


@pytest.mark.parametrize(("name", "content", "message"), [
    ("a.csv", b"", "a.csv is empty; save it once more"),
    ("a.csv", b"  \n\n", "a.csv is empty"),
    ("a.csv", b"g,y\n", r"a.csv has no rows below its names \['g', 'y'\]"),
    ("a.pdf", b"g", "a.pdf ends in .pdf; what can be read ends in .csv, .tsv"),
    ("data", b"g", "data ends in nothing; what can be read ends in"),
    ("a.xls", b"g", "open it in Excel and save it as .xlsx"),
    ("a.xlsx", b"not a book", "a.xlsx could not be read as Excel: .*save it as CSV"),
    ("a.dta", b"nothing", "a.dta could not be read as Stata: .*save it as CSV"),
    ("a.sav", b"nothing", "a.sav could not be read as SPSS: .*save it as CSV"),
])  # fmt: skip
def test_a_file_that_cannot_be_read_says_why(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(hw.DataError, match=message):
        hw.read(tmp_path / name)


def test_a_file_that_is_not_there_names_those_that_are(tmp_path):
    with pytest.raises(hw.DataError, match=r"no file 'b.csv' in .*; it has no data file"):
        hw.read(tmp_path / "b.csv")
    (tmp_path / "a.csv").write_text("y\n1\n")
    with pytest.raises(hw.DataError, match=r"no file 'b.csv' in .*; the data files there are a.cs"):
        hw.read(tmp_path / "b.csv")
    with pytest.raises(hw.DataError, match="there is no folder"):
        hw.read(tmp_path / "folder" / "b.csv")
    (tmp_path / "c.csv").mkdir()
    with pytest.raises(hw.DataError, match="is a folder; name a file in it"):
        hw.read(tmp_path / "c.csv")
    with pytest.raises(hw.DataError, match="path must be the name of a file; a DataFrame was"):
        hw.read(FRAME)


@pytest.mark.parametrize(("ending", "module"), [("xlsx", "openpyxl"), ("sav", "pyreadstat")])
def test_without_the_extra_it_says_what_to_install(tmp_path, monkeypatch, ending, module):
    there = importlib.util.find_spec
    monkeypatch.setattr(reading, "find_spec", lambda name: None if name == module else there(name))
    with pytest.raises(hw.MissingExtraError, match=rf"needs {module}; install with: pip install"):
        hw.read(tmp_path / f"a.{ending}")
