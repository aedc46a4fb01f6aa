"""The model on a grid, and the pictures of comparisons.

Tolerances: the normal shape against 25-point quadrature, 1e-4 in the parameters and 1e-3 in the
log-likelihood (both are exact to more digits than that; the search stops there). The sums over
the coarse grid against those over the fine one, 1e-6 relative. Uniformity by chi-square with a
fixed seed, p above .001, as in test_calibration.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

import hierwidgets as hw
from hierwidgets.course.figures.validation import bakeoff, chance_range, over_sigma, rank_histograms
from hierwidgets.course.studies import grid
from hierwidgets.errors import DataError


def counted(name):
    data = hw.load(name)
    data["y"] = (data["contacted"] == "Contacted").astype(int)
    return data, data.groupby("district_id")["y"].agg(["sum", "size"])


@pytest.mark.parametrize("name", ["finland", "uk"])
def test_the_normal_shape_is_the_usual_fit(name):
    data, counts = counted(name)
    fit = hw.glmer("y ~ 1 + (1 | district_id)", data, n_agq=25)
    ours = grid.fit_shape(counts["sum"], counts["size"])
    assert ours.mu == pytest.approx(fit.fixef["Intercept"], abs=1e-4)
    assert ours.sigma == pytest.approx(fit.theta[0], abs=1e-4)
    assert ours.loglik == pytest.approx(fit.loglik, abs=1e-3)
    means = fit.conditional_means().set_index("level")["response"]
    assert ours.rates == pytest.approx(means[counts.index].to_numpy(), abs=1e-4)


def test_the_t_shape_is_what_an_integral_says():
    def integrand(alpha, y, n):
        rate = 1 / (1 + np.exp(-alpha))
        return rate**y * (1 - rate) ** (n - y) * stats.t.pdf(alpha, 4, -1.2, 0.6)

    y, n = np.array([0.0, 7.0, 3.0]), np.array([2.0, 9.0, 40.0])
    density = grid._shape(np.array([-1.2]), np.array([0.6]), 4, grid._FINE)
    ours = grid._log_areas(y, n, density, grid._FINE)[:, 0]
    exact = [
        np.log(integrate.quad(integrand, -40, 40, args=(a, b), points=[-1.2], limit=200)[0])
        for a, b in zip(y, n, strict=True)
    ]
    assert ours == pytest.approx(exact, abs=1e-3)  # the tails beyond the grid


def test_long_tails_pull_309_less():
    _, counts = counted("finland")
    place = counts.index.get_loc("District 309")
    fits = [grid.fit_shape(counts["sum"], counts["size"], df) for df in (np.inf, 4, 2)]
    assert fits[0].rates[place] < fits[1].rates[place] < fits[2].rates[place] < 10 / 23
    with pytest.raises(DataError, match="df=0"):
        grid.fit_shape([1], [2], 0)
    with pytest.raises(DataError, match="no y above its n"):
        grid.fit_shape([3], [2])


# --- how much pooling ------------------------------------------------------------------------


def test_scores_over_sigma():
    data, counts = counted("uk")
    found = grid.scores_by_sigma(data, "y", "district_id", [0.1, 0.8, 3.0]).set_index("sigma")
    assert found["log_score"].idxmax() == 0.8
    assert found["loglik"].idxmax() == 0.8
    best = grid.fit_shape(counts["sum"], counts["size"]).loglik
    assert best - 0.02 < found.loc[0.8, "loglik"] <= best + 1e-6
    models = {"complete": "complete pooling", "partial": "y ~ 1 + (1 | district_id)"}
    usual = hw.cross_validate(models, data, folds=10, seed=1, progress=False).table["log_score"]
    assert found.loc[0.8, "log_score"] == pytest.approx(usual["partial"], abs=0.003)
    assert found.loc[0.1, "log_score"] == pytest.approx(usual["complete"], abs=0.003)
    with pytest.raises(DataError, match=r"too small for the grid: 0\.01"):
        grid.scores_by_sigma(data, "y", "district_id", [0.01])


def test_the_coarse_grid_is_fine_enough():
    y, n = np.array([0.0, 29.0, 10.0]), np.array([1.0, 179.0, 23.0])
    mu, sigma = np.array([-1.4, -0.5, -1.4, -1.4]), np.array([0.04, 0.3, 1.2, 0.02])
    areas = [
        grid._log_areas(y, n, grid._shape(mu, sigma, np.inf, alpha), alpha)
        for alpha in (grid._COARSE, grid._FINE)
    ]
    assert areas[0] == pytest.approx(areas[1], rel=1e-6)


# --- calibration -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def calibrated():
    sizes = hw.load("finland").groupby("district_id").size().to_numpy()
    return grid.calibrate_on_grid(sizes, reps=300, seed=1)


def p_value(values):
    return stats.chisquare(np.histogram(values, 10, (0, 1))[0]).pvalue


def test_the_right_model_is_calibrated_and_the_wrong_one_is_not(calibrated):
    assert p_value(calibrated["mu"]) > 1e-3
    assert p_value(calibrated["sigma"]) > 1e-3
    assert p_value(calibrated["mu alone"]) < 1e-6
    assert calibrated.shape == (300, 3)
    assert ((calibrated > 0) & (calibrated < 1)).all().all()  # a grid from 0 holds every truth


def test_intervals_of_the_right_model_keep_their_word(calibrated):
    inside = ((calibrated > 0.05) & (calibrated < 0.95)).mean()
    error = np.sqrt(0.9 * 0.1 / 300)
    assert inside[["mu", "sigma"]].to_numpy() == pytest.approx(0.9, abs=2.6 * error)  # 99 %
    assert inside["mu alone"] < 0.9 - 4 * error


def test_the_share_below_is_a_distribution_function():
    points = np.linspace(-4, 4, 801)
    mass = np.exp(-0.5 * points**2)
    for truth in (-1.3, 0.0, 2.0):
        assert grid._below(points, mass, truth) == pytest.approx(stats.norm.cdf(truth), abs=1e-4)


# --- pictures --------------------------------------------------------------------------------


def test_the_bakeoff_draws_differences_and_folds():
    models = {
        "complete pooling": "complete pooling",
        "partial pooling": "contacted ~ (1 | district_id)",
        "partial pooling, x": "contacted ~ district_competitiveness + (1 | district_id)",
    }
    found = hw.cross_validate(models, hw.load("uk"), folds=5, seed=1, event="Contacted",
                              progress=False)  # fmt: skip
    axes = bakeoff({"rows": found}).axes[0]
    assert axes.get_title(loc="left") == "rows"
    big = [line for line in axes.lines if line.get_markersize() == 9]
    assert [line.get_xdata()[0] for line in big] == pytest.approx(found.table["difference"])
    small = [line for line in axes.lines if line.get_markersize() == 4]
    assert [len(line.get_xdata()) for line in small] == [5, 5]  # none for the best
    looks = {(line.get_color(), line.get_marker()) for line in big}
    assert len(looks) == 3


def test_scores_and_likelihoods_share_the_axis():
    frame = pd.DataFrame({"sigma": [0.1, 1.0], "log_score": [-0.6, -0.7], "loglik": [-9.0, -8.0]})
    top, bottom = over_sigma({"here": (frame, 0.5)}).axes
    assert top.lines[0].get_ydata() == pytest.approx([0, -0.1])
    assert bottom.lines[0].get_ydata() == pytest.approx([-1, 0])
    assert top.lines[1].get_xdata()[0] == 0.5
    assert top.get_xscale() == "log"


def test_histograms_show_what_chance_allows():
    low, high = chance_range(300, 10)
    assert (low, high) == (
        int(stats.binom.ppf(0.025, 300, 0.1)),
        int(stats.binom.ppf(0.975, 300, 0.1)),
    )
    values = pd.Series(np.linspace(0.001, 0.999, 300))
    figure = rank_histograms({"a": values, "b": values**2}, bins=10)
    heights = [patch.get_height() for patch in figure.axes[0].patches if patch.get_height() > 1]
    assert heights[-10:] == [30] * 10
