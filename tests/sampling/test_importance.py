"""Importance sampling: against long chains, exact moments and sums over a grid; and where it must
not be trusted.

Tolerances: 4 joint Monte Carlo standard errors, with fixed seeds.
"""

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.charts import charted
from support.paths import REFERENCE
from support.posteriors import described, gaps, measured, moments
from support.sampled_models import model

import hierwidgets as hw
from hierwidgets.posterior.weights import of_pool
from hierwidgets.sampling import importance, sampler
from hierwidgets.sampling.density import density, located, log_density
from hierwidgets.sampling.priors import Priors, half_cauchy, lkj, normal, student_t

QUICK = {"method": "importance", "progress": False}


def agree(post: hw.Posterior, long: dict[str, Any]) -> None:
    """Means, sds, 5 and 95 % quantiles within 4 joint errors, each with its own effective size."""
    found = gaps(post, long)
    assert found.abs().max(axis=None) < 4, found.round(1).to_string()


def stored(name: str) -> dict[str, Any]:
    """Moments of a stored long run of NUTS."""
    if name == "slopes":
        return json.loads((REFERENCE / "slopes_posterior.json").read_text())
    long = hw.load_posterior(name)
    assert long.method == "nuts"
    return moments(long)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", ["finland", "uk", "uk_competitiveness"])
def test_draws_are_those_of_long_chains(name, seed) -> None:
    m, priors = described(name)
    post = m.sample(seed=seed, priors=priors, **QUICK)
    assert post.method == "importance"
    assert "below 0.7" in post.reason
    assert post.draws.pool.k < 0.5
    agree(post, stored(name))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    ("name", "draws", "k"),
    [("rainey2015", 2500, 0.5), ("rainey2015_individual", 2500, 0.7), ("slopes", 1000, 0.7)],
)
def test_draws_of_large_models_are_those_of_long_chains(name, draws, k, seed) -> None:
    m, priors = described(name)
    post = m.sample(draws=draws, seed=seed, priors=priors, **QUICK)
    assert post.draws.pool.k < k
    agree(post, stored(name))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_page_s_posterior_is_that_of_other_chains(seed) -> None:
    """Written on the aggregated rows by other code, whose errors of the means are known; that of
    an sd is about that of the mean over the root of 2, more with heavy tails: as much is allowed.
    """
    m, priors = described("rainey2015")
    post = m.sample(draws=2500, seed=seed, priors=priors, **QUICK)
    table = post.summary()
    reference = json.loads((REFERENCE / "rainey2015_posterior.json").read_text())
    for name, found in table.iterrows():
        mean, error, sd = reference[name]
        joint = np.hypot(error, found["std_error"] / np.sqrt(found["ess_bulk"]))
        assert abs(found["estimate"] - mean) < 4 * joint, name
        assert abs(found["std_error"] - sd) < 4 * joint, name


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "draws", "least"),
    [("finland", 4000, 2500), ("uk_competitiveness", 4000, 2500), ("rainey2015", 10_000, 5000),
     ("rainey2015_individual", 10_000, 4000), ("slopes", 4000, 2000)],
)  # fmt: skip
def test_effective_draws_measured_across_seeds(name, draws, least) -> None:
    """30 runs with other seeds: the variance of a quantity over that of its mean."""
    m, priors = described(name)
    posts = [m.sample(draws=draws // 4, seed=seed, priors=priors, **QUICK) for seed in range(1, 31)]
    assert max(post.draws.pool.k for post in posts) < (0.7 if least in (2000, 4000) else 0.5)
    assert measured(posts) > least


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
    agree(out, moments(within))
    effects = [p.draws.effects[0].reshape(4, 2500, -1) for p in (out, within)]
    worth = [
        of_pool(b, p.draws.pool)["ess_bulk"].to_numpy()
        for p, b in zip((out, within), effects, strict=True)
    ]
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
    tail = 0.6 + np.geomspace(0.02, 0.3, 60)  # the prior's scale is .003
    b = np.concatenate([np.arange(-0.6, 0.3, 0.02), 1.2 - tail[::-1],
                        np.arange(0.581, 0.6195, 5e-4), tail])  # fmt: skip
    wide = np.gradient(b)
    log_sd, other = np.linspace(-4.0, 4.0, 17), np.linspace(-5.0, 5.0, 17)
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


UNSOUND = {
    "separated": (separated(), Priors(), "flat prior"),
    "few data and a wide prior": (few(), Priors(sd=half_cauchy(25)), "falls"),
    "200 coordinates": (crossed(), Priors(), "203 coordinates"),
}


@pytest.mark.parametrize("case", UNSOUND)
def test_what_is_not_sound_is_refused(case, monkeypatch) -> None:
    m, priors, says = UNSOUND[case]
    with pytest.raises(hw.FitError, match=f"not sound here.*{says}"):
        m.sample(seed=1, priors=priors, **QUICK)
    monkeypatch.setattr(sampler, "find_spec", lambda name: None)
    with pytest.raises(hw.MissingExtraError, match=rf'{says}.*"hierwidgets\[bayes\]"'):
        m.sample(seed=1, priors=priors, progress=False)


@pytest.mark.parametrize("case", UNSOUND)
def test_chains_are_drawn_instead_where_they_can_be(case, monkeypatch) -> None:
    """The door alone: chains of a separated predictor would not end."""
    m, priors, says = UNSOUND[case]
    drawn = model("(1 | g)").sample(draws=4, seed=1, **QUICK).draws
    monkeypatch.setattr(sampler, "find_spec", lambda name: name)
    monkeypatch.setattr(sampler.nuts, "sample", lambda *a, **k: replace(drawn, pool=None))
    found = sampler.sample(
        m.design, m.family, priors, chains=4, tune=100, draws=25, seed=1, progress=False
    )
    assert found.pool is None
    assert "not sound here" in found.reason
    assert says in found.reason


def test_auto_falls_back_to_chains_and_says_why() -> None:
    pytest.importorskip("nutpie")
    how = {"chains": 2, "tune": 200, "draws": 100, "seed": 1, "progress": False}
    post = few().sample(priors=Priors(sd=half_cauchy(25)), **how)
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


def test_a_bar_is_there_before_the_first_density(monkeypatch) -> None:
    """Made before the coordinates are, and moved while proposals are weighed."""
    seen: list[str] = []
    real_bar, real_chart = importance.count_up, importance.chart

    @contextmanager
    def bar(total: int, label: str, progress: bool):
        seen.append("bar")
        with real_bar(total, label, False):
            yield lambda done, more: seen.append("moved")

    def charted_late(*a, **k):
        seen.append("chart")
        return real_chart(*a, **k)

    monkeypatch.setattr(importance, "count_up", bar)
    monkeypatch.setattr(importance, "chart", charted_late)
    model("(1 | g)").sample(draws=250, seed=1, method="importance")
    assert seen[:2] == ["bar", "chart"]
    assert seen.count("moved") >= 3


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
