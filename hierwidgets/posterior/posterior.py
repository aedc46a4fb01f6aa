"""What draws from a posterior say: a frozen record, with the methods that a `Fit` has."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.base.checks import Seed, check_level, check_names, check_whole
from hierwidgets.errors import DataError
from hierwidgets.sampling.priors import Priors
from hierwidgets.spec import rows
from hierwidgets.spec.design import NewRows
from hierwidgets.spec.frames import as_frame
from hierwidgets.spec.predictions import Request

from . import convergence, files, loo, prediction, replication
from .record import PosteriorRecord, described
from .weights import judge_pool, of_pool

__all__ = ["Posterior", "load_posterior"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Posterior(PosteriorRecord):
    """Draws from the posterior (or the prior) of a hierarchical model.

    Attributes
    ----------
    design, family : Design, Family
    priors : Priors
    draws : Draws
        Parameters and group effects, (chains, draws, ...).
    kind : str
        "posterior" or "prior".

    Examples
    --------
    >>> import hierwidgets as hw
    >>> model = hw.Model("contacted ~ 1 + (1 | district_id)", hw.load("finland"), "binomial",
    ...                  event="Contacted")
    >>> post = model.sample(chains=2, tune=300, draws=300, seed=1, progress=False)
    >>> post.summary()["estimate"].round(1).to_dict()
    {'Intercept': -1.4, 'sd Intercept | district_id': 0.4}
    """

    def __repr__(self) -> str:
        C, D = self.draws.sigma.shape
        if self.draws.pool is not None:
            return (
                f"Posterior({self.design.formula}, {self.family.name}; {C * D} draws by "
                "importance sampling)"
            )
        return (
            f"Posterior({self.design.formula}, {self.family.name}; {C} chains of {D} "
            f"{'' if self.kind == 'posterior' else self.kind + ' '}draws)"
        )

    def summary(self, level: float = 0.95) -> pd.DataFrame:
        """Mean, sd and quantiles of every parameter, and whether the chains agree on it.

        Returns
        -------
        DataFrame
            Index: names, as in `Fit.confint`. Columns: estimate (mean), std_error (posterior
            sd), conf_low, conf_high, rhat, ess_bulk, ess_tail. Draws by importance sampling are
            no chains: their rhat is NaN, and their effective sizes are those of the weights.
        """
        check_level(level)
        values = self.parameters
        table = described(values.reshape(-1, values.shape[2]).T, level, "mean")
        frame = pd.DataFrame(table, index=list(self.names))
        pool = self.draws.pool
        found = convergence.statistics(values) if pool is None else of_pool(values, pool)
        return frame.join(found.set_index(frame.index))

    # --- use ---

    def linear_predictor(
        self,
        newdata: pd.DataFrame | None = None,
        *,
        re_formula: str | None = None,
        new_levels: str = "error",
        seed: int = 0,
        thin: int = 1,
    ) -> Array:
        """Draws of the linear predictor, (rows, chains * draws / thin), chain after chain."""
        kept = rows.kept_columns(self.design, re_formula)
        frame = self.design.data if newdata is None else as_frame(newdata)
        new = rows.rows_of(self.design, newdata, kept, new_levels)
        pick = slice(None, None, thin)
        return self.predictor(new, frame, kept, new_levels, seed=seed, pick=pick)

    def predictor(
        self,
        new: NewRows,
        frame: pd.DataFrame,
        kept: list[NDArray[np.bool_]],
        new_levels: str,
        *,
        seed: int = 0,
        pick: slice = slice(None),
    ) -> Array:
        """`linear_predictor` for rows already prepared; `pick` takes some of all draws."""
        return prediction.predictor(self, new, frame, kept, new_levels, seed, pick)

    def predict(
        self,
        newdata: pd.DataFrame | None = None,
        *,
        scale: str = "response",
        re_formula: str | None = None,
        new_levels: str = "error",
        interval: float | None = None,
        interval_of: str = "mean",
        missing: str = "raise",
        seed: int = 0,
    ) -> pd.DataFrame:
        """Expected outcomes beside the rows they belong to: the median of the draws.

        Parameters
        ----------
        newdata, scale, re_formula, new_levels, missing :
            As in `Fit.predict`; with new_levels="sample" the effect of an unseen level is drawn,
            with `seed`, from its distribution.
        interval :
            A level such as 0.95 adds std_error (sd of the draws), conf_low and conf_high (their
            quantiles).
        interval_of :
            "mean"; or "observation", for which the draws are of the outcome of a new observation,
            as in `Fit.predict`, one for each draw of the parameters. The estimate stays the
            median of the expected outcome.
        """
        request = Request(scale, re_formula, new_levels, interval, interval_of, missing)
        return prediction.predict(self, newdata, request, seed)

    def epred_draws(
        self,
        newdata: pd.DataFrame | None = None,
        re_formula: str | None = None,
        *,
        new_levels: str = "error",
        seed: int = 0,
        thin: int = 1,
    ) -> pd.DataFrame:
        """Draws of the expected outcome in a long frame, as tidybayes' add_epred_draws.

        Parameters
        ----------
        thin :
            Keep every `thin`-th draw of all chains, one after the other.

        Returns
        -------
        DataFrame
            chain, draw, newdata's columns, epred; all draws of the first row, then of the next.
        """
        frame = self.design.data if newdata is None else as_frame(newdata)
        check_names(frame.columns, ("chain", "draw", "epred"), newdata is not None)
        thin = check_whole(thin, "thin", 1)
        eta = self.linear_predictor(
            newdata, re_formula=re_formula, new_levels=new_levels, seed=seed, thin=thin
        )
        mu = self.family.link.inverse(eta)[0]
        C, D = self.draws.sigma.shape
        chain, draw = (i.ravel()[::thin] for i in np.indices((C, D)))
        long = frame.iloc[np.arange(len(frame)).repeat(mu.shape[1])].reset_index(drop=True)
        long.insert(0, "chain", np.tile(chain, len(frame)))
        long.insert(1, "draw", np.tile(draw, len(frame)))
        return long.assign(epred=mu.ravel())

    def simulate(self, n: int = 1, seed: Seed = None, *, condition: bool = True) -> Array:
        """Replicated responses for predictive checks, each from a draw of its own, (n, nobs).

        Parameters
        ----------
        condition :
            True keeps the group effects of the draw: the same districts answer again. False
            draws new ones: other districts answer.
        """
        return replication.replicate(self, n, seed, condition)

    def predictive_check(
        self,
        statistic: str | Callable[[Array], float] = "mean",
        by: str | None = None,
        *,
        n: int = 500,
        seed: Seed = 0,
        interval: float = 0.9,
        condition: bool = True,
    ) -> pd.DataFrame:
        """Whether data that the model would make look like the data there are.

        Parameters
        ----------
        statistic :
            "mean", "sd", "min", "max", "zeros" (their share), or a function of the responses.
        by :
            A column of the data: the statistic of each of its levels.
        n, seed, condition :
            Of the replicated responses, as in `simulate`.
        interval :
            Level of the range of the replicated statistics.

        Returns
        -------
        DataFrame
            The column `by`, observed, replicated (mean), conf_low, conf_high, and p, the share
            of replications that exceed the observed value (ties count half).

        Examples
        --------
        >>> import hierwidgets as hw
        >>> post = hw.load_posterior("finland")
        >>> found = post.predictive_check("mean", n=200)
        >>> bool(0.05 < found["p"][0] < 0.95)
        True
        """
        return replication.predictive_check(self, statistic, by, n, seed, interval, condition)

    def diagnose(self) -> convergence.Diagnosis:
        """What is wrong with the draws, in words, and what to do about it."""
        if self.kind == "prior":
            raise DataError("draws from a prior are independent; there is nothing to diagnose")
        d = self.draws
        if d.pool is not None:
            return judge_pool(self.summary(), d.pool)
        return convergence.judge(self.summary(), d.divergent, d.depth, d.energy)

    def loo(self, by: str | None = None) -> loo.Loo:
        """How well an observation, or the group `by`, is predicted from all others (`loo`)."""
        return loo.loo(self.design, self.family, self.draws, by)

    def reweight(self, priors: Priors, seed: int = 0) -> "Posterior":
        """The posterior under other priors, from the same draws (`sampling.reweighting`).

        Exact while the two are not too far apart; where they are, an error says so. Its
        effective sizes are those of the weights.

        Examples
        --------
        >>> import hierwidgets as hw
        >>> from hierwidgets.priors import half_normal
        >>> post = hw.load_posterior("finland")
        >>> tight = post.reweight(hw.Priors(sd=half_normal(0.2)))
        >>> sds = [p.summary()["estimate"].iloc[1] for p in (post, tight)]
        >>> bool(sds[1] < sds[0])
        True
        """
        if not isinstance(priors, Priors):
            raise DataError(f"priors must be a hw.Priors; a {type(priors).__name__} was given")
        if self.kind == "prior":
            raise DataError("draws from a prior are made at once; call model.sample_prior again")
        worth = 1.0
        if self.draws.pool is None:
            worth = float(self.summary()[["ess_bulk", "ess_tail"]].to_numpy().min())
        from hierwidgets.sampling.reweighting import reweighted

        drawn = reweighted(self.design, self.family, self.draws, self.priors, priors, worth, seed)
        return replace(self, priors=priors, draws=drawn)

    def save(self, path: str | Path) -> None:
        """Write everything to one file that `load_posterior` reads (`files`)."""
        files.save(path, self.design, self.family, self.priors, self.draws, self.kind)


def load_posterior(path: str | Path, *, effects: bool = True) -> Posterior:
    """The posterior saved at `path`, or one shipped with the package, by name.

    Parameters
    ----------
    path :
        A file that `Posterior.save` wrote; or "finland", "uk", "uk_competitiveness",
        "rainey2015", "rainey2015_individual" (`hierwidgets.course.studies.shipped_draws` makes
        those).
    effects :
        False leaves out the group effects that were integrated out (they are NaN), which reads a
        large file at once. Parameters, and predictions without these effects, are complete.

    Notes
    -----
    Group effects that were integrated out are drawn again when a file is read, from the same
    seed; sampling itself is not repeated, and needs no extra.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> hw.load_posterior("finland")
    Posterior(contacted ~ 1 + (1 | district_id), binomial; 4 chains of 2500 draws)
    """
    return Posterior(*files.load(path, effects))
