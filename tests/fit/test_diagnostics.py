"""Residuals against lme4; shares of variance and conditional means against hand computation.

Residuals follow the estimates, which agree with lme4's to about 1e-5 (see test_structures).
Conditional means are compared with scipy's integrals to 1e-9 (both are exact to more).
"""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import integrate
from scipy.special import expit
from support.paths import REFERENCE

import hierwidgets as hw
from hierwidgets.errors import DataError, FitError

RESIDUALS = json.loads((REFERENCE / "inference.json").read_text())["residuals"]


@cache
def frame(name):
    return pd.read_csv(REFERENCE / "structures" / f"{name}.csv")


@cache
def fitted(name):
    b, g, c = frame("binary"), frame("gaussian"), frame("counts")
    makers = {
        "binary": lambda: hw.glmer("y_scalar ~ x + (1 | g)", b),
        "trials": lambda: hw.glmer("p(y_trials, trials) ~ x + (1 | g) + (1 | h)", b),
        "counts": lambda: hw.glmer("y_scalar ~ x + (1 | g)", c, "poisson"),
        "weighted": lambda: hw.lmer("y_weights ~ x + (1 | g)", g, weights="w", reml=False),
        "crossed": lambda: hw.lmer("y_crossed ~ x + (1 | g) + (1 | h)", g),
        "slopes": lambda: hw.lmer("y_slopes ~ x + (1 + x | g)", g),
        "finland": lambda: hw.glmer(
            "contacted ~ (1 | district_id)", hw.load("finland"), event="Contacted"
        ),
        "uk25": lambda: hw.glmer(
            "contacted ~ (1 | district_id)", hw.load("uk"), event="Contacted", n_agq=25
        ),
    }
    return makers[name]()


@pytest.mark.parametrize("kind", ["response", "pearson", "deviance"])
@pytest.mark.parametrize("name", RESIDUALS)
def test_residuals_agree_with_lme4(name, kind):
    found = fitted(name).residuals(kind)
    assert found.to_numpy() == pytest.approx(np.array(RESIDUALS[name][kind]), abs=5e-5)


@pytest.mark.parametrize("name", ["binary", "trials", "counts", "finland"])
def test_deviance_residuals_add_up(name):
    fit = fitted(name)
    assert (fit.residuals("deviance") ** 2).sum() == pytest.approx(fit.conditional_deviance)


def test_labels_and_order_are_those_of_the_data():
    data = frame("binary").sample(frac=1.0, random_state=1)
    fit = hw.glmer("y_scalar ~ x + (1 | g)", data)
    assert list(fit.fitted.index) == list(data.index)
    ordered = fitted("binary").fitted.loc[data.index]
    assert fit.fitted.to_numpy() == pytest.approx(ordered.to_numpy(), abs=1e-6)
    assert fit.fitted.to_numpy() == pytest.approx(fit.predict()["estimate"].to_numpy())
    assert (fit.residuals() + fit.fitted).to_numpy() == pytest.approx(data["y_scalar"].to_numpy())


def test_bad_residuals():
    for kind in ("working", None, 3):
        with pytest.raises(DataError, match=f"kind={kind!r} is not known"):
            fitted("finland").residuals(kind)


# --- shares of variance ---


def test_icc_of_the_lectures():
    assert fitted("finland").icc()["district_id"] == pytest.approx(0.028, abs=5e-4)
    assert fitted("uk25").icc()["district_id"] == pytest.approx(0.164, abs=5e-4)


@pytest.mark.parametrize(
    ("link", "own"), [("logit", np.pi**2 / 3), ("probit", 1.0), ("cloglog", np.pi**2 / 6)]
)
def test_icc_on_the_latent_scale(link, own):
    fit = hw.glmer("y_scalar ~ x + (1 | g)", frame("binary"), link=link)
    between = fit.varcorr.loc[0, "sd"] ** 2
    assert fit.icc()["g"] == pytest.approx(between / (between + own))


def test_icc_of_two_groups_is_the_correlation_of_simulated_outcomes():
    fit = fitted("crossed")
    sd = fit.varcorr.set_index("group")["sd"] ** 2
    assert fit.icc().to_dict() == pytest.approx({g: sd[g] / sd.sum() for g in ("g", "h")})


def test_icc_with_slopes_averages_over_the_data():
    fit = fitted("slopes")
    L = fit.sigma * fit.design.template.factors(fit.theta)[0]
    Z = np.column_stack([np.ones(360), frame("gaussian")["x"]])
    between = np.mean([z @ L @ L.T @ z for z in Z])
    assert fit.icc()["g"] == pytest.approx(between / (between + fit.sigma**2))


def test_icc_of_counts_matches_simulated_logs():
    """log(1 + 1/mean) is the log-variance a lognormal with a Poisson's variance has."""
    fit = fitted("counts")
    between = fit.varcorr.loc[0, "sd"] ** 2
    eta = fit.predict(scale="link", re_formula="~0")["estimate"]
    own = np.log(1 + 1 / np.exp(eta + between / 2).mean())
    assert fit.icc()["g"] == pytest.approx(between / (between + own))


# --- shares explained ---

SHARES = json.loads((REFERENCE / "summaries.json").read_text())["shares"]


def maker(s):
    formula = s["formula"].replace("cbind(y_trials, trials - y_trials)", "p(y_trials, trials)")
    data, link = frame(s["data"]), s.get("link")
    if s["data"] == "gaussian":
        return hw.lmer(formula, data, offset=s.get("offset"))
    return hw.glmer(formula, data, "binomial" if s["data"] == "binary" else "poisson", link=link)


@pytest.mark.parametrize("s", SHARES, ids=lambda s: f"{s['data']} {s['formula']} {s.get('link')}")
def test_r2_is_that_of_performance(s):
    """lme4 and ours agree on each variance to 1e-5."""
    fit = maker(s)
    if "approximations" in s:
        for method, expected in s["approximations"].items():
            assert fit.r2(method).tolist() == pytest.approx(expected, rel=1e-4)
        assert fit.r2().tolist() == fit.r2("lognormal").tolist()
        return
    found = fit.r2()
    assert found.index.tolist() == ["marginal", "conditional"]
    assert found.tolist() == pytest.approx([s["marginal"], s["conditional"]], rel=1e-4)


@pytest.mark.parametrize("s", SHARES, ids=lambda s: f"{s['data']} {s['formula']} {s.get('link')}")
def test_r2_beside_icc(s):
    """What the groups explain, of what the predictors leave: icc."""
    fit = maker(s)
    marginal, conditional = fit.r2()
    assert (conditional - marginal) / (1 - marginal) == pytest.approx(fit.icc().sum())


def test_r2_of_uncorrelated_slopes_counts_both_parts():
    fit = hw.lmer("y_apart ~ x + (1 + x || g)", frame("gaussian"))
    x, (first, second, own) = frame("gaussian")["x"], fit.varcorr["sd"] ** 2
    fixed, between = fit.fixef["x"] ** 2 * x.var(), first + second * (x**2).mean()
    total = fixed + between + own
    assert fit.r2().tolist() == pytest.approx([fixed / total, (fixed + between) / total])


@pytest.mark.parametrize("shift", [10.0, 2018.0, 1e5])
def test_shares_do_not_depend_on_the_origin_and_unit_of_a_predictor(shift):
    g, b = frame("gaussian"), frame("binary")
    for make, data in ((hw.lmer, g), (hw.glmer, b)):
        moved = data.assign(x=2.5 * data["x"] + shift)
        fit, other = (make("y_slopes ~ x + (1 + x | g)", d) for d in (data, moved))
        assert other.r2().tolist() == pytest.approx(fit.r2().tolist(), rel=1e-4)
        assert other.icc().tolist() == pytest.approx(fit.icc().tolist(), rel=1e-4)


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_delta_r2_of_binary_outcomes(link):
    """The variance of an outcome of average probability over the slope there, by simulation.

    400,000 effects: the error of the mean probability is below .001.
    """
    fit = hw.glmer("y_scalar ~ x + (1 | g)", frame("binary"), link=link)
    rng, n = np.random.default_rng(1), 400_000
    eta = rng.choice(fit.predict(scale="link", re_formula="~0")["estimate"].to_numpy(), n)
    between = fit.varcorr.loc[0, "sd"] ** 2
    mean = fit.family.link.inverse(eta + np.sqrt(between) * rng.normal(size=n))[0].mean()
    h = 1e-5
    up, down = fit.family.link.forward(np.array([mean + h, mean - h]))
    own = mean * (1 - mean) * ((up - down) / (2 * h)) ** 2
    fixed = np.var(frame("binary")["x"] * fit.fixef["x"], ddof=1)
    total = fixed + between + own
    expected = [fixed / total, (fixed + between) / total]
    assert fit.r2("delta").tolist() == pytest.approx(expected, rel=2e-3)


def test_r2_without_predictors_or_groups():
    fit = fitted("finland")
    assert fit.r2()["marginal"] == pytest.approx(0, abs=1e-12)
    assert fit.r2()["conditional"] == pytest.approx(fit.icc()["district_id"])
    flat = hw.lmer("y_flat ~ x + (1 | g)", frame("gaussian"))
    assert flat.singular
    assert flat.r2()["marginal"] == pytest.approx(flat.r2()["conditional"])


def test_methods_of_r2():
    for fit, method in ((fitted("finland"), "trigamma"), (fitted("slopes"), "delta")):
        with pytest.raises(DataError, match=f"method='{method}' is not one for a"):
            fit.r2(method)


def test_design_effect_of_finland():
    row = fitted("finland").design_effect().loc["Intercept"]
    rate = 225 / 1086
    assert row["std_error_pooled"] == pytest.approx(1 / np.sqrt(1086 * rate * (1 - rate)))
    assert row["design_effect"] == pytest.approx(2.5, abs=0.01)


def test_design_effect_of_a_balanced_gaussian_is_kishs():
    """1 + (m - 1) icc for a mean of J groups of m, with the moment estimate of the icc."""
    rng = np.random.default_rng(2)
    J, m = 60, 8
    y = np.repeat(rng.normal(size=J), m) + rng.normal(size=J * m)
    fit = hw.lmer("y ~ 1 + (1 | g)", pd.DataFrame({"y": y, "g": np.repeat(np.arange(J), m)}))
    kish = 1 + (m - 1) * fit.icc()["g"]
    # the pooled variance is the total one but for 1 / J
    assert fit.design_effect().loc["Intercept", "design_effect"] == pytest.approx(kish, rel=2 / J)


def test_pooled_errors_are_those_of_ordinary_models():
    from statsmodels.api import GLM, OLS, add_constant, families

    b, g = frame("binary"), frame("gaussian")
    glm = GLM(b["y_scalar"], add_constant(b["x"]), families.Binomial()).fit(tol=1e-12)
    found = fitted("binary").design_effect()["std_error_pooled"].to_numpy()
    assert found == pytest.approx(glm.bse.to_numpy(), rel=1e-5)
    ols = OLS(g["y_slopes"], add_constant(g["x"])).fit()
    found = fitted("slopes").design_effect()["std_error_pooled"].to_numpy()
    assert found == pytest.approx(ols.bse.to_numpy(), rel=1e-8)


# --- conditional means ---


def test_order_of_308_and_309_depends_on_mode_or_mean():
    fit = fitted("finland")
    means = fit.conditional_means().set_index("level")
    top = ["District 308", "District 309"]
    modes = fit.coef.set_index("level")["estimate"]
    assert expit(modes[top]).tolist() == pytest.approx([0.2690, 0.2682], abs=5e-5)
    assert means.loc[top, "response"].tolist() == pytest.approx([0.2696, 0.2703], abs=5e-5)


@pytest.mark.parametrize("name", ["finland", "counts"])
def test_conditional_means_are_the_integrals(name):
    fit = fitted(name)
    sd = float(fit.theta[0])
    d = fit.design
    base = d.X @ fit.beta + d.offset
    found = fit.conditional_means(40)
    sizes = np.bincount(d.rows, minlength=len(d.y))
    for j in (0, 3, 13):
        own = np.flatnonzero(d.terms[0].codes == j)
        mode = fit.modes.b[0][j, 0]
        expected = moments(fit, own, base[own], sizes[own], mode, sd)
        assert found.loc[j, ["mean", "sd", "response"]].tolist() == pytest.approx(
            expected, abs=1e-9
        )


def moments(fit, own, base, sizes, mode, sd):
    """Mean and sd of one level's effect, and the mean response, by scipy's integrals."""
    y, trials = fit.design.y[own], fit.design.trials[own]

    def log(b):
        return fit.family.loglik(y, trials, base + b).sum() - b**2 / (2 * sd**2)

    def average(f):
        def integrand(b):
            return f(b) * np.exp(log(b) - log(mode))

        return integrate.quad(integrand, mode - 12 * sd, mode + 12 * sd, points=[mode])[0]

    total = average(lambda b: 1.0)
    mean = average(lambda b: b) / total
    square = average(lambda b: (b - mean) ** 2) / total
    mu = average(lambda b: np.average(fit.family.link.inverse(base + b)[0], weights=sizes))
    return [mean, np.sqrt(square), mu / total]


def test_conditional_means_of_a_gaussian_fit_are_its_modes():
    fit = fitted("weighted")
    found = fit.conditional_means()
    assert found["mean"].to_numpy() == pytest.approx(fit.ranef["mode"].to_numpy())
    assert found["sd"].to_numpy() == pytest.approx(fit.ranef["sd"].to_numpy())


def test_conditional_means_of_a_singular_fit_are_zero():
    data = pd.DataFrame({"g": np.repeat(list("abcd"), 10), "y": [0, 1] * 20})
    fit = hw.glmer("y ~ (1 | g)", data)
    assert fit.singular
    found = fit.conditional_means()
    assert found["mean"].abs().max() < 1e-6
    assert found["response"].to_numpy() == pytest.approx(0.5, abs=1e-6)


def test_bad_conditional_means():
    for n in (1, 2.5, 500):
        with pytest.raises(DataError, match=f"n_nodes={n}"):
            fitted("finland").conditional_means(n)
    with pytest.raises(
        FitError, match=r"need one group term with one coefficient.*\(Intercept \+ x"
    ):
        fitted("slopes").conditional_means()


def test_posterior_sd_exceeds_nothing_but_the_prior():
    fit = fitted("finland")
    assert (fit.conditional_means()["sd"] < float(fit.theta[0])).all()
