"""What a reader of a posterior may look at: its parameters, and probabilities made of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.effects.contrasts import is_numeric, levels_of, used_columns
from hierwidgets.errors import HierwidgetsError
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.posterior.record import flat
from hierwidgets.sampling.priors import Priors, resolve
from hierwidgets.sampling.sampler import sample_prior
from hierwidgets.spec import rows
from hierwidgets.spec.design import Design, NewRows
from hierwidgets.spec.parameters import Parameter, parameters
from hierwidgets.widgets.numbers.words import abbreviated, rate_name, shorter

__all__ = [
    "Quantity",
    "changes",
    "first_level",
    "in_level",
    "of_parameters",
    "outcome_name",
    "prior_draws",
]

PRIOR_DRAWS = 2000
ENDS = (0.1, 0.9)  # of a predictor: the two quantiles compared
MENU = 26  # characters of a menu's options in the narrowest column of controls
MOST_LEVELS = 4  # of a predictor with levels, for each of which the change is told


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number at each draw.

    Attributes
    ----------
    name : str
    bounds : (float, float)
        What it can be, infinite where there is no bound.
    of : function
        Of a posterior, its draws (S,).
    parameter : Parameter or None
        That it is.
    short : str
        The name in a narrow menu.
    """

    name: str
    bounds: tuple[float, float]
    of: Callable[[Posterior], Array]
    parameter: Parameter | None = None
    short: str = ""

    @property
    def positive(self) -> bool:
        """Whether a prior of it is the part above 0."""
        return self.bounds[0] == 0.0


def of_parameters(post: Posterior) -> list[Quantity]:
    """Every parameter of the model, in the order of a summary."""
    reach = {"sd": (0.0, np.inf), "sigma": (0.0, np.inf), "corr": (-1.0, 1.0)}

    def made(place: int, one: Parameter) -> Quantity:
        bounds = reach.get(one.kind, (-np.inf, np.inf))
        short = abbreviated(one.name, MENU)
        return Quantity(one.name, bounds, lambda p: flat(p.parameters)[:, place], one, short)

    found = parameters(post.design, post.family)
    return [made(place, one) for place, one in enumerate(found)]


def outcome_name(post: Posterior) -> str:
    """What is expected: a probability, or the mean of the outcome."""
    if post.family.name == "binomial":
        return rate_name(post)
    return f"expected {post.design.formula.response}"


def first_level(post: Posterior) -> object | None:
    """The level of the first group that is far from the others and little known, so that priors
    matter to it most; None where draws have no effects."""
    if any(np.isnan(b).any() for b in post.draws.effects):
        return None
    effect = flat(post.draws.effects[0])[:, :, 0]
    level: object = post.design.terms[0].levels[
        int(np.argmax(np.abs(effect.mean(axis=0)) * effect.std(axis=0)))
    ]
    return level


def in_level(post: Posterior, level: object) -> Quantity:
    """The expected outcome of the people of one level of the first group, on average.

    Group effects count of every term that has one level there, as a district's election.
    """
    design = post.design
    term = design.terms[0]
    own = np.flatnonzero(term.codes == list(term.levels).index(level))
    people = np.bincount(design.rows, minlength=len(design.y))[own]
    codes = tuple(t.codes[own] for t in design.terms)
    kept = [np.full(t.k, len(set(c)) == 1) for t, c in zip(design.terms, codes, strict=True)]
    new = NewRows(
        design.X[own], design.offset[own], codes, tuple(t.Z[own] for t in design.terms)
    )  # fmt: skip

    def average(draws: Posterior) -> Array:
        seen = tuple(np.minimum(c, t.J - 1) for c, t in zip(codes, draws.design.terms, strict=True))
        mean = _expected(draws, replace(new, codes=seen), kept)
        return np.asarray(people @ mean / people.sum())

    name = f"{outcome_name(post)} in {level}"
    return Quantity(name, _outcome_bounds(post), average)


def changes(post: Posterior) -> list[Quantity]:
    """By how much the expected outcome changes with each predictor, in a group without effect.

    From the predictor's 10 % to its 90 % quantile, other numbers at their median; for each level
    of a predictor with a few levels.
    """
    design = post.design
    used = sorted(used_columns(design))
    numbers = [name for name in used if is_numeric(design, name)]
    typical = {
        name: design.data[name].median() if name in numbers else design.data[name].mode()[0]
        for name in used
    }
    split = [n for n in used if n not in numbers and len(levels_of(design.data[n])) <= MOST_LEVELS]
    found = []
    for name in (n for n in numbers if design.data[n].nunique() > 2):
        if not split:
            found.append(_change(post, name, typical, ""))
        for other in split[:1]:
            for level in levels_of(design.data[other]):
                found.append(_change(post, name, typical | {other: level}, f", {level}"))
    return [one for one in found if one is not None]


def _change(post: Posterior, name: str, typical: dict[str, Any], where: str) -> Quantity | None:
    design = post.design
    low, high = (float(f"{v:.2g}") for v in design.data[name].quantile(list(ENDS)))
    frame = design.data.iloc[[0, 0]].reset_index(drop=True).assign(**typical)
    frame[name] = [low, high]
    kept = rows.kept_columns(design, "~0")
    try:
        new = rows.rows_of(design, frame, kept, "population")
    except HierwidgetsError:  # an offset without a column
        return None

    def change(draws: Posterior) -> Array:
        mean = _expected(draws, new, kept)
        return np.asarray(mean[1] - mean[0])

    most = 1.0 if post.family.name == "binomial" else np.inf
    text = f"change in {outcome_name(post)}, {shorter(name, 30)} {low:g} to {high:g}{where}"
    short = f"change by {shorter(name, 12)}{where}"
    return Quantity(text, (-most, most), change, short=short)


def _expected(post: Posterior, new: NewRows, kept: list[NDArray[np.bool_]]) -> Array:
    eta = post.predictor(new, post.design.data, kept, "population")
    return np.asarray(post.family.link.inverse(eta)[0])


def _outcome_bounds(post: Posterior) -> tuple[float, float]:
    low = -np.inf if post.family.name == "gaussian" else 0.0
    return low, 1.0 if post.family.name == "binomial" else np.inf


def prior_draws(post: Posterior, priors: Priors) -> Posterior | None:
    """Draws from the prior, of one level of each group; None where some prior is flat."""
    design = _one_level_each(post.design)
    if not all(p.proper for _, p in resolve(priors, design, post.family).named(design)):
        return None
    drawn = sample_prior(design, post.family, priors, PRIOR_DRAWS, 1)
    return Posterior(design, post.family, priors, drawn, "prior")


def _one_level_each(design: Design) -> Design:
    return replace(design, terms=tuple(replace(t, levels=t.levels[:1]) for t in design.terms))
