"""The marginal likelihood of a generalised model: group effects integrated out.

Laplace: ``-2 log L = -2 log p(y | u) + |u|^2 + log|A|`` at the conditional mode of u, with
``A = I + Lambda' Z' W Z Lambda`` and W the expected information, as in lme4 (Bates et al.,
"Computational methods for mixed models", lme4 vignette, section 5). For a canonical link W
is also the observed information and this is the textbook Laplace approximation.

The gradient is exact: the envelope theorem removes the mode from the first two parts, and
one more solve with A carries it through the log-determinant (Kristensen et al. 2016,
J. Stat. Softw. 70(5), section 2.1, do the same by automatic differentiation).
"""

from dataclasses import dataclass

import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.errors import FitError
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Derivatives, Family

from .blocks import Blocks, Layout, Scaled, factorize, layout, scale
from .density import split, theta_elements
from .magnitudes import beyond_arithmetic

__all__ = ["Modes", "Value", "conditional_modes", "effects_with_sds", "laplace", "solve_modes"]


_MOST_STEPS = 200
_DECREMENT = 1e-15


@dataclass(frozen=True, slots=True)
class Modes:
    """Conditional modes of the group effects at given parameters.

    Attributes
    ----------
    u, b, sd : list of (J, k)
        Standardised effects, effects ``b = Lambda u``, and conditional sds of b, per term.
    eta : (n,)
        Linear predictor at the modes.
    """

    u: list[Array]
    b: list[Array]
    sd: list[Array]
    eta: Array


@dataclass(frozen=True, slots=True)
class Value:
    """The objective at given parameters.

    Attributes
    ----------
    neg2loglik : float
        ``-2 log L`` without the counting constant.
    gradient : (m + p,)
        With respect to theta, then beta.
    u0, u2 : (J, k) and (q2,)
        The modes found: the next evaluation's start.
    """

    neg2loglik: float
    gradient: Array
    u0: Array
    u2: Array


@dataclass(frozen=True, slots=True)
class State:
    """The mode at given parameters, with what was computed on the way."""

    base: Array  # X beta + offset
    u0: Array
    u2: Array
    eta: Array
    d: Derivatives
    blocks: Blocks  # from the observed information, which Newton's method uses
    penalised: float  # loglik - |u|^2 / 2


def zeros(lay: Layout) -> tuple[Array, Array]:
    """The prior mean of u, in two parts."""
    first = lay.design.terms[0]
    return np.zeros((first.J, first.k)), np.zeros(lay.q2)


def solve_modes(
    lay: Layout,
    family: Family,
    theta: Array,
    beta: Array,
    start: tuple[Array, Array] | None = None,
) -> State:
    """The conditional mode of u by Newton's method with step halving.

    The penalised log-likelihood is strictly concave for every family here, so the mode is
    unique and halved Newton steps reach it. A start too far out for the arithmetic is
    replaced by the prior mean.
    """
    try:
        return _newton(lay, family, theta, beta, start)
    except (FitError, np.linalg.LinAlgError) as error:
        if start is not None:
            return solve_modes(lay, family, theta, beta)
        if isinstance(error, FitError):
            raise
        raise FitError(f"the linear predictor overflows: {beyond_arithmetic(lay.design)}") from None


def _newton(
    lay: Layout,
    family: Family,
    theta: Array,
    beta: Array,
    start: tuple[Array, Array] | None,
) -> State:
    design = lay.design
    base = design.X @ beta + design.offset
    scaled = scale(lay, lay.template.factors(theta))
    u0, u2 = zeros(lay) if start is None else start
    eta, d, value = _look(scaled, family, base, u0, u2)
    if start is not None and not np.isfinite(value):
        raise FitError("the linear predictor overflows at the start")
    for _ in range(_MOST_STEPS):
        blocks = factorize(scaled, d.information)
        g0, g2 = scaled.pull(d.score)
        g0, g2 = g0 - u0, g2 - u2
        s0, s2 = blocks.solve(g0, g2)
        decrement = float(np.vdot(g0, s0) + g2 @ s2)
        if not np.isfinite(decrement):
            raise FitError(f"the linear predictor overflows: {beyond_arithmetic(design)}")
        if decrement < _DECREMENT * (1.0 + 1e-3 * (u0.size + u2.size)):
            return State(base, u0, u2, eta, d, blocks, value)
        step, old = 1.0, value
        while True:
            t0, t2 = u0 + step * s0, u2 + step * s2
            eta, d, value = _look(scaled, family, base, t0, t2)
            if value >= old - 1e-12 * abs(old) or step < 1e-10:
                break
            step *= 0.5
        u0, u2 = t0, t2
    raise FitError(f"the conditional modes did not settle: {beyond_arithmetic(design)}")


def _look(
    scaled: Scaled, family: Family, base: Array, u0: Array, u2: Array
) -> tuple[Array, Derivatives, float]:
    """Linear predictor, derivatives and penalised log-likelihood at u."""
    design = scaled.lay.design
    eta = base + scaled.effect(u0, u2)
    d = family.derivatives(design.y, design.trials, eta)
    return eta, d, float(d.loglik.sum() - 0.5 * (np.vdot(u0, u0) + u2 @ u2))


def laplace(
    lay: Layout,
    family: Family,
    theta: Array,
    beta: Array,
    start: tuple[Array, Array] | None = None,
) -> Value:
    """The Laplace approximation to ``-2 log L`` and its gradient.

    Parameters
    ----------
    theta, beta :
        (m,) and (p,).
    start :
        Modes to start from, as `Value` returns them.

    Examples
    --------
    >>> import numpy as np
    >>> from hierwidgets.data import datasets
    >>> from hierwidgets.spec import design, families, formula
    >>> binomial = families.family("binomial")
    >>> d = design.build(formula.parse("contacted ~ (1 | district_id)"),
    ...                  datasets.load("finland"), binomial, event="Contacted")
    >>> value = laplace(layout(d), binomial, np.array([0.31]), np.array([-1.3717]))
    >>> round(value.neg2loglik, 3)
    1104.527
    """
    s = solve_modes(lay, family, theta, beta, start)
    blocks = s.blocks if family.canonical else factorize(s.blocks.scaled, s.d.weight)
    value = -2.0 * s.penalised + blocks.logdet
    lead, later = blocks.rows()
    return Value(value, _gradient(lay, s, blocks, lead, later), s.u0, s.u2)


def _gradient(lay: Layout, s: State, blocks: Blocks, lead: Array, later: Array | None) -> Array:
    """d(-2 log L) / d(theta, beta); `lead` and `later` are inv(A) (Z Lambda)_i'."""
    d, scaled = s.d, blocks.scaled
    bend = blocks.leverage(lead, later) * d.weight_slope  # d log|A| / d eta
    w0, w2 = s.blocks.solve(*scaled.pull(bend))
    direct = bend - d.information * scaled.effect(w0, w2) - 2.0 * d.score
    beta = lay.design.X.T @ direct
    heavy, direct, score = 2.0 * d.weight[:, None], direct[:, None], d.score[:, None]
    inner = [direct * lay.spread(s.u0) + score * lay.spread(w0) + heavy * lead]
    at = 0
    for cols in lay.columns:
        assert later is not None
        k = cols.shape[1]
        own = later[:, at : at + k] if lay.sparse else np.take_along_axis(later, cols, axis=1)
        inner.append(direct * s.u2[cols] + score * w2[cols] + heavy * own)
        at += k
    full = [term.Z.T @ part for term, part in zip(lay.design.terms, inner, strict=True)]
    return np.concatenate([theta_elements(lay.template, full), beta])


def conditional_modes(
    design: Design,
    family: Family,
    beta: Array,
    theta: Array,
    *,
    lay: Layout | None = None,
    start: tuple[Array, Array] | None = None,
) -> Modes:
    """Conditional modes and conditional sds of the group effects at any parameters.

    The conditional sd is that of the Gaussian approximation at the mode: the square root
    of the diagonal of ``Lambda inv(A) Lambda'``, which is what lme4's ``condVar`` gives.
    """
    lay = layout(design) if lay is None else lay
    s = solve_modes(lay, family, theta, beta, start)
    blocks = s.blocks if family.canonical else factorize(s.blocks.scaled, s.d.weight)
    lead, later = blocks.inverse_diagonal()
    u = [s.u0, *split(design.terms[1:], s.u2)]
    b, sd = effects_with_sds(blocks.scaled.factors, u, [lead, *later])
    return Modes(u, b, sd, s.eta)


def effects_with_sds(
    factors: list[Array], u: list[Array], variance: list[Array]
) -> tuple[list[Array], list[Array]]:
    """``b = Lambda u`` and its sds, (J, k) per term, for u of variance (J, k, k)."""
    b = [part @ L.T for part, L in zip(u, factors, strict=True)]
    sd = [
        np.sqrt(np.einsum("kl,jlm,km->jk", L, V, L)) for V, L in zip(variance, factors, strict=True)
    ]
    return b, sd
