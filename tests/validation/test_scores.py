"""The log score of outcomes whose linear predictor is uncertain, against brute force: 1e-8."""

import numpy as np
import pytest
from scipy import integrate, stats

from hierwidgets.spec.families import family
from hierwidgets.validation.scores import log_score


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_scores_integrate_to_one(link):
    """The probabilities of all outcomes add up to one, and are those of brute force."""
    chosen, n = family("binomial", link), np.full(5, 4.0)
    y, eta, variance = np.arange(5.0), np.full(5, -0.3), np.full(5, 1.7)
    p = np.exp(log_score(chosen, y, n, eta, variance, 1.0))
    assert p.sum() == pytest.approx(1, abs=1e-10)

    def integrand(b, y):
        mu = chosen.link.inverse(np.array([-0.3 + b]))[0][0]
        return stats.binom.pmf(y, 4, mu) * stats.norm.pdf(b, 0, np.sqrt(1.7))

    brute = [integrate.quad(integrand, -12, 12, args=(k,))[0] for k in range(5)]
    assert p == pytest.approx(brute, abs=1e-8)
