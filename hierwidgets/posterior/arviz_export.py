"""Draws in the hands of ArviZ, of either generation (0.x, 1.x)."""

import warnings
from typing import Any

import numpy as np

from hierwidgets.base.platform import how_to_get
from hierwidgets.errors import DataError, MissingExtraError
from hierwidgets.spec.responses import observed

from .record import PosteriorRecord

__all__ = ["to_arviz"]


def to_arviz(post: PosteriorRecord) -> Any:
    """The draws as ArviZ data: an ``InferenceData`` (arviz 0.x) or a ``DataTree`` (1.x).

    Groups: ``posterior`` (or ``prior``) with one variable for each parameter, named as in
    `Posterior.summary`, and one for each group's effects, ``"effects district_id"`` with
    dimensions level and term; ``sample_stats``: diverging, tree_depth, energy;
    ``observed_data``.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> model = hw.Model("contacted ~ (1 | district_id)", hw.load("finland"), "binomial",
    ...                  event="Contacted")
    >>> found = hw.to_arviz(model.sample_prior(draws=20, seed=1))
    >>> found["prior"]["sd Intercept | district_id"].shape
    (1, 20)
    """
    if not isinstance(post, PosteriorRecord):
        raise DataError(f"the argument must be a posterior; a {type(post).__name__} was given")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            import arviz
    except ImportError:
        raise MissingExtraError(f"to_arviz needs arviz; {how_to_get('arviz')}") from None
    groups, coords, dims = _groups(post)
    if arviz.__version__.startswith("0."):
        return arviz.from_dict(**groups, coords=coords, dims=dims)
    return arviz.from_dict(groups, coords=coords, dims=dims)


def _groups(post: PosteriorRecord) -> tuple[dict[str, Any], dict[str, Any], dict[str, list[str]]]:
    draws, response = post.draws, post.design.formula.response
    values = post.parameters
    variables = {name: values[..., i] for i, name in enumerate(post.names)}
    coords: dict[str, Any] = {"observation": np.arange(post.nobs)}
    dims = {response: ["observation"]}
    for term, b in zip(post.design.terms, draws.effects, strict=True):
        name = f"effects {term.group}"
        variables[name] = b
        dims[name] = [f"{term.group}_level", f"{term.group}_term"]
        coords[dims[name][0]] = list(map(str, term.levels))
        coords[dims[name][1]] = list(term.names)
    groups: dict[str, Any] = {post.kind: variables}
    if post.kind == "posterior":
        groups["sample_stats"] = {
            "diverging": draws.divergent, "tree_depth": draws.depth, "energy": draws.energy,
        }  # fmt: skip
    groups["observed_data"] = {response: observed(post.design, post.family)}
    return groups, coords, dims
