"""Draws of the sampler, from the posterior and from the prior.

Tolerances: posterior moments 4.5 Monte Carlo standard errors, with fixed seeds.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from support.sampled_models import model

import hierwidgets as hw
from hierwidgets.course.studies import shipped_draws
from hierwidgets.posterior import convergence
from hierwidgets.sampling.priors import Priors, lkj, normal, uniform

pytest.importorskip("nutpie")

NUTS = {"method": "nuts", "progress": False}


def test_gaussian_posterior_has_its_exact_moments() -> None:
    """Sds all but fixed by their priors: coefficients and effects are then jointly normal with
    the moments of the mixed-model equations (Henderson 1975)."""
    m = model("(1 | g) + (1 + x | h)", "gaussian")
    sds, sigma = {"g": [0.5], "h": [0.4, 0.3]}, 0.7
    near = {
        f"sd {name} | {term.group}": normal(sd, 1e-3)
        for term in m.design.terms
        for name, sd in zip(term.names, sds[term.group], strict=True)
    }
    priors = Priors(
        intercept="flat()", corr=lkj(1e6), by_name=near | {"sigma": normal(sigma, 1e-3)}
    )
    post = m.sample(tune=800, draws=2000, seed=3, priors=priors, target_accept=0.9, **NUTS)
    design = m.design
    Z = [np.zeros((len(design.y), t.J * t.k)) for t in design.terms]
    for t, (term, own) in enumerate(zip(design.terms, Z, strict=True)):
        for i in range(term.k):
            own[np.arange(len(own)), term.codes * term.k + i] = design.terms[t].Z[:, i]
    W = np.hstack([design.X, *Z])
    prior = np.concatenate(
        [np.zeros(2), *[np.tile(1 / np.square(sds[t.group]), t.J) for t in design.terms]]
    )
    precision = W.T @ W / sigma**2 + np.diag(prior)
    mean = np.linalg.solve(precision, W.T @ design.y / sigma**2)
    sd = np.sqrt(np.diag(np.linalg.inv(precision)))
    got = np.hstack(
        [post.draws.beta.reshape(8000, -1)] + [b.reshape(8000, -1) for b in post.draws.effects]
    )
    ess = convergence.statistics(got.reshape(4, 2000, -1))["ess_bulk"].to_numpy()
    assert (np.abs(got.mean(axis=0) - mean) < 4.5 * sd / np.sqrt(ess)).all()
    assert got.std(axis=0) == pytest.approx(sd, rel=0.06)


def test_same_seed_same_draws_on_any_number_of_cores() -> None:
    m = model("(1 | g)")
    first, second, other = (
        m.sample(chains=3, tune=100, draws=50, seed=s, cores=cores, **NUTS)
        for s, cores in ((1, 1), (1, 3), (2, 2))
    )
    assert np.array_equal(first.parameters, second.parameters)
    assert all(map(np.array_equal, first.draws.effects, second.draws.effects))
    assert not np.array_equal(first.parameters, other.parameters)


def test_an_interrupt_keeps_the_draws_so_far(monkeypatch) -> None:
    from hierwidgets.sampling import nuts

    real = nuts._bar
    counts: list[int] = []

    def stop_midway(total: int, progress: bool):
        import contextlib

        @contextlib.contextmanager
        def bar():
            with real(total, False):

                def show(done: int) -> None:
                    counts.append(done)
                    if done > 8000:
                        raise KeyboardInterrupt

                yield show

        return bar()

    monkeypatch.setattr(nuts, "_bar", stop_midway)
    m = model("(1 | g)")
    post = m.sample(chains=2, tune=100, draws=10**6, seed=1, **NUTS)
    assert post.draws.interrupted
    assert 100 < post.draws.sigma.shape[1] < 10**6
    assert post.diagnose().ok
    monkeypatch.setattr(nuts, "_bar", real)
    assert m.sample(chains=2, tune=100, draws=20, seed=1, **NUTS).draws.sigma.shape == (
        2,
        20,
    )


def test_a_missing_extra_says_what_to_install(monkeypatch) -> None:
    from hierwidgets.sampling import sampler

    monkeypatch.setattr(sampler, "find_spec", lambda name: None)
    with pytest.raises(hw.MissingExtraError, match=r'pip install "hierwidgets\[bayes\]"'):
        model("(1 | g)").sample(**NUTS)


@pytest.mark.parametrize(
    ("bad", "says"),
    [({"chains": 0}, "chains"), ({"draws": 1.5}, "draws"), ({"seed": -1}, "seed"),
     ({"target_accept": 1.0}, "target_accept"), ({"priors": "flat()"}, "Priors"),
     ({"method": "importance", "target_accept": 0.9}, "of NUTS alone")],
)  # fmt: skip
def test_arguments_are_checked(bad, says) -> None:
    with pytest.raises(hw.DataError, match=says):
        model("(1 | g)").sample(**bad, progress=False)


def test_separated_data_have_a_posterior_all_the_same() -> None:
    data = pd.DataFrame({"y": np.repeat([0.0, 1.0], 20), "x": np.repeat([0.0, 1.0], 20),
                         "g": np.tile(list("abcd"), 10)})  # fmt: skip
    m = hw.Model("y ~ x + (1 | g)", data, "binomial")
    post = m.sample(seed=1, draws=500, priors=Priors(coefficients="normal(0, 2.5)"), **NUTS)
    assert post.divergences == 0
    assert 1 < post.fixef["x"] < 8


def test_prior_draws_follow_the_priors() -> None:
    model, _ = shipped_draws.model("rainey2015")
    priors = Priors(coefficients=normal(1, 2), sd=uniform(0, 3), corr=lkj(2))
    prior = model.sample_prior(20_000, seed=1, priors=priors)
    values = dict(zip(prior.names, prior.parameters[0].T, strict=True))
    slope = values["district_competitiveness"]
    assert stats.kstest(slope, stats.norm(1, 2).cdf).pvalue > 1e-3
    sd = values["sd district_competitiveness | election_id"]
    assert stats.kstest(sd, stats.uniform(0, 3).cdf).pvalue > 1e-3
    corr = values["corr Intercept, district_competitiveness | election_id"]
    assert stats.kstest((corr + 1) / 2, stats.beta(2, 2).cdf).pvalue > 1e-3
    centred = prior.draws.beta[0] @ model.design.X[model.design.rows].mean(axis=0)
    assert stats.kstest(centred, stats.t(3, 0, 2.5).cdf).pvalue > 1e-3
    with pytest.raises(hw.DataError, match="flat"):
        model.sample_prior(10, seed=1)
