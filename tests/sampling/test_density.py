"""The density of many points at once, against the compiled one and against sums over a grid.

Tolerances: 1e-9 of the value against the compiled density (the same sums in another order); 1e-6
against sums over a grid, which 25 nodes reach; differences of step 1e-4 against the compiled
gradient 1e-5 of the largest slope.
"""

import numpy as np
import pytest
from scipy import special
from support.charts import charted, point
from support.sampled_models import FAMILIES, STRUCTURES, model

from hierwidgets.sampling.density import by_differences, density, located, log_density
from hierwidgets.sampling.marginal import integrated, outcomes
from hierwidgets.sampling.priors import Priors, exponential, gamma, lkj, normal

PRIORS = Priors(coefficients=normal(0, 2), sd=gamma(2, 1), corr=lkj(2), sigma=exponential(1))


@pytest.mark.parametrize("joint_limit", [200, 0])
@pytest.mark.parametrize(("family", "link"), FAMILIES)
@pytest.mark.parametrize("bars", STRUCTURES.values(), ids=STRUCTURES.keys())
def test_density_is_the_compiled_one(bars, family, link, joint_limit) -> None:
    pytest.importorskip("numba")
    from hierwidgets.sampling.kernels import log_posterior

    m = model(bars, family, link)
    c = charted(m, PRIORS, joint_limit=joint_limit)
    x = np.array([point(c, seed) for seed in range(10)])
    gradient = np.empty(x.shape[1])
    one_by_one = [log_posterior.log_density(c.problem, at, gradient) for at in x]
    of = density(c.problem, m.family)
    assert log_density(of, x) == pytest.approx(one_by_one, rel=1e-9)
    assert by_differences(of)(x[-1])[1] == pytest.approx(gradient, abs=1e-5 * abs(gradient).max())


@pytest.mark.parametrize(("family", "link"), FAMILIES)
def test_levels_are_integrated_as_sums_over_a_grid_are(family, link) -> None:
    m = model("(1 | g)", family, link)
    q = charted(m, PRIORS, n_nodes=25).problem
    at = located(q, point(charted(m, PRIORS), 1)[None])
    base = q.data.Q @ at.v + q.data.offset[:, None]
    found = integrated(
        outcomes(q.data.y, q.data.trials, m.family, q.integrated), base, at.lead, at.sigma
    )
    u = np.linspace(-12.0, 12.0, 6001)
    eta = base + q.integrated.z[:, None] * at.lead[0, 0] * u
    precision = q.data.trials[:, None] / at.sigma**2
    loglik = m.family.loglik(q.data.y[:, None], precision, eta)
    if family == "gaussian":
        loglik = loglik + 0.5 * np.log(precision / (2 * np.pi))
    levels = np.add.reduceat(loglik, q.integrated.starts[:-1], axis=0) - 0.5 * u**2
    log_sum = special.logsumexp(levels, axis=1) + np.log(u[1] - u[0]) - 0.5 * np.log(2 * np.pi)
    assert found[0] == pytest.approx(log_sum.sum(), abs=1e-6)


@pytest.mark.parametrize(("family", "link"), FAMILIES)
def test_two_effects_are_integrated_as_sums_over_a_grid_are(family, link) -> None:
    m = model("(1 + x | g)", family, link)
    c = charted(m, PRIORS, widest=2)
    q = c.problem
    at = located(q, point(c, 1)[None])
    base = q.data.Q @ at.v + q.data.offset[:, None]
    found = integrated(
        outcomes(q.data.y, q.data.trials, m.family, q.integrated), base, at.lead, at.sigma
    )
    line = np.linspace(-8.0, 8.0, 161)
    u = np.array(np.meshgrid(line, line)).reshape(2, -1)
    eta = base + q.integrated.z @ at.lead[:, :, 0] @ u
    precision = q.data.trials[:, None] / at.sigma**2
    loglik = m.family.loglik(q.data.y[:, None], precision, eta)
    if family == "gaussian":
        loglik = loglik + 0.5 * np.log(precision / (2 * np.pi))
    levels = np.add.reduceat(loglik, q.integrated.starts[:-1], axis=0) - 0.5 * (u**2).sum(axis=0)
    area = (line[1] - line[0]) ** 2 / (2 * np.pi)
    log_sum = special.logsumexp(levels, axis=1) + np.log(area)
    assert found[0] == pytest.approx(log_sum.sum(), abs=2e-3)  # 49 nodes a level, 12 levels


def test_far_points_have_no_density_and_none_is_lost() -> None:
    """Points do not depend on those beside them, however many and however far these are."""
    m = model("(1 | g) + (1 + x | h)")
    c = charted(m)
    of = density(c.problem, m.family)
    x = np.array([point(c, seed) for seed in range(700)])
    alone = log_density(of, x[[3, 600]])
    x[5], x[7, 0], x[9] = 1e6, np.nan, -1e4
    found = log_density(of, x)
    assert found[[3, 600]] == pytest.approx(alone, rel=1e-12)
    assert (found[[5, 7, 9]] == -np.inf).all()
    assert np.isfinite(np.delete(found, [5, 7, 9])).all()
