"""Intervals against lme4, and laws that hold without it.

lme4 finds the end of a profile interval from a spline through its points; with points at 0.1 of
zeta (reference/inference.R) the spline is good to about 1e-5. The two Gaussian profiles of
reference/structures.json have points as far apart as lme4 sets them by default, which is as good
there; for its Poisson model it is not (2e-4), so that one is in inference.R. What the package
states is checked without lme4: at a limit, -2 log L of a model in which the parameter is really
fixed has risen by the squared quantile, to 1e-5 (brentq stops at 1e-6 of the interval's width).
"""

import json
import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from support.paths import REFERENCE

import hierwidgets as hw
from hierwidgets.errors import DataError, FitError, FitWarning
from hierwidgets.fit import intervals
from hierwidgets.likelihood import gaussian

PROFILES = json.loads((REFERENCE / "inference.json").read_text())["profiles"]
STRUCTURES = json.loads((REFERENCE / "structures.json").read_text())["profiles"]
Z95, Z90 = stats.norm.ppf([0.975, 0.95])

RENAMED = {
    "(Intercept)": "Intercept",
    "sd_(Intercept)|district_id": "sd Intercept | district_id",
    "sd_(Intercept)|g": "sd Intercept | g",
    "sd_(Intercept)|h": "sd Intercept | h",
    "sd_x|g": "sd x | g",
    "cor_x.(Intercept)|g": "corr Intercept, x | g",
}


@cache
def frame(name):
    return pd.read_csv(REFERENCE / "structures" / f"{name}.csv")


@cache
def fitted(name):
    g, c = frame("gaussian"), frame("counts")
    uk, finland = hw.load("uk"), hw.load("finland")
    makers = {
        "finland": lambda: hw.glmer(
            "contacted ~ (1 | district_id)", finland, event="Contacted", n_agq=25
        ),
        "uk": lambda: hw.glmer(
            "contacted ~ district_competitiveness + (1 | district_id)", uk, event="Contacted"
        ),
        "slopes": lambda: hw.lmer("y_slopes ~ x + (1 + x | g)", g, reml=False),
        "slopes_reml": lambda: hw.lmer("y_slopes ~ x + (1 + x | g)", g),
        "singular": lambda: hw.lmer("y_flat ~ x + (1 | g)", g, reml=False),
        "scalar_ml": lambda: hw.lmer("y_scalar ~ x + (1 | g)", g, reml=False),
        "crossed_ml": lambda: hw.lmer("y_crossed ~ x + (1 | g) + (1 | h)", g, reml=False),
        "poisson": lambda: hw.glmer("y_scalar ~ x + (1 | g)", c, "poisson"),
        "poisson_slopes": lambda: hw.glmer("y_slopes ~ x + (1 + x | g)", c, "poisson"),
        "aligned": lambda: hw.lmer("y_aligned ~ x + (1 + x | g)", g, reml=False),
    }
    return makers[name]()


def ends(frame, name):
    row = frame.set_index("term").loc[name]
    return [row["conf_low"], row["conf_high"]]


@pytest.mark.parametrize("name", PROFILES)
def test_profiles_agree_with_lme4(name):
    found = fitted(name).confint(0.95, progress=False)
    assert len(found) == len(PROFILES[name])
    for term, expected in PROFILES[name].items():
        assert ends(found, RENAMED.get(term, term)) == pytest.approx(expected, abs=2e-5), term


@pytest.mark.parametrize("name", ["scalar_ml", "crossed_ml"])
def test_gaussian_profiles_agree_with_lme4(name):
    found = fitted(name).confint(progress=False)
    for term, expected in STRUCTURES[name].items():
        assert ends(found, RENAMED.get(term, term)) == pytest.approx(expected, abs=2e-5), term


def test_finland_sd_reaches_zero():
    found = fitted("finland").confint(0.95, parameters="sd Intercept | district_id", progress=False)
    assert ends(found, "sd Intercept | district_id") == pytest.approx([0, 0.652], abs=5e-4)


# --- laws ---


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("name", ["finland", "uk", "poisson_slopes"])
def test_at_a_limit_of_a_coefficient_the_likelihood_has_fallen_enough(name, side):
    fit = fitted(name)
    term = fit.fixef.index[-1]
    limit = ends(fit.confint(progress=False), term)[side]
    data, column = fit.design.data.copy(), fit.design.X[fit.design.rows][:, -1]
    text, rest = fit.design.formula.text.split("~", 1)
    rest = rest.replace(term, "1", 1) if term in rest else f"0 + {rest.strip().removeprefix('1 +')}"
    fixed = hw.glmer(
        f"{text} ~ {rest}", data, fit.family.name, event=fit.design.event, n_agq=fit.n_agq,
        offset=limit * column,
    )  # fmt: skip
    assert 2 * (fit.loglik - fixed.loglik) == pytest.approx(Z90**2, abs=1e-5)


@pytest.mark.parametrize("side", [0, 1])
def test_at_a_limit_of_an_sd_the_likelihood_has_fallen_enough(side):
    fit = fitted("uk")
    limit = ends(fit.confint(progress=False), "sd Intercept | district_id")[side]
    from hierwidgets.likelihood.estimate import profile_loglik

    at, _ = profile_loglik(fit.design, fit.family, np.array([limit]), 1, fit.beta)
    assert 2 * (fit.loglik - at) == pytest.approx(Z90**2, abs=1e-5)


def test_at_the_limits_of_a_correlation_no_search_finds_a_higher_likelihood():
    """The held-correlation problem by brute force: scipy over (log sds, log sigma)."""
    from scipy.optimize import minimize

    fit = fitted("slopes")
    P = gaussian.products(fit.design)
    for r in ends(fit.confint(progress=False), "corr Intercept, x | g"):

        def deviance(v, r=r):
            s1, s2, sigma = np.exp(v)
            theta = np.array([s1, r * s2, np.sqrt(1 - r**2) * s2]) / sigma
            return gaussian.evaluate(P, theta, False, sigma).value

        found = minimize(deviance, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-8,
                         "fatol": 1e-10, "maxiter": 4000})  # fmt: skip
        assert found.fun + 2 * fit.loglik == pytest.approx(Z90**2, abs=1e-5)


def test_order_of_the_coefficients_in_a_term_does_not_matter():
    data = frame("counts")
    one = fitted("poisson_slopes").confint(progress=False).set_index("term")
    two = hw.glmer("y_slopes ~ x + (0 + x + v | g)", data.assign(v=1.0), "poisson")
    two = two.confint(progress=False).set_index("term")
    pairs = {
        "sd Intercept | g": "sd v | g", "sd x | g": "sd x | g",
        "corr Intercept, x | g": "corr x, v | g", "x": "x",
    }  # fmt: skip
    for a, b in pairs.items():
        assert one.loc[a].to_numpy() == pytest.approx(two.loc[b].to_numpy(), abs=2e-5)


def test_intervals_are_nested_in_the_level():
    fit = fitted("slopes")
    narrow, wide = (fit.confint(level, progress=False) for level in (0.8, 0.99))
    assert (narrow["conf_low"] > wide["conf_low"]).all()
    assert (narrow["conf_high"] < wide["conf_high"]).all()
    assert (
        (narrow["conf_low"] < narrow["estimate"]) & (narrow["estimate"] < narrow["conf_high"])
    ).all()


def test_profile_of_a_reml_fit_is_that_of_maximum_likelihood():
    reml, ml = (fitted(name).confint(progress=False) for name in ("slopes_reml", "slopes"))
    columns = ["conf_low", "conf_high"]
    assert reml[columns].to_numpy() == pytest.approx(ml[columns].to_numpy(), abs=1e-5)
    assert reml.loc[0, "estimate"] == fitted("slopes_reml").beta[0]


def test_perfect_correlation_ends_at_one():
    found = fitted("aligned").confint(progress=False)
    assert fitted("aligned").singular
    low, high = ends(found, "corr Intercept, x | g")
    assert high == 1.0
    assert -1 < low < 1


def test_several_countries_correlation_is_unknown():
    fit = hw.glmer(
        "contacted ~ district_competitiveness * electoral_rules + (1 | district_id) "
        "+ (1 + district_competitiveness | election_id)", hw.load("rainey2015"), event="Contacted",
    )  # fmt: skip
    corr = "corr Intercept, district_competitiveness | election_id"
    names = [corr, "sd Intercept | election_id"]
    found = fit.confint(parameters=names, progress=False)
    assert ends(found, corr) == [-1.0, 1.0]
    assert ends(found, names[1])[0] == 0


def test_wald_is_estimate_plus_or_minus():
    fit = fitted("uk")
    found = fit.confint(method="wald").set_index("term")
    assert list(found.index) == list(fit.fixef.index)
    half = (found["conf_high"] - found["conf_low"]) / 2
    assert half.to_numpy() == pytest.approx(Z90 * fit.std_error.to_numpy())
    assert found["estimate"].to_numpy() == pytest.approx(fit.beta)


def test_wald_and_profile_agree_on_large_data():
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(400), 100)
    x = rng.normal(size=len(g))
    eta = 0.3 + 0.5 * x + rng.normal(0, 0.5, 400)[g]
    data = pd.DataFrame({"y": rng.poisson(np.exp(eta)), "x": x, "g": g})
    fit = hw.glmer("y ~ x + (1 | g)", data, "poisson")
    wald, prof = (
        fit.confint(method=m, parameters="x", progress=False) for m in ("wald", "profile")
    )
    columns = ["conf_low", "conf_high"]
    # they differ by the skewness, of order 1 / rows: the interval is 0.014 wide
    assert wald[columns].to_numpy() == pytest.approx(prof[columns].to_numpy(), abs=1e-5)


# --- bootstrap ---


def boot(fit, **more):
    given = {"method": "bootstrap", "draws": 40, "seed": 3, "progress": False}
    return fit.confint(**(given | more))


def test_bootstrap_is_reproducible():
    fit = fitted("uk")
    one, two, other = boot(fit), boot(fit), boot(fit, seed=4)
    pd.testing.assert_frame_equal(one, two)
    assert not one["conf_low"].equals(other["conf_low"])
    assert one.attrs == {
        "level": 0.9,
        "method": "bootstrap",
        "draws": 40,
        "failed": 0,
        "unsettled": 0,
    }


def test_bootstrap_is_the_quantiles_of_refits():
    fit = fitted("scalar_ml")
    refits = [fit.refit(y) for y in fit.simulate(40, seed=3)]
    found = boot(fit)
    slopes = [again.fixef["x"] for again in refits]
    assert ends(found, "x") == pytest.approx(np.quantile(slopes, [0.05, 0.95]))
    sds = [again.varcorr.loc[0, "sd"] for again in refits]
    assert ends(found, "sd Intercept | g") == pytest.approx(np.quantile(sds, [0.05, 0.95]))
    sigmas = [again.sigma for again in refits]
    assert ends(found, "sigma") == pytest.approx(np.quantile(sigmas, [0.05, 0.95]))


def test_interrupted_bootstrap_keeps_what_is_done(monkeypatch):
    fit = fitted("uk")
    whole, calls = intervals._refitted, []

    def until_the_thirtieth(fit, y):
        calls.append(1)
        if len(calls) == 31:
            raise KeyboardInterrupt
        return whole(fit, y)

    monkeypatch.setattr(intervals, "_refitted", until_the_thirtieth)
    with pytest.warns(FitWarning, match="from 30 of 40 draws"):
        found = boot(fit)
    assert found.attrs["draws"] == 30
    assert np.isfinite(found["conf_low"]).all()


def test_failed_draws_are_counted(monkeypatch):
    fit = fitted("uk")
    whole, calls = intervals._refitted, []

    def every_tenth_fails(fit, y):
        calls.append(1)
        if len(calls) % 10 == 0:
            raise FitError("no maximum here")
        return whole(fit, y)

    monkeypatch.setattr(intervals, "_refitted", every_tenth_fails)
    with pytest.warns(FitWarning, match="4 of 40 draws could not be fitted.*no maximum here"):
        found = boot(fit)
    assert (found.attrs["draws"], found.attrs["failed"]) == (36, 4)


def test_draws_without_any_event_count_as_failed():
    data = pd.DataFrame({"g": np.repeat(list("abcd"), 4), "y": [1] + [0] * 15})
    fit = hw.glmer("y ~ (1 | g)", data)
    with pytest.warns(FitWarning, match="could not be fitted"):
        found = boot(fit)
    assert found.attrs["failed"] > 0
    assert found.attrs["failed"] + found.attrs["draws"] == 40


def test_progress_bar_only_when_asked(capsys):
    fit = fitted("uk")
    fit.confint(method="profile", progress=False)
    assert capsys.readouterr().err == ""
    fit.confint(method="profile")
    assert "profile" in capsys.readouterr().err


@pytest.mark.slow
def test_coverage_of_profile_and_bootstrap():
    """90 % intervals of a slope and an sd, 200 data sets: Monte Carlo error .021."""
    fit = fitted("scalar_ml")
    truth = {"x": fit.fixef["x"], "sd Intercept | g": fit.varcorr.loc[0, "sd"]}
    hits = dict.fromkeys(truth, 0)
    for y in fit.simulate(200, seed=11):
        found = fit.refit(y).confint(parameters=list(truth), progress=False)
        for name, value in truth.items():
            low, high = ends(found, name)
            hits[name] += low <= value <= high
    for count in hits.values():
        assert abs(count / 200 - 0.9) < 3.5 * np.sqrt(0.9 * 0.1 / 200)


# --- bad calls ---


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"level": 95}, "level=95; a confidence level"),
        ({"level": "0.9"}, "level='0.9'"),
        ({"level": True}, "level=True"),
        ({"method": "exact"}, "method='exact' is not known.*wald"),
        ({"parameters": "slope"}, "'slope' is not a parameter of this fit; it has"),
        ({"parameters": []}, "parameters is empty"),
        ({"method": "wald", "parameters": ["sd Intercept | district_id"]}, "has no Wald interval"),
        ({"method": "bootstrap", "draws": 3}, "draws=3; give a whole number, 20 or larger"),
        ({"method": "bootstrap", "draws": 50.5}, "draws=50.5"),
        ({"method": "bootstrap", "seed": "one"}, "seed='one' is not a seed"),
        ({"method": "bootstrap", "seed": -1}, "seed=-1 is not a seed"),
    ],
)
def test_bad_calls(given, message):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DataError, match=message):
            fitted("uk").confint(**({"progress": False} | given))
