"""Levels integrated out by quadrature, against integrals by brute force: 1e-7."""

import numpy as np
import pytest
from scipy import integrate, stats
from support.sampled_models import FAMILIES, model

from hierwidgets.course.studies import shipped_draws

pytest.importorskip("nutpie")

from support.charts import charted, point

from hierwidgets.sampling.kernels.levels import likelihood
from hierwidgets.sampling.kernels.log_posterior import log_density


@pytest.mark.parametrize(("family", "link"), FAMILIES)
def test_integrated_density_is_the_brute_force_integral(family, link) -> None:
    """Per level, scipy's adaptive integral of the non-integrated likelihood."""
    m = model("(1 | g)", family, link)
    c = charted(m, n_nodes=25)
    q, sd, sigma = c.problem, 0.7, 0.8
    base = np.linspace(-1, 1, len(q.data.y))
    found = likelihood(
        q.data, q.integrated, base, sd, sigma if family == "gaussian" else 1.0, np.empty(len(base))
    )
    total = 0.0
    for j in range(12):
        rows = slice(q.integrated.starts[j], q.integrated.starts[j + 1])

        def loglik(u: float, rows: slice = rows) -> float:
            eta = base[rows] + sd * q.integrated.z[rows] * u
            if family == "gaussian":
                return float(stats.norm.logpdf(q.data.y[rows], eta, sigma).sum())
            return float(m.family.loglik(q.data.y[rows], q.data.trials[rows], eta).sum())

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
    few, many = charted(m, priors), charted(m, priors, n_nodes=25)
    for s, x in enumerate([point(few, seed, 0.3) for seed in range(5)]):
        x[0] = 0.2 * s - 0.4
        a, b = np.empty(len(x)), np.empty(len(x))
        gap = log_density(few.problem, x, a) - log_density(many.problem, x, b)
        assert abs(gap) < 1e-4
        assert np.abs(a - b).max() < 1e-3
