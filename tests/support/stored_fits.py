"""The fits of reference/seed_lme4.json, by name, beside our own of the same models.

"finland" is the fit with lme4's default optimiser, "finland_tight" the well converged one,
"finland_agq9" that with nine quadrature points. uk0 has no predictor, uk1 has one, rainey
is the several-countries model.
"""

import json
from functools import cache

import numpy as np

import hierwidgets as hw
from support.paths import REFERENCE

STORED = json.loads((REFERENCE / "seed_lme4.json").read_text())
MODELS = {
    "finland": ("finland", "contacted ~ 1 + (1 | district_id)"),
    "uk0": ("uk", "contacted ~ 1 + (1 | district_id)"),
    "uk1": ("uk", "contacted ~ district_competitiveness + (1 | district_id)"),
    "rainey": (
        "rainey2015",
        "contacted ~ district_competitiveness * electoral_rules + (1 | district_id)"
        " + (1 + district_competitiveness | election_id)",
    ),
}
EVERY = tuple(STORED)
DEFAULT = tuple(MODELS)
CONVERGED = tuple(name for name in EVERY if "_" in name)


def n_agq(name):
    """Quadrature points of a stored fit."""
    return int(name.split("agq")[1]) if "agq" in name else 1


@cache
def model(name):
    """The model of a stored fit."""
    data, formula = MODELS[name.split("_")[0]]
    return hw.Model(formula, hw.load(data), "binomial", event="Contacted")


@cache
def _fit(short, nodes):
    return model(short).maximize(nodes)


def fitted(name):
    """Our fit of a stored one's model."""
    return _fit(name.split("_")[0], n_agq(name))


def parameters(name):
    """theta (m,) and beta (p,) of a stored fit, in our order, which is lme4's."""
    s = STORED[name]
    return np.atleast_1d(s["theta"]), np.array(list(s["fixef"].values()))


def our_name(name):
    """'(Intercept)' -> 'Intercept', 'electoral_rulesSMD' -> 'electoral_rules[T.SMD]'."""
    return name.strip("()").replace("electoral_rulesSMD", "electoral_rules[T.SMD]")


def our_level(short, level):
    """The scripts of Finland and the UK dropped a prefix."""
    return level if short.startswith("rainey") else f"District {level}"


def effects(name):
    """{(group, term, level): (mode, sd)} of a stored fit."""
    found = {}
    for group, s in STORED[name]["ranef"].items():
        terms = [s["terms"]] if isinstance(s["terms"], str) else s["terms"]
        for level, modes, covariance in zip(s["levels"], s["modes"], s["postVar"], strict=True):
            for i, term in enumerate(terms):
                key = group, our_name(term), our_level(name, level)
                found[key] = modes[i], np.sqrt(covariance[i][i])
    return found
