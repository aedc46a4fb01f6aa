"""Double bars, diagonal terms, crossed groups, constant trials and empty cells, against R.

``(f || g)`` is lme4's ``(1 | g) + (0 + f | g)``, ``diag(f | g)`` is glmmTMB's. The stored fits are
at their optimum to 1e-6 in the log-likelihood, and their estimates to about 1e-4, which is what
lme4's and glmmTMB's searches leave. With an intercept and a column for each level of f only the
sum of their covariances can be told, ``sd^2 1 1' + Sigma``: it is that sum which is compared.
"""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from support.paths import REFERENCE

import hierwidgets as hw

STORED = json.loads((REFERENCE / "double_bars.json").read_text())["fits"]
ORDERS = [["cedar", "ash", "birch"], ["birch", "cedar", "ash"], ["ash", "birch", "cedar"]]


def name_of(s):
    return f"{s['by']} {s['formula']}{' REML' if s['REML'] else ''} {s['levels'] or ''}".strip()


every_fit = pytest.mark.parametrize("number", range(len(STORED)), ids=map(name_of, STORED))


@cache
def frame():
    return pd.read_csv(REFERENCE / "structures" / "factors.csv")


def fit_of(formula, family="gaussian", reml=False, levels=None):
    data = frame()
    if levels:
        data = data.assign(f=pd.Categorical(data["f"], levels))
    collinear = "drop" if "e * h" in formula else "raise"
    if family == "gaussian":
        return hw.lmer(formula, data, reml=reml, collinear=collinear)
    return hw.glmer(formula, data, collinear=collinear)


@cache
def fitted(number):
    s = STORED[number]
    return fit_of(s["formula"], s["family"], s["REML"], s["levels"])


def column(r_name):
    """ "fbirch:x" -> "f[T.birch]:x", and "f[birch]:x" among columns without a reference level."""
    parts = []
    for part in r_name.split(":"):
        stem = next((c for c in "feh" if part.startswith(c) and len(part) > 1), None)
        parts.append(f"{stem}[T.{part[1:]}]" if stem else part.strip("()"))
    return ":".join(parts)


def total(terms):
    """The covariance of an observation's effect: over f, h and x = 0, 1, from named covariances.

    Whatever the coding, the effects on the rows of a group are combinations of the columns; their
    covariance is what the data tell.
    """
    cells = [(f, h, x) for f in ("ash", "birch", "cedar") for h in "pq" for x in (0.0, 1.0)]
    out = np.zeros((len(cells), len(cells)))
    for names, covariance in terms:
        Z = np.array([[value(name, *cell) for name in names] for cell in cells])
        out += Z @ np.array(covariance, dtype=float).reshape(len(names), -1) @ Z.T
    return out


def value(name, f, h, x):
    """A column in a cell: "f[T.ash]:x" is x under ash, else 0."""
    product = 1.0
    for part in name.split(":"):
        if part == "x":
            product *= x
        elif part not in ("Intercept", "(Intercept)"):
            level = part.removeprefix("T.").partition("[")[2].removeprefix("T.").rstrip("]")
            product *= float((level or part[1:]) in (f, h))
    return product


def ours(fit, group):
    terms = []
    for term, L in zip(fit.design.terms, fit.design.template.factors(fit.theta), strict=True):
        if term.group == group:
            terms.append((term.names, (fit.sigma * L) @ (fit.sigma * L).T))
    return total(terms)


@every_fit
def test_log_likelihood(number):
    fit, s = fitted(number), STORED[number]
    assert fit.loglik == pytest.approx(s["logLik"], abs=2e-5)
    assert fit.n_parameters == s["df"]
    assert fit.converged, fit.message


@every_fit
def test_coefficients(number):
    fit, s = fitted(number), STORED[number]
    known = {column(k): v for k, v in s["fixef"].items() if v != "NA"}
    assert fit.fixef.to_dict() == pytest.approx(known, abs=2e-4)
    if s["family"] == "gaussian" and s["by"] == "lme4":
        errors = {column(k): v for k, v in s["se"].items()}
        assert fit.std_error.to_dict() == pytest.approx(errors, rel=1e-3)
    assert fit.sigma == pytest.approx(s["sigma"], abs=1e-4)


@every_fit
def test_covariances(number):
    fit, s = fitted(number), STORED[number]
    by_group = {}
    for group, part in zip(s["groups"], s["covariance"].values(), strict=True):
        names = part["names"]
        names = [names] if isinstance(names, str) else names
        by_group.setdefault(group, []).append((names, part["covariance"]))
    for group, terms in by_group.items():
        here = {"h:k": "h:k", "k:h": "k:h"}.get(group, group)
        assert ours(fit, here) == pytest.approx(total(terms), abs=2e-3)


@pytest.mark.parametrize("number", [i for i, s in enumerate(STORED) if "fitted" in s])
def test_fitted_values(number):
    known = np.array(STORED[number]["fitted"])
    if STORED[number]["formula"].startswith("p("):
        assert known.max() < 1  # lme4 gives rates, as we do
    assert fitted(number).fitted.to_numpy()[:40] == pytest.approx(known, abs=5e-4)


def test_sds_of_a_diagonal_term():
    """Stored by glmmTMB: one sd for each column, in its order."""
    for number, s in enumerate(STORED):
        if s["by"] == "glmmTMB":
            (part,) = s["covariance"].values()
            sds = np.sqrt(np.diag(np.array(part["covariance"])))
            rows = fitted(number).varcorr
            found = rows[rows["group"] == "g"]
            assert found["other"].isna().all()
            assert found["sd"].to_numpy() == pytest.approx(sds, abs=3e-3)


# --- the order of levels ----------------------------------------------------------------------


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("bars", ["(f || g)", "(0 + f || g)", "(f * x || g)", "diag(0 + f | g)"])
def test_the_order_of_levels_does_not_matter(bars, reml):
    fits = [fit_of(f"y ~ f + x + {bars}", reml=reml, levels=order) for order in ORDERS]
    for fit in fits[1:]:
        assert fit.loglik == pytest.approx(fits[0].loglik, abs=1e-6 if not reml else 1e-5)
        assert fit.predict()["estimate"].to_numpy() == pytest.approx(
            fits[0].predict()["estimate"].to_numpy(), abs=1e-4
        )
        assert ours(fit, "g") == pytest.approx(ours(fits[0], "g"), abs=1e-3)


def test_a_diagonal_term_with_a_reference_level_depends_on_it():
    """As in glmmTMB: the reference level has the intercept's sd alone."""
    logliks = [fit_of("y ~ f + x + diag(f | g)", levels=order).loglik for order in ORDERS]
    assert np.ptp(logliks) > 1


# --- the same model, written otherwise --------------------------------------------------------

SAME = [
    ("(f || g)", "(1 | g) + (0 + f | g)"),
    ("(f || g)", "(0 + f || g) + (1 | g)"),
    ("(x || g)", "diag(x | g)"),
    ("(x || g)", "(1 | g) + (0 + x | g)"),
    ("(f * x || g)", "(1 | g) + (0 + f | g) + (0 + x | g) + (0 + f:x | g)"),
    ("(0 + x || g)", "(0 + x | g)"),
    ("(1 || g)", "(1 | g)"),
    ("diag(1 | g)", "(1 | g)"),
    ("(x | h*k)", "(x | h) + (x | k) + (x | h:k)"),
    ("(1 | h*k)", "(1 | h/k) + (1 | k)"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_spellings(one, other):
    a, b = (fit_of(f"y ~ f + x + {bars}", reml=True) for bars in (one, other))
    assert a.loglik == pytest.approx(b.loglik, abs=1e-6)
    assert a.n_parameters == b.n_parameters


@pytest.mark.parametrize("bars", ["(f || g)", "(f * x || g)", "diag(f | g)", "diag(f * x | g)"])
def test_re_formula_takes_the_same_bars(bars):
    fit, rows = fit_of(f"y ~ f + x + {bars}", reml=True), frame().head(30)
    everything = fit.predict(rows)["estimate"].to_numpy()
    assert fit.predict(rows, re_formula=f"~ {bars}")["estimate"].to_numpy() == pytest.approx(
        everything
    )
    parts = [fit.predict(rows, re_formula=r)["estimate"].to_numpy()
             for r in ("~ 0", "~ (1 | g)", "~ (0 + f | g)")]  # fmt: skip
    if "x" not in bars:
        assert parts[1] + parts[2] - parts[0] == pytest.approx(everything)


def test_effects_may_outnumber_rows_over_all_terms_but_not_in_one():
    """As in lme4: 12 groups x 3 levels and 12 intercepts on 40 rows, but not on 36."""
    rng = np.random.default_rng(4)
    g, f = np.repeat(np.arange(12), 4)[:40], np.tile([0, 1, 2, 0], 12)[:40]
    data = pd.DataFrame({"g": g, "f": np.array(list("abc"))[f], "y": rng.normal(size=40)})
    assert np.isfinite(hw.lmer("y ~ 1 + (f || g)", data).loglik)
    with pytest.raises(hw.FitError, match="36 effects for 36 rows"):
        hw.lmer("y ~ 1 + (f || g)", pd.DataFrame(
            {"g": np.repeat(np.arange(12), 3), "f": list("abc") * 12, "y": rng.normal(size=36)}
        ))  # fmt: skip
