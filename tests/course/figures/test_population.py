"""Pictures of a population: marks stand where the numbers say, read back from matplotlib."""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.course.figures.population import districts_against_truth, rate_by_share
from hierwidgets.course.models import POLL
from hierwidgets.course.studies.poststratification import country, district_rates, survey
from hierwidgets.errors import DataError
from hierwidgets.widgets import poststrat_frame


@pytest.fixture(scope="module")
def cells():
    return country()


@pytest.fixture(scope="module")
def poll(cells):
    return survey(cells, 800, seed=2)


@pytest.fixture(scope="module")
def fit(poll):
    return hw.glmer(POLL, poll)


def test_the_line_goes_from_none_to_all_of_a_kind(fit, poll, cells):
    axes = rate_by_share(fit, cells, "education", "degree").axes[0]
    line, census, raw = axes.lines
    table = poststrat_frame(fit, cells, by="education").set_index("of")["estimate"]
    assert line.get_ydata()[-1] == pytest.approx(table["degree"])
    assert census.get_ydata() == pytest.approx([table["poststratified"]])
    share = cells["n"][cells["education"] == "degree"].sum() / cells["n"].sum()
    assert census.get_xdata() == pytest.approx([share])
    assert np.interp(share, line.get_xdata(), line.get_ydata()) == pytest.approx(
        table["poststratified"], abs=1e-4
    )
    assert raw.get_ydata() == pytest.approx([poll["contacted"].sum() / 800])
    with pytest.raises(DataError, match=r"kind='phd'; education has the values \['school'"):
        rate_by_share(fit, cells, "education", "phd")


def test_districts_stand_over_their_truth(fit, poll, cells):
    rates = district_rates(fit, poll, cells)
    figure = districts_against_truth(rates)
    for axes, name in zip(figure.axes, ("raw", "modelled", "poststratified"), strict=True):
        assert axes.get_title() == name
        (points,) = axes.collections
        wanted = rates[["truth", name]].to_numpy()
        assert np.array_equal(np.asarray(points.get_offsets()), wanted, equal_nan=True)
        (diagonal,) = axes.lines
        assert list(diagonal.get_xdata()) == list(diagonal.get_ydata())
    with pytest.raises(DataError, match="'modelled' is not a column"):
        districts_against_truth(pd.DataFrame({"truth": [], "respondents": [], "raw": []}))
