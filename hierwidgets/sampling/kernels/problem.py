r"""Everything the compiled density needs, as numbers and arrays in named parts.

A point x is d numbers without bounds, and stands for coefficients and effects v. Both are drawn
here for ``y ~ x + (1 | g) + (1 + x | h)``, whose g is integrated out and whose h, of 4 levels,
is sampled. (A Gaussian model has the log residual sd besides, just before xi.) ::

          `Integrated`   `Pieces`, in order             `Whitening`
          0          1         2         3         4                                    14
          +----------+---------+---------+---------+------------------------------------+
    x     |  log sd  |  log sd |  log sd | z of the|            xi: whitened            |
          |   of g   | of h, 1 | of h, x |   two   |      coefficients and effects      |
          +----------+---------+---------+---------+------------------------------------+
           <--------------- `Bends` -------------->
          0               2         4         6         8         10
          +---------------+---------+---------+---------+---------+
    v     |  coefficients | level 0 | level 1 | level 2 | level 3 |  then the next piece's
          |      of Q     |   1, x  |   1, x  |   1, x  |   1, x  |
          +---------------+---------+---------+---------+---------+
    slot                  2         4         6         8
    block |<------------------------- 0 ------------------------->|  few numbers: all together
          |<----- 0 ----->|<-- 1 -->|<-- 2 -->|<-- 3 -->|<-- 4 -->|  many: each level apart

The k (k - 1) / 2 numbers z of a piece, row by row, are the inverse tanh of its canonical partial
correlations (Lewandowski et al. 2009). Effects in v are on their own scale, with covariance
Sigma of their piece. A block is what is whitened together, a slot the effects of one level.
Effects of the integrated piece are in neither x nor v: `levels` integrates them out.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array

__all__ = [
    "CLOGLOG", "EXPONENTIAL", "FLAT", "GAMMA", "GAUSSIAN", "LOGIT", "NORMAL", "POISSON", "PROBIT",
    "STUDENT_T", "UNIFORM", "Bends", "Data", "Integers", "Integrated", "Pieces", "PriorCodes",
    "Problem", "Whitening",
]  # fmt: skip

Integers = NDArray[np.intp]

LOGIT, PROBIT, CLOGLOG, POISSON, GAUSSIAN = range(5)
FLAT, NORMAL, STUDENT_T, EXPONENTIAL, GAMMA, UNIFORM = range(6)


class Data(NamedTuple):
    """The rows, those of a level of the integrated piece side by side.

    Attributes
    ----------
    family : int
        One of LOGIT to GAUSSIAN.
    y, trials, offset : (n,)
    Q : (n, p)
        Columns of the coefficients.
    Z : (n, sum of k)
        Columns of the sampled pieces, side by side.
    codes : (T, n)
        The level of every row in each sampled piece.
    """

    family: int
    y: Array
    trials: Array
    offset: Array
    Q: Array
    Z: Array
    codes: Integers


class Integrated(NamedTuple):
    """The piece that is integrated out, or empty arrays where there is none. The compiled density
    knows one effect of a level; `density` knows two as well.

    Attributes
    ----------
    coordinates : int
        1 (or 3 of two effects), or 0 where there is none: the numbers it has in x.
    z : (n,) or (n, 2)
        Its columns.
    starts : (J + 1,)
        The row each level begins at.
    begin : (J,) or (J, 2)
        Where the search for the mode of each begins, in units of the sd.
    node, log_weight : (K,)
        As `quadrature.nodes` gives them.
    """

    coordinates: int
    z: Array
    starts: Integers
    begin: Array
    node: Array
    log_weight: Array


class Pieces(NamedTuple):
    """The T sampled pieces.

    Attributes
    ----------
    sizes, levels : (T,)
        k, the effects of a level, and J, the levels.
    widest : int
        The largest k, at least 1.
    """

    sizes: Integers
    levels: Integers
    widest: int


class Whitening(NamedTuple):
    """The quadratic log-likelihood ``-v'Hv / 2 + r'v`` of coefficients and effects, in blocks.

    Attributes
    ----------
    block : (B + 1,)
        Bounds of the blocks in v.
    slot, slot_piece : (S,)
        Where the effects of each level begin in v, and their piece.
    slot_at : (B + 1,)
        The first slot of each block.
    H, H_at : (sum of squares,), (B + 1,)
        The information of each block, row by row, one after the other; where each begins.
    r : (length of v,)
        The information times the reference estimate.
    """

    block: Integers
    slot: Integers
    slot_piece: Integers
    slot_at: Integers
    H: Array
    H_at: Integers
    r: Array


class Bends(NamedTuple):
    """The m coordinates of x that are bent (`bending`).

    Attributes
    ----------
    at : (m,)
        Their places in x.
    centre : (m,)
        The log sd or z that 0 stands for.
    by : (m, 2)
        By how much, below and above 0.
    """

    at: Integers
    centre: Array
    by: Array


class PriorCodes(NamedTuple):
    """Priors as numbers: a kind, one of FLAT to UNIFORM, and up to three parameters.

    Attributes
    ----------
    sd_kind, sd_par : (1 + T, largest k), (1 + T, largest k, 3)
        Of the sds of the integrated piece (row 0) and of the sampled ones.
    eta : (T,)
        Of the LKJ prior of each piece's correlations.
    lead_eta : float
        The same of the integrated piece.
    combination : (m, p)
        What has a prior that is not flat, as combinations of the coefficients of Q.
    kind, par : (m,), (m, 3)
        Of those combinations.
    sigma_kind, sigma_par : int, (3,)
        Of the residual sd.
    """

    sd_kind: Integers
    sd_par: Array
    eta: Array
    lead_eta: float
    combination: Array
    kind: Integers
    par: Array
    sigma_kind: int
    sigma_par: Array


class Problem(NamedTuple):
    """All of it: see the drawing above."""

    data: Data
    integrated: Integrated
    pieces: Pieces
    whitening: Whitening
    bends: Bends
    priors: PriorCodes
