"""Pictures of shrinkage: curves peak and points stand where the numbers say.

Positions are read back from matplotlib's artists and compared exactly; peaks of drawn curves
are exact to the grid they are drawn on (half a step).
"""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.course.figures.integrals import DistrictIntegral
from hierwidgets.course.figures.shrinkage import (
    levels_under_prior,
    prior_times_likelihood,
    three_rates,
    weight_by_size,
)
from hierwidgets.errors import DataError
from hierwidgets.widgets import pooling_frame

MU, SIGMA = -1.3717, 0.31


@pytest.fixture(scope="module")
def fit():
    return hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")


@pytest.fixture(scope="module")
def raw():
    raw = hw.no_pooling(hw.load("finland"), "contacted", "district_id", event="Contacted")
    return raw.sort_values("estimate", ignore_index=True)


def curves(axes):
    return {line.get_label(): line for line in axes.lines if line.get_label()[0] != "_"}


@pytest.mark.parametrize(("y", "n"), [(10, 23), (160, 368), (29, 179)])
def test_each_curve_peaks_where_it_should(y, n):
    axes = prior_times_likelihood({"one": DistrictIntegral(y, n, MU, SIGMA)}).axes[0]
    mode = DistrictIntegral(y, n, MU, SIGMA).mode
    tops = {"prior": MU, "likelihood": np.log(y / (n - y)), "prior × likelihood": mode}
    for name, line in curves(axes).items():
        x, height = line.get_xdata(), line.get_ydata()
        assert height.max() == pytest.approx(1, abs=1e-12)
        assert abs(x[height.argmax()] - tops[name]) <= 0.5001 * (x[1] - x[0])


def test_the_peak_is_that_of_the_fit_and_named_as_a_rate(fit):
    district = DistrictIntegral(10, 23, fit.fixef["Intercept"], fit.theta[0])
    axes = prior_times_likelihood({"309": district}).axes[0]
    estimate = hw.partial_pooling(fit).set_index("level").loc["District 309", "estimate"]
    assert [text.get_text().strip() for text in axes.texts] == [f"peak {estimate:.3f}"]


def test_the_product_is_the_product_up_to_its_height():
    axes = prior_times_likelihood({"one": DistrictIntegral(7, 10, MU, 0.8)}).axes[0]
    height = {name: line.get_ydata() for name, line in curves(axes).items()}
    product = height["prior"] * height["likelihood"]
    assert np.allclose(product / product.max(), height["prior × likelihood"], atol=1e-12)


def test_likelihoods_without_a_top_are_drawn_to_the_edge():
    for y in (0, 4):
        axes = prior_times_likelihood({"one": DistrictIntegral(y, 4, MU, SIGMA)}).axes[0]
        height = curves(axes)["likelihood"].get_ydata()
        assert np.isfinite(height).all()
        assert height[0 if y == 0 else -1] == 1


def test_panels_share_their_axes():
    districts = {str(m): DistrictIntegral(10 * m, 23 * m, MU, SIGMA) for m in (0.25, 1, 16)}
    figure = prior_times_likelihood(districts)
    assert [axes.get_title() for axes in figure.axes] == ["0.25", "1", "16"]
    assert len({axes.get_xlim() for axes in figure.axes}) == 1


def test_rates_above_stand_over_their_log_odds():
    axes = prior_times_likelihood({"one": DistrictIntegral(10, 23, MU, SIGMA)}).axes[0]
    (above,) = axes.child_axes
    rates = [float(text.get_text()) for text in above.get_xticklabels()]
    assert len(rates) >= 4
    assert np.allclose(above.get_xticks(), np.log(rates) - np.log1p(-np.array(rates)))


def test_levels_stand_under_the_prior_at_their_log_odds(raw):
    axes = levels_under_prior(raw.sample(frac=1, random_state=2), MU, SIGMA).axes[0]
    (points,) = axes.collections[1:]  # the first is the shade
    rates = raw["estimate"].to_numpy()
    assert np.allclose(np.sort(points.get_offsets()[:, 0]), np.sort(np.log(rates / (1 - rates))))
    names = {text.get_text() for text in axes.texts}
    assert set(raw["level"]) < names
    assert {"μ", "σ"} < names


def test_names_of_levels_do_not_overlap_and_keep_their_order(raw):
    axes = levels_under_prior(raw, MU, SIGMA).axes[0]
    named = {text.get_text(): text.get_position()[0] for text in axes.texts}
    places = [named[level] for level in raw["level"]]
    low, high = axes.get_xlim()
    assert np.diff(places).min() > 0.024 * (high - low)


def test_arrows_reach_one_sd(raw):
    axes = levels_under_prior(raw, MU, SIGMA).axes[0]
    tips = sorted(text.xy[0] for text in axes.texts if getattr(text, "arrow_patch", None))
    assert tips == pytest.approx([MU - SIGMA, MU + SIGMA], abs=1e-12)


def test_weights_and_curves(fit):
    frame = pooling_frame(fit)
    axes = weight_by_size(frame, {"a": 64.5, "b": 10}, highlight=["District 309"]).axes[0]
    assert np.array_equal(axes.collections[0].get_offsets(), frame[["n", "weight"]])
    for name, half in (("a", 64.5), ("b", 10)):
        n, weight = curves(axes)[name].get_data()
        assert np.interp(half, n, weight) == pytest.approx(0.5, abs=1e-3)
        assert np.allclose(weight, n / (n + half))
    assert [text.get_text() for text in axes.texts] == ["District 309"]


def test_three_rates_stand_in_the_given_order(fit, raw):
    frames = {"no pooling": raw, "partial pooling": hw.partial_pooling(fit)}
    axes = three_rates(frames, "District 309").axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()][::-1] == list(frames)
    assert [text.get_text() for text in axes.texts] == ["0.268", "0.435"]
    strokes = [c for c in axes.collections if len(c.get_paths()) == 13]
    assert len(strokes) == 2
    drawn = np.sort([path.vertices[0, 0] for path in strokes[1].get_paths()])
    assert np.allclose(drawn, raw["estimate"][:-1])


def test_errors_say_what_is_wrong(raw):
    with pytest.raises(DataError, match="no districts"):
        prior_times_likelihood({})
    with pytest.raises(DataError, match="sigma=0"):
        levels_under_prior(raw, MU, 0)
    with pytest.raises(DataError, match="level 'c' is 0 or 1"):
        levels_under_prior(pd.DataFrame({"level": ["c"], "n": [4], "estimate": [0.0]}), MU, SIGMA)
    weights = raw.assign(weight=0.5)
    with pytest.raises(DataError, match="no curve"):
        weight_by_size(weights, {})
    with pytest.raises(DataError, match="above 0"):
        weight_by_size(weights, {"σ = 0": np.nan})
    with pytest.raises(DataError, match="'309' is not among"):
        weight_by_size(weights, {"a": 5}, highlight=["309"])
    with pytest.raises(DataError, match="no row for the level '309'"):
        three_rates({"no pooling": raw}, "309")
