"""Quantities of interest from draws: averages, other priors, the article, and their pictures.

Tolerances: averages against a long simulation within 4 of its standard errors; under rstanarm's
prior the medians of an independent run (rstanarm, 2 x 1000 draws) within .02 and its interval's
ends within .035, which is twice the Monte Carlo error of an end of 2000 draws; the article within
.05, the error of reading a figure.
"""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.base.palette import RULES
from hierwidgets.course.figures.effects import imagined_rates, named_intervals, quantity_panels
from hierwidgets.course.studies import quantities
from hierwidgets.course.studies.quantities import (
    article_curves,
    beside_article,
    population_draws,
    prior_weights,
    rule_curves,
    weighted,
)
from hierwidgets.errors import DataError


@pytest.fixture(scope="module")
def post():
    return hw.load_posterior("rainey2015")


@pytest.fixture(scope="module")
def individual():
    return hw.load_posterior("rainey2015_individual", effects=False)


def test_the_average_is_that_of_a_simulation(post):
    rows = pd.DataFrame({"district_competitiveness": [0.4, 0.8], "electoral_rules": ["PR", "SMD"]})
    found = population_draws(post, rows)[:, :3]
    rng = np.random.default_rng(1)
    d, reps = post.draws, 200_000
    for s in range(3):
        beta = d.beta.reshape(-1, 4)[s]
        own = d.factors[0].reshape(-1)[s] * rng.standard_normal(reps)
        u = d.factors[1].reshape(-1, 2, 2)[s] @ rng.standard_normal((2, reps))
        for i, (x, smd) in enumerate(((0.4, 0), (0.8, 1))):
            eta = beta @ [1, x, smd, x * smd] + u[0] + x * u[1] + own
            rates = 1 / (1 + np.exp(-eta))
            assert abs(found[i, s] - rates.mean()) < 4 * rates.std() / np.sqrt(reps)


def test_without_spread_the_average_is_the_typical(post):
    rows = pd.DataFrame({"district_competitiveness": [0.6], "electoral_rules": ["SMD"]})
    from dataclasses import replace

    tight = replace(
        post, draws=replace(post.draws, factors=tuple(0 * f for f in post.draws.factors))
    )
    typical = 1 / (1 + np.exp(-post.linear_predictor(rows, re_formula="~0")))
    assert population_draws(tight, rows) == pytest.approx(typical, abs=1e-12)


# --- another prior ---------------------------------------------------------------------------

# of an independent run with rstanarm's priors: median and 90 % interval at .8
RSTANARM = {
    "PR": (0.20, 0.11, 0.33),
    "SMD": (0.58, 0.37, 0.77),
    "first difference": (0.38, 0.14, 0.58),
    "slope PR": (0.19, -0.03, 0.55),
    "slope SMD": (1.00, 0.65, 1.26),
    "difference of slopes": (0.79, 0.33, 1.15),
}


def at_08(post):
    b0, b_x, b_rule, b_both = post.draws.beta.reshape(-1, 4).T
    pr = 1 / (1 + np.exp(-(b0 + 0.8 * b_x)))
    smd = 1 / (1 + np.exp(-(b0 + b_rule + 0.8 * (b_x + b_both))))
    s_pr, s_smd = pr * (1 - pr) * b_x, smd * (1 - smd) * (b_x + b_both)
    return dict(zip(RSTANARM, (pr, smd, smd - pr, s_pr, s_smd, s_smd - s_pr), strict=True))


@pytest.mark.parametrize("name", RSTANARM)
def test_reweighted_draws_agree_with_rstanarm(post, name):
    found = weighted(at_08(post)[name], prior_weights(post)).iloc[0].to_numpy()
    assert found[0] == pytest.approx(RSTANARM[name][0], abs=0.02)
    assert found[1:] == pytest.approx(RSTANARM[name][1:], abs=0.035)


def test_weights_are_many_and_sum_to_one(post):
    weights = prior_weights(post)
    assert weights.sum() == pytest.approx(1)
    assert 1 / (weights**2).sum() > 2000
    plain = weighted(at_08(post)["first difference"])
    other = weighted(at_08(post)["first difference"], weights)
    assert (other["conf_high"] - other["conf_low"]).item() < (
        plain["conf_high"] - plain["conf_low"]
    ).item()


def test_the_density_of_two_sds_is_that_of_simulated_ones():
    """Histograms of simulated pairs against the formula, up to its constant."""
    rng = np.random.default_rng(2)
    tau, share = rng.exponential(1, 400_000), rng.uniform(size=400_000)
    sds = tau[:, None] * np.sqrt(2 * np.column_stack([share, 1 - share]))
    edges = np.linspace(0.3, 1.5, 7)
    counts, *_ = np.histogram2d(sds[:, 0], sds[:, 1], [edges, edges])
    fine = np.linspace(0.3, 1.5, 121)[:-1] + 0.005
    grid = np.array([(a, b) for a in fine for b in fine])
    density = np.exp(quantities._decov(grid)).reshape(6, 20, 6, 20).sum(axis=(1, 3))
    expected = density / density.sum() * counts.sum()
    assert np.abs(counts - expected).max() < 5 * np.sqrt(expected.max())
    with pytest.raises(DataError, match="3 coefficients"):
        quantities._decov(np.ones((2, 3)))


def test_weighted_quantiles_are_those_of_repeated_values():
    rng = np.random.default_rng(3)
    values, times = rng.normal(size=400), rng.integers(1, 6, 400)
    found = weighted(values, times / times.sum()).iloc[0].to_numpy()
    repeated = np.sort(np.repeat(values, times))
    expected = [repeated[int(np.ceil(len(repeated) * q)) - 1] for q in (0.5, 0.05, 0.95)]
    assert found == pytest.approx(expected, abs=0.03)


# --- the article -----------------------------------------------------------------------------


def test_the_article_s_figures_are_rebuilt(individual):
    table = beside_article(individual)
    assert len(table) == 12
    off = (table["typical"] - table["value"]).abs()
    steep = table["quantity"].isin(["marginal effect", "difference of marginal effects"])
    steep &= table["rules"] != "PR"
    assert (off[~steep] <= 0.05).all()
    assert (off[steep] < 0.20).all()  # the article's slope is flatter; see the lecture
    assert ((table["population"] - table["value"]).abs() <= 0.05).all()


def test_what_the_article_says_of_its_intervals(individual):
    x = np.round(np.arange(0, 1.001, 0.01), 2)
    curves = article_curves(individual, x)
    first = curves["first difference"]
    clear = first.loc[first["conf_low"] > 0, "x"].min()
    assert abs(clear - 0.85) < 0.1
    slopes = curves["marginal effect"]
    assert (slopes.loc[slopes["series"] == "PR", "conf_low"] < 0).all()
    second = curves["difference of marginal effects"]
    assert abs(second.loc[second["conf_low"] > 0, "x"].min() - 0.3) < 0.05
    peak = second.loc[second["estimate"].idxmax(), "x"]
    assert abs(peak - 0.8) < 0.05


def test_curves_are_those_of_the_package(individual):
    x = np.array([0.3, 0.8])
    curves = article_curves(individual, x)
    zero = [c for c in individual.design.data.columns if c not in ("contacted", "smd")]
    rows = pd.DataFrame(0.0, index=[0, 1], columns=zero).assign(competitiveness=x)
    first = hw.comparisons(individual, {"smd": [0, 1]}, rows, re_formula="~0")
    slope = hw.slopes(individual, "competitiveness", rows, across={"smd": [0, 1]}, re_formula="~0")
    for found, name in ((first, "first difference"), (slope, "difference of marginal effects")):
        wanted = found[["estimate", "conf_low", "conf_high"]].to_numpy()
        ours = curves[name][["estimate", "conf_low", "conf_high"]].to_numpy()
        assert ours == pytest.approx(wanted, abs=1e-4)
    with pytest.raises(DataError, match="'average'; choose 'typical' or 'population'"):
        article_curves(individual, x, "average")


def test_curves_of_the_rules_are_those_of_the_package(post):
    curves = rule_curves(post, np.array([0.3, 0.8]))
    rows = pd.DataFrame({"district_competitiveness": [0.3, 0.8]})
    rule, columns = {"electoral_rules": ["PR", "SMD"]}, ["estimate", "conf_low", "conf_high"]
    name, none = "district_competitiveness", {"re_formula": "~0"}
    smd = rows.assign(electoral_rules="SMD")
    wanted = {
        "probability": post.predict(smd, interval=0.9, **none),
        "first difference": hw.comparisons(post, rule, rows, **none),
        "marginal effect": hw.slopes(post, name, smd, **none),
        "difference of marginal effects": hw.slopes(post, name, rows, across=rule, **none),
    }
    for title, frame in wanted.items():
        ours = curves[title].query("series in ('SMD', '')")[columns].to_numpy()
        assert ours == pytest.approx(frame[columns].to_numpy(), abs=1e-4)


# --- pictures --------------------------------------------------------------------------------


def curve(series, at=(0.0, 0.5, 1.0)):
    x = np.array(at)
    frame = pd.DataFrame({"x": x, "series": series, "estimate": x / 2})
    return frame.assign(conf_low=x / 2 - 0.1, conf_high=x / 2 + 0.1)


def test_quantity_panels_draw_the_numbers():
    both = pd.concat([curve("PR"), curve("SMD")])
    marks = pd.DataFrame({"quantity": ["probability"], "x": [0.5], "value": [0.7]})
    titles = ["probability", "first difference", "marginal effect"]
    frames = dict(zip(titles, (both, curve(""), both), strict=True))
    figure = quantity_panels(frames, marks, seen=(0.2, 0.9))
    first, second, third, unused = figure.axes
    assert [axes.get_title(loc="left") for axes in (first, second, third)] == titles
    assert not unused.get_visible()
    assert second.get_ylabel() == "probability, SMD less PR"
    lines = {line.get_label(): line for line in first.lines}
    assert lines["SMD"].get_ydata() == pytest.approx([0, 0.25, 0.5])
    assert lines["SMD"].get_linestyle() != lines["PR"].get_linestyle()
    assert any(list(line.get_xdata()) == [0.5] for line in first.lines)
    assert not any(list(line.get_xdata()) == [0.5] for line in second.lines)
    with pytest.raises(DataError, match="'conf_low' is not a column"):
        quantity_panels({"a": both.drop(columns="conf_low")})


def test_imagined_rates_are_a_density():
    axes = imagined_rates(-0.85, 0.71, {"typical": 0.3, "average": 0.32}).axes[0]
    x, y = axes.lines[0].get_data()
    assert np.trapezoid(y, x) == pytest.approx(1, abs=0.01)
    assert [t.get_text() for t in axes.get_legend().get_texts()] == [
        "typical: 0.300",
        "average: 0.320",
    ]


def test_named_intervals_stand_in_the_order_given():
    frame = pd.DataFrame(
        {"name": list("abc"), "kind": ["x", "y", "x"], "estimate": [1.0, 2.0, 3.0],
         "conf_low": [0.0, 1.0, 2.0], "conf_high": [2.0, 3.0, 4.0]}
    )  # fmt: skip
    axes = named_intervals(frame, "effect", at=0.0).axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == list("abc")
    drawn = {line.get_label(): list(line.get_xdata()) for line in axes.lines}
    assert drawn["x"] == [1.0, 3.0]
    assert drawn["y"] == [2.0]


def test_intervals_of_rules_keep_their_style():
    frame = pd.DataFrame(
        {"name": ["a - b", "", "c", "d"], "kind": ["PR", "SMD", "SMD less PR", "PR"],
         "estimate": 1.0, "conf_low": 0.0, "conf_high": 2.0}
    )  # fmt: skip
    axes = named_intervals(frame, "effect").axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["a \N{MINUS SIGN} b", "c", "d"]
    drawn = {line.get_label(): (line.get_color(), line.get_marker()) for line in axes.lines}
    for rule, look in RULES.items():
        assert drawn[rule] == (look.color, look.marker)
    assert drawn["SMD less PR"][0] not in {look.color for look in RULES.values()}
    assert axes.get_legend() is not None
    single = named_intervals(frame.iloc[:3], "effect").axes[0]
    assert single.get_legend() is None
