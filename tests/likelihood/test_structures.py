"""Families, links and structures against lme4 and glmmTMB on simulated data.

reference/structures.json holds what reference/structures.R made of the data that
reference/structures_data.py simulates; every number there has all its digits. Tolerances:

- the objective at given parameters: Gaussian 1e-11, both sides in closed form; others 1e-7, since
  lme4's modes are converged to a relative 1e-13 of its penalised deviance, which is worth 1e-8 of
  the objective where the link is not canonical (house rule: 1e-6). With quadrature at 25 nodes
  against R's integrate() 1e-8, the error left in both.
- -2 log L at the optimum: 1e-5, 1e-8 of its value, for the same reason.
- estimates 5e-5: a gap of 1e-8 to 3e-6 in the objective, over curvatures of 10 to 1000, leaves
  about 1e-5; modes, fitted values and residuals follow them.
- standard errors, relative 1e-4: those of lme4 difference an objective with noise of 1e-9 over
  steps of 1e-4. Where the link is canonical glmmTMB's, by automatic differentiation, are taken.
"""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from support.paths import REFERENCE

import hierwidgets as hw
from hierwidgets.likelihood import gaussian
from hierwidgets.likelihood.blocks import layout
from hierwidgets.likelihood.laplace import conditional_modes, laplace
from hierwidgets.likelihood.quadrature import adaptive
from hierwidgets.spec.covariance import cholesky_from_sd_corr

STORED = json.loads((REFERENCE / "structures.json").read_text())
FITS = {s["name"]: s for s in STORED["fits"]}
LINEAR = [name for name, s in FITS.items() if s["family"] == "gaussian"]
GENERALISED = [name for name, s in FITS.items() if s["family"] != "gaussian"]
BRUTE = [name for name in GENERALISED if "brute" in FITS[name]["objective"][0]]
OTHER_LINK = [n for n in GENERALISED if FITS[n]["link"] in ("probit", "cloglog")]

every_fit = pytest.mark.parametrize("name", FITS)


@cache
def frame(name):
    return pd.read_csv(REFERENCE / "structures" / f"{name}.csv")


def known(s):
    """What a call needs beside the formula."""
    return {"weights": s.get("weights"), "offset": s.get("offset")}


@cache
def model(name):
    s = FITS[name]
    link = None if s["family"] == "gaussian" else s["link"]
    return hw.Model(s["formula_python"], frame(s["data"]), s["family"], link=link, **known(s))


@cache
def fitted(name):
    s = FITS[name]
    if s["family"] == "gaussian":
        return hw.lmer(s["formula_python"], frame(s["data"]), reml=s["REML"], **known(s))
    return hw.glmer(
        s["formula_python"], frame(s["data"]), s["family"], link=s["link"], n_agq=s["nAGQ"],
        **known(s),
    )  # fmt: skip


def term_name(r_name):
    """'(Intercept)' -> 'Intercept', 'x:zb' -> 'x:z[T.b]'."""
    if r_name is None:
        return None
    parts = [f"z[T.{p[1]}]" if p in ("zb", "zc") else p.strip("()") for p in r_name.split(":")]
    return ":".join(parts)


def group_name(r_name):
    """'g.1' -> 'g', 'b:a' -> 'a:b': lme4 numbers repeated terms and writes the inner first."""
    return ":".join(reversed(r_name.removesuffix(".1").split(":")))


def renamed(by_name):
    return {term_name(k): v for k, v in by_name.items()}


def value(name, theta, beta, n_agq):
    """-2 log L with the counting constant."""
    m, theta = model(name), np.array(theta)
    if m.family.name == "gaussian":
        return gaussian.evaluate(gaussian.products(m.design), theta, FITS[name]["REML"]).value
    lay, beta = layout(m.design), np.array(beta)
    if n_agq == 1:
        found = laplace(lay, m.family, theta, beta)
    else:
        found = adaptive(lay, m.family, theta, beta, n_agq)
    return found.neg2loglik - 2 * m.design.constant


def test_every_family_link_and_structure_is_there():
    kinds = {(s["family"], s["link"], s["nAGQ"]) for s in FITS.values()}
    assert len(FITS) == 65
    for link in ("probit", "cloglog"):
        assert {("binomial", link, q) for q in (1, 2, 5, 9, 25)} <= kinds
    assert {("poisson", "log", q) for q in (1, 2, 5, 9, 25)} <= kinds
    assert not any(s["warnings"] for s in FITS.values())


# --- tier 1: the objective at given parameters ------------------------------------------------


@every_fit
def test_objective_at_given_parameters(name):
    rtol = 1e-11 if name in LINEAR else 1e-7
    for point in FITS[name]["objective"]:
        ours = value(name, point["theta"], point.get("beta"), FITS[name]["nAGQ"])
        assert ours == pytest.approx(point["m2ll"], rel=rtol)


@pytest.mark.parametrize("name", BRUTE)
def test_25_nodes_are_the_integral(name):
    for point in FITS[name]["objective"]:
        ours = value(name, point["theta"], point["beta"], 25)
        assert ours == pytest.approx(point["brute"], rel=1e-8)


@pytest.mark.parametrize("name", [n for n in OTHER_LINK if FITS[n]["nAGQ"] == 1])
def test_laplace_takes_the_expected_information_as_lme4_does(name):
    """With the observed information instead, the same modes give glmmTMB's objective."""
    m, tmb = model(name), FITS[name]["glmmTMB"]
    theta, beta = tmb_theta(m.design, tmb["varcorr"]), np.array(list(tmb["fixef"].values()))
    d = m.design
    modes = conditional_modes(d, m.family, beta, theta)
    at = m.family.derivatives(d.y, d.trials, modes.eta)
    penalised = at.loglik.sum() + d.constant - sum((u**2).sum() for u in modes.u) / 2
    ZL = dense_columns(d, theta)

    def objective(information):
        A = np.eye(ZL.shape[1]) + ZL.T @ (information[:, None] * ZL)
        return -2 * penalised + np.linalg.slogdet(A)[1]

    ours = value(name, theta, beta, 1)
    assert ours == pytest.approx(objective(at.weight), rel=1e-11)
    assert tmb["m2ll"] == pytest.approx(objective(at.information), rel=1e-8)
    assert abs(ours - tmb["m2ll"]) > 0.1


def dense_columns(design, theta):
    """Z Lambda, one column per effect."""
    parts = []
    for term, L in zip(design.terms, design.template.factors(theta), strict=True):
        one = np.zeros((len(term.codes), term.J, term.k))
        one[np.arange(len(term.codes)), term.codes] = term.Z @ L
        parts.append(one.reshape(len(term.codes), -1))
    return np.hstack(parts)


def tmb_theta(design, varcorr):
    table = pd.DataFrame(varcorr)
    out = []
    for term in design.terms:
        own = table[table["group"].map(group_name) == term.group]
        corr = np.eye(len(own))
        if len(own) == 2:
            corr[0, 1] = corr[1, 0] = own["corr"].iloc[1]
        factor = cholesky_from_sd_corr(own["sd"].to_numpy(), corr)
        out += [factor[i, j] for j in range(len(own)) for i in range(j, len(own))]
    return np.array(out)


# --- tier 2: the optimum ----------------------------------------------------------------------


@every_fit
def test_optimum(name):
    fit, s = fitted(name), FITS[name]
    assert fit.converged, fit.message
    assert -2 * fit.loglik == pytest.approx(s["m2ll"], abs=1e-5)
    assert fit.aic + 2 * fit.loglik == pytest.approx(s["AIC"] + 2 * s["logLik"], abs=1e-9)
    assert fit.bic + 2 * fit.loglik == pytest.approx(s["BIC"] + 2 * s["logLik"], abs=1e-9)
    assert fit.nobs == s["nobs"]
    assert fit.singular == s["singular"]


@pytest.mark.parametrize("name", [n for n in GENERALISED if n not in OTHER_LINK])
def test_optimum_is_that_of_glmmTMB_for_a_canonical_link(name):
    s = FITS[name]
    if s["nAGQ"] == 1:
        assert -2 * fitted(name).loglik <= s["glmmTMB"]["m2ll"] + 1e-6
    else:  # glmmTMB has no quadrature: its Laplace value differs, but not by much
        assert abs(-2 * fitted(name).loglik - FITS[name.split("_agq")[0]]["m2ll"]) < 0.5


@every_fit
def test_estimates(name):
    fit, s = fitted(name), FITS[name]
    assert fit.fixef.to_dict() == pytest.approx(renamed(s["fixef"]), abs=5e-5)
    assert fit.theta == pytest.approx(np.array(s["theta"]), abs=5e-5)
    assert fit.sigma == pytest.approx(s["sigma"], abs=5e-5)


@every_fit
def test_standard_errors(name):
    fit, s = fitted(name), FITS[name]
    canonical = s["link"] in ("logit", "log") and s["nAGQ"] == 1 and not s["singular"]
    reference = s["glmmTMB"]["se"] if canonical else s["se"]
    assert fit.std_error.to_dict() == pytest.approx(renamed(reference), rel=1e-4)


@every_fit
def test_covariance_of_coefficients(name):
    fit, s = fitted(name), FITS[name]
    correlation, reference = (
        v / np.sqrt(np.outer(np.diag(v), np.diag(v)))
        for v in (fit.vcov.to_numpy(), np.array(s["vcov"]))
    )
    # logit_scalar0 has one coefficient; elsewhere lme4's correlations carry its noise of 1e-4
    assert correlation == pytest.approx(reference, abs=2e-4)


@every_fit
def test_varcorr(name):
    rows = fitted(name).varcorr
    ours = {
        (r.group, r.term or None, None if pd.isna(r.other) else r.other): r
        for r in rows.itertuples()
    }
    table = FITS[name]["varcorr"]
    seen = set()
    for grp, a, b, sdcor in zip(
        table["grp"], table["var1"], table["var2"], table["sdcor"], strict=True
    ):
        residual = grp == "Residual"
        group = grp if residual else group_name(grp)
        key = (group, None if residual else term_name(a), term_name(b))
        seen.add(key)
        found = ours[key]
        assert (found.sd if b is None else found.corr) == pytest.approx(sdcor, abs=5e-5)
    assert seen == set(ours)


@every_fit
def test_modes_and_their_sds_by_level(name):
    theirs = pd.DataFrame(FITS[name]["ranef"])
    theirs["level"] = theirs["grp"].map(group_name)
    theirs["group"] = theirs["grpvar"].map(group_name)
    theirs["term"] = theirs["term"].map(term_name)
    both = fitted(name).ranef.merge(
        theirs, on=["group", "term", "level"], how="outer", validate="1:1", indicator=True
    )
    assert (both["_merge"] == "both").all()
    assert both["mode"].to_numpy() == pytest.approx(both["condval"].to_numpy(), abs=5e-5)
    assert both["sd"].to_numpy() == pytest.approx(both["condsd"].to_numpy(), abs=5e-5)


@every_fit
def test_fitted_values(name):
    estimate = fitted(name).predict()["estimate"].to_numpy()
    # counts of up to 100: their error is relative
    assert estimate == pytest.approx(np.array(FITS[name]["fitted"]), rel=5e-5, abs=2e-5)


@every_fit
def test_conditional_deviance(name):
    reference = FITS[name]["conditional_deviance"]
    assert fitted(name).conditional_deviance == pytest.approx(reference, rel=1e-5)


@every_fit
def test_residuals(name):
    for kind in ("response", "deviance", "pearson"):
        reference = FITS[name].get(f"residuals_{kind}")
        if reference is None:  # response: lmer only; the others: glmer only
            assert (kind == "response") != (name in LINEAR)
            continue
        ours = fitted(name).residuals(kind).to_numpy()
        assert ours == pytest.approx(np.array(reference), abs=5e-5)


# --- use --------------------------------------------------------------------------------------


@pytest.mark.parametrize("stored", STORED["predictions"], ids=lambda p: p["fit"])
def test_predictions(stored):
    fit, seen = fitted(stored["fit"]), pd.DataFrame(stored["seen"])
    strange = pd.DataFrame(stored["strange"])

    def close(key, newdata, **how):
        ours = fit.predict(newdata, **how)["estimate"].to_numpy()
        assert ours == pytest.approx(np.array(stored[key]), abs=2e-5)

    close("kept_all", seen)
    close("kept_none", seen, re_formula="~0")
    close("kept_some", seen, re_formula=stored["keep"])
    close("link_some", seen, re_formula=stored["keep"], scale="link")
    close("strange_population", strange, new_levels="population")
    with pytest.raises(hw.NewLevelError, match="g99"):
        fit.predict(strange)


@pytest.mark.parametrize("stored", STORED["comparisons"], ids=lambda c: c["family"])
def test_likelihood_ratios(stored):
    data = frame(stored["data"])
    pair = [
        hw.Model(stored[which], data, stored["family"]).maximize(reml=False)
        for which in ("simple", "full")
    ]
    for fit, npar, aic, bic, loglik in zip(
        pair, stored["npar"], stored["AIC"], stored["BIC"], stored["logLik"], strict=True
    ):
        assert fit.n_parameters == npar
        assert [fit.aic, fit.bic, fit.loglik] == pytest.approx([aic, bic, loglik], abs=1e-5)
    chisq = 2 * (pair[1].loglik - pair[0].loglik)
    assert chisq == pytest.approx(stored["chisq"], abs=2e-5)
    df = pair[1].n_parameters - pair[0].n_parameters
    assert stats.chi2.sf(chisq, df) == pytest.approx(stored["p_value"], rel=2e-5)


@pytest.mark.parametrize("name", STORED["profiles"])
def test_profile_intervals(name):
    """lme4's ends come from a spline through the profile, good to about 2e-6."""
    found = fitted(name).confint(level=0.9, method="profile", progress=False)
    stored = {profile_name(k): v for k, v in STORED["profiles"][name].items()}
    assert set(found["term"]) == set(stored)
    for row in found.itertuples():
        assert [row.conf_low, row.conf_high] == pytest.approx(stored[row.term], abs=1e-5)


def profile_name(r_name):
    """'sd_(Intercept)|g' -> 'sd Intercept | g'."""
    if not r_name.startswith("sd_"):
        return term_name(r_name)
    term, group = r_name.removeprefix("sd_").split("|")
    return f"sd {term_name(term)} | {group_name(group)}"
