"""How sure a prediction is: the variance of the linear predictor of new rows.

It has two parts (Kass & Steffey 1989, J. Am. Stat. Assoc. 84(407), eq. 3.5): that of the effects
given the parameters, and that of the parameters, carried through the conditional modes.
"""

import numpy as np

from hierwidgets.base.arrays import Array, Index
from hierwidgets.spec.design import Design, NewRows
from hierwidgets.spec.families import Family
from hierwidgets.spec.rows import linear_predictor

from .blocks import Blocks, factorize, layout, row_dot, scale
from .coordinates import working
from .laplace import conditional_modes

__all__ = ["derivative", "effect_variance", "new_effect_variance", "standard_errors"]


def standard_errors(
    design: Design,
    family: Family,
    new: NewRows,
    theta: Array,
    beta: Array,
    covariance: Array,
    *,
    sigma: float = 1.0,
    unknown: bool,
    conditional: bool = False,
) -> Array:
    """Standard errors (n,) of the linear predictor.

    The variance given the parameters is ``z Lambda inv(A) Lambda' z'``; that of the parameters
    comes in by the derivative of eta with respect to (theta, beta).

    Parameters
    ----------
    covariance : (m + p, m + p)
        Of (theta, beta).
    sigma :
        Residual sd of a Gaussian model, in whose units Lambda is.
    unknown :
        Whether an unseen level adds the variance of a new effect.
    conditional :
        Leave out the first part: the effects are taken as known at their modes.
    """
    own = working(design)
    theta, beta = np.split(own.inward @ np.concatenate([theta, beta]), [len(theta)])
    covariance = own.inward @ covariance @ own.inward.T
    design, new = own.design, own.rows(new)
    lay = layout(design)
    modes = conditional_modes(design, family, beta, theta, lay=lay)
    jacobian = derivative(design, family, new, theta, beta)
    variance: Array = np.einsum("ij,jk,ik->i", jacobian, covariance, jacobian)
    if not conditional:
        d = family.derivatives(design.y, design.trials, modes.eta)
        blocks = factorize(scale(lay, design.template.factors(theta)), d.weight)
        variance += sigma**2 * effect_variance(design, blocks, new, theta)
    if unknown:
        variance += sigma**2 * new_effect_variance(design, new, theta)
    errors: Array = np.sqrt(np.maximum(variance, 0.0))
    return errors


def derivative(
    design: Design,
    family: Family,
    new: NewRows,
    theta: Array,
    beta: Array,
    step: float = 1e-5,
) -> Array:
    """d eta / d (theta, beta), (n, m + p), through the conditional modes."""
    lay = layout(design)
    x, m = np.concatenate([theta, beta]), len(theta)

    def at(x: Array) -> Array:
        modes = conditional_modes(design, family, x[m:], x[:m], lay=lay)
        return linear_predictor(new, x[m:], modes.b)

    out = np.empty((len(new.X), len(x)))
    for i in range(len(x)):
        h = np.zeros(len(x))
        h[i] = step * max(1.0, abs(x[i]))
        out[:, i] = (at(x + h) - at(x - h)) / (2 * h[i])
    return out


def effect_variance(design: Design, blocks: Blocks, new: NewRows, theta: Array) -> Array:
    """``z Lambda inv(A) Lambda' z'`` of each new row (n,); unseen levels contribute nothing."""
    factors = design.template.factors(theta)
    parts = [
        np.where((codes >= 0)[:, None], Z @ L, 0.0)
        for codes, Z, L in zip(new.codes, new.Z, factors, strict=True)
    ]
    codes0 = np.maximum(new.codes[0], 0)
    out = np.empty(len(new.X))
    step = max(1, 2_000_000 // max(blocks.lay.q2, 1))
    for a in range(0, len(out), step):
        part = slice(a, min(a + step, len(out)))
        g2 = np.zeros((part.stop - part.start, blocks.lay.q2))
        at = 0
        for t, term in enumerate(design.terms[1:], start=1):
            cols = at + np.maximum(new.codes[t][part], 0)[:, None] * term.k + np.arange(term.k)
            np.put_along_axis(g2, cols, parts[t][part], axis=1)
            at += term.J * term.k
        out[part] = _quadratic_form(blocks, codes0[part], parts[0][part], g2)
    return out


def _quadratic_form(blocks: Blocks, codes: Index, g0: Array, g2: Array) -> Array:
    direct: Array = np.einsum("ik,ikl,il->i", g0, blocks.Dinv[codes], g0)
    if blocks.S is None:
        return direct
    k = g0.shape[1]
    rest = g2.copy()
    for i in range(k):
        row = blocks.M[codes * k + i]
        rest -= (row if isinstance(row, np.ndarray) else row.toarray()) * g0[:, i, None]
    return direct + row_dot(rest, blocks.S.solve(rest.T).T)


def new_effect_variance(design: Design, new: NewRows, theta: Array) -> Array:
    """``z Lambda Lambda' z'`` of the rows whose level is unseen, summed over terms (n,)."""
    out = np.zeros(len(new.X))
    for codes, Z, L in zip(new.codes, new.Z, design.template.factors(theta), strict=True):
        zl = Z @ L
        out += np.where(codes < 0, np.einsum("ij,ij->i", zl, zl), 0.0)
    return out
