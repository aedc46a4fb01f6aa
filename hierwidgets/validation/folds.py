"""Cross-validation by the log score: how well models predict what they have not seen.

The log score of an observation is ``log p(y | the rest)``, the log of the probability that the
model gave to what then happened (Good 1952, J. R. Stat. Soc. B 14(1); Gneiting & Raftery 2007,
J. Am. Stat. Assoc. 102(477)). Zero is perfect; higher is better.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array, Index
from hierwidgets.base.checks import Seed, check_seed
from hierwidgets.base.executors import LostError, check_executor, progress_bar, work
from hierwidgets.errors import DataError, FitError, HierwidgetsError
from hierwidgets.fit.fit import Fit, maximize
from hierwidgets.likelihood import estimate
from hierwidgets.likelihood.density import linear_predictor as own_predictor
from hierwidgets.likelihood.prediction import new_effect_variance
from hierwidgets.model import Model
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.sampling.priors import Priors
from hierwidgets.sampling.settings import settings
from hierwidgets.spec import design as designs
from hierwidgets.spec import families, formula
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family
from hierwidgets.spec.responses import observed, observed_trials
from hierwidgets.spec.rows import linear_predictor

from .division import Division, divide, row_weights
from .result import CrossValidation, report
from .scores import Observations, log_score, sampled_score

__all__ = ["cross_validate"]

# of the rows left and those held out: the log scores of the latter, and doubts about them
Score = Callable[[Index, Index], tuple[Array, list[str]]]

_BASELINES = ("no pooling", "complete pooling")


def cross_validate(
    models: Mapping[str, "str | Model | Fit | Posterior"],
    data: pd.DataFrame,
    folds: "int | str | Sequence[Any] | pd.Series[Any]" = 10,
    by: str | None = None,
    seed: Seed = None,
    *,
    weights: "str | Sequence[float] | pd.Series[float] | None" = None,
    family: str = "binomial",
    link: str | None = None,
    event: object | None = None,
    n_agq: int = 1,
    group: str | None = None,
    new_levels: str = "sample",
    cluster: str | None = None,
    sampling: Mapping[str, Any] | None = None,
    executor: Executor | None = None,
    progress: bool = True,
) -> CrossValidation:
    """Mean log score of held-out observations, for several models on the same folds.

    Parameters
    ----------
    models :
        Names and models: a formula; a `Model` or `Fit` (its formula, family, event and n_agq are
        taken, its data are not); a `Posterior`, which is sampled again for every fold with its
        priors; "no pooling", which predicts ``(events + 1/2) / (n + 1)`` of the
        level's other rows; or "complete pooling", the overall rate. A formula without a group
        term is an ordinary regression.
    data :
        One row per observation.
    folds :
        Parts of about equal size; each is held out once. As many as there are rows or, with
        `by`, levels leaves out one at a time. Or folds of your own: a column name, or a label
        for each row (a Series by its index), the rows of one label being held out together.
    by :
        None holds out rows; a column name holds out whole groups, all rows of a level at once.
    seed :
        Of the division into folds.
    weights :
        Prior weights of all models, larger than 0: a column name, or one for each row. As in
        `glmer`, a row of weight w counts as w rows, where a model is fitted and in every mean
        and sum of scores; as in `lmer`, it divides the residual variance of a Gaussian outcome,
        whose score is that of one outcome of that variance.
    family, link, event, n_agq :
        Of the models given as formulas, as in `glmer`.
    group :
        The grouping factor of "no pooling"; None for that of the formulas.
    new_levels :
        For a level that is not among the rows left: "sample" averages the probability over the
        distribution of its unknown effect; "population" takes the effect to be 0. The effect of
        a level that is there is taken at its conditional mode, or averaged over the draws.
    cluster :
        A column whose levels are the units of the standard errors, such as the district of a
        respondent, where scores of one level hang together (Liang & Zeger 1986, Biometrika
        73(1)). None for the units that are held out: rows, or the levels of `by`.
    sampling :
        Arguments of `Model.sample` for posteriors; unless told, ``method="auto"``, which draws at
        once where it is sound, and 4 chains of 500 draws after 500 of tuning.
    executor :
        Any `concurrent.futures.Executor`: of processes, threads, or of a Dask cluster
        (``client.get_executor()``); each model and fold is a task. None computes here. The
        result does not depend on it. It is not shut down.
    progress :
        Whether to show a progress bar.

    Returns
    -------
    CrossValidation
        Its ``table`` has the standard error of each difference, from the paired differences of
        the observations (of the groups' sums, with `by` or `cluster`).

    Raises
    ------
    DataError
        An argument is not what it should be; a model has another response.
    FitError
        A model cannot be fitted to the rows left, or cannot predict those held out; the
        executor failed.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> models = {"no": "no pooling", "complete": "complete pooling",
    ...           "partial": "contacted ~ (1 | district_id)"}
    >>> found = hw.cross_validate(models, hw.load("uk"), folds=5, seed=1, event="Contacted",
    ...                           progress=False)
    >>> found.table["log_score"].round(2).to_dict()
    {'partial': -0.62, 'complete': -0.63, 'no': -0.67}
    """
    if new_levels not in ("sample", "population"):
        raise DataError(f"new_levels={new_levels!r}; choose 'sample' or 'population'")
    frame = designs.as_frame(data)
    how = settings(
        sampling, "the seed is that of cross_validate, the priors those of the posterior"
    )
    check_executor(executor)
    given = row_weights(frame, weights)
    specs = _specs(models, family, link, event, n_agq, given is not None)
    seen, first = _outcomes(specs, frame, given)
    rng = check_seed(seed)
    division = divide(frame, folds, by, rng, cluster)
    root = int(rng.integers(2**31))  # of the draws
    if len(frame) != len(seen.y):
        raise DataError("the data have rows a model leaves out; drop them first")
    scores: dict[str, Score] = {}
    for name, spec in specs.items():
        if isinstance(spec, str):
            scores[name] = _baseline(spec, first, specs, seen, group)
        elif spec.priors is not None:
            scores[name] = partial(_posterior_score, spec, spec.priors, seen, new_levels, root, how)
        else:
            scores[name] = partial(_model_score, spec, seen, new_levels)
    found, doubts = _run(scores, division, executor, progress)
    counts = None if first.family.name == "gaussian" else given
    result = report(found, division, counts, frame.index, doubts)
    return result if given is None else replace(result, scores=result.scores.assign(weight=given))


# --- what is compared ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spec:
    """What to fit to each part of the data."""

    text: str
    family: Family
    event: Any
    n_agq: int = 1
    reml: bool = True
    offset: str | None = None
    priors: Priors | None = None  # of a posterior
    collinear: str = "raise"


def _specs(
    models: Mapping[str, Any],
    family: str,
    link: str | None,
    event: Any,
    n_agq: int,
    weighted: bool,
) -> dict[str, Spec | str]:
    if not isinstance(models, Mapping) or not models:
        raise DataError(
            "models must be a dictionary of names and formulas, such as "
            "{'partial': 'y ~ (1 | g)', 'complete': 'complete pooling'}"
        )
    chosen = families.family(family, link)
    out: dict[str, Spec | str] = {}
    for name, model in models.items():
        if isinstance(model, str):
            out[name] = model if model in _BASELINES else Spec(model, chosen, event, n_agq)
        elif isinstance(model, (Model, Fit, Posterior)):
            out[name] = _from_model(name, model, weighted)
        else:
            raise DataError(
                f"model {name!r} is a {type(model).__name__}; give a formula, a Model, a Fit, a "
                f"Posterior, or one of {list(_BASELINES)}"
            )
    return out


def _from_model(name: str, model: Model | Fit | Posterior, weighted: bool) -> Spec:
    design = model.design
    if design.offset_column is None and bool(np.any(design.offset)):
        raise DataError(
            f"model {name!r} has an offset that is not a column, which cannot be divided into "
            "folds; make it a column of the data"
        )
    if not weighted and not (design.weights == 1).all():
        raise DataError(
            f"model {name!r} has prior weights; give those of the data, for all models, with "
            "weights=..."
        )
    n_agq, reml = (model.n_agq, model.reml) if isinstance(model, Fit) else (1, True)
    priors = model.priors if isinstance(model, Posterior) else None
    return Spec(
        design.formula.text,
        model.family,
        design.event,
        n_agq,
        reml,
        design.offset_column,
        priors,
        design.collinear,
    )


def _build(spec: Spec, frame: pd.DataFrame, weights: Array | None) -> Design:
    return designs.build(
        formula.parse(spec.text),
        frame,
        spec.family,
        event=spec.event,
        weights=None if weights is None else weights.tolist(),
        offset=spec.offset,
        collinear=spec.collinear,
    )


def _outcomes(
    specs: Mapping[str, Spec | str], frame: pd.DataFrame, weights: Array | None
) -> tuple[Observations, Spec]:
    """The rows with what was observed, and the first model with a formula."""
    own = {name: spec for name, spec in specs.items() if isinstance(spec, Spec)}
    if not own:
        raise DataError("give at least one formula; from a baseline the response is not known")
    first_name, first = next(iter(own.items()))
    design = _build(first, frame, weights)
    seen = Observations(frame, observed(design, first.family), observed_trials(design), weights)
    for name, spec in own.items():
        other = _build(spec, frame, weights)
        if spec.family.name != first.family.name or not np.array_equal(
            observed(other, spec.family), seen.y
        ):
            raise DataError(
                f"models {first_name!r} and {name!r} have different responses or families; log "
                "scores of the same outcomes alone can be compared"
            )
    return seen, first


# --- log scores ---------------------------------------------------------------------------


def _model_score(
    spec: Spec, seen: Observations, new_levels: str, train: Index, test: Index
) -> tuple[Array, list[str]]:
    left, held = seen.take(train), seen.take(test)
    design = _build(spec, left.frame, left.weights)
    if design.terms:
        fit = maximize(design, spec.family, spec.n_agq, spec.reml)
        new = design.apply(held.frame)
        eta, sigma = linear_predictor(new, fit.beta, fit.modes.b), fit.sigma
        variance = sigma**2 * new_effect_variance(design, new, fit.theta)
    else:
        beta, sigma = _regression(design, spec.family)
        new = design.apply(held.frame)
        eta, variance = new.X @ beta + new.offset, np.zeros(len(test))
    if new_levels == "population":
        variance = np.zeros(len(test))
    own = held.residual_sd(spec.family, sigma)
    return log_score(spec.family, held.y, held.trials, eta, variance, own), []


def _posterior_score(
    spec: Spec, priors: Priors, seen: Observations, new_levels: str, seed: int,
    how: Mapping[str, Any], train: Index, test: Index,
) -> tuple[Array, list[str]]:  # fmt: skip
    left = seen.take(train)
    design = _build(spec, left.frame, left.weights)
    own = seed + int(test[0])  # the same whatever else is compared
    return sampled_score(design, spec.family, priors, seen.take(test), new_levels, own, how)


def _regression(design: Design, family: Family) -> tuple[Array, float]:
    """Coefficients and residual sd of a model without group effects."""
    beta = estimate.fixed_only(design, family)
    if family.name != "gaussian":
        return beta, 1.0
    residual = design.y - own_predictor(design, beta, [])
    squares = float(design.trials @ residual**2)
    return beta, float(np.sqrt(squares / (len(design.y) - len(beta))))


def _baseline(
    which: str,
    first: Spec,
    specs: Mapping[str, Spec | str],
    seen: Observations,
    group: str | None,
) -> Score:
    if first.family.name != "binomial":
        raise DataError(
            f"{which!r} is for a binary response; write a formula such as "
            f"'{formula.parse(first.text).response} ~ 1' instead"
        )
    codes, smooth = np.zeros(len(seen.y), np.intp), 0.0
    if which == "no pooling":
        level = seen.frame[_group_of(specs, seen.frame, group)]
        codes, smooth = pd.factorize(level)[0].astype(np.intp), 0.5
    size = int(np.max(codes)) + 1
    counts = np.ones(len(seen.y)) if seen.weights is None else seen.weights

    return partial(_baseline_score, first.family, seen, counts, codes, size, smooth)


def _baseline_score(
    family: Family, seen: Observations, counts: Array, codes: Index, size: int, smooth: float,
    train: Index, test: Index,
) -> tuple[Array, list[str]]:  # fmt: skip
    w = counts[train]
    events = np.bincount(codes[train], w * seen.y[train], minlength=size)
    total = np.bincount(codes[train], w * seen.trials[train], minlength=size)
    rate = ((events + smooth) / (total + 2 * smooth))[codes[test]]
    with np.errstate(divide="ignore"):
        log_p, log_q = np.log(rate), np.log1p(-rate)
    held = seen.take(test)
    yes, no = held.y, held.trials - held.y
    kernel = np.where(yes > 0, yes * log_p, 0.0) + np.where(no > 0, no * log_q, 0.0)
    return kernel + family.counting(yes, held.trials), []


def _group_of(specs: Mapping[str, Spec | str], frame: pd.DataFrame, group: str | None) -> str:
    if group is not None:
        if group not in frame.columns:
            raise DataError(f"group={group!r} is not a column; columns are {list(frame.columns)}")
        return group
    found = {
        bar.group
        for spec in specs.values()
        if isinstance(spec, Spec)
        for bar in formula.parse(spec.text).bars
    }
    if len(found) != 1 or not found <= set(frame.columns):
        raise DataError(
            f"'no pooling' needs one grouping factor, and the formulas have {sorted(found)}; name "
            "it with group=..."
        )
    return found.pop()


# --- running ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A model and a fold: what one task is about."""

    name: str
    label: str
    score: Score
    train: Index
    test: Index


def perform(part: Part) -> list[tuple[Array, list[str]] | str]:
    """The log scores of the rows held out, with doubts; or why there are none."""
    try:
        return [part.score(part.train, part.test)]
    except HierwidgetsError as error:
        return [str(error)]


def _run(
    scores: Mapping[str, Score], division: Division, executor: Executor | None, progress: bool
) -> tuple[pd.DataFrame, list[str]]:
    """The log score of every observation, and all doubts, those of the first fold first."""
    fold, labels = division.fold, division.labels
    out = {name: np.full(len(fold), np.nan) for name in scores}
    doubts: dict[tuple[str, str], list[str]] = {}

    def parts() -> Iterator[Part]:
        for k, label in enumerate(labels):
            train, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            yield from (Part(name, str(label), scores[name], train, test) for name in scores)

    try:
        with (
            progress_bar("cross-validation", len(labels) * len(scores), progress) as show,
            closing(work(perform, parts(), executor)) as steps,
        ):
            for part, (found,) in (one for more in steps for one in more):
                if isinstance(found, str):
                    raise FitError(f"model {part.name!r}, fold {part.label}: {found}")
                out[part.name][part.test], doubts[part.label, part.name] = found
                show(1)
    except LostError as error:
        raise FitError(
            f"the executor failed ({error}); check that it is open and that its workers have "
            "hierwidgets, or use executor=None"
        ) from error
    order = [(str(label), name) for label in labels for name in scores]
    return pd.DataFrame(out), [text for one in order for text in doubts[one]]
