r"""The coordinates a sampler walks in, chosen so that the posterior is easy to walk.

Hierarchical posteriors are hard to walk: many group effects, each correlated with its sd
(Neal's funnel); coefficients that trade with the mean of a few large groups' effects and with
one another; sds near 0. Each is removed by an exact change of variables.

Integration. Given everything else, the levels of one scalar group term are independent. The
    one with the most levels is integrated out of the density by adaptive quadrature, level by
    level (`quadrature`), and drawn afterwards from its conditional distribution (`conditional`).
    Importance sampling integrates terms of two effects as well, over a plane of nodes.
Whitening. Near a reference fit the log-likelihood of coefficients and effects v is quadratic,
    ``-v'Hv / 2 + r'v``. Given covariances, v is then normal with precision
    ``P = H + blockdiag(0, inv(Sigma), ...)`` and mean inv(P) r, so the coordinates
    ``xi = C' (v - inv(P) r)``, P = CC', are close to N(0, I) whatever the covariances: neither
    centred nor non-centred, but what the data call for (Papaspiliopoulos, Roberts & Sköld
    2007, Stat. Sci. 22(1), sections 2-4, for one effect at a time). Beyond `JOINT_LIMIT`
    numbers P is cut into one block of coefficients and one for each level.

Bent tails. A posterior has exponential tails in log sd (an sd may be 0, half-t priors reach far)
    and in the partial correlations' inverse tanh; both coordinates are bent so that these
    become normal (`kernels.bending`).

Each is a bijection with its Jacobian in the density: the reference fit changes how fast the
sampler is, never what it converges to.

The several-countries model (4 chains, 10,000 draws after 4,000 of tuning, seed 1; seconds of
processor time on a shared machine, 18 coordinates): smallest bulk and tail effective sample
size over coefficients, sds and correlation, and divergences:

    ======================================================  ======  ====  ====  ====  =======
    coordinates                                             target  bulk  tail  div.  seconds
    ======================================================  ======  ====  ====  ====  =======
    integrated, whitened, sds of slopes centred at the mean   .95   1460  1516     0      190
    the same, sds bent                                        .85   1263   466     1       74
    the same, correlation bent too                            .90    698   732     3      173
    integrated, whitened, sds of the original columns, bent   .85   2771  3158    40       39
    the same                                                  .95   3710  3894     3       78
    the same (the default)                                    .98   2275  2700     0       95
    ======================================================  ======  ====  ====  ====  =======

Centring the columns of a piece helps plain non-centred effects. Once effects are whitened it
only bends the prior of the sds into a ridge, and the original columns are better.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hierwidgets.base.arrays import Array, Index
from hierwidgets.likelihood.quadrature import nodes
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family

from .bends import Slopes, bends, centred_at_mode
from .density import by_differences, density
from .information import WorkingResponse, whitening
from .kernels import problem as codes
from .kernels.problem import Data, Integrated, Pieces, Problem
from .pieces import Piece, pieces
from .prior_codes import prior_codes
from .priors import Resolved
from .reference import Reference, reference

__all__ = ["JOINT_LIMIT", "Chart", "chart"]


JOINT_LIMIT = 60
N_NODES = 7
N_NODES_OF_PAIRS = 7  # in each direction

_FAMILIES = {
    ("binomial", "logit"): codes.LOGIT,
    ("binomial", "probit"): codes.PROBIT,
    ("binomial", "cloglog"): codes.CLOGLOG,
    ("poisson", "log"): codes.POISSON,
    ("gaussian", "identity"): codes.GAUSSIAN,
}


@dataclass(frozen=True, slots=True)
class Chart:
    """A problem for the compiled density, and the way back::

        x (d,)  --unbend, unwhiten-->  sds, correlations, v  --R, pieces-->  beta, factors, effects
                     `problem`                                               of the design

    Attributes
    ----------
    problem : Problem
        What each coordinate of x is, is drawn in `kernels.problem`.
    pieces : tuple of Piece
        Those sampled, in the order of `problem`.
    integrated : Piece or None
    R : (p, p)
        ``X = Q R``.
    start : (d,)
        Where chains start around.
    order : (n,) int
        The rows of the design in the order of `problem`.
    """

    problem: Problem
    pieces: tuple[Piece, ...]
    integrated: Piece | None
    R: Array
    start: Array
    order: Index


def chart(
    design: Design,
    family: Family,
    priors: Resolved,
    *,
    integrate: bool = True,
    widest: int = 1,
    n_nodes: int = N_NODES,
    joint_limit: int = JOINT_LIMIT,
    slopes: Callable[[Problem], Slopes] | None = None,
) -> Chart:
    """The coordinates of a model's posterior.

    Parameters
    ----------
    integrate :
        Whether to integrate a group term out.
    widest :
        The most effects, 1 or 2, that each of its levels may have; the compiled density takes 1.
    n_nodes :
        Quadrature points per level.
    joint_limit :
        The largest number of coefficients and effects that are whitened together.
    slopes :
        The density of a problem and its gradient, to look for the mode with; None takes
        differences of `density`.
    """
    lead, others = pieces(design, integrate, widest)
    order = np.arange(len(design.y))
    if lead is not None:
        order = np.argsort(design.terms[lead.term].codes, kind="stable")
    known = reference(design, family)
    Q, R = _orthonormal(design)
    data = _data(design, family, others, Q, order)
    integrated = _integrated(design, lead, known, order, n_nodes)
    sampled = Pieces(
        np.array([piece.size for piece in others], np.intp),
        np.array([piece.levels for piece in others], np.intp),
        max([piece.size for piece in others], default=1),
    )
    working = _working(known, lead, integrated, order)
    problem = Problem(
        data,
        integrated,
        sampled,
        whitening(data, sampled, working, joint_limit),
        bends(known, priors, lead, others),
        prior_codes(priors, R, lead, others),
    )
    start = _start(problem, known)
    find = slopes or (lambda of: by_differences(density(of, family)))
    return Chart(centred_at_mode(problem, start, find), tuple(others), lead, R, start, order)


def _orthonormal(design: Design) -> tuple[Array, Array]:
    """Q with columns of mean square 1, and R: ``X = Q R``."""
    if not design.X.shape[1]:
        return design.X, np.zeros((0, 0))
    Q, R = np.linalg.qr(design.X)
    scale = np.sqrt(len(design.X))
    return Q * scale, R / scale


def _data(design: Design, family: Family, others: list[Piece], Q: Array, order: Index) -> Data:
    n = len(order)
    columns = [design.terms[piece.term].Z[:, piece.columns] for piece in others]
    levels = [design.terms[piece.term].codes[order] for piece in others]
    return Data(
        family=_FAMILIES[family.name, family.link.name],
        y=np.ascontiguousarray(design.y[order]),
        trials=np.ascontiguousarray(design.trials[order]),
        offset=np.ascontiguousarray(design.offset[order]),
        Q=np.ascontiguousarray(Q[order]),
        Z=np.ascontiguousarray(np.hstack([np.zeros((n, 0)), *columns])[order]),
        codes=np.array(levels, np.intp).reshape(len(others), n),
    )


def _integrated(
    design: Design, lead: Piece | None, known: Reference, order: Index, n_nodes: int
) -> Integrated:
    x, log_weight = nodes(n_nodes)
    if lead is None:
        return Integrated(0, np.zeros(0), np.zeros(1, np.intp), np.zeros(0), x, log_weight)
    term = design.terms[lead.term]
    columns = lead.columns[0] if lead.size == 1 else list(lead.columns)
    if lead.size > 1:
        x, log_weight = nodes(N_NODES_OF_PAIRS)
    return Integrated(
        coordinates=lead.coordinates,
        z=np.ascontiguousarray(term.Z[order][:, columns]),
        starts=np.searchsorted(term.codes[order], np.arange(term.J + 1)).astype(np.intp),
        begin=known.modes[lead.term][:, columns].copy(),
        node=x,
        log_weight=log_weight,
    )


def _working(
    known: Reference, lead: Piece | None, integrated: Integrated, order: Index
) -> WorkingResponse:
    sds = np.zeros(1)
    if lead is not None:
        sds = np.maximum(known.sds[lead.term][list(lead.columns)], 0.05)
    return WorkingResponse(known.weight[order], known.response[order], integrated, sds**2)


def _start(problem: Problem, known: Reference) -> Array:
    """Sds of the reference fit, no correlation, xi = 0."""
    sigma = [np.log(known.sigma)] if problem.data.family == codes.GAUSSIAN else []
    covariances, numbers = len(problem.bends.at), len(problem.whitening.r)
    return np.concatenate([np.zeros(covariances), sigma, np.zeros(numbers)])
