"""The effect of a group-level predictor without a browser: numbers, traits, errors, the end.

Every number is held to a direct call of `predict`, `comparisons` or `slopes` at rows written out
here. A quantity of one row does not depend on the rows beside it but for the order of sums, so
they agree at rtol 1e-10. Slopes of straight lines are held to the closed form at 1e-10, and to
the three digits in which the lecture's text states them. The posterior mean of the page's
typical line comes from another sampler with other draws: it agrees at 0.02.
"""

import asyncio
import dataclasses

import numpy as np
import pandas as pd
import pytest
import traitlets
from ipywidgets.widgets.widget import _instances
from scipy.special import expit

import hierwidgets as hw
from hierwidgets.widgets import CompetitivenessEffect, competitiveness_effect, loglik_at
from hierwidgets.widgets.numbers.effect import frames as numbers
from hierwidgets.widgets.numbers.effect.moved import (
    held_at,
    prepared,
    slope_position,
    without_predictor,
)
from hierwidgets.widgets.numbers.effect.setting import setting, thinned
from hierwidgets.widgets.panels.facets import rows_of_facets
from hierwidgets.widgets.parts.instrument import owned_widgets

X = "district_competitiveness"
SEVERAL = (
    "contacted ~ district_competitiveness * electoral_rules + (1 | district_id) "
    "+ (1 + district_competitiveness | election_id)"
)
NUMBERS = ["estimate", "conf_low", "conf_high"]
RULES = ["PR", "SMD"]


@pytest.fixture(scope="module")
def uk():
    return hw.glmer(f"contacted ~ {X} + (1 | district_id)", hw.load("uk"), event="Contacted")


@pytest.fixture(scope="module")
def plain():
    return hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("uk"), event="Contacted")


@pytest.fixture(scope="module")
def several():
    return hw.glmer(SEVERAL, hw.load("rainey2015"), event="Contacted")


@pytest.fixture(scope="module")
def draws():
    return hw.load_posterior("rainey2015")


@pytest.fixture(params=["fit", "draws"])
def model(request, several, draws):
    return several if request.param == "fit" else draws


@pytest.fixture
def shown(uk):
    instrument = CompetitivenessEffect(uk, X, low=0.5, high=0.8)
    yield instrument
    instrument.close()


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


# --- sigma and slope moved ----------------------------------------------------------------


def test_a_fit_held_at_its_own_values_is_the_fit(uk):
    held = held_at(uk, uk.theta[0], {1: uk.beta[1]})
    assert held.loglik == pytest.approx(uk.loglik, abs=1e-7)
    np.testing.assert_allclose(held.beta, uk.beta, atol=1e-4)
    np.testing.assert_allclose(held.modes.b[0], uk.modes.b[0], atol=1e-4)


@pytest.mark.parametrize(("sigma", "slope"), [(0.2, 3.0), (1.5, -1.0), (0.6, 8.0)])
def test_what_is_not_held_maximises_the_likelihood(uk, sigma, slope):
    held = held_at(uk, sigma, {1: slope})
    assert (held.theta[0], held.beta[1]) == (sigma, slope)
    assert held.loglik == pytest.approx(loglik_at(held, sigma, held.beta[0]), abs=1e-8)
    for step in (-0.05, 0.05):
        assert loglik_at(held, sigma, held.beta[0] + step) < held.loglik
    found = setting(uk, X)
    points, line = prepared(found, held, points=7).estimates(held)
    np.testing.assert_allclose(points, numbers.unit_frame(found, held)["estimate"], rtol=1e-12)
    wanted = numbers.line_frame(found, held, points=7)["estimate"]
    np.testing.assert_allclose(line, wanted, rtol=1e-12)


@pytest.mark.parametrize(
    ("formula", "position"),
    [("y ~ x + x2 + (1 | g)", 1), ("y ~ x * x2 + (1 | g)", None), ("y ~ log(x) + (1 | g)", None)],
)
def test_only_a_plain_coefficient_can_be_moved(formula, position):
    fit = hw.glmer(formula, invented())
    assert slope_position(fit, "x") == position
    instrument = CompetitivenessEffect(fit, "x")
    assert (instrument.slope is None) == (position is None)
    assert instrument.sigma == fit.theta[0]
    instrument.close()


def invented(J=40, n=12, seed=4):
    """Units with a predictor each, within five regions."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(J), n)
    x, z = rng.uniform(0.5, 2.0, J), rng.normal(size=J * n)
    region = np.array(list("abcde"))[unit % 5]
    b = rng.normal(0, 1.0, J)
    data = pd.DataFrame({"g": unit, "x": x[unit], "x2": rng.normal(size=J)[unit], "z": z})
    data["region"], data["odd name"] = region, data["x"]
    data["rule"] = np.where(np.isin(region, ["a", "b"]), "old", "new")
    data["y"] = (rng.random(J * n) < expit(-1 + x[unit] + b[unit])).astype(int)
    return data


# --- the model without the predictor ------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "without", "name"),
    [
        ("y ~ x + z + (1 | g)", "y ~ z + (1 | g)", "x"),
        ("y ~ x * rule + (1 | g) + (1 | region)", "y ~ rule + (1 | g) + (1 | region)", "x"),
        ("y ~ x + x2 + (1 | region/g)", "y ~ x2 + (1 | region/g)", "x"),
        ("y ~ poly(x, 2):z + I(x**2) + z + (1 | g)", "y ~ z + (1 | g)", "x"),
        ("y ~ 0 + x + rule + (1 | g)", "y ~ 0 + rule + (1 | g)", "x"),
        ("y ~ `odd name` + C(rule) + (1 | g)", "y ~ C(rule) + (1 | g)", "odd name"),
        ("y ~ log(`odd name`) + z + (1 | g)", "y ~ z + (1 | g)", "odd name"),
    ],
)
def test_every_term_with_the_predictor_is_left_out(formula, without, name):
    data = invented()
    found = without_predictor(hw.glmer(formula, data), name)
    wanted = hw.glmer(without, data)
    assert found.loglik == pytest.approx(wanted.loglik, abs=1e-6)
    assert set(found.fixef.index) == set(wanted.fixef.index)


def test_slopes_that_vary_are_left_out_with_it(several):
    found = without_predictor(several, X)
    wanted = hw.glmer(
        "contacted ~ electoral_rules + (1 | district_id) + (1 | election_id)",
        hw.load("rainey2015"), event="Contacted",
    )  # fmt: skip
    assert found.loglik == pytest.approx(wanted.loglik, abs=1e-6)


def test_trials_weights_offset_link_and_quadrature_stay():
    data = invented()
    data["w"], data["o"] = 2, 0.1 * data["z"]
    given = {"weights": data["w"], "offset": "o", "link": "probit", "n_agq": 5}
    found = without_predictor(hw.glmer("y ~ x + (1 | g)", data, **given), "x")
    wanted = hw.glmer("y ~ 1 + (1 | g)", data, **given)
    assert found.loglik == pytest.approx(wanted.loglik, abs=1e-6)
    given["offset"] = data["o"].to_numpy()
    found = without_predictor(hw.glmer("y ~ x + (1 | g)", data, **given), "x")
    assert found.loglik == pytest.approx(wanted.loglik, abs=1e-6)
    counts = data.groupby(["g", "x"], as_index=False).agg(s=("y", "sum"), n=("y", "size"))
    found = without_predictor(hw.glmer("p(s, n) ~ x + (1 | g)", counts), "x")
    wanted = hw.glmer("p(s, n) ~ 1 + (1 | g)", counts)
    assert found.loglik == pytest.approx(wanted.loglik, abs=1e-6)


# --- what it accepts ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "predictor", "says"),
    [
        ("y ~ x2 + (1 | g)", "x", "'x' is not a predictor of this model; it has .'x2'."),
        ("y ~ x + (1 | g)", "g", "'g' is not a predictor"),
        ("y ~ z + (1 | g)", "z", "'z' varies within the levels of 'g'"),
        ("y ~ rule + (1 | g)", "rule", "'rule' holds levels; the curve needs a numeric predictor"),
        ("y ~ x + (1 + z | g)", "x", "here vary Intercept, z by g"),
        ("y ~ x + (1 | g) + (1 + z | region)", "x", "Intercept, z by region"),
        ("y ~ x + (1 | g) + (1 | crossed)", "x", "Intercept by crossed"),
        ("y ~ x + (1 | g) + (1 | region) + (1 | rule)", "x", "one grouping factor that holds"),
    ],
)
def test_other_models_are_refused_with_the_reason(formula, predictor, says):
    data = invented()
    data["crossed"] = np.arange(len(data)) % 7
    fit = hw.glmer(formula, data)
    with pytest.raises((hw.DataError, hw.FormulaError), match=says):
        CompetitivenessEffect(fit, predictor)


def test_other_families_and_things_are_refused():
    data = invented()
    with pytest.raises(hw.DataError, match="this one is gaussian"):
        CompetitivenessEffect(hw.lmer("z ~ x + (1 | g)", data), "x")
    with pytest.raises(hw.DataError, match="a DataFrame was given"):
        CompetitivenessEffect(data, "x")


@pytest.mark.parametrize(
    ("compare", "says"),
    [
        ("nothing", "compare='nothing' is not another predictor; those are .'region'."),
        ("region", "compare='region' has 5 values; two can be compared"),
        ("x", "'x' is not another predictor"),
    ],
)
def test_what_cannot_be_compared_is_refused(compare, says):
    fit = hw.glmer("y ~ x + region + (1 | g)", invented())
    with pytest.raises((hw.DataError, hw.FormulaError), match=says):
        CompetitivenessEffect(fit, "x", compare=compare)


@pytest.mark.parametrize(
    ("keywords", "error", "says"),
    [
        ({"lo": 0.5}, TypeError, "does not know 'lo'; its keywords are with_predictor, sigma"),
        ({"sigma": 0.0}, traitlets.TraitError, "sigma must be from 0.01 to 5; 0.0 was given"),
        ({"slope": 99.0}, traitlets.TraitError, "slope must be from"),
        ({"low": 0.1}, traitlets.TraitError, "low must be from 0.351 to 0.8854; 0.1 was given"),
        ({"high": float("nan")}, traitlets.TraitError, "nan was given"),
        ({"target": "all"}, traitlets.TraitError, "'typical', 'average', 'new'"),
        ({"level": 0.5}, traitlets.TraitError, "0.8, 0.9, 0.95"),
        (
            {"quantity": "first difference"},
            traitlets.TraitError,
            "'probability', 'marginal effect'",
        ),
        ({"selected": "District 1"}, traitlets.TraitError, "one of the 253 levels of district_id"),
        ({"without": 3}, hw.DataError, "without must be a fit or a posterior; a int is not"),
    ],
)
def test_wrong_keywords_and_values_are_refused(uk, keywords, error, says):
    before = set(_instances)
    with pytest.raises(error, match=says):
        CompetitivenessEffect(uk, X, **keywords)
    assert set(_instances) == before


def test_a_model_without_the_predictor_is_checked(uk, plain):
    with pytest.raises(hw.DataError, match=f"without still holds '{X}'"):
        CompetitivenessEffect(uk, X, without=uk)
    finland = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")
    with pytest.raises(hw.DataError, match="without has other levels of 'district_id'"):
        CompetitivenessEffect(uk, X, without=finland)
    instrument = CompetitivenessEffect(uk, X, without=plain, with_predictor=False)
    assert instrument.sigma == plain.theta[0]
    instrument.close()


def test_sigma_and_slope_stay_where_there_is_nothing_to_move(several):
    instrument = CompetitivenessEffect(several, X)
    assert (instrument.sigma, instrument.slope) == (None, None)
    with pytest.raises(traitlets.TraitError, match="sigma can be moved for a fit with one"):
        instrument.sigma = 1.0
    assert instrument._button.layout.display == "none"
    instrument.close()


# --- the traits ---------------------------------------------------------------------------


def test_the_switch_shrinks_points_to_the_mean_or_to_the_curve(shown, uk, plain):
    assert "With district_competitiveness: σ of district_id = 0.60" in shown.status
    row = shown._rows[0]
    with_it = numbers.unit_frame(shown._setting)["estimate"]
    np.testing.assert_array_equal(row.heights, with_it)
    assert np.ptp(row.line.y) > 0.3
    shown._switch.value = False
    assert "Without district_competitiveness: σ of district_id = 0.71" in shown.status
    assert "shown estimates has slope 0.175. In the model with it: Typical" in shown.status
    assert shown.sigma == pytest.approx(plain.theta[0], rel=1e-6)
    wanted = plain.predict(shown._setting.units)["estimate"]
    np.testing.assert_allclose(row.heights, wanted, rtol=1e-5)
    np.testing.assert_allclose(row.line.y, expit(plain.beta[0]), rtol=1e-5)
    assert shown._movers[1].layout.display == "none"
    shown.with_predictor = True
    assert shown._switch.value
    assert (shown.sigma, shown.slope) == (uk.theta[0], uk.beta[1])
    assert shown._movers[1].layout.display is None


def test_sigma_and_slope_move_points_and_line(shown, uk):
    shown._movers[0].value = 1.5
    shown._movers[1].value = 2.0
    assert (shown.sigma, shown.slope) == (1.5, 2.0)
    held = held_at(uk, 1.5, {1: 2.0})
    row = shown._rows[0]
    units = numbers.unit_frame(shown._setting, held)
    np.testing.assert_allclose(row.heights, units["estimate"], rtol=1e-12)
    line = numbers.line_frame(shown._setting, held)
    np.testing.assert_allclose(row.line.y.ravel(), line["estimate"], rtol=1e-12)
    assert not row.band.visible
    through = np.polyfit(units["x"], units["estimate"], 1)
    np.testing.assert_allclose(row.through_points.y, np.polyval(through, row.through_points.x))
    assert f"log-likelihood {uk.loglik - held.loglik:.2f} below the fit's" in shown.status
    shown._button.click()
    assert (shown.sigma, shown.slope) == (uk.theta[0], uk.beta[1])
    assert row.band.visible
    assert "below the fit's" not in shown.status


def test_the_line_through_the_points_turns_with_sigma(shown):
    shown.with_predictor = False

    def slope():
        row = shown._rows[0]
        return np.diff(row.through_points.y)[0] / np.diff(row.through_points.x)[0]

    assert round(slope(), 3) == 0.175
    shown.sigma = 0.01
    assert 0 <= slope() < 0.001
    before = 0
    for sigma in (0.5, 1.0, 2.0, 5.0):
        shown.sigma = sigma
        assert slope() > before
        before = slope()


def test_low_and_high_move_the_marks_and_the_numbers(shown, uk):
    shown._table.is_open = True
    shown._low_slider.value = 0.4
    shown.high = 0.7
    assert (shown.low, shown._high_slider.value) == (0.4, 0.7)
    options = {"re_formula": "~0", "interval": 0.9}
    change = hw.comparisons(uk, {X: [0.4, 0.7]}, pd.DataFrame({X: [0.4]}), **options).iloc[0]
    line = next(row for row in shown._table.rows if row[0] == "change")
    limits = f"{change['conf_low']:.3f} to {change['conf_high']:.3f}"
    assert line == ["change", "0.4 to 0.7", "", f"{change['estimate']:.3f}", limits]
    short = f"+{change['estimate']:.2f} [{change['conf_low']:.2f}, {change['conf_high']:.2f}]"
    assert f"0.4 to 0.7: {short}" in shown.status
    mark = shown._picture.marks[0]
    np.testing.assert_array_equal(mark.x, [0.4, 0.7])
    wanted = uk.predict(pd.DataFrame({X: [0.4, 0.7]}), re_formula="~0")["estimate"]
    np.testing.assert_allclose(mark.y, wanted, atol=1e-4)  # straight between 61 points
    np.testing.assert_allclose(shown._rows[0].guides.x[[0, 3]], [0.4, 0.7])


def test_equal_values_say_what_to_do_and_recover(shown):
    shown.low = 0.8
    assert shown.status == f"This could not be drawn: both values of '{X}' are 0.8; give two"
    assert shown._status.problem
    shown.low = 0.5
    assert not shown._status.problem


def test_menus_choose_quantity_target_and_level(several):
    instrument = CompetitivenessEffect(several, X, low=0.3, high=0.8)
    instrument._table.is_open = True
    instrument._quantity_menu.value = "difference of marginal effects"
    instrument._target_menu.value = "new"
    instrument._interval_menu.value = 0.8
    at = np.linspace(*instrument._range, competitiveness_effect.POINTS_OF_CURVE)
    curve = numbers.curve_frame(
        instrument._setting, "difference of marginal effects", at, target="new", level=0.8
    )
    picture = instrument._picture
    assert [c.visible for c in picture.curves] == [False, False, True]
    np.testing.assert_array_equal(picture.curves[2].y, curve["estimate"])
    np.testing.assert_array_equal(picture.bands[2].y[: len(at)], curve["conf_low"])
    np.testing.assert_array_equal(picture.bands[2].y[len(at) :], curve["conf_high"][::-1])
    assert instrument._table.columns[-1] == "80% interval"
    frame = numbers.quantity_frame(instrument._setting, 0.3, 0.8, target="new", level=0.8)
    pd.testing.assert_frame_equal(instrument.quantities, frame)
    assert [row[3] for row in instrument._table.rows] == [f"{v:.3f}" for v in frame["estimate"]]
    instrument.quantity = "probability"
    assert [c.visible for c in picture.curves] == [True, True, False]
    instrument.close()


def test_facets_show_points_lines_and_bands_in_place(draws):
    instrument = CompetitivenessEffect(draws, X, low=0.3, high=0.8)
    (row,) = instrument._rows
    found = instrument._setting
    units, line = numbers.unit_frame(found), numbers.line_frame(found)
    np.testing.assert_array_equal(row.heights, units["estimate"])
    assert row.line.y.shape == (5, 41)
    np.testing.assert_array_equal(row.line.y.ravel(), line["estimate"])
    np.testing.assert_array_equal(row.band.y[:, :41].ravel(), line["conf_low"])
    np.testing.assert_array_equal(row.band.y[:, :40:-1].ravel(), line["conf_high"])
    facet = np.floor(row.points.x / 1.14)
    np.testing.assert_array_equal(facet, found.facet_of)
    low, high = found.x.min(), found.x.max()
    np.testing.assert_allclose(row.points.x - 1.14 * facet, (found.x - low) / (high - low))
    assert instrument._titles()[:2] == ("Canada (SMD)", "Finland (PR)")
    instrument.selected = "Finland; District 309" if "Finland; District 309" in list(
        found.unit.levels) else instrument._levels[300]  # fmt: skip
    place = instrument._levels.index(instrument.selected)
    assert row.ring.y.tolist() == [units["estimate"][place]] * 2
    assert f"{instrument.selected} in {units['facet'][place]}: " in instrument.status
    instrument.close()


def test_averages_say_how_many_draws_they_use(draws):
    instrument = CompetitivenessEffect(draws, X, average_draws=100, target="average")
    assert instrument.status.endswith("From 100 of 10,000 draws.")
    assert thinned(draws, 100).draws.beta.shape[:2] == (4, 25)
    instrument.target = "typical"
    assert "draws." not in instrument.status
    instrument.close()


def test_draws_of_one_country_show_without_sliders_for_sigma():
    post, plain = hw.load_posterior("uk_competitiveness"), hw.load_posterior("uk")
    instrument = CompetitivenessEffect(post, X, without=plain, low=0.5, high=0.8)
    assert instrument._movers == []
    frame = numbers.unit_frame(instrument._setting)
    np.testing.assert_array_equal(instrument._rows[0].heights, frame["estimate"])
    assert "(posterior mean)" in instrument.status
    instrument.with_predictor = False
    wanted = plain.predict(instrument._setting.units)["estimate"]
    np.testing.assert_array_equal(instrument._rows[0].heights, wanted)
    instrument.close()


def test_in_a_drag_the_changes_follow_each_step(shown):
    async def drag():
        for low in (0.45, 0.6):
            shown.low = low
            change = pick(shown.quantities, "change").iloc[0]
            assert f"{low:g} to 0.8: +{change['estimate']:.2f} [" in shown.status
            assert f"one-step {shown.slopes['slope']['one-step']:.3f}." in shown.status
            assert shown._pending is None

    asyncio.run(drag())
    assert shown._table.rows[0][1] == "0.5"  # a closed table is filled when it opens
    shown._table.is_open = True
    assert shown._table.rows[0][1] == "0.6"


@pytest.mark.parametrize("target", ["typical", "average"])
def test_a_drag_previews_and_the_table_follows(shown, monkeypatch, target):
    shown.target, shown._table.is_open = target, True
    asked = []
    exact = numbers.quantity_frame
    monkeypatch.setattr(
        numbers, "quantity_frame", lambda *a, **k: (asked.append(a[1:]), exact(*a, **k))[1]
    )

    async def drag():
        for low in np.linspace(0.4, 0.6, 11):
            shown.low = low
            assert shown._picture.marks[0].x[0] == low
        assert asked == []
        await asyncio.sleep(4 * competitiveness_effect.SETTLE)

    asyncio.run(drag())
    assert asked == [(0.6, 0.8)]
    assert "0.6 to 0.8" in shown.status


def test_closing_forgets_what_is_still_to_come(uk):
    before = set(_instances)

    async def close_while_waiting():
        instrument = CompetitivenessEffect(uk, X, target="average")
        instrument.low = 0.4
        pending = instrument._pending
        instrument.close()
        assert pending.cancelled()
        await asyncio.sleep(2 * competitiveness_effect.SETTLE)

    asyncio.run(close_while_waiting())
    assert set(_instances) == before


def click(shown, x, y):
    """What the page sends when the upper picture is clicked at (x, y)."""
    row = shown._rows[0]
    share = [
        (value - scale.min) / (scale.max - scale.min) for value, scale in ((x, row._x), (y, row.y))
    ]
    message = {"place": row.name, "x": share[0], "y": share[1]}
    shown._status._handle_custom_msg(message, [])


def test_the_menu_and_a_click_pick_a_unit(shown):
    shown._level_menu.index = 3
    assert shown.selected == shown._levels[2]
    assert shown._rows[0].ring.visible
    frame = numbers.unit_frame(shown._setting).iloc[10]
    click(shown, frame["x"], frame["raw"])
    assert shown.selected == frame["level"]
    assert shown._level_menu.index == 11
    assert f"{frame['level']}: {X} {frame['x']:.3f}, n = {frame['n']:g}" in shown.status
    np.testing.assert_array_equal(shown._rows[0].ring.y, [frame["raw"], frame["estimate"]])
    shown._level_menu.index = 0
    assert shown.selected is None
    assert not shown._rows[0].ring.visible
    click(shown, 0.37, 0.9)  # nothing is near
    assert shown.selected is None
    click(shown, frame["x"], frame["estimate"])
    assert shown.selected == frame["level"]


def test_many_pooled_points_beside_raw_rates_are_one_path(shown):
    row, J = shown._rows[0], len(shown._levels)
    shown.sigma = 1.0
    assert len(row.points.x) == 0
    x, y = (np.append(v, np.nan).reshape(J, 6) for v in (row.crowd.x, row.crowd.y))
    np.testing.assert_allclose(x[:, :4].mean(axis=1), shown._setting.x)
    np.testing.assert_allclose(y[:, :4].mean(axis=1), row.heights)
    assert np.isnan(x[:, 5]).all()


def test_moving_rebuilds_nothing(shown):
    before = {id(widget) for widget in owned_widgets(shown)}
    for share in np.linspace(0, 1, 7):
        shown.sigma, shown.slope = 0.1 + share, 1 + share
        shown.low = 0.4 + 0.1 * share
    shown.with_predictor, shown.quantity, shown.target = False, "marginal effect", "average"
    assert {id(widget) for widget in owned_widgets(shown)} == before


def test_tables_are_filled_when_opened(shown):
    at_first = shown._points_table.rows
    shown.sigma = 3.0
    assert shown._points_table.rows == at_first
    shown._points_table.is_open = True
    assert shown._points_table.rows != at_first
    assert shown._points_table.rows[0][-1] == f"{shown._rows[0].heights[0]:.3f}"
    assert [row[0] for row in shown._table.rows[-3:]] == [
        "slope, raw", "slope, two-step", "slope, one-step",
    ]  # fmt: skip
    assert [row[3] for row in shown._table.rows[-3:]] == ["0.625", "0.175", "0.789"]


def test_pictures_have_a_text_that_follows(shown):
    before = dict(shown._status.pictures)
    assert set(before) == {"hw-facets-0", "hw-effect"}
    assert "estimates 0.10 to 0.56" in before["hw-facets-0"]
    assert "0.187 at 0.5 and 0.424 at 0.8" in before["hw-effect"]
    shown.sigma, shown.low = 2.0, 0.4
    assert all(shown._status.pictures[name] != text for name, text in before.items())


def test_an_error_while_drawing_shows_in_the_status(shown, monkeypatch):
    def fail(*_, **__):
        raise hw.FitError("the modes did not settle")

    with monkeypatch.context() as patch:
        patch.setattr(competitiveness_effect, "held_at", fail)
        shown.sigma = 1.0
    assert shown.status == "This could not be drawn: the modes did not settle"
    shown.sigma = 1.1
    assert shown.status.startswith("With district_competitiveness: σ of district_id = 1.10")


def test_the_text_is_short_and_the_same_each_time(shown):
    assert repr(shown) == (
        "CompetitivenessEffect(with_predictor=True, sigma=0.598, slope=3.87, low=0.5, high=0.8, "
        "target='typical', level=0.9, quantity='probability', selected=None)"
    )


def test_closing_frees_every_widget_and_observer(uk):
    before = set(_instances)
    instrument = CompetitivenessEffect(uk, X, selected="District 319")
    slider = instrument._movers[0]
    instrument.close()
    assert set(_instances) == before
    slider.value = 2.0
    assert instrument.sigma == uk.theta[0]


# --- a user's own data --------------------------------------------------------------------


@pytest.mark.parametrize("J", [2, 3, 300])
def test_few_and_many_units(J):
    data = invented(J=J, n=20)
    instrument = CompetitivenessEffect(hw.glmer("y ~ x + (1 | g)", data), "x")
    assert not instrument._status.problem, instrument.status
    assert len(instrument._rows[0].heights) == J
    for target in ("average", "new"):
        instrument.target = target
        assert not instrument._status.problem, instrument.status
    instrument.with_predictor = False
    assert not instrument._status.problem, instrument.status
    instrument.close()


@pytest.mark.parametrize("kind", ["numbers", "categories", "strings"])
def test_odd_names_and_labels(kind):
    data = invented().rename(columns={"g": "unit no.", "region": "the region", "y": "said yes?"})
    data["odd name"] *= 1000
    if kind == "categories":
        for name in ("unit no.", "the region", "rule"):
            data[name] = data[name].astype("category")
    if kind == "strings":
        data["unit no."] = [f"a <b> & {u}" for u in data["unit no."]]
    text = "`said yes?` ~ `odd name` * rule + (1 | `unit no.`) + (1 + `odd name` | `the region`)"
    data["odd name"] /= 1000
    instrument = CompetitivenessEffect(hw.glmer(text, data), "odd name")
    assert instrument._setting.facet_names == tuple("abcde")
    assert instrument._setting.compare == "rule"
    for name in ("target", "quantity"):
        for value in {"target": ("average", "new"), "quantity": numbers.QUANTITIES}[name]:
            setattr(instrument, name, value)
            assert not instrument._status.problem, instrument.status
    instrument.with_predictor = False
    instrument.selected = instrument._levels[0]
    assert not instrument._status.problem, instrument.status
    assert type(instrument.selected) is type(instrument._levels[0])
    instrument.close()


def test_nested_groups_and_predictors_of_any_size():
    data = invented()
    for scale in (1e-4, 1e5):
        data["wealth"] = data["x"] * scale
        data["within"] = data["g"] // 5
        fit = hw.glmer("y ~ wealth + (1 | region/within)", data.assign(wealth=data["x"]))
        instrument = CompetitivenessEffect(fit, "wealth")
        assert instrument._setting.unit.group == "region:within"
        instrument.close()
        assert competitiveness_effect._digits((0.5 * scale, 2 * scale)) == max(
            0, 2 - int(np.floor(np.log10(0.75 * scale)))
        )


def test_many_facets_stand_in_rows_and_the_rest_is_counted():
    assert [len(row) for row in rows_of_facets(12)] == [5, 5, 2]
    data = invented(J=120, n=8)
    data["region"] = data["g"] % 33
    fit = hw.glmer("y ~ x + (1 | g) + (1 | region)", data)
    instrument = CompetitivenessEffect(fit, "x")
    assert [len(row.facets) for row in instrument._rows] == [5] * 6
    assert instrument.status.endswith("3 more facets are not drawn.")
    hidden = next(u for u, f in zip(instrument._levels, instrument._setting.facet_of, strict=True)
                  if f == 32)  # fmt: skip
    instrument.selected = hidden
    assert not any(row.ring.visible for row in instrument._rows)
    assert "in 32: x" in instrument.status
    instrument.close()


def test_a_singular_fit_starts_at_the_smallest_sigma():
    data = pd.DataFrame({"g": np.repeat(np.arange(6), 10), "y": [1, 0, 0, 0, 1] * 12})
    data["x"] = data["g"] ** 1.5
    fit = hw.glmer("y ~ x + (1 | g)", data)
    assert fit.singular
    instrument = CompetitivenessEffect(fit, "x")
    assert instrument.sigma == 0.01
    assert not instrument._status.problem
    instrument.close()


def test_the_setting_is_frozen(uk):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setting(uk, X).predictor = "other"
