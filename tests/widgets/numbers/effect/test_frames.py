"""The numbers of the effect of a group-level predictor.

Every number is held to a direct call of `predict`, `comparisons` or `slopes` at rows written out
here. A quantity of one row does not depend on the rows beside it but for the order of sums, so
they agree at rtol 1e-10. Slopes of straight lines are held to the closed form at 1e-10, and to
the three digits in which the lecture's text states them. The posterior mean of the page's
typical line comes from another sampler with other draws: it agrees at 0.02.
"""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from support.effect_models import X

import hierwidgets as hw
from hierwidgets.widgets.numbers.effect import frames as numbers
from hierwidgets.widgets.numbers.effect.kept import Kept
from hierwidgets.widgets.numbers.effect.setting import setting, thinned

NUMBERS = ["estimate", "conf_low", "conf_high"]
RULES = ["PR", "SMD"]


@pytest.fixture(params=["fit", "draws"])
def model(request, several, draws):
    return several if request.param == "fit" else draws


def districts(data="rainey2015"):
    return hw.load(data).drop(columns="contacted").drop_duplicates("district_id")


def same(found, wanted, columns=NUMBERS, rtol=1e-10):
    got, want = (frame[columns].to_numpy(float) for frame in (found, wanted))
    np.testing.assert_allclose(got, want, rtol=rtol, atol=1e-12)


def pick(frame, quantity):
    return frame[frame["quantity"] == quantity]


# --- quantities of interest ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "options", "new"),
    [
        ("typical", {"re_formula": "~0"}, {}),
        ("new", {"new_levels": "sample"}, {"district_id": "a new one", "election_id": "a new one"}),
    ],
)
def test_quantities_are_those_of_direct_calls(model, target, options, new):
    frame = numbers.quantity_frame(setting(model, X), 0.3, 0.8, target=target, level=0.8)
    options = options | {"interval": 0.8}
    rows = pd.DataFrame({X: [0.3, 0.8] * 2, "electoral_rules": np.repeat(RULES, 2)}).assign(**new)
    at, rules = rows.iloc[:2].drop(columns="electoral_rules"), {"electoral_rules": RULES}
    same(pick(frame, "probability"), model.predict(rows, **options))
    change = hw.comparisons(model, {X: [0.3, 0.8]}, rows.iloc[[0, 2]], **options)
    same(pick(frame, "change"), change)
    same(pick(frame, "first difference"), hw.comparisons(model, rules, at, **options))
    second = hw.comparisons(model, {X: [0.3, 0.8]}, at.iloc[:1], across=rules, **options)
    same(pick(frame, "second difference"), second)
    same(pick(frame, "marginal effect"), hw.slopes(model, X, rows, **options))
    effects = hw.slopes(model, X, at, across=rules, **options)
    same(pick(frame, "difference of marginal effects"), effects)


@pytest.mark.parametrize("target", ["typical", "average", "new"])
def test_what_is_kept_of_one_value_gives_the_same_quantities(model, target):
    found = setting(model, X, average_draws=300)
    kept = Kept(found, model, None)
    for low, high in ((0.3, 0.8), (0.3, 0.6), (0.5, 0.6), (0.3, 0.8)):
        frame = numbers.quantity_frame(found, low, high, target=target, level=0.8)
        again = kept.quantities(low, high, target, 0.8)
        assert again.columns.to_list() == frame.columns.to_list()
        words = ["quantity", "at", "series"]
        pd.testing.assert_frame_equal(again[words], frame[words])
        same(again, frame)


def test_averages_are_those_of_direct_calls(model):
    found = setting(model, X, average_draws=300)
    frame = numbers.quantity_frame(found, 0.3, 0.8, target="average")
    used = model if isinstance(model, hw.Fit) else thinned(model, 300)
    units, rules = districts(), {"electoral_rules": RULES}

    def at(x, rule=None):
        return units.assign(**{X: x} | ({"electoral_rules": rule} if rule else {}))

    for i, x in enumerate([0.3, 0.8]):
        first = hw.comparisons(used, rules, at(x), average=True)
        same(pick(frame, "first difference").iloc[[i]], first)
        effects = hw.slopes(used, X, at(x), across=rules, average=True)
        same(pick(frame, "difference of marginal effects").iloc[[i]], effects)
        for j, rule in enumerate(RULES):
            rows = at(x, rule)
            same(
                pick(frame, "marginal effect").iloc[[2 * j + i]],
                hw.slopes(used, X, rows, average=True),
            )
            row = pick(frame, "probability").iloc[2 * j + i]
            if isinstance(used, hw.Fit):
                wanted = used.predict(rows)["estimate"].mean()
                assert np.isnan(row["conf_low"])
            else:
                by_draw = expit(used.linear_predictor(rows)).mean(axis=0)
                wanted = np.median(by_draw)
                assert row["conf_low"] == pytest.approx(np.quantile(by_draw, 0.05), rel=1e-10)
            assert row["estimate"] == pytest.approx(wanted, rel=1e-10)
    for j, rule in enumerate(RULES):
        change = hw.comparisons(used, {X: [0.3, 0.8]}, at(0.3, rule), average=True)
        same(pick(frame, "change").iloc[[j]], change)
    second = hw.comparisons(used, {X: [0.3, 0.8]}, units, across=rules, average=True)
    same(pick(frame, "second difference"), second)


def test_labels_say_where_and_for_whom(several):
    frame = numbers.quantity_frame(setting(several, X), 0.3, 0.8)
    assert frame["quantity"].value_counts().to_dict() == {
        "probability": 4, "marginal effect": 4, "change": 2, "first difference": 2,
        "difference of marginal effects": 2, "second difference": 1,
    }  # fmt: skip
    effects = pick(frame, "marginal effect")
    assert effects["at"].tolist() == ["0.3", "0.8"] * 2
    assert effects["series"].tolist() == ["PR", "PR", "SMD", "SMD"]
    assert pick(frame, "second difference")["at"].tolist() == ["0.3 to 0.8"]
    assert pick(frame, "first difference")["series"].tolist() == ["SMD − PR"] * 2


@pytest.mark.parametrize("quantity", numbers.QUANTITIES)
@pytest.mark.parametrize("target", ["typical", "average", "new"])
def test_curves_hold_the_quantities_at_their_values(several, quantity, target):
    found, at = setting(several, X), np.linspace(0.3, 0.8, 5)
    curve = numbers.curve_frame(found, quantity, at, target=target)
    ends = curve[curve["x"].isin([0.3, 0.8])]
    table = numbers.quantity_frame(found, 0.3, 0.8, target=target)
    same(ends, pick(table, quantity))
    assert (curve.groupby("series")["x"].apply(list).map(len) == 5).all()


def test_differences_add_up(model):
    frame = numbers.quantity_frame(setting(model, X), 0.8, 0.3)
    backwards = pick(frame, "change")["at"].tolist()
    assert backwards == ["0.8 to 0.3"] * 2
    forwards = numbers.quantity_frame(setting(model, X), 0.3, 0.8)
    np.testing.assert_allclose(
        pick(frame, "change")["estimate"], -pick(forwards, "change")["estimate"], rtol=1e-10
    )
    np.testing.assert_allclose(
        pick(frame, "change")["conf_low"], -pick(forwards, "change")["conf_high"], rtol=1e-10
    )


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda s: numbers.quantity_frame(s, 0.5, 0.5), "both values .* are 0.5; give two"),
        (lambda s: numbers.curve_frame(s, "odds", [0.5]), "quantity='odds'; choose one of"),
        (lambda s: numbers.curve_frame(s, "probability", [0.5], target="all"), "target='all'"),
        (lambda s: numbers.curve_frame(s, "first difference", [0.5]), "two values to compare"),
        (lambda s: numbers.quantity_frame(s, 0.5, 0.8, level=2), "not a level between 0 and 1|2"),
    ],
)
def test_questions_that_make_no_sense_are_refused(uk, call, says):
    with pytest.raises(hw.DataError, match=says):
        call(setting(uk, X))


# --- points, lines, slopes ----------------------------------------------------------------


def test_slopes_are_those_of_the_lecture(uk, plain):
    slopes = numbers.slope_frame(setting(uk, X), plain, 0.5, 0.8)["slope"]
    data = hw.load("uk")
    x = districts("uk").set_index("district_id")[X]
    raw = data["contacted"].eq("Contacted").groupby(data["district_id"]).mean()[x.index]
    shrunken = hw.partial_pooling(plain).set_index("level")["estimate"][x.index]
    for kind, y in (("raw", raw), ("two-step", shrunken)):
        wanted = np.cov(x, y)[0, 1] / np.var(x, ddof=1)
        assert slopes[kind] == pytest.approx(wanted, rel=1e-10)
    low, high = expit(uk.fixef["Intercept"] + uk.fixef[X] * np.array([0.5, 0.8]))
    assert slopes["one-step"] == pytest.approx((high - low) / 0.3, rel=1e-10)
    assert slopes.round(3).to_dict() == {"raw": 0.625, "two-step": 0.175, "one-step": 0.789}


def test_points_are_the_units_of_the_data(uk):
    frame = numbers.unit_frame(setting(uk, X)).set_index("level")
    pooled = hw.partial_pooling(uk).set_index("level")
    raw = hw.no_pooling(hw.load("uk"), "contacted", "district_id", event="Contacted")
    np.testing.assert_allclose(frame["estimate"], pooled["estimate"][frame.index], rtol=1e-9)
    np.testing.assert_array_equal(frame["n"], raw.set_index("level")["n"][frame.index])
    np.testing.assert_allclose(frame["raw"], raw.set_index("level")["estimate"][frame.index])
    x = districts("uk").set_index("district_id")[X]
    np.testing.assert_array_equal(frame["x"], x[frame.index])


def test_facets_hold_the_page_s_last_figure(model):
    found = setting(model, X)
    frame = numbers.unit_frame(found).set_index("level")
    rows = districts().set_index("district_id", drop=False).loc[frame.index]
    np.testing.assert_allclose(frame["estimate"], model.predict(rows)["estimate"], rtol=1e-10)
    assert frame["facet"].tolist() == rows["election_id"].tolist()
    line = numbers.line_frame(found, level=0.95, points=9)
    canada = line[line["facet"] == "Canada"]
    rows = pd.DataFrame({X: canada["x"], "electoral_rules": "SMD", "election_id": "Canada"})
    typical = "~ (1 + district_competitiveness | election_id)"
    same(canada, model.predict(rows, re_formula=typical, interval=0.95))
    inside = frame.loc[frame["facet"] == "Canada", "x"]
    assert [canada["x"].min(), canada["x"].max()] == [inside.min(), inside.max()]


def test_the_typical_line_agrees_with_the_page(draws):
    line = numbers.line_frame(setting(draws, X), level=0.95, points=201)
    canada = line[line["facet"] == "Canada"]
    nearest = canada.iloc[(canada["x"] - 0.74).abs().argmin()]
    np.testing.assert_allclose(nearest[NUMBERS].to_numpy(float), [0.660, 0.605, 0.711], atol=0.02)


@pytest.mark.slow  # the district effects of 10,000 draws are simulated anew
def test_individual_covariates_are_held_at_their_middle():
    post = hw.load_posterior("rainey2015_individual")
    found = setting(post, "competitiveness")
    assert (found.unit.group, found.facet.group, found.compare) == ("district", "election", "smd")
    assert found.series == ("smd = 0", "smd = 1")
    covariates = [c for c in found.typical if c not in ("competitiveness", "smd")]
    assert (found.typical[covariates] == 0).all(axis=None)  # the article centres at medians
    assert found.units[covariates].eq(0).all(axis=None)
    at = pd.DataFrame({"competitiveness": [0.8], **{name: [0.0] for name in covariates}})
    wanted = hw.comparisons(post, {"smd": [0, 1]}, at, re_formula="~0")
    same(numbers.curve_frame(found, "first difference", [0.8]), wanted)
