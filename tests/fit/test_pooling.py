"""No and complete pooling against statsmodels' intervals and against hand-made counts.

statsmodels is an independent reference (scipy.stats quantiles): agreement to 1e-10, since both
sides are closed forms. It has no convention for Jeffreys at y = 0 and y = n, so those ends are
tested against Brown, Cai and DasGupta (2001), and Wilson's ends there are exactly 0 and 1.
"""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from hierwidgets.data.datasets import load
from hierwidgets.errors import DataError
from hierwidgets.fit.pooling import complete_pooling, no_pooling, partial_pooling
from hierwidgets.model import glmer

COLUMNS = ["level", "n", "estimate", "std_error", "conf_low", "conf_high"]
STATSMODELS = {"wald": "normal", "wilson": "wilson", "jeffreys": "jeffreys", "exact": "beta"}


def rows(counts):
    """One row per respondent from {level: (y, n)}."""
    parts = [
        pd.DataFrame({"district": name, "y": [1] * y + [0] * (n - y)})
        for name, (y, n) in counts.items()
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("method", STATSMODELS)
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
def test_intervals_agree_with_statsmodels(method, level):
    counts = {f"{y:02d}/{n:03d}": (y, n) for n in (2, 5, 23, 179) for y in {1, n // 2, n - 1}}
    frame = no_pooling(rows(counts), "y", "district", level=level, method=method)
    for row in frame.itertuples():
        y, n = counts[row.level]
        low, high = proportion_confint(y, n, alpha=1 - level, method=STATSMODELS[method])
        if method == "wald":  # statsmodels clips, this package does not
            assert np.clip([row.conf_low, row.conf_high], 0, 1) == pytest.approx([low, high])
        else:
            assert [row.conf_low, row.conf_high] == pytest.approx([low, high], abs=1e-10)


@pytest.mark.parametrize("n", [1, 4, 40])
def test_ends_of_the_scale(n):
    data = rows({"none": (0, n), "some": (1, 2), "total": (n, n)})
    frames = {
        m: no_pooling(data, "y", "district", method=m).set_index("level") for m in STATSMODELS
    }
    for method in ("wilson", "jeffreys", "exact"):
        assert frames[method].loc["none", "conf_low"] == 0
        assert frames[method].loc["total", "conf_high"] == 1
        assert frames[method].loc["none", "conf_high"] == pytest.approx(
            1 - frames[method].loc["total", "conf_low"], abs=1e-12
        )
    # P(Y = 0) = (1 - p)^n = 0.05 at the exact upper end
    assert (1 - frames["exact"].loc["none", "conf_high"]) ** n == pytest.approx(0.05)
    high = proportion_confint(0, n, alpha=0.1, method="jeffreys")[1]
    assert frames["jeffreys"].loc["none", "conf_high"] == pytest.approx(high)
    assert frames["wald"].loc["none", ["std_error", "conf_low", "conf_high"]].tolist() == [0, 0, 0]


def test_wald_is_not_clipped():
    row = no_pooling(rows({"a": (1, 5)}), "y", "district").iloc[0]
    assert row["conf_low"] < 0
    assert row["conf_low"] == pytest.approx(0.2 - 1.6448536269514722 * np.sqrt(0.2 * 0.8 / 5))


def test_finland_by_plain_python():
    finland = load("finland")
    frame = no_pooling(finland, "contacted", "district_id", event="Contacted")
    assert list(frame.columns) == COLUMNS
    assert frame["level"].tolist() == sorted(set(finland["district_id"]))
    pairs = list(zip(finland["district_id"], finland["contacted"], strict=True))
    for row in frame.itertuples():
        own = [answer == "Contacted" for district, answer in pairs if district == row.level]
        assert row.n == len(own)
        assert row.estimate == pytest.approx(sum(own) / len(own))
        assert row.std_error == pytest.approx(np.std(own) / np.sqrt(len(own)))


def test_page_values_of_finland():
    frame = no_pooling(load("finland"), "contacted", "district_id", event="Contacted")
    frame = frame.sort_values("estimate")
    shown = [0.0862, 0.0909, 0.1250, 0.1500, 0.1620, 0.1707, 0.1818, 0.2288]
    assert frame["estimate"].round(4).tolist()[:8] == shown
    assert frame["n"].tolist() == [58, 44, 40, 40, 179, 41, 88, 153, 61, 105, 103, 65, 86, 23]
    errors = [0.0369, 0.0433, 0.0523, 0.0565, 0.0275, 0.0588, 0.0411, 0.0340]
    assert frame["std_error"].round(4).tolist()[:8] == errors


def test_complete_pooling_is_one_rate_with_each_level_s_n():
    counts = {"a": (1, 4), "b": (5, 6), "c": (0, 1)}
    frame = complete_pooling(rows(counts), "y", "district", method="exact")
    assert list(frame.columns) == COLUMNS
    assert frame["n"].tolist() == [4, 6, 1]
    assert frame["estimate"].tolist() == [6 / 11] * 3
    low, high = proportion_confint(6, 11, alpha=0.1, method="beta")
    assert frame["conf_low"].tolist() == pytest.approx([low] * 3)
    assert frame["conf_high"].tolist() == pytest.approx([high] * 3)


def test_category_order_is_kept_and_unused_categories_are_not_rows():
    data = rows({"a": (1, 4), "b": (2, 3)})
    data["district"] = pd.Categorical(data["district"], categories=["c", "b", "a"])
    for function in (no_pooling, complete_pooling):
        frame = function(data, "y", "district")
        assert frame["level"].tolist() == ["b", "a"]
        assert frame["n"].tolist() == [3, 4]


def test_rows_may_come_in_any_order_and_with_any_index():
    data = rows({"a": (1, 4), "b": (2, 7)})
    shuffled = data.sample(frac=1, random_state=np.random.default_rng(1).integers(99))
    shuffled.index = [0] * len(shuffled)
    before = shuffled.copy()
    pd.testing.assert_frame_equal(
        no_pooling(shuffled, "y", "district"), no_pooling(data, "y", "district")
    )
    pd.testing.assert_frame_equal(shuffled, before)


def test_errors_say_what_to_do():
    data = rows({"a": (1, 4), "b": (2, 3)})
    with pytest.raises(DataError, match=r"'z' is not a column; columns are \['district', 'y'\]"):
        no_pooling(data, "z", "district")
    with pytest.raises(DataError, match="'herd' is not a column"):
        complete_pooling(data, "y", "herd")
    with pytest.raises(DataError, match="no rows"):
        no_pooling(data.iloc[:0], "y", "district")
    with pytest.raises(DataError, match="'agresti' is unknown; the methods are"):
        no_pooling(data, "y", "district", method="agresti")
    for level in (0, 1, 90, -0.1, float("nan")):
        with pytest.raises(DataError, match="between 0 and 1"):
            no_pooling(data, "y", "district", level=level)
    holes = data.assign(district=[None, *data["district"].iloc[1:]])
    with pytest.raises(DataError, match="'district' has 1 missing values"):
        no_pooling(holes, "y", "district")
    with pytest.raises(DataError, match="Contacted"):
        no_pooling(load("finland"), "contacted", "district_id")
    with pytest.raises(DataError, match="missing"):
        no_pooling(data.assign(y=[np.nan, *data["y"].iloc[1:]]), "y", "district")


@pytest.fixture(scope="module")
def finland():
    return glmer("contacted ~ 1 + (1 | district_id)", load("finland"), event="Contacted")


class TestPartialPooling:
    """Against the fit's own modes, against the page, and at the limits."""

    def test_estimates_are_the_modes_through_the_inverse_link(self, finland):
        frame = partial_pooling(finland)
        assert list(frame.columns) == COLUMNS
        modes = finland.ranef.set_index("level")["mode"].loc[list(frame["level"])]
        eta = finland.fixef["Intercept"] + modes.to_numpy()
        assert frame["estimate"].to_numpy() == pytest.approx(1 / (1 + np.exp(-eta)), abs=1e-10)

    def test_page_values(self, finland):
        frame = partial_pooling(finland).set_index("level")
        raw = no_pooling(load("finland"), "contacted", "district_id", event="Contacted")
        order = raw.sort_values("estimate")["level"]
        page = [0.151, 0.160, 0.174, 0.183, 0.173, 0.190, 0.191]
        page += [0.221, 0.216, 0.225, 0.228, 0.233, 0.269, 0.268]
        assert frame.loc[list(order), "estimate"].round(3).tolist() == page
        assert frame["n"].to_dict() == raw.set_index("level")["n"].to_dict()

    def test_interval_is_symmetric_on_the_link_scale(self, finland):
        narrow, wide = partial_pooling(finland, 0.5), partial_pooling(finland, 0.9)
        logits = [np.log(f / (1 - f)) for f in (narrow, wide) for f in [f[COLUMNS[2:]]]]
        for frame in logits:
            middle = (frame["conf_low"] + frame["conf_high"]) / 2
            assert middle.to_numpy() == pytest.approx(frame["estimate"].to_numpy(), abs=1e-10)
        half = [(frame["conf_high"] - frame["conf_low"]) / 2 for frame in logits]
        quantiles = 1.6448536269514722 / 0.6744897501960817  # of the normal at .95 and .75
        assert (half[1] / half[0]).to_numpy() == pytest.approx(np.full(14, quantiles), abs=1e-8)

    def test_category_order_and_dtype_as_no_pooling(self):
        data = load("finland")
        labels = sorted(set(data["district_id"]), reverse=True)
        data["district_id"] = pd.Categorical(data["district_id"], categories=labels)
        fit = glmer("contacted ~ 1 + (1 | district_id)", data, event="Contacted")
        frame = partial_pooling(fit)
        expected = no_pooling(data, "contacted", "district_id", event="Contacted")
        pd.testing.assert_frame_equal(frame[["level", "n"]], expected[["level", "n"]])

    def test_a_predictor_of_the_level_is_allowed_and_one_of_the_row_is_not(self):
        uk = load("uk")
        text = "contacted ~ {} + (1 | district_id)"
        fit = glmer(text.format("district_competitiveness"), uk, event="Contacted")
        frame = partial_pooling(fit)
        one = uk.drop_duplicates("district_id").set_index("district_id").loc[list(frame["level"])]
        expected = fit.predict(one.reset_index())["estimate"].to_numpy()
        assert frame["estimate"].to_numpy() == pytest.approx(expected, abs=1e-12)
        uk["age"] = np.random.default_rng(4).integers(18, 90, len(uk)) / 100
        with pytest.raises(DataError, match="varies within a level of 'district_id'"):
            partial_pooling(glmer(text.format("age"), uk, event="Contacted"))

    def test_other_structures_and_levels_are_refused(self, finland):
        data = load("rainey2015")
        data = data[data["election_id"].isin(["Finland", "Canada"])]
        two = "contacted ~ 1 + (1 | district_id) + (1 | election_id)"
        with pytest.raises(DataError, match=r"\(Intercept \| district_id\), \(Intercept \| elect"):
            partial_pooling(glmer(two, data, event="Contacted"))
        with pytest.raises(DataError, match="between 0 and 1"):
            partial_pooling(finland, level=90)


def test_two_columns_of_one_name_are_refused():
    data = rows({"a": (1, 4), "b": (2, 5)})
    twice = pd.concat([data, data], axis=1)
    with pytest.raises(DataError, match="2 columns named"):
        no_pooling(twice, *data.columns[::-1][:2])
