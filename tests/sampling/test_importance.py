"""Importance sampling: against long chains, exact moments and sums over a grid; and where it must
not be trusted.

Tolerances: 4 joint Monte Carlo standard errors, with fixed seeds.
"""

import numpy as np
import pandas as pd
import pytest
from support.charts import charted
from support.sampled_models import model

import hierwidgets as hw
from hierwidgets.course.studies import shipped_draws
from hierwidgets.posterior.convergence import statistics
from hierwidgets.posterior.weights import of_pool
from hierwidgets.sampling import importance, sampler
from hierwidgets.sampling.density import density, located, log_density
from hierwidgets.sampling.priors import Priors, half_cauchy, lkj, normal, student_t

QUICK = {"method": "importance", "progress": False}


def worth_of(post: hw.Posterior, values: np.ndarray) -> np.ndarray:
    """Effective draws of quantities (C, D, m)."""
    pool = post.draws.pool
    found = statistics(values) if pool is None else of_pool(values, pool)
    return found["ess_bulk"].to_numpy()


def agree(post: hw.Posterior, long: hw.Posterior) -> None:
    """Means, sds, 5 and 95 % quantiles within 4 joint errors, each with its own effective size."""

    def near(of, error: np.ndarray) -> None:
        worth = [worth_of(p, of(p.parameters)) for p in (post, long)]
        means = [of(p.parameters).mean(axis=(0, 1)) for p in (post, long)]
        assert (abs(means[0] - means[1]) < 4 * error * np.sqrt(1 / worth[0] + 1 / worth[1])).all()

    all_draws = long.parameters.reshape(-1, len(long.names))
    mean, sd = all_draws.mean(axis=0), all_draws.std(axis=0)
    near(lambda x: x, sd)
    near(lambda x: (x - mean) ** 2, ((all_draws - mean) ** 2).std(axis=0))
    for level in (0.05, 0.95):
        edge = np.quantile(all_draws, level, axis=0)
        near(lambda x, edge=edge: (x < edge).astype(float), np.sqrt(level * (1 - level)))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", ["finland", "uk", "uk_competitiveness"])
def test_draws_are_those_of_long_chains(name, seed) -> None:
    m, priors = shipped_draws.model(name)
    post = m.sample(draws=2500, seed=seed, priors=priors, **QUICK)
    assert post.method == "importance"
    assert "below 0.7" in post.reason
    assert post.draws.pool.k < 0.7
    agree(post, hw.load_posterior(name))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", ["rainey2015", "rainey2015_individual"])
def test_draws_of_large_models_are_those_of_long_chains(name, seed) -> None:
    m, priors = shipped_draws.model(name)
    agree(m.sample(draws=2500, seed=seed, priors=priors, **QUICK), hw.load_posterior(name))


@pytest.mark.parametrize("bars", ["(1 | g) + (1 + x | h)", "(1 + x | g)"])
def test_gaussian_posterior_has_its_exact_moments(bars) -> None:
    """Sds all but fixed by their priors: the moments of the mixed-model equations."""
    m = model(bars, "gaussian")
    sds, sigma = {"g": [0.5, 0.3], "h": [0.4, 0.3]}, 0.7
    near = {
        f"sd {name} | {term.group}": normal(sd, 1e-3)
        for term in m.design.terms
        for name, sd in zip(term.names, sds[term.group], strict=False)
    }
    priors = Priors(
        intercept="flat()", corr=lkj(1e6), by_name=near | {"sigma": normal(sigma, 1e-3)}
    )
    post = m.sample(draws=2000, seed=3, priors=priors, **QUICK)
    columns = [m.design.X]
    for term in m.design.terms:
        own = np.zeros((len(m.design.y), term.J * term.k))
        for i in range(term.k):
            own[np.arange(len(own)), term.codes * term.k + i] = term.Z[:, i]
        columns.append(own)
    W = np.hstack(columns)
    prior = np.concatenate(
        [np.zeros(2), *[np.tile(1 / np.square(sds[t.group][: t.k]), t.J) for t in m.design.terms]]
    )
    precision = W.T @ W / sigma**2 + np.diag(prior)
    mean = np.linalg.solve(precision, W.T @ m.design.y / sigma**2)
    sd = np.sqrt(np.diag(np.linalg.inv(precision)))
    got = np.hstack(
        [post.draws.beta.reshape(8000, -1)] + [b.reshape(8000, -1) for b in post.draws.effects]
    )
    worth = min(8000.0, post.draws.pool.effective)
    assert (np.abs(got.mean(axis=0) - mean) < 4 * sd / np.sqrt(worth)).all()
    assert got.std(axis=0) == pytest.approx(sd, rel=0.05)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_two_effects_integrated_out_are_those_sampled(family) -> None:
    """A posterior by two charts: with the pairs of effects integrated out, and sampled."""
    m = model("(1 + x | g)", family)
    how = {"chains": 4, "tune": 1000, "draws": 2500, "method": "importance", "progress": False}
    out, within = (
        hw.Posterior(m.design, m.family, Priors(), sampler.sample(
            m.design, m.family, Priors(), seed=seed, widest=widest, **how
        ))
        for seed, widest in ((1, 2), (2, 1))
    )  # fmt: skip
    assert out.draws.integrated == (0, 0, 1)
    assert within.draws.integrated is None
    agree(out, within)
    effects = [p.draws.effects[0].reshape(4, 2500, -1) for p in (out, within)]
    worth = [worth_of(p, b) for p, b in zip((out, within), effects, strict=True)]
    error = effects[1].std(axis=(0, 1)) * np.sqrt(1 / worth[0] + 1 / worth[1])
    assert (abs(effects[0].mean(axis=(0, 1)) - effects[1].mean(axis=(0, 1))) < 4 * error).all()
    assert effects[0].std(axis=(0, 1)) == pytest.approx(effects[1].std(axis=(0, 1)), rel=0.08)


def test_pairs_are_saved_and_drawn_again(tmp_path) -> None:
    post = model("(1 + x | g)").sample(draws=250, seed=1, **QUICK)
    post.save(tmp_path / "draws.npz")
    again = hw.load_posterior(tmp_path / "draws.npz")
    assert again.draws.integrated == post.draws.integrated
    assert np.array_equal(again.draws.effects[0], post.draws.effects[0])


def test_two_peaks_are_both_drawn() -> None:
    """A prior with heavy tails around .6 and data around .13, against a sum over a grid."""
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"x": rng.normal(size=200), "g": rng.integers(0, 10, 200).astype(str)})
    data["y"] = (rng.random(200) < 1 / (1 + np.exp(-0.2 * data["x"]))).astype(float)
    m = hw.Model("y ~ x + (1 | g)", data, "binomial")
    priors = Priors(coefficients=student_t(1, 0.6, 0.003))
    post = m.sample(seed=1, priors=priors, **QUICK)
    near = np.abs(post.draws.beta[..., 1] - 0.6) < 0.1
    c = charted(m, priors)
    slope = np.linalg.inv(c.R)[1]  # of x by the coefficients of Q
    b = np.concatenate([np.arange(-0.6, 0.5, 0.01), np.arange(0.5, 0.7, 2.5e-4),
                        np.arange(0.7, 0.9, 0.01)])  # fmt: skip
    wide = np.gradient(b)
    log_sd, other = np.linspace(-4.0, 4.0, 33), np.linspace(-5.0, 5.0, 33)
    first = located(c.problem, np.vstack([c.start, *(c.start + np.eye(3)[1:])])).v
    to_v = np.linalg.inv(first[:, 1:] - first[:, :1])
    across = np.array([-slope[1], slope[0]]) / np.linalg.norm(slope)
    along = slope / (slope @ slope)
    total = np.zeros(len(b))
    centre = c.R @ post.fixef.to_numpy()
    scale = np.std(post.draws.beta.reshape(-1, 2) @ c.R.T @ across)
    for s in log_sd:
        v = (b[:, None, None] * along) + (across @ centre + scale * other)[None, :, None] * across
        # at another sd the map from xi to v is the same: no effect is sampled here
        xi = (v.reshape(-1, 2) - first[:, 0]) @ to_v.T + c.start[1:]
        x = np.column_stack([np.full(len(xi), s), xi])
        value = log_density(density(c.problem, m.family), x).reshape(len(b), -1)
        total += np.exp(value - -160.0).sum(axis=1) * wide
    expected = total[np.abs(b - 0.6) < 0.1].sum() / total.sum()
    assert 0.1 < expected < 0.9
    assert near.mean() == pytest.approx(expected, abs=0.03)


def test_an_sd_of_hardly_any_data_is_drawn_as_a_sum_over_a_grid_has_it() -> None:
    m = few()
    post = m.sample(draws=5000, seed=1, **QUICK)
    c = charted(m)
    bent, xi = np.meshgrid(np.linspace(-14, 14, 700), np.linspace(-40, 40, 700), indexing="ij")
    value = log_density(density(c.problem, m.family), np.column_stack([bent.ravel(), xi.ravel()]))
    mass = np.exp(value - value.max()).reshape(bent.shape).sum(axis=1)
    sd = located(c.problem, np.column_stack([bent[:, 0], xi[:, 0]])).lead[0, 0]
    drawn = post.parameters[..., 1].ravel()
    worth = min(20_000.0, post.draws.pool.effective)
    for level in (0.05, 0.25, 0.5, 0.75, 0.95):
        exact = np.interp(level, np.cumsum(mass) / mass.sum(), sd)
        assert (drawn < exact).mean() == pytest.approx(
            level, abs=4 * np.sqrt(level * (1 - level) / worth) + 0.005
        )


# --- where it must not be trusted ---------------------------------------------------------


def separated() -> hw.Model:
    data = pd.DataFrame({"y": np.repeat([0.0, 1.0], 20), "x": np.repeat([0.0, 1.0], 20),
                         "g": np.tile(list("abcd"), 10)})  # fmt: skip
    return hw.Model("y ~ x + (1 | g)", data, "binomial")


def few() -> hw.Model:
    data = pd.DataFrame({"y": [0, 1, 1, 0, 1, 1.0], "g": list("aabbcc")})
    return hw.Model("y ~ (1 | g)", data, "binomial")


def crossed() -> hw.Model:
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 220, 2000), rng.integers(0, 200, 2000)
    eta = rng.normal(0, 0.7, 220)[a] + rng.normal(0, 0.7, 200)[b]
    y = (rng.random(2000) < 1 / (1 + np.exp(-eta))).astype(float)
    data = pd.DataFrame({"y": y, "a": a.astype(str), "b": b.astype(str)})
    return hw.Model("y ~ 1 + (1 | a) + (1 | b)", data, "binomial")


@pytest.mark.parametrize(
    ("m", "priors", "says"),
    [(separated(), Priors(), "flat prior"),
     (few(), Priors(sd=half_cauchy(25)), "falls"),
     (crossed(), Priors(), "203 coordinates")],
    ids=["separated", "few data and a wide prior", "200 coordinates"],
)  # fmt: skip
def test_what_is_not_sound_is_refused(m, priors, says, monkeypatch) -> None:
    with pytest.raises(hw.FitError, match=f"not sound here.*{says}"):
        m.sample(seed=1, priors=priors, **QUICK)
    monkeypatch.setattr(sampler, "find_spec", lambda name: None)
    with pytest.raises(hw.MissingExtraError, match=rf'{says}.*"hierwidgets\[bayes\]"'):
        m.sample(seed=1, priors=priors, progress=False)


def test_auto_falls_back_to_chains_and_says_why() -> None:
    pytest.importorskip("nutpie")
    how = {"chains": 2, "tune": 200, "draws": 100, "seed": 1, "progress": False}
    post = few().sample(method="auto", priors=Priors(sd=half_cauchy(25)), **how)
    assert post.method == "nuts"
    assert "not sound here" in post.reason


def test_importance_sampling_is_taken_where_it_is_sound(monkeypatch) -> None:
    post = model("(1 | g)").sample(draws=250, seed=1, progress=False)
    assert post.method == "importance"
    monkeypatch.setattr(sampler, "find_spec", lambda name: None)
    again = model("(1 | g)").sample(draws=250, seed=1, method="auto", progress=False)
    assert np.array_equal(post.parameters, again.parameters)


# --- the run ------------------------------------------------------------------------------


def test_same_seed_same_draws_on_any_number_of_cores() -> None:
    m = model("(1 | g) + (1 + x | h)")
    first, second, other = (
        m.sample(draws=250, seed=seed, cores=cores, **QUICK)
        for seed, cores in ((1, 1), (1, 3), (2, 2))
    )
    assert np.array_equal(first.parameters, second.parameters)
    assert all(map(np.array_equal, first.draws.effects, second.draws.effects))
    assert not np.array_equal(first.parameters, other.parameters)


def test_an_interrupt_keeps_nothing(monkeypatch) -> None:
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(importance, "_proposals", stop)
    with pytest.raises(KeyboardInterrupt):
        model("(1 | g)").sample(draws=250, seed=1, **QUICK)
    monkeypatch.undo()
    assert model("(1 | g)").sample(draws=250, seed=1, **QUICK).method == "importance"


def test_effective_sizes_are_those_of_the_weights_and_r_hat_is_not_shown(tmp_path) -> None:
    post = model("(1 | g)").sample(seed=1, **QUICK)
    table, pool = post.summary(), post.draws.pool
    assert table["rhat"].isna().all()
    assert (table[["ess_bulk", "ess_tail"]] <= 4000).all(axis=None)
    assert (table["ess_bulk"] > 0.5 * min(4000, pool.effective)).all()
    verdict = post.diagnose()
    assert verdict.ok
    assert "Pareto k" in str(verdict)
    assert "largest weight" in str(verdict)
    assert repr(post).endswith("4000 draws by importance sampling)")
    post.save(tmp_path / "draws.npz")
    again = hw.load_posterior(tmp_path / "draws.npz")
    assert (again.method, again.reason) == (post.method, post.reason)
    assert again.summary().equals(table)
    assert np.array_equal(again.draws.effects[0], post.draws.effects[0])


def test_the_method_is_checked() -> None:
    with pytest.raises(hw.DataError, match="method='hmc'; choose one of"):
        model("(1 | g)").sample(method="hmc")
