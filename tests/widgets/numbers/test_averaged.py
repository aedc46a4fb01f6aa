"""The prior averaged over mu and sigma, held to a second, differently laid out integral at 2e-3."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit

import hierwidgets as hw
from hierwidgets.widgets import averaged_prior, shrinkage_frame


@pytest.fixture(scope="module")
def finland():
    return hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")


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
