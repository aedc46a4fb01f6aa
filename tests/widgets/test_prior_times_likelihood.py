"""Prior times likelihood without a browser: curves, modes, means, intervals, traits, errors.

Curves are held to closed forms (the normal, the logit-normal, the beta density) at rtol 1e-3 of
their top, since they are drawn by straight pieces; modes, means and quantiles to brute-force sums
over 400,001 places at 2e-4, the step at which a bar of the picture can be read being .003. The
averaged prior is held to a second, differently laid out integral over (mu, sigma) at 2e-3.
"""

import time

import numpy as np
import pandas as pd
import pytest
import traitlets
from ipywidgets.widgets.widget import _instances
from scipy import stats
from scipy.special import expit, logit

import hierwidgets as hw
from hierwidgets.widgets import (
    PriorTimesLikelihood,
    averaged_prior,
    pooling_frame,
    prior_times_likelihood,
    shrinkage_curves,
    shrinkage_frame,
)
from hierwidgets.widgets.numbers.shrinkage import first_level
from hierwidgets.widgets.parts.instrument import owned_widgets

X = "district_competitiveness"


@pytest.fixture(scope="module")
def finland():
    return hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")


@pytest.fixture(scope="module")
def uk():
    return hw.glmer(f"contacted ~ {X} + (1 | district_id)", hw.load("uk"), event="Contacted")


@pytest.fixture
def shown(finland):
    instrument = PriorTimesLikelihood(finland)
    yield instrument
    instrument.close()


# --- the curves and their numbers ---------------------------------------------------------


def by_force(log_density, centre, reach, scale):
    """Mode, mean, 5 % and 95 % quantile from sums over 400,001 even places of the logit."""
    at = np.linspace(centre - reach, centre + reach, 400_001)
    log = log_density(at)
    mass = np.exp(log - log.max())
    share = np.cumsum(mass) / mass.sum()
    low, high = np.interp([0.05, 0.95], share, at)
    p = expit(at)
    if scale == "logit":
        return at[log.argmax()], mass @ at / mass.sum(), low, high
    on_rates = log - np.log(p * (1 - p))
    return p[on_rates.argmax()], mass @ p / mass.sum(), expit(low), expit(high)


@pytest.mark.parametrize("scale", ["probability", "logit"])
@pytest.mark.parametrize(
    ("mu", "sigma", "y", "n", "multiplier"),
    [
        (-1.372, 0.31, 10, 23, 1),
        (-1.372, 0.31, 10, 23, 16),
        (-1.372, 0.31, 0, 5, 0.25),
        (0.5, 1.5, 7, 7, 1),
        (-2.0, 0.05, 40, 200, 4),
        (-1.372, 0.01, 200, 200, 16),  # the posterior is 24 prior sds away from the prior
        (1.0, 0.9, 3.5, 10.5, 1),
    ],
)
def test_numbers_are_those_of_brute_force(finland, scale, mu, sigma, y, n, multiplier):
    settings = {"mu": mu, "sigma": sigma, "y": y, "n": n, "multiplier": multiplier}
    frame = shrinkage_frame(finland, "District 309", **settings, scale=scale).set_index("curve")
    y, n = multiplier * y, multiplier * n

    def prior(a):
        return -0.5 * ((a - mu) / sigma) ** 2

    def posterior(a):
        return prior(a) + y * a - n * np.logaddexp(0, a)

    columns = ["mode", "mean", "conf_low", "conf_high"]
    for name, density in (("prior", prior), ("posterior", posterior)):
        wanted = by_force(density, mu, 40 * sigma if sigma < 0.1 else 12 * sigma, scale)
        np.testing.assert_allclose(frame.loc[name, columns], wanted, atol=2e-4, err_msg=name)
    with np.errstate(divide="ignore"):
        rate = y / n if scale == "probability" else logit(y / n)
    assert frame.loc["likelihood", "mode"] == pytest.approx(rate)
    assert frame.loc["likelihood", columns[1:]].isna().all()


def test_curves_are_their_closed_forms(finland):
    mu, sigma = -1.372, 0.31
    link = shrinkage_curves(finland, "District 309", mu=mu, sigma=sigma, scale="logit")
    close(link["prior"], stats.norm.pdf(link["at"], mu, sigma))
    rates = shrinkage_curves(finland, "District 309", mu=mu, sigma=sigma)
    p = rates["at"].to_numpy()
    inside = (p > 0) & (p < 1)
    p = p[inside]
    close(rates["prior"][inside], stats.norm.pdf(logit(p), mu, sigma) / (p * (1 - p)))
    close(rates["likelihood"][inside], stats.beta.pdf(p, 10 + 1, 23 - 10 + 1))
    posterior = stats.norm.pdf(logit(p), mu, sigma) * stats.binom.pmf(10, 23, p) / (p * (1 - p))
    fine = np.linspace(1e-6, 1 - 1e-6, 200_001)
    area = np.trapezoid(
        stats.norm.pdf(logit(fine), mu, sigma) * stats.binom.pmf(10, 23, fine) / fine / (1 - fine),
        fine,
    )
    close(rates["posterior"][inside], posterior / area)


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, atol=2e-3 * np.max(wanted))


@pytest.mark.parametrize(("y", "n"), [(0, 5), (5, 5), (0, 200)])
def test_a_likelihood_that_is_highest_at_an_end_is_drawn_to_the_end(finland, y, n):
    curves = shrinkage_curves(finland, "District 309", y=y, n=n)
    close(curves["likelihood"], stats.beta.pdf(curves["at"], y + 1, n - y + 1))
    end = curves["likelihood"].iloc[0 if y == 0 else -1]
    assert end == pytest.approx(n + 1, rel=1e-3)


@pytest.mark.parametrize("sigma", [0.05, 0.31, 2.0])
def test_weight_is_that_of_the_dial_and_pseudo_n_its_closed_form(finland, uk, sigma):
    for fit, level in ((finland, "District 309"), (uk, "District 444")):
        dial = pooling_frame(fit, sigma).set_index("level").loc[level]
        frame = shrinkage_frame(fit, level, sigma=sigma, scale="logit").set_index("curve")
        row = frame.loc["posterior"]
        assert row["weight"] == pytest.approx(dial["weight"], rel=1e-4)
        assert row["mode"] == pytest.approx(dial["estimate_link"], abs=1e-4)
        p = dial["target"]
        assert row["pseudo_n"] == pytest.approx(1 / (sigma**2 * p * (1 - p)), rel=1e-9)


def test_a_predictor_within_levels_moves_every_row():
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"g": np.repeat(list("abcdef"), 30), "x": rng.normal(size=180)})
    data["y"] = (rng.random(180) < expit(data["x"])).astype(int)
    fit = hw.glmer("y ~ x + (1 | g)", data)
    rows = data[data["g"] == "c"]
    beta, shift = fit.fixef["x"], (fit.fixef["x"] * (rows["x"] - rows["x"].mean())).to_numpy()
    target = fit.fixef["Intercept"] + beta * rows["x"].mean()
    y, at = rows["y"].to_numpy(), np.linspace(-6, 6, 60_001)
    eta = at + shift[:, None]
    log = (y[:, None] * eta - np.logaddexp(0, eta)).sum(axis=0) - 0.5 * ((at - target) / 0.5) ** 2
    mass = np.exp(log - log.max())
    frame = shrinkage_frame(fit, "c", sigma=0.5, scale="logit").set_index("curve")
    row = frame.loc["posterior"]
    assert row["mode"] == pytest.approx(at[log.argmax()], abs=1e-3)
    assert row["mean"] == pytest.approx(mass @ at / mass.sum(), abs=1e-4)


def test_other_links_work(finland):
    fit = hw.glmer(
        "contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted", link="probit"
    )
    mu, sigma = float(fit.fixef["Intercept"]), float(fit.theta[0])
    at = np.linspace(mu - 12 * sigma, mu + 12 * sigma, 100_001)
    log = stats.binom.logpmf(10, 23, stats.norm.cdf(at)) + stats.norm.logpdf(at, mu, sigma)
    mass = np.exp(log - log.max())
    row = shrinkage_frame(fit, "District 309").set_index("curve").loc["posterior"]
    assert row["mean"] == pytest.approx(mass @ stats.norm.cdf(at) / mass.sum(), abs=1e-4)
    with pytest.raises(hw.DataError, match="scale must be 'probability' or 'probit'"):
        shrinkage_frame(fit, scale="logit")


# --- full Bayes ---------------------------------------------------------------------------


def averaged_by_force(data, without):
    """Posterior weights of (mu, sigma), given all districts but one, on another kind of grid."""
    counts = data["contacted"].eq("Contacted").groupby(data["district_id"]).agg(["sum", "size"])
    y, n = counts.drop(without).to_numpy(float).T[:, :, None]
    z, wz = np.polynomial.hermite_e.hermegauss(80)
    t, wt = np.polynomial.legendre.leggauss(100)
    sigma, mu = 1.5 * (t + 1), np.linspace(-3.5, 1.0, 181)
    weight = np.empty((len(sigma), len(mu)))
    for i, s in enumerate(sigma):
        eta = (mu[:, None] + s * z).reshape(-1)
        log = y * eta - n * np.logaddexp(0, eta)
        top = log.max(axis=1, keepdims=True)
        level = np.exp(log - top).reshape(len(y), len(mu), len(z)) @ wz
        weight[i] = np.log(level).sum(axis=0) + top.sum()
    weight = np.exp(weight - weight.max()) * wt[:, None]
    weight *= stats.halfcauchy.pdf(sigma, scale=5)[:, None] * stats.t.pdf(mu / 2.5, df=3)
    return mu, sigma, weight / weight.sum()


def mixture(at, mu, sigma, weight):
    """Density of the average of normals; the weight of each mu is spread over its cell."""
    half = 0.5 * (mu[1] - mu[0])
    ends = (at[:, None, None] - mu + side * half for side in (1, -1))
    upper, lower = (stats.norm.cdf(end / sigma[:, None]) for end in ends)
    return ((upper - lower) * weight).sum(axis=(1, 2)) / (2 * half)


@pytest.mark.parametrize("level", ["District 309", "District 310"])
def test_the_averaged_prior_is_a_brute_force_integral(finland, level):
    nodes = averaged_by_force(hw.load("finland"), level)
    prior = averaged_prior(finland)
    index = list(finland.design.terms[0].levels).index(level)
    _, sigma, weight = nodes
    assert prior.mean_sigma(index) == pytest.approx(weight.sum(axis=1) @ sigma, rel=2e-3)
    at = np.linspace(-4, 2, 61)
    wanted = mixture(at, *nodes)
    found = np.exp(prior.without(index)(at))
    np.testing.assert_allclose(found, wanted, atol=2e-3 * wanted.max())


def test_full_bayes_numbers_are_a_brute_force_integral(finland):
    at = np.linspace(-6, 4, 501)
    prior = mixture(at, *averaged_by_force(hw.load("finland"), "District 309"))
    mass = prior * expit(at) ** 10 * expit(-at) ** 13
    share = (np.cumsum(mass) - mass / 2) / mass.sum()
    frame = shrinkage_frame(finland, "District 309", full_bayes=True).set_index("curve")
    row = frame.loc["posterior"]
    assert row["mean"] == pytest.approx(mass @ expit(at) / mass.sum(), abs=1e-3)
    low, high = expit(np.interp([0.05, 0.95], share, at))
    np.testing.assert_allclose(row[["conf_low", "conf_high"]].astype(float), [low, high], atol=2e-3)
    plain = shrinkage_frame(finland, "District 309").set_index("curve").loc["posterior"]
    pd.testing.assert_series_equal(frame.loc["plug-in posterior"], plain, check_names=False)
    wider = row["conf_high"] - row["conf_low"], plain["conf_high"] - plain["conf_low"]
    assert wider[0] > 1.2 * wider[1]  # what plugging in leaves out


def test_an_averaged_prior_can_be_used_again(finland):
    prior = averaged_prior(finland)
    one = shrinkage_frame(finland, "District 310", full_bayes=prior)
    pd.testing.assert_frame_equal(one, shrinkage_frame(finland, "District 310", full_bayes=True))


# --- what is refused ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"level": "District 1"}, "one of the 14 levels of district_id"),
        ({"sigma": 0}, "sigma must be a finite number above 0; 0 was given"),
        ({"mu": "low"}, "mu must be a finite number; 'low' was given"),
        ({"y": 24}, "y must not be above n; y = 24, n = 23 was given"),
        ({"y": -1}, "y must be a finite number of 0 or more"),
        ({"n": 0}, "n must be a finite number above 0"),
        ({"multiplier": -2}, "multiplier must be a finite number above 0"),
        ({"scale": "odds"}, "scale must be 'probability' or 'logit'"),
    ],
)
def test_frames_refuse_what_makes_no_sense(finland, given, says):
    for function in (shrinkage_frame, shrinkage_curves):
        with pytest.raises(hw.DataError, match=says):
            function(finland, **given)


def test_other_fits_are_refused_with_the_reason(finland):
    with pytest.raises(hw.DataError, match="a DataFrame was given"):
        PriorTimesLikelihood(hw.load("finland"))
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat(list("abcdefgh"), 25), "y": rng.poisson(2, 200)})
    with pytest.raises(hw.DataError, match="this fit is poisson"):
        PriorTimesLikelihood(hw.glmer("y ~ 1 + (1 | g)", data, family="poisson"))


@pytest.mark.parametrize(
    ("keywords", "error", "says"),
    [
        ({"sigm": 1.0}, TypeError, "does not know 'sigm'; its keywords are level, mu"),
        ({"level": "District 1"}, traitlets.TraitError, "one of the 14 levels of district_id"),
        ({"sigma": 0.0}, traitlets.TraitError, "sigma must be from 0.01 to 5; 0 was given"),
        ({"mu": float("nan")}, traitlets.TraitError, "nan was given"),
        ({"n": 2000}, traitlets.TraitError, "n must be from 1 to 358; 2000 was given"),
        ({"y": 24}, traitlets.TraitError, "y must be from 0 to 23; 24 was given"),
        ({"multiplier": 20}, traitlets.TraitError, "multiplier must be from 0.25 to 16"),
        ({"scale": "odds"}, traitlets.TraitError, "'probability', 'logit'"),
    ],
)
def test_wrong_keywords_and_values_are_refused(finland, keywords, error, says):
    before = set(_instances)
    with pytest.raises(error, match=says):
        PriorTimesLikelihood(finland, **keywords)
    assert set(_instances) == before


# --- the traits and the marks -------------------------------------------------------------


def test_it_starts_at_the_data_and_the_fit_and_comes_back(shown, finland):
    fitted = (float(finland.fixef["Intercept"]), float(finland.theta[0]))
    assert (shown.level, shown.y, shown.n) == ("District 309", 10, 23)
    assert (shown.mu, shown.sigma, shown.multiplier) == (*fitted, 1)
    shown.mu, shown.sigma, shown.n, shown.multiplier = 0, 2, 5, 4
    assert shown.y == 5  # it never exceeds n
    shown._button.click()
    assert (shown.mu, shown.sigma, shown.n, shown.y) == (*fitted, 23, 10)
    assert shown.status.startswith("District 309: y = 10, n = 23, raw rate 0.435. Posterior: mode ")


def test_the_first_level_is_309_or_that_which_moves_most(finland, uk):
    assert first_level(finland) == "District 309"
    frame = pooling_frame(uk).set_index("level")
    moves = (frame["estimate"] - frame["raw"]).abs()
    assert moves[first_level(uk)] == pytest.approx(moves.max(), abs=1e-8)


def test_sliders_and_traits_move_each_other_and_the_curves(shown, finland):
    shown._mu_slider.value, shown._sigma_slider.value = -1.0, 0.8
    shown._n_slider.value, shown._y_slider.value = 40, 30
    shown._multiplier_slider.value, shown._scale_menu.value = 2.0, "logit"
    state = {"mu": -1.0, "sigma": 0.8, "n": 40, "y": 30, "multiplier": 2.0, "scale": "logit"}
    assert {name: getattr(shown, name) for name in state} == state
    curves = shrinkage_curves(finland, "District 309", **state)
    frame = shrinkage_frame(finland, "District 309", **state)
    inner = curves["at"].between(-4 + 0.07, 3 - 0.07)  # the axis reaches one beyond logit .75
    top = curves.loc[inner, ["prior", "likelihood", "posterior"]].max(axis=None)
    for name in ("prior", "likelihood", "posterior"):
        np.testing.assert_array_equal(shown._lines[name].x, curves["at"])
        np.testing.assert_allclose(shown._lines[name].y, np.minimum(curves[name] / top, 1.06))
    np.testing.assert_allclose(shown._modes.x, frame["mode"])
    np.testing.assert_allclose(shown._means.x, frame["mean"].dropna())
    np.testing.assert_allclose(shown._bars.x, frame[["conf_low", "conf_high"]].dropna())
    shown.sigma = 0.5
    assert shown._sigma_slider.value == 0.5


def test_the_worth_of_a_narrow_prior_is_written_in_full(shown):
    assert shown.status.endswith(
        "own data carry 30% of the weight, the prior is worth 64.5 trials."
    )
    shown.sigma = 0.01
    assert shown.status.endswith("0% of the weight, the prior is worth 62,000 trials.")


def test_a_new_level_brings_its_counts(shown):
    shown.multiplier = 4
    shown._level_menu.label = "District 310"
    assert (shown.level, shown.y, shown.n) == ("District 310", 29, 179)
    assert shown._y_slider.max == 179
    assert shown.multiplier == 4
    assert "(29 and 179, × 4)" in shown.status


def test_the_switch_adds_the_plug_in_posterior(shown, finland):
    assert not shown._lines["plug-in posterior"].visible
    assert len(shown._row_axis.tick_values) == 3
    shown._switch.value = True
    assert shown.full_bayes
    assert shown._lines["plug-in posterior"].visible
    assert [shown._row_axis.tick_labels[at] for at in shown._row_axis.tick_values] == [
        "prior", "likelihood", "posterior", "plug-in",
    ]  # fmt: skip
    frame = shrinkage_frame(finland, "District 309", full_bayes=True).set_index("curve")
    np.testing.assert_allclose(shown._modes.x, frame["mode"])
    assert f"Full Bayes posterior: mode {frame.loc['posterior', 'mode']:.3f}" in shown.status
    assert "Plug-in posterior: mode 0.262" in shown.status
    before = shown._lines["posterior"].y.copy()
    shown.mu = -0.5  # moves the plug-in alone
    np.testing.assert_allclose(shown._lines["posterior"].y.max() > 0, True)
    after = shrinkage_frame(finland, "District 309", full_bayes=True, mu=-0.5).set_index("curve")
    assert after.loc["posterior", "mode"] == frame.loc["posterior", "mode"]
    assert after.loc["plug-in posterior", "mode"] > frame.loc["plug-in posterior", "mode"]
    assert len(before) > 0
    shown._switch.value = False
    assert not shown._lines["plug-in posterior"].visible


def test_the_ends_of_the_axis_have_room_for_a_mark(finland):
    shown = PriorTimesLikelihood(finland, n=5, y=0)
    assert shown._place.min < 0 < 1 < shown._place.max
    assert shown._modes.x[1] == 0
    shown.scale = "logit"  # the raw logit is minus infinity
    assert len(shown._modes.x) == 2
    shown.close()


def test_the_centre_is_called_intercept_where_predictors_move_it(shown, uk):
    other = PriorTimesLikelihood(uk)
    assert (shown._mu_slider.label, other._mu_slider.label) == ("μ, prior centre", "μ, intercept")
    other.close()


def test_any_frame_works():
    rng = np.random.default_rng(8)
    data = pd.DataFrame({"school": np.repeat([3, 1, 2, 7], [4, 30, 20, 50])})
    data["passed"] = rng.random(len(data)) < 0.4
    fit = hw.glmer("passed ~ 1 + (1 | school)", data)
    shown = PriorTimesLikelihood(fit, 7, sigma=0.5)
    own = data.loc[data["school"] == 7, "passed"]
    assert (shown.y, shown.n) == (own.sum(), 50)
    assert shown.status.startswith(f"7: y = {own.sum()}, n = 50")
    shown.close()


def test_the_table_is_filled_when_it_is_opened(shown, finland):
    at_first = shown._table.rows
    shown.sigma = 1.0
    assert shown._table.rows == at_first
    shown._table.is_open = True
    row = shrinkage_frame(finland, "District 309", sigma=1.0).set_index("curve").loc["posterior"]
    columns = ("mode", "mean", "conf_low", "conf_high")
    assert shown._table.rows[2] == ["posterior", *(f"{row[c]:.3f}" for c in columns)]
    assert shown._table.rows[1] == ["likelihood", "0.435", "–", "–", "–"]


def test_pictures_have_a_text_that_follows(shown):
    before = shown._status.pictures["hw-curves"]
    assert before.startswith("Curves of District 309 on the probability scale.")
    assert "highest at the raw rate 0.435" in before
    shown.sigma = 1.0
    assert "normal with mu -1.37 and sigma 1" in shown._status.pictures["hw-curves"]


def test_an_error_while_drawing_shows_in_the_status(shown, monkeypatch):
    def fail(*_):
        raise ValueError("no luck")

    with monkeypatch.context() as patch:
        patch.setattr(prior_times_likelihood, "shrinkage", fail)
        shown.sigma = 1.0
    assert shown.status == "This could not be drawn: no luck"
    shown.sigma = 1.1
    assert shown.status.startswith("District 309: y = 10")


def test_253_levels_are_redrawn_quickly(uk):
    shown = PriorTimesLikelihood(uk)
    sigmas = np.geomspace(0.05, 4, 30)
    start = time.perf_counter()
    for sigma in sigmas:
        shown.sigma = sigma
    assert (time.perf_counter() - start) / 30 < 0.030  # 4 ms on an idle machine
    shown.close()


def test_the_text_is_short_and_the_same_each_time(shown):
    assert repr(shown) == (
        "PriorTimesLikelihood(level='District 309', mu=-1.37, sigma=0.31, n=23, y=10, "
        "multiplier=1, scale='probability', full_bayes=False)"
    )


def test_nothing_is_rebuilt_and_closing_frees_everything(finland):
    before = set(_instances)
    shown = PriorTimesLikelihood(finland)
    widgets = {id(widget) for widget in owned_widgets(shown)}
    shown.full_bayes, shown.level, shown.scale = True, "District 304", "logit"
    shown.multiplier, shown.n = 0.25, 3
    assert {id(widget) for widget in owned_widgets(shown)} == widgets
    slider = shown._sigma_slider
    shown.close()
    assert set(_instances) == before
    slider.value = 2.0
    assert shown.sigma == pytest.approx(0.31, abs=0.01)
