"""The joint covariance of coefficients and group effects.

Against Henderson's equations and the dense algebra to 1e-8 and 1e-10, against central differences
of the conditional modes to 1e-6, all relative.
"""

import numpy as np
import pytest
from support.crossed_groups import crossed, everything, grouped, joint_of
from support.stored_fits import fitted

import hierwidgets as hw
from hierwidgets.likelihood import blocks
from hierwidgets.likelihood.joint_covariance import Functionals, effect_rows
from hierwidgets.likelihood.prediction import derivative
from hierwidgets.spec import rows as predict


@pytest.mark.parametrize("reml", [True, False])
def test_gaussian_joint_covariance_is_the_inverse_of_the_mixed_model_equations(reml):
    data = grouped(2, family="gaussian")
    fit = hw.lmer("y ~ x + arm + (1 + x | g) + (1 | h)", data, reml=reml)
    m = len(fit.theta)
    given = fit.covariance.copy()
    given[:m] = given[:, :m] = 0.0  # theta known
    design = fit.design
    Z = np.hstack(
        [
            np.einsum("ij,ik->ijk", np.eye(t.J)[t.codes], t.Z).reshape(len(design.y), -1)
            for t in design.terms
        ]
    )
    G = [
        np.kron(np.eye(t.J), fit.sigma**2 * L @ L.T)
        for t, L in zip(design.terms, design.template.factors(fit.theta), strict=True)
    ]
    W = np.hstack([design.X, Z])
    equations = W.T @ W / fit.sigma**2
    at = design.X.shape[1]
    for block in G:
        part = slice(at, at + len(block))
        equations[part, part] += np.linalg.inv(block)
        at += len(block)
    expected = np.linalg.inv(equations)
    found = joint_of(fit, given).matrix(everything(fit))
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-8 * np.abs(expected).max())


FITS = {
    "logit": lambda: hw.glmer("y ~ x + arm + (1 + x | g) + (1 | h)", grouped(3)),
    "probit": lambda: hw.glmer("y ~ x + (1 | g) + (1 | h)", grouped(3), link="probit"),
    "cloglog": lambda: hw.glmer("y ~ x + (1 + x || g)", grouped(3), link="cloglog"),
    "poisson": lambda: hw.glmer("y ~ x + (1 + x | g)", grouped(4, family="poisson"), "poisson"),
    "gaussian": lambda: hw.lmer("y ~ x + (1 + x | g) + (1 | h)", grouped(4, family="gaussian")),
    "quadrature": lambda: hw.glmer("y ~ x + (1 | g)", grouped(5), n_agq=7),
}


@pytest.mark.parametrize("name", FITS)
def test_derivative_through_the_modes_is_a_finite_difference(name):
    fit = FITS[name]()
    new = predict.rows_of(fit.design, None, predict.kept_columns(fit.design, None), "error")
    expected = derivative(fit.design, fit.family, new, fit.theta, fit.beta)
    found = np.hstack([np.zeros((len(new.X), len(fit.theta))), new.X])
    for Z, slope in zip(effect_rows(fit.design, new), joint_of(fit).slopes, strict=True):
        found += Z @ slope
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", FITS)
def test_variance_of_single_rows_is_that_of_predict(name):
    fit = FITS[name]()
    new = predict.rows_of(fit.design, None, predict.kept_columns(fit.design, None), "error")
    variance = joint_of(fit).variance(Functionals(new.X, effect_rows(fit.design, new)))
    expected = fit.predict(scale="link", interval=0.9)["std_error"]
    assert np.sqrt(variance) == pytest.approx(expected.to_numpy(), rel=1e-6)


def test_variances_are_the_diagonal_of_the_matrix():
    for fit in (crossed(), fitted("rainey")):
        given = everything(fit)
        matrix = joint_of(fit).matrix(given)
        assert joint_of(fit).variance(given) == pytest.approx(np.diag(matrix), rel=1e-10, abs=1e-14)


def test_sparse_algebra_gives_the_dense_answer(monkeypatch):
    fit = hw.glmer("y ~ x + (1 + x | g) + (1 | h)", grouped(6))
    expected = joint_of(fit).matrix(everything(fit))
    monkeypatch.setattr(blocks, "DENSE_LIMIT", 0)
    known = joint_of(fit)
    assert known.blocks.lay.sparse
    assert known.matrix(everything(fit)) == pytest.approx(expected, rel=1e-9, abs=1e-12)
