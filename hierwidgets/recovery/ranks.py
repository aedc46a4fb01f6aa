"""One repetition of a calibration: a truth from the prior, data from it, its rank among draws.

Everything here can be sent to another process: functions at the top of a module, frozen
records of numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hierwidgets.base.arrays import Array, Index
from hierwidgets.errors import DataError, FitError, MissingExtraError
from hierwidgets.likelihood import simulation
from hierwidgets.posterior.loo import loglik
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.posterior.record import flat
from hierwidgets.sampling import sampler
from hierwidgets.sampling.draws import Draws
from hierwidgets.sampling.priors import Priors
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family
from hierwidgets.spec.responses import with_response

__all__ = ["LOGLIK", "RankPlan", "RankRecord", "ranked"]

LOGLIK = "log-likelihood"


@dataclass(frozen=True, slots=True)
class RankPlan:
    """What the repetitions have in common.

    Attributes
    ----------
    design, family : Design, Family
    priors : Priors
        None of them depends on the response.
    kept : int
        Draws that a truth is ranked among.
    settings : mapping
        Of the sampler.
    """

    design: Design
    family: Family
    priors: Priors
    kept: int
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RankRecord:
    """What came of one repetition.

    Attributes
    ----------
    truth : (m,)
        The parameters, and the log-likelihood there; nan where data could not be drawn.
    rank : (m,) int
        How many of the kept draws lie below the truth; -1 where there are none.
    effective : float
        Independent draws that those of the worst parameter are worth, before thinning.
    method : str
        "importance" or "nuts".
    failure : str
        Why there are no draws; empty if there are.
    """

    truth: Array
    rank: Index
    effective: float
    method: str
    failure: str


def ranked(plan: RankPlan, seeds: Sequence[np.random.SeedSequence]) -> list[RankRecord]:
    """The repetitions of `seeds`, each from its own stream."""
    return [_once(plan, seed) for seed in seeds]


def _once(plan: RankPlan, seed: np.random.SeedSequence) -> RankRecord:
    """One repetition; what cannot be sampled is recorded, not raised."""
    prior_seed, response_seed, own_seed, tie_seed = seed.generate_state(4, np.uint32).tolist()
    drawn = sampler.sample_prior(plan.design, plan.family, plan.priors, 4, prior_seed)
    prior = Posterior(plan.design, plan.family, plan.priors, drawn, "prior")
    truth = np.append(prior.parameters[0, 0], np.nan)
    failed = np.full(len(truth), -1)
    try:
        again = _with_data(plan, drawn, response_seed)
        truth[-1] = loglik(again, plan.family, drawn)[0]
    except DataError as error:  # a linear predictor out of all range
        return RankRecord(truth, failed, np.nan, "", str(error))
    try:
        found = sampler.sample(
            again, plan.family, plan.priors, seed=own_seed, progress=False, **plan.settings
        )
        if found.interrupted:
            raise KeyboardInterrupt
        post = Posterior(again, plan.family, plan.priors, found)
        effective = float(post.summary()[["ess_bulk", "ess_tail"]].to_numpy().min())
    except (FitError, MissingExtraError) as error:
        return RankRecord(truth, failed, np.nan, "", str(error))
    rank = _rank(truth, _thinned(post, plan.kept), np.random.default_rng(tie_seed))
    return RankRecord(truth, rank, effective, post.method, "")


def _with_data(plan: RankPlan, drawn: Draws, seed: int) -> Design:
    """The design with a response from the first of the draws."""
    beta, sigma = drawn.beta[0, 0], float(drawn.sigma[0, 0])
    effects = [b[0, 0] for b in drawn.effects]
    start = plan.design.template.start()
    made = simulation.draws(plan.design, plan.family, start, beta, sigma, 1, seed, effects)
    return with_response(plan.design, plan.family, next(made))


def _thinned(post: Posterior, kept: int) -> Array:
    """Evenly spaced draws of the parameters and of the log-likelihood, (kept, m)."""
    each = loglik(post.design, post.family, post.draws)
    values = np.column_stack([flat(post.parameters), each])
    return values[:: len(values) // kept][:kept]


def _rank(truth: Array, values: Array, rng: np.random.Generator) -> Index:
    """How many values (S, m) lie below the truth (m,); equal ones count by lot."""
    below, equal = (values < truth).sum(axis=0), (values == truth).sum(axis=0)
    return np.asarray(below + rng.integers(0, equal + 1), dtype=np.intp)
