"""Draws under other priors, against draws made under them. Tolerance: 4 joint errors."""

import numpy as np
import pytest
from support.sampled_models import model

import hierwidgets as hw
from hierwidgets.sampling.priors import (
    Priors,
    exponential,
    half_normal,
    lkj,
    normal,
    resolve,
    uniform,
)
from hierwidgets.sampling.reweighting import log_prior_ratio


def same(a: hw.Posterior, b: hw.Posterior) -> None:
    tables = [p.summary() for p in (a, b)]
    worth = [t[["ess_bulk", "ess_tail"]].min(axis=1) for t in tables]
    error = tables[1]["std_error"] * np.sqrt(1 / worth[0] + 1 / worth[1])
    assert (abs(tables[0]["estimate"] - tables[1]["estimate"]) < 4 * error).all()
    assert tables[0]["std_error"].to_numpy() == pytest.approx(
        tables[1]["std_error"].to_numpy(), rel=0.08
    )


@pytest.mark.parametrize("bars", ["(1 | g)", "(1 | g) + (1 + x | h)"])
@pytest.mark.parametrize("family", ["binomial", "gaussian"])
def test_reweighted_draws_are_those_of_the_new_priors(bars, family) -> None:
    m = model(bars, family)
    how = {"draws": 2500, "method": "importance", "progress": False}
    new = Priors(sd=half_normal(0.8), corr=lkj(2), coefficients=normal(0, 0.5))
    moved = m.sample(seed=1, **how).reweight(new, seed=3)
    assert moved.priors == new
    assert "reweighted" in moved.reason
    same(moved, m.sample(seed=2, priors=new, **how))


def test_chains_are_worth_no_more_than_they_were() -> None:
    post = hw.load_posterior("finland")
    moved = post.reweight(post.priors)
    before = post.summary()[["ess_bulk", "ess_tail"]].to_numpy().min()
    assert moved.summary()["ess_bulk"].max() <= 1.01 * before
    again = post.reweight(post.priors)
    assert np.array_equal(moved.parameters, again.parameters)


def test_priors_too_far_away_are_refused() -> None:
    post = hw.load_posterior("uk")
    with pytest.raises(hw.FitError, match=r"too far.*Pareto k.*sample again"):
        post.reweight(Priors(intercept=normal(4, 0.05), sd=half_normal(0.02)))
    m = model("(1 | g)")
    bounded = m.sample(seed=1, priors=Priors(sd=uniform(0, 2)), method="importance", progress=False)
    with pytest.raises(hw.DataError, match="no draws outside"):
        bounded.reweight(Priors())
    with pytest.raises(hw.DataError, match=r"hw\.Priors"):
        bounded.reweight("flat()")


def test_the_ratio_is_that_of_the_prior_densities() -> None:
    """Of every kind of parameter, by the priors' own densities. Draws have single precision."""
    m = model("(1 | g) + (1 + x | h)", "gaussian")
    post = m.sample(seed=1, draws=250, method="importance", progress=False)
    new = Priors(
        intercept=normal(1, 3), coefficients=normal(0, 0.5), sd=half_normal(0.8),
        sigma=exponential(1), corr=lkj(3),
    )  # fmt: skip
    given = post.design, post.family, post.draws
    found = log_prior_ratio(*given, post.priors, new)[:10]
    wanted = log_priors(post, new)[:10] - log_priors(post, post.priors)[:10]
    np.testing.assert_allclose(found - found[0], wanted - wanted[0], atol=2e-5)
    assert np.ptp(wanted) > 0.5
    assert (log_prior_ratio(*given, post.priors, post.priors) == 0).all()


def log_priors(post: hw.Posterior, priors: Priors) -> np.ndarray:
    """Log prior density of each draw, without the constant of a correlation's."""
    found = resolve(priors, post.design, post.family)
    table = post.parameters.reshape(-1, post.parameters.shape[-1]).astype(float)
    values = dict(zip(post.summary().index, table.T, strict=True))
    beta = np.stack([values[name] for name in post.design.names], axis=1)
    total = np.zeros(len(table))
    for name, prior in found.named(post.design):
        if name.startswith("corr"):
            rho = values["corr Intercept, x | h"]
            total += (prior.parameters[0] - 1) * np.log(1 - rho**2)
            continue
        own = beta @ found.centre if name.endswith("(centred)") else values[name]
        positive = name.startswith("sd ") or name == "sigma"
        total += [prior.log_density(x, positive) for x in own]
    return total
