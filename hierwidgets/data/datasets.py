"""The survey data of the lectures: respondents, their districts, and who was contacted.

Every file says, respondent by respondent, whether a party got in touch during an election
campaign. The districts are the groups of the hierarchical models.

Source
------
The files come unchanged from the R package *crdata* (Carlisle Rainey, MIT licence,
copyright 2023 crdata authors). The licence is shipped beside them, in
``hierwidgets/data/LICENSE-crdata.md``.

The article
    Rainey, Carlisle. 2015. "Strategic Mobilization: Why Proportional Representation
    Decreases Voter Mobilization." *Electoral Studies* 37: 86-98.
    doi:10.1016/j.electstud.2014.10.008. Replication data: doi:10.7910/DVN/27666.

The survey behind it
    The Comparative Study of Electoral Systems (www.cses.org). *CSES Module 2 Full Release*
    [dataset], surveys of 2001-2006. Used here: Canada 2004, Finland 2003, Great Britain 2005,
    Portugal 2002 and Portugal 2005. Whoever publishes with these data cites CSES as well.

The measure of competitiveness
    Grofman, Bernard, and Peter Selb. 2009. "A Fully General Index of Political Competition."
    *Electoral Studies* 28 (2): 291-296. doi:10.1016/j.electstud.2009.01.009.
"""

from functools import cache
from importlib.resources import as_file, files
from typing import Any

import numpy as np
import pandas as pd

from hierwidgets.errors import DataError

__all__ = ["codebook", "failed_summary", "load"]

_FILES = {
    "finland": "finland.csv",
    "uk": "uk.csv",
    "rainey2015": "rainey2015.csv",
    "rainey2015_individual": "rainey_ld.csv",
}

_DISTRICT = "the district, a number without meaning of its own"
_CONTACTED = "did a party get in touch during the campaign, as the respondent remembers it?"
_COMPETITIVENESS = "how close the race in the district was, 0 to 1; higher is closer"
_YES = "1 yes, 0 no"

_MEANINGS = {
    "finland": {"district_id": _DISTRICT, "contacted": _CONTACTED},
    "uk": {
        "district_id": _DISTRICT,
        "contacted": _CONTACTED,
        "district_competitiveness": _COMPETITIVENESS,
    },
    "rainey2015": {
        "election_id": "the election; Portugal held two",
        "district_id": "election and district",
        "contacted": _CONTACTED,
        "district_competitiveness": _COMPETITIVENESS,
        "electoral_rules": "SMD: one seat per district; PR: seats in proportion to votes",
    },
    "rainey2015_individual": {
        "row_id": "row label of the source",
        "Contacted": "1 contacted, 0 not",
        "Age": "years",
        "Male": _YES,
        "Education": "eight ordered categories, 8 the highest",
        "Married": _YES,
        "Union.Member": _YES,
        "Household.Income": "fifths of the income distribution, 5 the highest",
        "Urban": _YES,
        "Close.To.Party": _YES,
        "District.Competitiveness": _COMPETITIVENESS,
        "ENEP": "effective number of electoral parties in the district",
        "PR": "1 proportional representation, 0 single-member districts",
        "Alpha.Polity": "the election",
        "District": "the number of the district",
        "District.Country": "election and district in one label",
    },
}


def codebook(name: str) -> pd.DataFrame:
    """What the columns of a data set mean, and what is in them.

    Parameters
    ----------
    name
        As for `load`.

    Returns
    -------
    DataFrame
        One row per column of the data, in order: ``column``, ``meaning``, ``distinct`` (how many
        different values) and ``values`` (all of them if they are few, otherwise the smallest and
        the largest, or an example of a text).

    Examples
    --------
    >>> from hierwidgets.data.datasets import codebook
    >>> codebook("finland")[["column", "distinct", "values"]]
            column  distinct                    values
    0  district_id        14      such as District 304
    1    contacted         2  Contacted, Not Contacted
    """
    data = load(name)
    meanings = _MEANINGS[name]
    rows = [(c, meanings[c], data[c].nunique(), _values(data[c])) for c in data.columns]
    return pd.DataFrame(rows, columns=["column", "meaning", "distinct", "values"])


def _values(column: "pd.Series[Any]") -> str:
    different = sorted(column.unique())
    if len(different) <= 5:
        return ", ".join(str(value) for value in different)
    if pd.api.types.is_numeric_dtype(column):
        digits = 0 if pd.api.types.is_integer_dtype(column) else 2
        return f"{different[0]:.{digits}f} to {different[-1]:.{digits}f}"
    return f"such as {different[0]}"


def load(name: str) -> pd.DataFrame:
    """One of the four survey data sets, columns and values as in the source.

    Parameters
    ----------
    name
        ``"finland"``, ``"uk"``, ``"rainey2015"`` or ``"rainey2015_individual"``.

    Returns
    -------
    DataFrame
        One row per respondent, no missing values, a fresh copy on every call. Text columns
        have the dtype ``object`` under every supported pandas.

    Raises
    ------
    DataError
        For any other name; the message lists the four.

    Notes
    -----
    ``finland``: 1,086 respondents in 14 districts (2003).

    ===========  ====================================================================
    district_id  the district, ``"District 304"`` ...; the numbers are arbitrary labels
    contacted    ``"Contacted"`` or ``"Not Contacted"``: did a party get in touch
                 during the campaign, as the respondent remembers it
    ===========  ====================================================================

    ``uk``: 756 respondents in 253 districts of Great Britain (2005). ``district_id`` and
    ``contacted`` as above, and

    ========================  =======================================================
    district_competitiveness  how close the race in the district was, in [0, 1]; higher
                              is closer (index of Grofman and Selb 2009); constant
                              within a district
    ========================  =======================================================

    ``rainey2015``: 5,126 respondents, 567 districts, five elections in four countries.
    ``contacted`` and ``district_competitiveness`` as above, and

    ===============  ================================================================
    election_id      ``"Canada"``, ``"Finland"``, ``"Great Britain"``,
                     ``"Portugal 2002"``, ``"Portugal 2005"``
    district_id      election and number, ``"Canada; District 7"``
    electoral_rules  ``"SMD"`` (single-member districts, disproportional: Canada and
                     Great Britain) or ``"PR"`` (proportional representation: the rest)
    ===============  ================================================================

    ``rainey2015_individual``: the same 5,126 respondents in the same order, with what else
    was asked. The file's unnamed first column is called ``row_id`` here; nothing else changes.

    ========================  =======================================================
    row_id                    row label of the source
    Contacted                 1 contacted, 0 not
    Age                       years
    Male, Married,            1 yes, 0 no
    Union.Member, Urban,
    Close.To.Party
    Education                 eight ordered categories, 1 (lowest) to 8
    Household.Income          fifths of the income distribution, 1 (lowest) to 5
    District.Competitiveness  as ``district_competitiveness``
    ENEP                      effective number of electoral parties in the district
    PR                        1 proportional representation, 0 single-member districts
    Alpha.Polity              the election, as ``election_id``
    District                  the number in ``district_id``
    District.Country          election and district in one label
    ========================  =======================================================

    The districts are anonymous: the source does not say which real district a number stands
    for. Source, licence and citations: the docstring of :mod:`hierwidgets.data.datasets`.

    Examples
    --------
    >>> from hierwidgets.data.datasets import load
    >>> finland = load("finland")
    >>> finland.shape
    (1086, 2)
    >>> finland["contacted"].value_counts().to_dict()
    {'Not Contacted': 861, 'Contacted': 225}
    """
    if not isinstance(name, str) or name not in _FILES:
        names = ", ".join(repr(known) for known in _FILES)
        raise DataError(f"there is no data set {name!r}; the data sets are {names}")
    return _read(name).copy(deep=True)


@cache
def _read(name: str) -> pd.DataFrame:
    resource = files(__package__).joinpath(_FILES[name])
    with as_file(resource) as path:
        frame = pd.read_csv(path)
    text = [column for column in frame if not pd.api.types.is_numeric_dtype(frame[column])]
    frame = frame.rename(columns={"Unnamed: 0": "row_id"})
    return frame.astype(dict.fromkeys(text, object))


def failed_summary() -> pd.DataFrame:
    """The summary of a sampler's run that failed, as the lecture page prints it.

    Returns
    -------
    DataFrame
        A row per parameter: ``estimate std_error conf_low conf_high rhat ess_bulk ess_tail``.

    Examples
    --------
    >>> failed_summary()["rhat"].max()
    np.float64(1.05)
    """
    with as_file(files(__package__).joinpath("printed_summary.csv")) as path:
        return pd.read_csv(path, index_col="parameter").rename_axis(None).astype(np.float64)
