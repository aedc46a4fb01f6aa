"""The small sampler: its invariant distribution, its two targets, and the stored runs.

The targets are checked against finite differences and against each other (they are one
distribution in two coordinates); the sampler against moments it must have, within four Monte
Carlo errors at effective sizes that the runs are known to have.
"""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

import hierwidgets as hw
from hierwidgets.course.studies import hmc
from hierwidgets.errors import DataError

Y, S = np.array([0.5, -0.4, 0.2]), np.array([0.8, 1.0, 1.4])


@pytest.mark.parametrize("form", [hmc.centred, hmc.non_centred])
def test_gradients_are_those_of_the_density(form):
    target = form(Y, S)
    for seed in range(3):
        x = np.random.default_rng(seed).normal(size=4)
        steps = 1e-6 * np.eye(4)
        differences = [(target(x + h)[0] - target(x - h)[0]) / 2e-6 for h in steps]
        np.testing.assert_allclose(target(x)[1], differences, rtol=1e-6, atol=1e-7)


def test_the_forms_are_one_distribution():
    """p(z, log sigma) = p(a, log sigma) sigma^K at a = sigma z, up to one constant."""
    gaps = []
    for seed in range(4):
        z, log_sigma = np.random.default_rng(seed).normal(size=3), 0.3 * seed - 0.5
        sigma = np.exp(log_sigma)
        there = hmc.non_centred(Y, S)(np.append(z, log_sigma))[0]
        here = hmc.centred(Y, S)(np.append(sigma * z, log_sigma))[0] + 3 * log_sigma
        gaps.append(there - here)
    np.testing.assert_allclose(gaps, gaps[0], atol=1e-12)


def test_the_exact_density_integrates_the_effects_out():
    grid = np.linspace(-9, 3, 1201)
    found = hmc.exact_log_sigma(Y, S, grid)
    assert found.sum() * (grid[1] - grid[0]) == pytest.approx(1)

    def by_hand(log_sigma):
        sigma = np.exp(log_sigma)
        areas = [
            quad(lambda a, y=y, s=s: norm.pdf(y, a, s) * norm.pdf(a, 0, sigma), -12, 12,
                 points=[0.0])[0]
            for y, s in zip(Y, S, strict=True)
        ]  # fmt: skip
        return np.prod(areas) * norm.pdf(sigma, 0, hmc.PRIOR_SD) * sigma

    at = [np.argmin(np.abs(grid - v)) for v in (-1.5, -0.3, 0.6)]
    ratio = [found[i] / by_hand(grid[i]) for i in at]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-6)


def test_a_chain_has_the_moments_of_its_target():
    sd = np.array([1.0, 2.0])
    chain = hmc.hmc(
        lambda x: (-0.5 * np.sum((x / sd) ** 2), -x / sd**2), np.zeros(2), step=0.4, steps=7,
        draws=4000, rng=np.random.default_rng(2),
    )  # fmt: skip
    assert chain.accepted > 0.9
    assert not chain.divergent.any()
    # at least 1000 effective draws of each
    assert (np.abs(chain.draws.mean(axis=0)) < 4 * sd / np.sqrt(1000)).all()
    assert (np.abs(chain.draws.std(axis=0) / sd - 1) < 4 / np.sqrt(2 * 1000)).all()


def test_a_path_that_overflows_has_diverged_and_is_refused():
    chain = hmc.hmc(
        lambda x: (-0.5 * 1e6 * x @ x, -1e6 * x), np.full(1, 1e-4), step=1.0, steps=10, draws=20,
        rng=np.random.default_rng(1),
    )  # fmt: skip
    assert chain.divergent.all()
    assert chain.accepted == 0
    assert (chain.draws == 1e-4).all()


def test_election_slopes_deviate_from_the_mean_of_their_rule():
    frame = hmc.election_slopes()
    assert len(frame) == 5
    np.testing.assert_allclose(frame.groupby("electoral_rules")["deviation"].sum(), 0.0, atol=1e-12)
    frame.loc[0, "slope"] = 0.0
    assert hmc.election_slopes().loc[0, "slope"] != 0.0


def test_runs_can_be_repeated():
    one = hmc.run("non-centred", draws=40, chains=2)
    again = hmc.run("non-centred", draws=40, chains=2)
    assert one.equals(again)
    assert one.groupby("chain").size().to_dict() == {1: 40, 2: 40}
    with pytest.raises(DataError, match="choose 'centred' or 'non-centred'"):
        hmc.run("funnel")
    with pytest.raises(DataError, match="there is no table 'x'"):
        hmc.stored("x")


def test_the_stored_funnel_shows_what_it_is_for():
    runs = hmc.stored("funnel")
    frame = hmc.election_slopes()
    grid = np.linspace(-12, 3, 3001)
    exact = hmc.exact_log_sigma(frame["deviation"].to_numpy(), frame["std_error"].to_numpy(), grid)
    weight = np.cumsum(exact) * (grid[1] - grid[0])
    good = runs[runs["form"] == "non-centred"]["log_sigma"]
    for q in (0.05, 0.25, 0.5, 0.75, 0.95):
        place = grid[np.searchsorted(weight, q)]
        # effective size above 2000: four standard errors of a share
        assert abs((good < place).mean() - q) < 4 * np.sqrt(q * (1 - q) / 2000)
    bad = runs[runs["form"] == "centred"]
    assert bad["divergent"].sum() > 100
    assert weight[np.searchsorted(grid, bad["log_sigma"].min())] > 0.1


def test_stored_intervals_under_priors_are_ordered_by_their_width():
    table = hmc.stored("priors").set_index(["quantity", "prior"])
    assert len(table) == 4 * len(hmc.PRIORS)
    order = ["half-normal(0.5)", "half-normal(2)", "half-Cauchy(5)", "uniform(0, 100)"]
    assert table.loc["sd_slope"].loc[order, "conf_high"].is_monotonic_increasing
    assert (table["conf_low"] < table["estimate"]).all()
    assert (table["estimate"] < table["conf_high"]).all()


def test_stored_intervals_under_the_default_prior_are_those_of_the_shipped_posterior():
    row = hmc.stored("priors").set_index(["quantity", "prior"]).loc[("interaction", "brms default")]
    post = hw.load_posterior("rainey2015")
    draws = post.parameters[..., post.names.index(post.design.names[3])]
    low, middle, high = np.quantile(draws, [0.05, 0.5, 0.95])
    own = np.quantile(draws, [0.05, 0.95], axis=1).std(axis=1, ddof=1) / 2  # of 4 chains
    # four errors of both runs, each judged by its own four chains: not below .05
    assert abs(row["conf_low"] - low) < 4 * max(np.hypot(row["low_error"], own[0]), 0.05)
    assert abs(row["conf_high"] - high) < 4 * max(own[1] * np.sqrt(2), 0.05)
    assert abs(row["estimate"] - middle) < 4 * 1.55 * 1.2533 / np.sqrt(1500)  # of a median
    assert abs(row["positive"] - (draws > 0).mean()) < 4 * np.sqrt(0.03 / 1500)
