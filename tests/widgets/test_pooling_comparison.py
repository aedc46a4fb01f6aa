"""The pooling comparison without a browser: frames to the digit, traits, errors, the end.

Raw rates and the overall rate are counts of the data and agree exactly. Partial pooling is held
to `hw.partial_pooling`, the package's other way to the same conditional modes, and to
`fit.predict` and `fit.coef`, at rtol 1e-10. Ranks and crossings are recomputed pair by pair in
loops. Numbers written out are the page's, to the digits it prints.
"""

import json

import numpy as np
import pandas as pd
import pytest
import traitlets
from ipywidgets.widgets.widget import _instances
from scipy.special import expit
from scipy.stats import rankdata
from support.paths import REFERENCE

import hierwidgets as hw
from hierwidgets.widgets import PoolingComparison, comparison_frame, crossing_pairs
from hierwidgets.widgets import pooling_comparison as module
from hierwidgets.widgets.numbers.comparison import n_classes, named_fits
from hierwidgets.widgets.parts.instrument import owned_widgets

LME4 = json.loads((REFERENCE / "seed_lme4.json").read_text())
X = "district_competitiveness"
FORMULAS = {
    "Finland": ("finland", "contacted ~ 1 + (1 | district_id)"),
    "UK": ("uk", "contacted ~ 1 + (1 | district_id)"),
    "UK with x": ("uk", f"contacted ~ {X} + (1 | district_id)"),
}


@pytest.fixture(scope="module")
def fits():
    return {
        name: hw.glmer(formula, hw.load(data), event="Contacted")
        for name, (data, formula) in FORMULAS.items()
    }


@pytest.fixture
def shown(fits):
    instrument = PoolingComparison(fits)
    yield instrument
    instrument.close()


def fine(instrument):
    assert not instrument._status.problem, instrument.status
    return instrument.status


# --- the frame ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMULAS)
def test_the_three_estimates_are_those_of_the_package(fits, name):
    data = hw.load(FORMULAS[name][0])
    frame = comparison_frame(fits[name])
    raw = hw.no_pooling(data, "contacted", "district_id", event="Contacted")
    assert frame["level"].tolist() == raw["level"].tolist()
    np.testing.assert_array_equal(frame["n"], raw["n"])
    np.testing.assert_array_equal(frame["no_pooling"], raw["estimate"])
    partial = hw.partial_pooling(fits[name])
    np.testing.assert_allclose(frame["partial_pooling"], partial["estimate"], rtol=1e-10)
    overall = data["contacted"].eq("Contacted").mean()
    np.testing.assert_allclose(frame["complete_pooling"], overall, rtol=1e-14)


@pytest.mark.parametrize(
    ("name", "stored", "printed"), [("Finland", "finland", 0.2023), ("UK", "uk0", 0.2988)]
)
def test_partial_pooling_pulls_toward_mu_and_not_toward_the_overall_rate(
    fits, name, stored, printed
):
    """The printed targets come from lme4's default optimiser, which stops early for the UK."""
    early, tight = (expit(LME4[key]["fixef"]["(Intercept)"]) for key in (stored, f"{stored}_tight"))
    assert round(early, 4) == printed
    frame = comparison_frame(fits[name])
    # Finland's likelihood is so flat that lme4's tight mu, 3e-8 below the top, is 2e-5 off
    np.testing.assert_allclose(frame["target"], tight, rtol=5e-5)
    target = frame["target"].iloc[0]
    raw, partial = frame["no_pooling"], frame["partial_pooling"]
    np.testing.assert_array_equal(np.sign(partial - raw), np.sign(target - raw))


def test_a_level_between_target_and_overall_rate_moves_away_from_the_overall_rate():
    data = hw.load("uk")[["contacted", "district_id"]]
    answers = np.repeat(["Contacted", "Not Contacted"], [31, 69])
    more = pd.DataFrame({"contacted": answers, "district_id": "between"})
    assert set(data["contacted"]) == set(answers)
    both = pd.concat([data.astype(str), more], ignore_index=True)
    fit = hw.glmer("contacted ~ 1 + (1 | district_id)", both, event="Contacted")
    row = comparison_frame(fit).set_index("level").loc["between"]
    assert row["target"] < row["partial_pooling"] < row["no_pooling"] < row["complete_pooling"]


def test_finland_has_the_crossings_of_the_page(fits):
    pairs = crossing_pairs(fits["Finland"]).map(lambda level: level.removeprefix("District "))
    found = {frozenset(pair) for pair in pairs.to_numpy()}
    assert found == set(map(frozenset, [("305", "310"), ("304", "317"), ("316", "310"),
                                        ("308", "309")]))  # fmt: skip
    frame = comparison_frame(fits["Finland"]).set_index("level")
    assert frame.loc["District 309", ["rank_no", "rank_partial"]].tolist() == [1, 2]
    assert frame.loc["District 308", ["rank_no", "rank_partial"]].tolist() == [2, 1]
    assert frame.loc["District 310", "rank_change"] == -2
    assert round(frame.loc["District 309", "no_pooling"], 3) == 0.435
    assert round(frame.loc["District 309", "partial_pooling"], 3) == 0.268


@pytest.mark.parametrize("name", FORMULAS)
def test_ranks_and_crossings_pair_by_pair(fits, name):
    frame = comparison_frame(fits[name])
    raw, partial = (frame[c].round(8).tolist() for c in ("no_pooling", "partial_pooling"))
    np.testing.assert_array_equal(frame["rank_no"], rankdata([-v for v in raw]))
    np.testing.assert_array_equal(frame["rank_partial"], rankdata([-v for v in partial]))
    np.testing.assert_array_equal(frame["rank_change"], frame["rank_no"] - frame["rank_partial"])
    crossed = {
        (frame["level"][i], frame["level"][j])
        for i in range(len(raw))
        for j in range(len(raw))
        if raw[i] > raw[j] and partial[i] < partial[j]
    }
    found = crossing_pairs(fits[name])
    assert set(found.itertuples(index=False, name=None)) == crossed
    assert len(found) == len(crossed)
    members = pd.Series([level for pair in crossed for level in pair]).value_counts()
    wanted = frame["level"].map(members).fillna(0)
    np.testing.assert_array_equal(frame["crossings"], wanted)


def test_equal_counts_of_different_levels_never_cross(fits):
    frame = comparison_frame(fits["UK"])
    y = (frame["no_pooling"] * frame["n"]).round()
    same = frame.groupby([y, frame["n"]])[["rank_no", "rank_partial", "crossings"]]
    assert (same.nunique() == 1).all(axis=None)


def normal_data(J=6, n=12):
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat(np.arange(J), n + 3 * np.arange(J))})
    data["x"] = rng.normal(size=len(data))
    data["y"] = 1000 + 40 * rng.normal(size=J)[data["g"]] + 60 * rng.normal(size=len(data))
    data["count"] = rng.poisson(np.exp(0.5 + 0.3 * (data["g"] % 3)))
    data["w"] = rng.integers(1, 4, size=len(data))
    return data


def test_gaussian_means(fits):
    data = normal_data()
    fit = hw.lmer("y ~ 1 + (1 | g)", data)
    frame = comparison_frame(fit).set_index("level")
    means = data.groupby("g")["y"].mean()
    np.testing.assert_allclose(frame["no_pooling"], means, rtol=1e-12)
    np.testing.assert_allclose(frame["complete_pooling"], data["y"].mean(), rtol=1e-12)
    mu, sd = fit.fixef["Intercept"], fit.varcorr["sd"]
    weight = sd[0] ** 2 / (sd[0] ** 2 + sd[1] ** 2 / frame["n"])
    closed = weight * means + (1 - weight) * mu  # Gelman & Hill (2007), equation 12.1
    np.testing.assert_allclose(frame["partial_pooling"], closed, rtol=1e-9)
    assert frame["n"].tolist() == data.groupby("g").size().tolist()


def test_weighted_gaussian_means():
    data = normal_data()
    fit = hw.lmer("y ~ 1 + (1 | g)", data, weights="w")
    frame = comparison_frame(fit).set_index("level")
    total = data.assign(y=data["y"] * data["w"]).groupby("g")[["y", "w"]].sum()
    np.testing.assert_allclose(frame["no_pooling"], total["y"] / total["w"], rtol=1e-12)
    assert frame["n"].tolist() == data.groupby("g").size().tolist()


def test_mean_counts():
    data = normal_data()
    fit = hw.glmer("count ~ 1 + (1 | g)", data, family="poisson")
    frame = comparison_frame(fit).set_index("level")
    np.testing.assert_allclose(frame["no_pooling"], data.groupby("g")["count"].mean(), rtol=1e-12)
    np.testing.assert_allclose(frame["partial_pooling"], np.exp(fit.coef["estimate"]), rtol=1e-10)
    np.testing.assert_allclose(frame["complete_pooling"], data["count"].mean(), rtol=1e-12)


def test_a_predictor_within_levels_is_averaged_over_trials():
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"g": np.repeat(list("abcdef"), 30), "x": rng.normal(size=180)})
    data["y"] = (rng.random(180) < expit(data["x"])).astype(int)
    fit = hw.glmer("y ~ x + (1 | g)", data)
    frame = comparison_frame(fit).set_index("level")
    line = fit.fixef["Intercept"] + fit.fixef["x"] * data.groupby("g")["x"].mean()
    np.testing.assert_allclose(frame["target"], expit(line), rtol=1e-10)
    mode = fit.ranef.set_index("level")["mode"]
    np.testing.assert_allclose(frame["partial_pooling"], expit(line + mode), rtol=1e-10)


def test_inputs_stay_as_they_were(fits):
    before = fits["UK"].modes.b[0].copy()
    comparison_frame(fits["UK"])
    np.testing.assert_array_equal(fits["UK"].modes.b[0], before)


# --- classes of n -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "names"),
    [
        ([5, 5, 5], ["n = 5"]),
        ([1, 2], ["n = 1", "n = 2"]),
        ([1] * 50 + [2, 3, 4], ["n = 1", "n = 2 to 4"]),
        ([1, 2, 3, 4, 5, 6], ["n = 1 to 3", "n = 4 to 5", "n = 6"]),
    ],
)
def test_classes_cover_every_level_in_order(n, names):
    classes, found = n_classes(np.array(n, dtype=float))
    assert found == names
    assert (np.diff(classes[np.argsort(n, kind="stable")]) >= 0).all()
    assert set(classes) == set(range(len(names)))


# --- wrong input --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda fits: 3, "needs a fit with one .* a int was given"),
        (lambda fits: {}, "an empty dict was given"),
        (lambda fits: {1: fits["UK"]}, "names of the fits must be texts; 1 was given"),
        (lambda fits: {"a": None}, "a NoneType was given"),
        (lambda fits: hw.lmer("y ~ 1 + (x | g)", normal_data()), "vary Intercept, x by g"),
        (lambda fits: hw.lmer("y ~ 1 + (1 | g) + (1 | w)", normal_data()), "Intercept by w"),
    ],
)
def test_what_cannot_be_compared_is_refused(fits, make, message):
    before = set(_instances)
    with pytest.raises(hw.DataError, match=message):
        PoolingComparison(make(fits))
    assert set(_instances) == before


def test_counts_of_unequal_exposure_are_refused():
    data = normal_data().assign(log_time=lambda d: np.log(d["w"]))
    fit = hw.glmer("count ~ 1 + (1 | g)", data, family="poisson", offset="log_time")
    with pytest.raises(hw.DataError, match="this fit has an offset"):
        comparison_frame(fit)


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("shown", "France", "shown must be one of 'Finland', 'UK', 'UK with x'; 'France'"),
        ("highlight", "all", "highlight must be one of 'none', 'n range', 'crossers'; 'all'"),
        ("n_low", 3, "n_low must be from 23 to 179; 3 was given"),
        ("n_high", 180, "n_high must be from 23 to 179; 180 was given"),
        ("selected", "District 1", "one of the 14 levels of district_id .* 'District 1'"),
    ],
)
def test_wrong_traits_say_what_is_allowed(shown, fits, trait, value, message):
    with pytest.raises(traitlets.TraitError, match=message):
        setattr(shown, trait, value)
    before = set(_instances)
    with pytest.raises(traitlets.TraitError, match=message):
        PoolingComparison(fits, **{trait: value})
    assert set(_instances) == before


def test_unknown_keywords_are_refused(fits):
    with pytest.raises(TypeError, match=r"does not know 'hilight'; its keywords are shown"):
        PoolingComparison(fits, hilight="crossers")


# --- the widget ---------------------------------------------------------------------------


def places(shown, row):
    """Values and levels of one row of points, 1 partial and 2 no pooling, of all classes."""
    marks = [pair[row - 1] for pair in shown._points]
    values = np.concatenate([mark.x for mark in marks])
    names = np.concatenate([np.array(mark.names, dtype=str) for mark in marks])
    return pd.Series(values, index=names)


@pytest.mark.parametrize("name", FORMULAS)
def test_points_and_lines_are_the_frame(shown, fits, name):
    shown.shown = name
    frame = comparison_frame(fits[name]).set_index("level")
    for row, column in ((1, "partial_pooling"), (2, "no_pooling")):
        found = places(shown, row)
        assert len(found) == len(frame)
        pd.testing.assert_series_equal(found[frame.index], frame[column], check_names=False)
    paths = np.concatenate([[*mark.x, np.nan] for mark in shown._lines if len(mark.x)])
    order = np.argsort(shown._classes, kind="stable")
    columns = ["complete_pooling", "partial_pooling", "no_pooling"]
    np.testing.assert_array_equal(paths.reshape(-1, 4)[:, :3], frame[columns].to_numpy()[order])
    assert shown._square.x.tolist() == [frame["complete_pooling"].iloc[0]]
    assert len(shown._targets.x) == (1 if name != "UK with x" else 253)
    fine(shown)


def test_equal_rates_of_many_levels_are_stacked_apart(shown):
    shown.shown = "UK"
    for row in (1, 2):
        spots = np.column_stack([shown._x[row], shown._y[row].round(6)])
        assert len(np.unique(spots.round(9), axis=0)) == 253
    assert shown._y.min() > -0.5
    assert shown._y[1].min() > 0.5


def test_the_range_of_n_highlights_its_levels(shown):
    shown.highlight, shown.n_high = "n range", 41
    frame = shown._frame
    inside = frame["n"].between(23, 41)
    lines = np.append(shown._marked.x, np.nan).reshape(-1, 4)
    np.testing.assert_array_equal(lines[:, 2], frame["no_pooling"][inside])
    moves = (frame["no_pooling"] - frame["partial_pooling"]).abs()[inside]
    assert f"Highlighted: 4 with n = 23 to 41; they move by {moves.mean():.3f}" in shown.status
    assert {o for mark in shown._lines for o in mark.opacities} == {module.BEHIND}
    assert shown._low_slider.layout.display is None
    shown.highlight = "none"
    assert len(shown._marked.x) == 0
    assert {o for mark in shown._lines for o in mark.opacities} == {module.FEW}
    assert shown._low_slider.layout.display == "none"


def test_one_end_of_the_range_takes_the_other_along(shown):
    shown.highlight = "n range"
    shown.n_high = 50
    shown.n_low = 80
    assert (shown.n_low, shown.n_high) == (80, 80)
    shown.n_high = 60
    assert (shown.n_low, shown.n_high) == (60, 60)
    assert "Highlighted: 0 with n = 60." in shown.status


def test_crossers_are_all_or_those_of_one_level(shown):
    shown.highlight = "crossers"
    assert len(np.append(shown._marked.x, np.nan)) == 7 * 4
    assert "4 of 91 pairs" in shown.status
    assert "Complete pooling gives all 0.2072; partial pooling pulls toward 0.2023." in shown.status
    shown.selected = "District 310"
    assert len(np.append(shown._marked.x, np.nan)) == 2 * 4
    assert shown.status == (
        "District 310: n = 179; no pooling 0.162, rank 10; partial 0.173, rank 12 of 14; complete "
        "0.207. It changes places with District 305, District 316. Highlighted: the 2 that change "
        "places with District 310."
    )
    shown.selected = "District 306"
    assert "It changes places with none. Highlighted: the 0 that" in shown.status


def click(mark, index):
    mark._handle_custom_msgs(mark, {"event": "element_click", "data": {"index": index}})


def test_a_click_and_the_menu_select_a_level(shown):
    for pair in shown._points:
        for mark in pair:
            click(mark, len(mark.x) - 1)
            assert str(shown.selected) == mark.names[-1]
            assert mark.x[-1] in shown._ring.x
    shown._level_menu.index = 6
    assert shown.selected == "District 309"
    assert shown._ring.x.round(3).tolist() == [0.268, 0.435]
    assert shown._ring.y.tolist() == [1, 0]
    shown._level_menu.index = 0
    assert shown.selected is None
    assert len(shown._ring.x) == 0


def test_another_fit_keeps_the_selection_only_if_it_has_the_level(shown):
    shown.shown, shown.selected = "UK", "District 319"
    shown.highlight, shown.n_low = "n range", 4
    shown.shown = "UK with x"
    assert shown.selected == "District 319"
    assert (shown.n_low, shown.n_high) == (1, 10)
    assert "District 319: n = 1" in shown.status
    assert shown._level_menu.label == "District 319"
    shown.shown = "Finland"
    assert shown.selected is None
    assert shown._level_menu.options[1] == "District 304"
    assert (shown._low_slider.min, shown._low_slider.max) == (23, 179)
    fine(shown)


def test_the_table_lists_changes_of_rank_largest_first(shown):
    rows = shown._table.rows
    assert rows[0] == ["District 310", "179", "0.162", "0.173", "0.207", "10", "12", "-2", "2"]
    changes = [abs(float(row[7])) for row in rows]
    assert changes == sorted(changes, reverse=True)
    assert ["District 309", "23", "0.435", "0.268", "0.207", "1", "2", "-1", "1"] in rows
    assert len(rows) == 14
    shown.shown = "UK"
    assert len(shown._table.rows) == 253


def test_the_picture_has_a_text_that_follows(shown):
    text = shown._status.pictures["hw-slopes"]
    assert "14 levels of district_id as lines over three rows" in text
    assert "Partial pooling: 0.151 to 0.269, pulled toward 0.202. No pooling: 0.086 to" in text
    shown.shown = "UK with x"
    assert "253 levels" in shown._status.pictures["hw-slopes"]
    assert "pulled toward 0.114 to 0.506" in shown._status.pictures["hw-slopes"]


def test_moving_rebuilds_nothing(shown):
    before = {id(widget) for widget in owned_widgets(shown)}
    for name in (*FORMULAS, "Finland"):
        shown.shown = name
        for shown.highlight in ("n range", "crossers", "none"):
            shown.selected = shown._levels[3]
        shown.n_low = shown.n_high
    assert {id(widget) for widget in owned_widgets(shown)} == before


def test_an_error_while_drawing_shows_in_the_status(shown, monkeypatch):
    def fail(_):
        raise hw.DataError("no luck")

    with monkeypatch.context() as patch:
        patch.setattr(module, "comparison_frame", fail)
        shown.shown = "UK"
    assert shown.status == "This could not be drawn: no luck"
    shown.shown = "Finland"
    assert fine(shown).startswith("4 of 91")


def test_one_fit_hides_the_menu_of_fits_and_has_the_name_of_its_formula(fits):
    instrument = PoolingComparison(fits["Finland"], selected="District 309")
    assert instrument._fit_menu.layout.display == "none"
    assert instrument.shown == FORMULAS["Finland"][1]
    assert repr(instrument).startswith(
        "PoolingComparison(shown='contacted ~ 1 + (1 | district_id)'"
    )
    instrument.close()


def test_closing_frees_every_widget_and_observer(fits):
    before = set(_instances)
    instrument = PoolingComparison(fits["Finland"])
    slider = instrument._low_slider
    instrument.close()
    assert set(_instances) == before
    slider.value = 100
    assert instrument.n_low == 23


# --- a user's own data --------------------------------------------------------------------


@pytest.mark.parametrize("J", [2, 3, 60])
@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_own_data_of_other_families(J, family):
    data = normal_data(J=J)
    name = "y" if family == "gaussian" else "count"
    model = hw.Model(f"{name} ~ x + (1 | g)", data, family)
    instrument = PoolingComparison(model.maximize())
    fine(instrument)
    assert instrument._rate_axis.label == f"mean of {name}"
    assert type(instrument._levels[0]) in (int, np.int64)
    instrument.selected = 1
    assert instrument.status.startswith("1: n = 15; no pooling")
    instrument.highlight = "crossers"
    fine(instrument)
    if family == "gaussian":
        low = float(instrument._table.rows[0][2])
        assert 800 < low < 1200
        assert "e+" not in instrument.status
    instrument.close()


def test_proportions_and_odd_labels():
    rng = np.random.default_rng(8)
    data = pd.DataFrame({"the unit": [f"a <b> & {i}" for i in range(9)], "n": 5.0 + np.arange(9)})
    data["s"] = rng.binomial(data["n"].astype(int), 0.4)
    instrument = PoolingComparison(hw.glmer("p(s, n) ~ 1 + (1 | `the unit`)", data))
    fine(instrument)
    instrument.selected = "a <b> & 3"
    assert "a <b> & 3: n = 8" in instrument.status
    assert instrument._rate_axis.label == "s / n"
    instrument.close()


def test_all_levels_alike_are_drawn():
    data = pd.DataFrame({"g": np.repeat(np.arange(5), 10), "y": [1, 0, 0, 0, 1] * 10})
    fit = hw.glmer("y ~ 1 + (1 | g)", data)
    assert fit.singular
    instrument = PoolingComparison(fit)
    assert fine(instrument).startswith("0 of 10 pairs")
    assert instrument._rate.min < 0.4 < instrument._rate.max
    instrument.highlight = "n range"
    fine(instrument)
    instrument.close()


def test_names_of_fits_are_kept(fits):
    assert list(named_fits(fits)) == list(FORMULAS)
