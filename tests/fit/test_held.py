"""The problems with a parameter held: their gradients against differences, and where they start.

Central differences with steps of 1e-6 of values of order 1000: 1e-5.
"""

import numpy as np
import pandas as pd
import pytest
from support.paths import STRUCTURES

import hierwidgets as hw
from hierwidgets.fit import held
from hierwidgets.fit.intervals import estimates
from hierwidgets.spec.parameters import parameters, value


def linear():
    data = pd.read_csv(STRUCTURES / "gaussian.csv")
    return hw.lmer("y_slopes ~ x + (1 + x | g)", data, reml=False)


def counts():
    data = pd.read_csv(STRUCTURES / "counts.csv")
    return hw.glmer("y_slopes ~ x + (1 + x | g)", data, "poisson")


def test_gradient_of_the_gaussian_objective_with_sigma_held():
    fit = linear()
    deviance = held._gaussian(fit.design)
    psi = np.array([1.2, -0.3, 0.5, 0.1])
    gradient = deviance(psi)[1]
    for i in range(4):
        h = np.zeros(4)
        h[i] = 1e-6
        slope = (deviance(psi + h)[0] - deviance(psi - h)[0]) / 2e-6
        assert gradient[i] == pytest.approx(slope, abs=1e-5)


@pytest.mark.parametrize("made", [linear, counts])
def test_each_problem_starts_at_the_estimate_with_its_own_gradient(made):
    fit = made()
    at = estimates(fit)
    for parameter in parameters(fit.design, fit.family):
        problem = held.held(parameter, fit.design, fit.family, 1, at)
        c = value(parameter, at)
        deviance = problem.deviance(float(np.log(c)) if parameter.kind == "sigma" else c)
        neg2loglik, gradient = deviance(problem.start)
        assert neg2loglik == pytest.approx(at.neg2loglik, abs=1e-6)
        for i in range(len(problem.start)):
            h = np.zeros(len(problem.start))
            h[i] = 1e-6
            slope = (deviance(problem.start + h)[0] - deviance(problem.start - h)[0]) / 2e-6
            assert gradient[i] == pytest.approx(slope, abs=1e-3)
