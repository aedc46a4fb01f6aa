"""The compiled posterior density and the sampler.

Tolerances: values against independent formulas 1e-8 (rounding); gradients against central
differences of step 1e-5 5e-6 (their own error); posterior moments 4.5 Monte Carlo standard
errors, with fixed seeds.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, optimize, stats

import hierwidgets as hw
from hierwidgets.course.studies import shipped_draws
from hierwidgets.likelihood.density import joint
from hierwidgets.posterior import convergence
from hierwidgets.sampling import chart as geometry
from hierwidgets.sampling import kernels
from hierwidgets.sampling.priors import Priors, exponential, gamma, lkj, normal, resolve
from hierwidgets.spec.covariance import sd_corr

pytest.importorskip("nutpie")

FAMILIES = [
    ("binomial", "logit"),
    ("binomial", "probit"),
    ("binomial", "cloglog"),
    ("poisson", "log"),
    ("gaussian", "identity"),
]
STRUCTURES = {
    "scalar": "(1 | g)",
    "slope": "(1 + x | g)",
    "three": "(1 + x + z | g)",
    "uncorrelated": "(1 + x || g)",
    "nested": "(1 | h/g)",
    "crossed": "(1 | g) + (1 + x | h)",
    "no intercept": "(0 + x | g) + (1 | h)",
}


def frame(family: str, seed: int = 1, n: int = 240) -> pd.DataFrame:
    """Data with two crossed factors of 12 and 4 levels."""
    rng = np.random.default_rng(seed)
    g, h = np.arange(n) % 12, rng.integers(0, 4, n)
    x, z = rng.normal(1.0, 1.0, n), rng.normal(0.0, 1.0, n)
    eta = -0.4 + 0.3 * x + rng.normal(0, 0.5, 12)[g] + rng.normal(0, 0.4, 4)[h]
    y = {
        "binomial": lambda: (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float),
        "poisson": lambda: rng.poisson(np.exp(eta)).astype(float),
        "gaussian": lambda: eta + rng.normal(0, 0.7, n),
    }[family]()
    return pd.DataFrame({"y": y, "x": x, "z": z, "g": g.astype(str), "h": h.astype(str)})


def model(bars: str, family: str = "binomial", link: str | None = None, **more) -> hw.Model:
    return hw.Model(f"y ~ x + {bars}", frame(family, **more), family, link=link)


def chart(m: hw.Model, priors: Priors | None = None, **how) -> geometry.Chart:
    return geometry.chart(
        m.design, m.family, resolve(priors or Priors(), m.design, m.family), **how
    )


def point(c: geometry.Chart, seed: int, spread: float = 0.6) -> np.ndarray:
    return c.start + np.random.default_rng(seed).normal(0, spread, len(c.start))


@pytest.mark.parametrize("joint_limit", [200, 0])
@pytest.mark.parametrize(("family", "link"), FAMILIES)
@pytest.mark.parametrize("bars", STRUCTURES.values(), ids=STRUCTURES.keys())
def test_gradient_is_the_finite_difference(bars, family, link, joint_limit) -> None:
    priors = Priors(coefficients=normal(0, 2), sd=gamma(2, 1), corr=lkj(2), sigma=exponential(1))
    c = chart(model(bars, family, link), priors, joint_limit=joint_limit)
    gradient, scratch = np.empty(len(c.start)), np.empty(len(c.start))
    for seed in (1, 2):
        x = point(c, seed)
        kernels.log_density(c.problem, x, gradient)
        for i in range(len(x)):
            e = np.zeros(len(x))
            e[i] = 1e-5
            up = kernels.log_density(c.problem, x + e, scratch)
            down = kernels.log_density(c.problem, x - e, scratch)
            slope = (up - down) / 2e-5
            assert abs(slope - gradient[i]) < 5e-6 * (1 + np.abs(gradient).max())


def spelled_out(m: hw.Model, priors: Priors, c: geometry.Chart, x: np.ndarray) -> float:
    """log p(y, b, parameters) from `density.joint` and scipy's densities, at a point of a chart
    that integrates nothing; parameters are beta, sds, correlations, log residual sd."""
    from hierwidgets.sampling.sampler import unpack

    beta, factors, sigma, effects = (
        v if isinstance(v, tuple) else v[0, 0] for v in unpack_exactly(unpack, m, c, x)
    )
    found = resolve(priors, m.design, m.family)
    value, u, theta = 0.0, [], np.zeros(m.design.template.m)
    for t, term in enumerate(m.design.terms):
        sd, corr = sd_corr(factors[t][0, 0])
        value += sum(p.log_density(s, positive=True) for p, s in zip(found.sds[t], sd, strict=True))
        for block, eta in zip(term.blocks, found.corrs[t], strict=True):
            value += (eta - 1) * np.linalg.slogdet(corr[np.ix_(block, block)])[1]
        L = np.linalg.cholesky(factors[t][0, 0] @ factors[t][0, 0].T) / sigma
        u.append(np.linalg.solve(L, effects[t][0, 0].T).T / sigma)
        value -= term.J * np.linalg.slogdet(sigma * L)[1]
        here = m.design.template.term == t
        theta[here] = L[m.design.template.rows[here], m.design.template.cols[here]]
    for i, prior in enumerate(found.coefficients):
        value += prior.log_density(float(found.centre @ beta if i == found.intercept else beta[i]))
    if m.family.name == "gaussian":
        value += found.sigma.log_density(sigma, positive=True) + np.log(sigma)
        whole = np.concatenate([part.ravel() for part in u])
        eta = m.design.X @ beta + sum(
            np.einsum("ij,ij->i", term.Z, b[0, 0][term.codes])
            for term, b in zip(m.design.terms, effects, strict=True)
        )
        normals = stats.norm.logpdf(m.design.y, eta, sigma).sum()
        return value + normals + stats.norm.logpdf(whole).sum()
    return (
        value + joint(m.design, m.family, beta, theta, np.concatenate([p.ravel() for p in u])).value
    )


def unpack_exactly(unpack, m, c, x):
    """`unpack` without its rounding to single precision."""
    from hierwidgets.sampling import sampler

    keep, sampler.single = sampler.single, lambda values: values
    try:
        return unpack(m.design, c, x[None, None])
    finally:
        sampler.single = keep


def log_jacobian(m: hw.Model, c: geometry.Chart, x: np.ndarray) -> float:
    """log |d (beta, sds, correlations, log sigma, b) / dx| by differences."""
    from hierwidgets.sampling.sampler import unpack

    def natural(x: np.ndarray) -> np.ndarray:
        beta, factors, sigma, effects = unpack_exactly(unpack, m, c, x)
        out = [beta.ravel(), np.log(sigma).ravel() if m.family.name == "gaussian" else []]
        for t, term in enumerate(m.design.terms):
            sd, corr = sd_corr(factors[t][0, 0])
            out += [sd, effects[t].ravel()]
            out += [[corr[a, b]] for block in term.blocks for a in block for b in block if a > b]
        return np.concatenate(out)

    d, h = len(x), 1e-6
    J = np.column_stack([(natural(x + h * e) - natural(x - h * e)) / (2 * h) for e in np.eye(d)])
    return float(np.linalg.slogdet(J)[1])


@pytest.mark.parametrize("joint_limit", [200, 0])
@pytest.mark.parametrize("bars", ["(1 | g)", "(1 + x | h)", "(1 + x + z | h)", "(1 + x || h)"])
@pytest.mark.parametrize("family", ["binomial", "gaussian"])
def test_density_is_the_joint_density_with_its_jacobian(bars, family, joint_limit) -> None:
    """Up to one constant: differences between points agree. 2e-5: differences in the Jacobian."""
    m = model(bars, family)
    priors = Priors(coefficients=normal(0, 2), corr=lkj(3), sd=exponential(2))
    c = chart(m, priors, integrate=False, joint_limit=joint_limit)
    gaps = []
    for seed in (1, 2, 3):
        x = point(c, seed)
        value = kernels.log_density(c.problem, x, np.empty(len(x)))
        gaps.append(value - spelled_out(m, priors, c, x) - log_jacobian(m, c, x))
    assert np.ptp(gaps) < 2e-5


@pytest.mark.parametrize(("family", "link"), FAMILIES)
def test_integrated_density_is_the_brute_force_integral(family, link) -> None:
    """Per level, scipy's adaptive integral of the non-integrated likelihood."""
    m = model("(1 | g)", family, link)
    c = chart(m, n_nodes=25)
    q, sd, sigma = c.problem, 0.7, 0.8
    base = np.linspace(-1, 1, len(q.y))
    found = kernels._likelihood(
        q, base, sd, sigma if family == "gaussian" else 1.0, np.empty(len(base))
    )
    total = 0.0
    for j in range(12):
        rows = slice(q.starts[j], q.starts[j + 1])

        def loglik(u: float, rows: slice = rows) -> float:
            eta = base[rows] + sd * q.z0[rows] * u
            if family == "gaussian":
                return float(stats.norm.logpdf(q.y[rows], eta, sigma).sum())
            return float(m.family.loglik(q.y[rows], q.trials[rows], eta).sum())

        top = max(loglik(u) - u * u / 2 for u in np.linspace(-4, 4, 81))
        area = integrate.quad(
            lambda u, f=loglik, t=top: np.exp(f(u) - u * u / 2 - t), -12, 12, epsabs=0, limit=200
        )[0]
        total += top + np.log(area / np.sqrt(2 * np.pi))
    assert found[0] == pytest.approx(total, abs=1e-7)


def test_seven_nodes_are_exact_enough_on_the_page() -> None:
    """Against 25 nodes, at district sds up to .8 (the posterior ends at .7): 1e-4 in the log
    density of 567 districts, which moves no posterior mean by a thousandth of its sd."""
    m, priors = shipped_draws.model("rainey2015")
    few, many = chart(m, priors), chart(m, priors, n_nodes=25)
    for s, x in enumerate([point(few, seed, 0.3) for seed in range(5)]):
        x[0] = 0.2 * s - 0.4
        a, b = np.empty(len(x)), np.empty(len(x))
        gap = kernels.log_density(few.problem, x, a) - kernels.log_density(many.problem, x, b)
        assert abs(gap) < 1e-4
        assert np.abs(a - b).max() < 1e-3


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_maximum_likelihood_is_the_mode_under_flat_priors(family) -> None:
    """The density without the Jacobian of the sd, under flat priors, is the likelihood."""
    m = model("(1 | g)", family)
    fit = m.maximize(n_agq=25)
    c = chart(m, Priors(intercept="flat()", sd="flat()"), n_nodes=25)
    q = c.problem

    def likelihood(sd_beta: np.ndarray) -> float:
        v = c.R @ sd_beta[1:]
        return -kernels._likelihood(
            q, kernels._predictor(q, v), sd_beta[0], 1.0, np.empty(len(q.y))
        )[0]

    at = np.concatenate([[fit.varcorr["sd"][0]], fit.beta])
    assert -likelihood(at) + m.design.constant == pytest.approx(fit.loglik, abs=1e-8)
    best = optimize.minimize(
        likelihood, at + 0.1, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12}
    )
    assert best.x == pytest.approx(at, abs=2e-4)


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
    post = m.sample(tune=800, draws=2000, seed=3, priors=priors, progress=False, target_accept=0.9)
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
        m.sample(chains=3, tune=100, draws=50, seed=s, cores=cores, progress=False)
        for s, cores in ((1, 1), (1, 3), (2, 2))
    )
    assert np.array_equal(first.parameters, second.parameters)
    assert all(map(np.array_equal, first.draws.effects, second.draws.effects))
    assert not np.array_equal(first.parameters, other.parameters)


def test_an_interrupt_keeps_the_draws_so_far(monkeypatch) -> None:
    from hierwidgets.sampling import sampler

    real = sampler._bar
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

    monkeypatch.setattr(sampler, "_bar", stop_midway)
    m = model("(1 | g)")
    post = m.sample(chains=2, tune=100, draws=10**6, seed=1, progress=False)
    assert post.draws.interrupted
    assert 100 < post.draws.sigma.shape[1] < 10**6
    assert post.diagnose().ok
    monkeypatch.setattr(sampler, "_bar", real)
    assert m.sample(chains=2, tune=100, draws=20, seed=1, progress=False).draws.sigma.shape == (
        2,
        20,
    )


def test_a_missing_extra_says_what_to_install(monkeypatch) -> None:
    from hierwidgets.sampling import sampler

    monkeypatch.setattr(sampler, "find_spec", lambda name: None)
    with pytest.raises(hw.MissingExtraError, match=r'pip install "hierwidgets\[bayes\]"'):
        model("(1 | g)").sample(progress=False)


@pytest.mark.parametrize(
    ("bad", "says"),
    [({"chains": 0}, "chains"), ({"draws": 1.5}, "draws"), ({"seed": -1}, "seed"),
     ({"target_accept": 1.0}, "target_accept"), ({"priors": "flat()"}, "Priors")],
)  # fmt: skip
def test_arguments_are_checked(bad, says) -> None:
    with pytest.raises(hw.DataError, match=says):
        model("(1 | g)").sample(**bad, progress=False)


def test_separated_data_have_a_posterior_all_the_same() -> None:
    data = pd.DataFrame({"y": np.repeat([0.0, 1.0], 20), "x": np.repeat([0.0, 1.0], 20),
                         "g": np.tile(list("abcd"), 10)})  # fmt: skip
    m = hw.Model("y ~ x + (1 | g)", data, "binomial")
    post = m.sample(seed=1, draws=500, priors=Priors(coefficients="normal(0, 2.5)"), progress=False)
    assert post.divergences == 0
    assert 1 < post.fixef["x"] < 8
