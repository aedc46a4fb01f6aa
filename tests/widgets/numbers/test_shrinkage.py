"""The numbers of prior times likelihood: curves, modes, means, intervals, weights.

Curves are held to closed forms (the normal, the logit-normal, the beta density) at rtol 1e-3 of
their top, since they are drawn by straight pieces; modes, means and quantiles to brute-force sums
over 400,001 places at 2e-4, the step at which a bar of the picture can be read being .003.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit, logit

import hierwidgets as hw
from hierwidgets.widgets import pooling_frame, shrinkage_curves, shrinkage_frame
from hierwidgets.widgets.numbers.shrinkage import first_level

X = "district_competitiveness"


@pytest.fixture(scope="module")
def finland():
    return hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")


@pytest.fixture(scope="module")
def uk():
    return hw.glmer(f"contacted ~ {X} + (1 | district_id)", hw.load("uk"), event="Contacted")


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


def test_the_first_level_is_that_which_moves_furthest(finland, uk):
    assert first_level(finland) == "District 309"
    frame = pooling_frame(uk).set_index("level")
    moves = (frame["estimate"] - frame["raw"]).abs()
    assert moves[first_level(uk)] == pytest.approx(moves.max(), abs=1e-8)


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
