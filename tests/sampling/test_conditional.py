"""Group effects drawn from their conditional distribution."""

import numpy as np
import pytest
from scipy import stats

import hierwidgets as hw
from hierwidgets.course.studies import shipped_draws
from hierwidgets.sampling import conditional


def test_conditional_draws_have_the_conditional_distribution() -> None:
    """One level, one parameter point: against numerical integration of its density. The
    Kolmogorov-Smirnov distance of 20,000 draws stays below 1.95 / sqrt(20,000) with p = .001."""
    model = hw.Model(
        "contacted ~ (1 | district_id)", hw.load("finland"), "binomial", event="Contacted"
    )
    design, size = model.design, 20_000
    beta, F = np.full((1, size, 1), -1.2), np.full((1, size, 1, 1), 0.8)
    empty = (np.zeros((1, size, 14, 1)),)
    b = conditional.draw_levels(
        design, model.family, beta, (F,), np.ones((1, size)), empty, (0, 0), 1
    )
    grid = np.linspace(-6, 6, 4001)
    for j in (0, 5, 13):
        row = design.terms[0].codes == j
        eta = -1.2 + 0.8 * grid
        log = model.family.loglik(
            design.y[row][:, None], design.trials[row][:, None], eta[None]
        ).sum(0)
        density = np.exp(log - grid**2 / 2 - (log - grid**2 / 2).max())
        cdf = np.cumsum(density) / density.sum()
        u = np.asarray(b[0][0, :, j, 0], dtype=float) / 0.8
        distance = stats.kstest(u, lambda x, c=cdf: np.interp(x, grid, c)).statistic
        assert distance < 1.95 / np.sqrt(size)


@pytest.mark.parametrize("sd", [1e-6, 0.1, 5.0, 60.0, 3000.0])
def test_conditional_draws_at_any_sd(sd) -> None:
    """An sd near 0 leaves the prior of u; a large one leaves the likelihood, whose logit of a
    district's share does not depend on the sd."""
    model, _ = shipped_draws.model("finland")
    given = np.full((1, 4000, 1), -1.2), (np.full((1, 4000, 1, 1), sd),), np.ones((1, 4000))
    empty = (np.zeros((1, 4000, 14, 1)),)
    b = conditional.draw_levels(model.design, model.family, *given, empty, (0, 0), 1)[0]
    assert np.isfinite(b).all()
    if sd < 1:
        assert b.std() == pytest.approx(sd, rel=0.1)
    else:
        raw = hw.no_pooling(hw.load("finland"), "contacted", "district_id", event="Contacted")
        share = 1 / (1 + np.exp(1.2 - b[0, :, :, 0].mean(axis=0)))
        assert share == pytest.approx(raw["estimate"].to_numpy(), abs=0.04)
