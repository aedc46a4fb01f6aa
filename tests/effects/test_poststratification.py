"""From a fit to a population: the weighted average of the cells, with all that is uncertain.

Closed forms and sums by hand to 1e-12, relative; spreads to four Monte Carlo standard errors of the
4,000 draws, which are 1.6 % of an sd in pairs of opposite sign.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.special import expit
from support.crossed_groups import grouped, joint_of

import hierwidgets as hw
from hierwidgets.effects import poststratification
from hierwidgets.likelihood.joint_covariance import Functionals, effect_rows
from hierwidgets.spec import rows as prediction

SPREAD = 4 / np.sqrt(2 * 2000)


@pytest.fixture(scope="module")
def finland():
    return hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")


@pytest.fixture(scope="module")
def gaussian():
    return hw.lmer("y ~ x + arm + (1 + x | g) + (1 | h)", grouped(2, family="gaussian"))


@pytest.fixture(scope="module")
def cells():
    rows = grouped(5, groups=30, size=4).drop(columns="y")
    return rows.assign(n=np.random.default_rng(1).integers(0, 900, len(rows)))


def exact(fit, cells, weights):
    """Mean and sd of the average of eta, in the joint normal approximation."""
    new = prediction.rows_of(fit.design, cells, prediction.kept_columns(fit.design, None), "error")
    share = (weights / weights.sum()).to_numpy()[None, :]
    effects = tuple(sparse.csr_array(share @ Z) for Z in effect_rows(fit.design, new))
    variance = joint_of(fit).variance(Functionals(share @ new.X, effects))
    eta = prediction.linear_predictor(new, fit.beta, fit.modes.b)
    return (share @ eta).item(), np.sqrt(variance).item()


def test_a_gaussian_average_is_the_closed_form(gaussian, cells):
    found = hw.poststratify(gaussian, cells)
    mean, sd = exact(gaussian, cells, cells["n"])
    assert found["estimate"].item() == pytest.approx(mean, rel=1e-12)
    assert found["std_error"].item() == pytest.approx(sd, rel=SPREAD)
    reach = 1.6449 * sd
    assert found["conf_low"].item() == pytest.approx(mean - reach, abs=0.1 * sd)
    assert found["conf_high"].item() == pytest.approx(mean + reach, abs=0.1 * sd)


def test_balanced_groups_have_the_textbook_standard_error():
    """One-way layout: the mean of all groups seen has the sd sigma / sqrt(J n), theta known."""
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat(list("abcdefghij"), 20)})
    data["y"] = rng.normal(size=10).repeat(20) + rng.normal(size=200)
    fit = hw.lmer("y ~ 1 + (1 | g)", data)
    found = hw.poststratify(fit, pd.DataFrame({"g": list("abcdefghij"), "n": 1}))
    assert found["estimate"].item() == pytest.approx(data["y"].mean(), rel=1e-9)
    assert found["std_error"].item() == pytest.approx(fit.sigma / np.sqrt(200), rel=SPREAD)


def test_one_cell_is_the_mean_of_a_logit_normal(finland):
    cell = pd.DataFrame({"district_id": ["District 309"], "n": [7]})
    found = hw.poststratify(finland, cell, draws=100_000)
    link = finland.predict(cell[["district_id"]], scale="link", interval=0.9)
    z, w = np.polynomial.hermite_e.hermegauss(40)
    mu = expit(link["estimate"].item() + link["std_error"].item() * z)
    mean = (w @ mu) / w.sum()
    sd = np.sqrt((w @ mu**2) / w.sum() - mean**2)
    assert found["estimate"].item() == pytest.approx(mean, abs=4 * sd / np.sqrt(100_000))
    assert found["std_error"].item() == pytest.approx(sd, rel=4 / np.sqrt(100_000))
    ends = expit(link["estimate"].item() + np.array([-1.6449, 1.6449]) * link["std_error"].item())
    assert found[["conf_low", "conf_high"]].to_numpy()[0] == pytest.approx(ends, abs=0.03 * sd)


def test_a_posterior_is_averaged_draw_by_draw():
    post = hw.load_posterior("finland")
    levels = hw.load("finland")["district_id"].unique()[:5]
    cells = pd.DataFrame({"district_id": levels, "n": [4, 1, 0, 2, 3], "part": list("abbab")})
    long = post.epred_draws(cells.rename(columns={"n": "N"}))
    long["weighted"] = long["epred"] * long["N"]
    sums = long.groupby(["part", "chain", "draw"])[["weighted", "N"]].sum()
    values = (sums["weighted"] / sums["N"]).unstack(["chain", "draw"]).to_numpy()
    found = hw.poststratify(post, cells, by="part", level=0.8)
    low, high = np.quantile(values, [0.1, 0.9], axis=1)
    assert found["part"].to_list() == ["a", "b"]
    assert found["n"].to_list() == [6, 4]
    expected = (values.mean(axis=1), values.std(axis=1, ddof=1), low, high)
    for column, value in zip(found.columns[2:], expected, strict=True):
        assert found[column].to_numpy() == pytest.approx(value, rel=1e-12), column


@pytest.mark.parametrize("kind", ["fit", "posterior"])
def test_parts_add_up_to_the_whole(finland, kind):
    one = finland if kind == "fit" else hw.load_posterior("finland")
    levels = hw.load("finland")["district_id"].unique()
    cells = pd.DataFrame({"district_id": levels, "n": np.arange(1, len(levels) + 1)})
    whole = hw.poststratify(one, cells)
    parts = hw.poststratify(one, cells, by=["district_id"])
    assert parts["n"].sum() == whole["n"].item()
    average = np.average(parts["estimate"], weights=parts["n"])
    assert average == pytest.approx(whole["estimate"].item(), rel=1e-12)


@pytest.mark.parametrize("kind", ["fit", "posterior"])
def test_cells_can_be_split_scaled_and_shuffled(finland, kind):
    one = finland if kind == "fit" else hw.load_posterior("finland")
    levels = hw.load("finland")["district_id"].unique()[:6]
    cells = pd.DataFrame({"district_id": levels, "n": [10, 20, 30, 40, 50, 0]})
    whole = hw.poststratify(one, cells).drop(columns="n")
    halves = pd.concat([cells.assign(n=cells["n"] / 2)] * 2)
    for other in (halves, cells.assign(n=0.01 * cells["n"]), cells.iloc[::-1], cells.head(5)):
        found = hw.poststratify(one, other).drop(columns="n")
        pd.testing.assert_frame_equal(found, whole, rtol=1e-12)


def test_blocks_of_draws_do_not_matter(gaussian, cells, monkeypatch):
    whole = hw.poststratify(gaussian, cells, by="arm")
    monkeypatch.setattr(poststratification, "_CHUNK", 20_000)
    pd.testing.assert_frame_equal(hw.poststratify(gaussian, cells, by="arm"), whole, rtol=1e-12)


def test_the_seed_decides_and_nothing_given_is_changed(finland):
    cells = pd.DataFrame({"district_id": ["District 309"], "n": [7]}, index=[42])
    before = cells.copy(deep=True)
    one, same, other = (hw.poststratify(finland, cells, seed=s) for s in (0, 0, 1))
    pd.testing.assert_frame_equal(one, same)
    assert one["std_error"].item() != other["std_error"].item()
    pd.testing.assert_frame_equal(cells, before)


def test_group_effects_can_be_left_out(finland):
    cells = pd.DataFrame({"district_id": ["District 309"], "n": [7]})
    found = hw.poststratify(finland, cells, re_formula="~0", draws=100_000)
    link = finland.predict(cells[["district_id"]], re_formula="~0", scale="link", interval=0.9)
    eta, se = link[["estimate", "std_error"]].to_numpy()[0]
    ends = expit(eta + np.array([-1.6449, 1.6449]) * se)
    assert found[["conf_low", "conf_high"]].to_numpy()[0] == pytest.approx(ends, abs=1e-3)


def test_new_groups_are_unknown_each_on_its_own(finland):
    """Two unseen districts of equal size: their effects vary apart, the coefficients together."""
    one = pd.DataFrame({"district_id": ["x"], "n": [1]})
    with pytest.raises(hw.NewLevelError, match="district_id 'x'"):
        hw.poststratify(finland, one)
    two = pd.DataFrame({"district_id": ["x", "y"], "n": [1, 1]})
    sd = {}
    for name, frame in (("one", one), ("two", two)):
        for how in ("population", "sample"):
            found = hw.poststratify(finland, frame, new_levels=how, draws=40_000)
            sd[name, how] = found["std_error"].item()
    assert sd["two", "population"] == pytest.approx(sd["one", "population"], rel=1e-9)
    added = {name: sd[name, "sample"] ** 2 - sd[name, "population"] ** 2 for name in ("one", "two")}
    assert added["one"] / added["two"] == pytest.approx(2.0, rel=0.15)
    post = hw.load_posterior("finland")
    drawn = hw.poststratify(post, one, new_levels="sample")["std_error"].item()
    assert drawn > 2 * hw.poststratify(post, one, new_levels="population")["std_error"].item()


def test_counts_with_an_offset_are_expected_per_person():
    data = grouped(6, family="poisson").assign(years=2.0)
    data["log_years"] = np.log(data["years"])
    fit = hw.glmer("y ~ x + (1 | g)", data, "poisson", offset="log_years")
    cells = data.head(40).assign(n=1)
    once = hw.poststratify(fit, cells)["estimate"].item()
    twice = hw.poststratify(fit, cells.assign(log_years=np.log(4.0)))["estimate"].item()
    assert twice == pytest.approx(2 * once, rel=1e-9)


def made_up(seed, groups=25, sample=500):
    """A survey that asks one kind of people too often, its cells, and the truth of them all."""
    rng = np.random.default_rng(seed)
    alpha = rng.normal(-0.8, 0.6, groups)
    g, kind = np.repeat(np.arange(groups), 2), np.tile([0, 1], groups)
    truth = expit(alpha[g] + 1.0 * kind)
    N = rng.integers(1000, 9000, 2 * groups)
    reached = N * np.where(kind == 1, 4.0, 1.0)
    n = rng.multinomial(sample, reached / reached.sum())
    cells = pd.DataFrame({"g": [f"g{i:02d}" for i in g], "kind": kind, "n": N})
    asked = cells.assign(asked=n, y=rng.binomial(n, truth))
    return asked[asked["asked"] > 0], cells, truth


def test_intervals_hold_the_truth_as_often_as_they_say():
    """200 populations, a survey of each; raw rates, for comparison, hardly ever do."""
    held, raw = [], []
    for seed in range(200):
        survey, cells, truth = made_up(seed)
        fit = hw.glmer("p(y, asked) ~ kind + (1 | g)", survey)
        rate = np.average(truth, weights=cells["n"])
        found = hw.poststratify(fit, cells, new_levels="sample", draws=1000).iloc[0]
        held.append(found["conf_low"] < rate < found["conf_high"])
        p, n = survey["y"].sum() / survey["asked"].sum(), survey["asked"].sum()
        raw.append(abs(p - rate) < 1.6449 * np.sqrt(p * (1 - p) / n))
    assert abs(np.mean(held) - 0.9) < 4 * np.sqrt(0.9 * 0.1 / 200)
    assert np.mean(raw) < 0.2


CELLS = pd.DataFrame({"district_id": ["District 309", "District 308"], "n": [3, 4]})


@pytest.mark.parametrize(
    ("cells", "more", "words"),
    [
        (CELLS, {"weight": "N"}, "weight='N' is not a column of the cells"),
        (CELLS.head(0), {}, "no rows"),
        (CELLS.assign(n=[1, None]), {}, "1 of 2 cells have no weight"),
        (CELLS.assign(n=[1, -2]), {}, "'n' holds -2"),
        (CELLS.assign(n=[1, np.inf]), {}, "'n' holds inf"),
        (CELLS.assign(n=["a", "b"]), {}, "weights must be numbers"),
        (CELLS.assign(n=0), {}, "'n' add up to 0: nobody"),
        (CELLS.assign(n=[1, 0]), {"by": "district_id"}, "in {'district_id': 'District 308'}"),
        (CELLS, {"by": "region"}, "by='region'"),
        (CELLS, {"by": []}, r"by=\[\]"),
        (CELLS, {"by": "n"}, "a column 'n' of its own"),
        (CELLS, {"level": 90}, "level=90"),
        (CELLS, {"draws": 7}, "an even number"),
        (CELLS, {"draws": 0}, "draws=0"),
        (CELLS, {"seed": "x"}, "seed='x'"),
        (CELLS, {"new_levels": "guess"}, "new_levels='guess'"),
        (CELLS.drop(columns="district_id"), {}, "district_id"),
        (CELLS.assign(district_id=["District 309", None]), {}, "missing"),
        (3, {}, "a int was given"),
    ],
)
def test_what_cannot_be_answered_is_said_in_words(finland, cells, more, words):
    with pytest.raises(hw.HierwidgetsError, match=words):
        hw.poststratify(finland, cells, **more)


def test_the_first_argument_is_a_fit_or_a_posterior():
    with pytest.raises(hw.DataError, match="a dict was given"):
        hw.poststratify({}, CELLS)
