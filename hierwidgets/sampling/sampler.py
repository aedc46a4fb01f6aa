"""Draws from the posterior of a design, and from its prior: which sampler, and why."""

from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.base.checks import check_whole
from hierwidgets.base.platform import how_to_get
from hierwidgets.base.progress import Count
from hierwidgets.errors import DataError, FitError, MissingExtraError
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family

from . import nuts
from .draws import Draws, single
from .priors import Priors, resolve

__all__ = ["METHODS", "require_extra", "sample", "sample_prior"]

METHODS = ("auto", "importance", "nuts")


def sample(
    design: Design,
    family: Family,
    priors: Priors,
    *,
    chains: int,
    tune: int,
    draws: int,
    seed: int | None,
    method: str = "auto",
    cores: int | None = None,
    target_accept: float | None = None,
    progress: bool | Count = True,
    **coordinates: Any,
) -> Draws:
    """Draws from the posterior of a design.

    Parameters
    ----------
    chains, tune, draws :
        Chains; steps of each to adapt in, and to keep. By importance sampling ``chains * draws``
        draws, and ``chains * tune`` proposals in each round of adapting.
    seed :
        A whole number; the same seed gives the same draws on any number of cores. None takes
        one from the operating system.
    method :
        "importance"; "nuts"; "auto", the first where it is sound and else the second.
    target_accept :
        The mean acceptance probability that step sizes of NUTS are adapted to; None for .98, or
        .9 where every group effect is integrated out.
    progress :
        Whether to show a bar; or what importance sampling tells in its place.
    coordinates :
        For `chart.chart`.

    Raises
    ------
    MissingExtraError
        NUTS is needed, and nutpie or numba is not installed.
    FitError
        Importance sampling was asked for and is not sound.

    Notes
    -----
    An interrupt (Ctrl-C, or the stop button of a notebook) ends a run of NUTS and keeps the draws
    that every chain has by then; of importance sampling nothing is kept.
    """
    _check(chains, tune, draws, target_accept, method)
    if method == "nuts":
        require_extra()
    settings = {
        "chains": chains, "tune": tune, "draws": draws, "seed": _whole(seed), "cores": cores,
        "progress": progress, **coordinates,
    }  # fmt: skip
    found = resolve(priors, design, family)
    if method == "nuts":
        return nuts.sample(design, family, found, target_accept=target_accept, **settings)
    from . import importance

    drawn = importance.sample(design, family, found, **settings)
    if isinstance(drawn, Draws):
        return drawn
    doubt = f"importance sampling is not sound here: {drawn}"
    if method == "importance":
        raise FitError(f"{doubt}; take method='nuts', or give the parameters tighter priors")
    require_extra(doubt)
    chained = nuts.sample(design, family, found, target_accept=target_accept, **settings)
    return replace(chained, reason=doubt)


def _missing() -> list[str]:
    """The packages of NUTS that are not installed."""
    return [name for name in ("nutpie", "numba", "arviz") if find_spec(name) is None]


def require_extra(doubt: str = "") -> None:
    """Raise unless the packages of NUTS are there; `doubt` is why it is needed."""
    if missing := _missing():
        raise MissingExtraError(
            f"{doubt + '; ' if doubt else ''}{'NUTS' if doubt else 'sampling'} needs "
            f"{' and '.join(missing)}; "
            f"{how_to_get('hierwidgets[bayes]')}"
        )


def _check(chains: int, tune: int, draws: int, target_accept: float | None, method: object) -> None:
    if method not in METHODS:
        raise DataError(f"method={method!r}; choose one of {list(METHODS)}")
    for name, value, least in (("chains", chains, 1), ("tune", tune, 50), ("draws", draws, 4)):
        check_whole(value, name, least)
    if target_accept is not None and not 0.5 <= target_accept < 1:
        raise DataError(f"target_accept={target_accept!r}: give a number from 0.5 to below 1")
    if target_accept is not None and method == "importance":
        raise DataError("target_accept is of NUTS alone: leave it out, or take method='nuts'")


def _whole(seed: Any) -> int:
    if seed is None:
        return int(np.random.SeedSequence().entropy % 2**63)  # type: ignore[operator]
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63:
        raise DataError(f"seed={seed!r}: give a whole number from 0 to 2**63 - 1, or None")
    return int(seed)


# --- draws from the prior -----------------------------------------------------------------


def sample_prior(
    design: Design, family: Family, priors: Priors, draws: int, seed: int | None
) -> Draws:
    """Independent draws of parameters and effects from the prior, as one chain.

    Raises
    ------
    DataError
        A prior is flat, so that there is nothing to draw from.
    """
    check_whole(draws, "draws", 4)
    found = resolve(priors, design, family)
    vague = [name for name, prior in found.named(design) if not prior.proper]
    if vague:
        raise DataError(
            f"the prior of {', '.join(vague)} is flat and cannot be drawn from; pass for example "
            "priors=Priors(coefficients='normal(0, 2.5)')"
        )
    seed = _whole(seed)
    rng = np.random.default_rng(seed)
    beta = np.column_stack(
        [np.zeros((draws, 0)), *[p.sample(rng, draws)[:, None] for p in found.coefficients]]
    )
    if found.intercept is not None:
        slopes = np.delete(np.arange(beta.shape[1]), found.intercept)
        beta[:, found.intercept] -= beta[:, slopes] @ found.centre[slopes]
    factors, effects = [], []
    for t, term in enumerate(design.terms):
        F = np.zeros((draws, term.k, term.k))
        for block, eta in zip(term.blocks, found.corrs[t], strict=True):
            sds = [found.sds[t][i].sample(rng, draws, positive=True) for i in block]
            index = np.array(block)
            F[:, index[:, None], index] = np.stack(sds, 1)[:, :, None] * _lkj(
                rng, draws, len(block), eta
            )
        factors.append(F)
        effects.append(rng.standard_normal((draws, term.J, term.k)) @ F.transpose(0, 2, 1))
    sigma = np.ones(draws) if found.sigma is None else found.sigma.sample(rng, draws, True)
    return Draws(
        single(beta[None]), tuple(single(F[None]) for F in factors), single(sigma[None]),
        tuple(single(b[None]) for b in effects), None, seed,
        np.zeros((1, draws), bool), np.zeros((1, draws), np.int64), np.zeros((1, draws)),
        0.0, False,
    )  # fmt: skip


def _lkj(rng: np.random.Generator, size: int, k: int, eta: float) -> Array:
    """Cholesky factors (size, k, k) of correlation matrices from LKJ(eta), whose partial
    correlations are independent and beta distributed (Lewandowski et al. 2009, section 2.4)."""
    L = np.zeros((size, k, k))
    L[:, 0, 0] = 1.0
    for i in range(1, k):
        rest = np.ones(size)
        for j in range(i):
            a = eta + (k - j - 2) / 2
            w = 2.0 * rng.beta(a, a, size) - 1.0
            L[:, i, j] = w * np.sqrt(rest)
            rest *= 1.0 - w**2
        L[:, i, i] = np.sqrt(rest)
    return L
