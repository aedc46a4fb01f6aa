"""Predictions of a posterior, draw by draw; `Posterior.predict` says what of."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array, Index
from hierwidgets.sampling.effects import single_effects
from hierwidgets.spec import rows
from hierwidgets.spec.design import NewRows
from hierwidgets.spec.predictions import Prepared, Request, prepare

from .record import PosteriorRecord, described, flat

__all__ = ["predict", "predictor"]

_CHUNK = 4_000_000  # numbers of one block of predictions
_END_OF_GROUP, _END_OF_NAME, _OBSERVATION = 256, 257, 258  # no byte of text is one of them


def predictor(
    post: PosteriorRecord,
    new: NewRows,
    frame: pd.DataFrame,
    kept: list[NDArray[np.bool_]],
    new_levels: str,
    seed: int,
    pick: slice,
) -> Array:
    """Draws of the linear predictor of the rows `new` of `frame`, (rows, draws picked)."""
    eta = new.X @ flat(post.draws.beta)[pick].T + new.offset[:, None]
    for t, term in enumerate(post.design.terms):
        if not kept[t].any():
            continue
        b, codes = flat(single_effects(post.draws.effects, t))[pick], new.codes[t]
        known = codes >= 0
        for i in np.flatnonzero(kept[t]):
            eta[known] += new.Z[t][known, i, None] * b[:, codes[known], i].T
        if new_levels == "sample" and not known.all():
            names = rows.labels(frame[~known], term.factors)
            drawn = _unseen(term.group, names, flat(post.draws.factors[t]), seed, pick)
            for name, effect in drawn.items():
                own = np.flatnonzero(~known)[names == name]
                eta[own] += new.Z[t][own] @ effect.T
    return eta


def _unseen(
    group: str, names: NDArray[np.object_], factors: Array, seed: int, pick: slice
) -> dict[str, Array]:
    """Effects (S, k) of each unseen level of a group, at the draws of `pick`.

    A level's stream depends on its group and its name, and runs over all draws: it has one
    effect in every call, row and block of rows or draws, and another than its namesake elsewhere.
    """
    effects = {}
    for name in dict.fromkeys(names):
        stream = [seed, *group.encode(), _END_OF_GROUP, *name.encode(), _END_OF_NAME]
        u = np.random.default_rng(stream).standard_normal(factors.shape[:2])
        effects[name] = np.einsum("skl,sl->sk", factors[pick], u[pick])
    return effects


def predict(
    post: PosteriorRecord, newdata: pd.DataFrame | None, request: Request, seed: int
) -> pd.DataFrame:
    """The table of `Posterior.predict`."""
    prepared = prepare(post.design, post.family, newdata, request)
    if prepared.new is None:
        return prepared.beside({name: np.ones(0) for name in request.columns})
    first, where = _distinct(post, prepared, prepared.new, request.new_levels)
    parts = []
    step = max(1, _CHUNK // post.draws.sigma.size)
    for a in range(0, len(first), step):
        part = first[a : a + step]
        eta = predictor(
            post, prepared.new.take(part), prepared.rows.iloc[part], prepared.kept,
            request.new_levels, seed, slice(None),
        )  # fmt: skip
        parts.append(_columns(post, eta, prepared.size[part], request, seed))
    joined = {name: np.concatenate([p[name] for p in parts])[where] for name in request.columns}
    return prepared.beside(joined)


def _columns(
    post: PosteriorRecord, eta: Array, size: Array, request: Request, seed: int
) -> dict[str, Array]:
    """The answers of some rows, from their draws of the linear predictor (rows, S)."""
    mu = eta if request.scale == "link" else post.family.link.inverse(eta)[0]
    if request.interval_of == "mean":
        return described(mu, request.interval, "median")
    expected = mu if post.family.name == "gaussian" else mu * size[:, None]
    spread = described(_observations(post, mu, size, seed), request.interval, "median")
    return spread | {"estimate": np.median(expected, axis=1)}


def _observations(post: PosteriorRecord, mu: Array, size: Array, seed: int) -> Array:
    """A new observation at each draw (rows, S); the same random numbers serve every row."""
    out = np.empty_like(mu)
    sigma = post.draws.sigma.reshape(-1)
    for i, (mean, own) in enumerate(zip(mu, size, strict=True)):
        rng = np.random.default_rng([seed, _OBSERVATION])
        if post.family.name == "gaussian":
            with np.errstate(divide="ignore"):
                out[i] = mean + sigma / np.sqrt(own) * rng.standard_normal(len(mean))
        else:
            out[i] = post.family.sample(rng, mean, np.full(len(mean), own))
    return out


def _distinct(
    post: PosteriorRecord, prepared: Prepared, new: NewRows, new_levels: str
) -> tuple[Index, Index]:
    """The first of each kind of row, and the kind of each row."""
    keys = [new.X, new.offset[:, None], prepared.size[:, None], *[c[:, None] for c in new.codes]]
    keys += new.Z
    if new_levels == "sample":
        frame = prepared.rows
        for term, codes in zip(post.design.terms, new.codes, strict=True):
            if (codes < 0).any() and set(term.factors) <= set(frame.columns):
                keys.append(pd.factorize(rows.labels(frame, term.factors))[0][:, None])
    _, first, where = np.unique(np.hstack(keys), axis=0, return_index=True, return_inverse=True)
    return first.astype(np.intp), where.reshape(-1)
