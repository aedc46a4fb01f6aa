"""The minimiser on functions whose minimum is known.

Tolerances: minima to 1e-6 (a Newton step that would gain 1e-11 over a curvature of 1 or more moves
5e-6 at most; the last step is quadratic); Hessians of quadratics 1e-6 relative, by differences of
exact gradients; of the bent valley 1e-3, where the last step may be 1e-3 of the unit away.
"""

import numpy as np
import pytest

from hierwidgets.errors import FitError
from hierwidgets.likelihood.optimum import covariance, lowest_minimum, minimize, search_unit


def quadratic(A, x0):
    return lambda x: (float((x - x0) @ A @ (x - x0)) + 3.0, 2 * A @ (x - x0))


def rosenbrock(x):
    a, b = x
    value = (1 - a) ** 2 + 100 * (b - a**2) ** 2
    return value, np.array([-2 * (1 - a) - 400 * a * (b - a**2), 200 * (b - a**2)])


@pytest.mark.parametrize("d", [1, 2, 5])
def test_a_quadratic(d):
    rng = np.random.default_rng(d)
    root = rng.normal(size=(d, d))
    A, x0 = np.eye(d) + root @ root.T, rng.normal(size=d)
    found = minimize(quadratic(A, x0), np.zeros(d), np.eye(d))
    assert found.converged
    assert found.x == pytest.approx(x0, abs=1e-6)
    assert found.value == pytest.approx(3.0, abs=1e-10)
    assert found.hessian == pytest.approx(2 * A, rel=1e-6)
    assert found.message.startswith("converged")


def test_a_bent_valley():
    found = minimize(rosenbrock, np.array([-1.2, 1.0]), 0.1 * np.eye(2))
    assert found.converged
    assert found.x == pytest.approx([1.0, 1.0], abs=1e-6)
    assert found.hessian == pytest.approx(np.array([[802, -400], [-400, 200]]), rel=1e-3)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_the_scale_of_a_coordinate_does_not_matter(unit):
    D = np.diag([1.0, unit])
    far = np.array([3.0, 2.0])

    def scaled(x):
        value, gradient = rosenbrock(x / np.diag(D))
        return value, gradient / np.diag(D)

    found = minimize(scaled, far * np.diag(D), 0.1 * D)
    assert found.converged
    assert found.x / np.diag(D) == pytest.approx([1.0, 1.0], abs=1e-6)


def test_it_leaves_a_saddle():
    """An sd of 0 is stationary always; it is the minimum only if the objective rises from it."""

    def double_well(x):
        return float((x[0] ** 2 - 1) ** 2 + x[1] ** 2), np.array(
            [4 * x[0] * (x[0] ** 2 - 1), 2 * x[1]]
        )

    found = minimize(double_well, np.zeros(2), np.eye(2))
    assert found.converged
    assert abs(found.x[0]) == pytest.approx(1.0, abs=1e-6)
    assert found.value == pytest.approx(0.0, abs=1e-10)


def test_it_stays_at_an_even_minimum():
    found = minimize(lambda x: (float(x[0] ** 4 + x[0] ** 2), 4 * x**3 + 2 * x), np.ones(1),
                     np.eye(1))  # fmt: skip
    assert found.converged
    assert found.x[0] == pytest.approx(0.0, abs=1e-6)


def test_a_flat_direction_is_no_obstacle():
    found = minimize(lambda x: (float(x[0] ** 2), np.array([2 * x[0], 0.0])), np.ones(2), np.eye(2))
    assert found.converged
    assert found.x[0] == pytest.approx(0.0, abs=1e-6)


def test_what_falls_for_ever_is_reported():
    found = minimize(lambda x: (-float(x[0] ** 2), -2 * x), np.ones(1), np.eye(1))
    assert not found.converged
    assert found.message == "not converged: the likelihood still rises in one direction"
    slope = minimize(lambda x: (float(x[0]), np.ones(1)), np.ones(1), np.eye(1))
    assert not slope.converged or slope.x[0] < -1e3


def test_a_gradient_that_never_vanishes_is_reported():
    def wrong(x):
        return float(x @ x), 2 * x + 1.0 + np.sign(x + 0.5)

    found = minimize(wrong, np.ones(2), np.eye(2))
    assert not found.converged
    assert found.message.startswith("not converged: ")


def test_what_is_not_finite_at_the_start():
    with pytest.raises(FitError, match="not finite at the start"):
        minimize(lambda x: (np.inf, x), np.ones(1), np.eye(1))


def test_infinite_values_on_the_way_are_walked_around():
    def walled(x):
        if x[0] <= 0:
            return np.inf, np.zeros(1)
        return float(x[0] - np.log(x[0])), 1 - 1 / x

    found = minimize(walled, np.array([30.0]), np.array([[50.0]]))
    assert found.converged
    assert found.x[0] == pytest.approx(1.0, abs=1e-6)


def test_the_trace_holds_every_point_and_its_value():
    calls = []

    def counted(x):
        calls.append(x.copy())
        return rosenbrock(x)

    found = minimize(counted, np.array([-1.2, 1.0]), 0.1 * np.eye(2))
    assert found.trace.shape == (len(calls), 3)
    assert (found.trace[:, :2] == np.array(calls)).all()
    assert found.trace[0].tolist() == [-1.2, 1.0, rosenbrock((-1.2, 1.0))[0]]
    assert found.value <= found.trace[:, 2].min() + 1e-9


def test_covariance_is_twice_the_inverse():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(4, 4)) * [1e-3, 1, 1, 1e4]
    hessian = root.T @ root
    assert covariance(hessian) @ hessian == pytest.approx(2 * np.eye(4), abs=1e-6)


def test_covariance_without_a_flat_direction():
    hessian = np.diag([2.0, 0.0, 8.0])
    assert covariance(hessian) == pytest.approx(np.diag([1.0, 0.0, 0.25]))


@pytest.mark.parametrize("sd", [0.1, 1.0])
def test_the_search_unit_gives_a_curvature_of_two(sd):
    weight = np.array([50.0, 80.0, 200.0])
    r = sd**2 * weight / (1 + sd**2 * weight)
    information = 2 * np.sum(r**2) / sd**2  # of log L; -2 log L curves by twice that
    unit = search_unit(sd, weight)
    assert unit <= 0.5
    if unit < 0.5:
        assert information * unit**2 == pytest.approx(1.0, rel=1e-6)


def test_the_lowest_of_several_minima_with_every_point_in_its_trace():
    def tilted(x):
        return float((x[0] ** 2 - 1) ** 2 + 0.3 * x[0]), np.array(
            [4 * x[0] * (x[0] ** 2 - 1) + 0.3]
        )

    starts = [np.array([1.1]), np.array([-1.1])]
    first, both = minimize(tilted, starts[0], np.eye(1)), lowest_minimum(tilted, starts, np.eye(1))
    assert first.x[0] > 0 > both.x[0]
    assert both.value < first.value
    assert (both.trace[: len(first.trace)] == first.trace).all()
    assert len(both.trace) > len(first.trace)
