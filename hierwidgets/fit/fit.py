"""What a fit is: a frozen record of numbers, and what can be done with it."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.base.checks import Seed, check_whole
from hierwidgets.errors import DataError
from hierwidgets.likelihood import estimate, gaussian, simulation
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family
from hierwidgets.spec.predictions import Request
from hierwidgets.spec.responses import with_response

from . import diagnostics, intervals, prediction
from . import summary as text
from .record import FitRecord

__all__ = ["Fit", "maximize"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Fit(FitRecord):
    """A hierarchical model fitted by maximum likelihood.

    Attributes
    ----------
    design, family : Design, Family
        What was fitted.
    n_agq : int
        Quadrature points per level; 1 is the Laplace approximation.
    reml : bool
        Whether the criterion was REML (Gaussian models only).
    sigma : float
        Residual standard deviation of a Gaussian model; 1 for the others.
    theta : (m,) ndarray
        Elements of the covariance factors (relative to sigma), in the order of `varcorr`.
    beta : (p,) ndarray
        Coefficients, unlabelled; `fixef` has the labels.
    covariance : (m + p, m + p) ndarray
        Of (theta, beta): twice the inverse Hessian of ``-2 log L``.
    gradient : (m + p,) ndarray
        Of ``-2 log L`` at the estimates.
    modes : Modes
        Conditional modes and sds of the group effects.
    loglik : float
        The maximised log-likelihood (with REML: of the residual contrasts).
    converged : bool
        Judged by gradient and curvature at the estimates; `message` says it in words.
    trace : (evaluations, m + p + 1) ndarray
        The search: theta, beta and ``-2 log L`` of every point tried.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                event="Contacted")
    >>> float(round(fit.fixef["Intercept"], 2)), fit.singular
    (-1.37, False)
    """

    def __repr__(self) -> str:
        return f"Fit({self.design.formula}, {self.family.name}, logLik={self.loglik:.1f})"

    # --- use ---

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
    ) -> pd.DataFrame:
        """Predictions at the conditional modes, beside the rows they belong to.

        Parameters
        ----------
        newdata :
            Rows to predict; None for the data of the fit.
        scale :
            "response" (probability, expected count) or "link".
        re_formula :
            None keeps every group effect, "~0" none, "~ (1 | g)" those of g.
        new_levels :
            For a level the fit has not seen: "error", "population" (its effect is 0) or
            "sample" (its effect is unknown; an interval covers it).
        interval :
            A level such as 0.9 adds std_error, conf_low and conf_high.
        interval_of :
            "mean": of the expected outcome; made on the link scale and transformed.
            "observation": of the outcome of a new observation, with its own variation (of sd
            ``sigma / sqrt(weight)`` in a Gaussian model) beside that of the mean. For
            ``p(y, n)`` outcome and estimate are successes out of the row's trials; for a 0/1
            outcome the limits are 0 or 1. Limits of counts are quantiles of their predictive
            distribution, so they cover at least their level.
        missing :
            "raise", or "keep" to predict a missing value where one that is needed is missing.

        Returns
        -------
        DataFrame
            newdata's columns, then ``estimate`` (and the interval).

        Examples
        --------
        >>> import hierwidgets as hw
        >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
        ...                event="Contacted")
        >>> rows = pd.DataFrame({"district_id": ["District 309", None]})
        >>> fit.predict(rows, interval=0.9, missing="keep")["conf_high"].round(2).tolist()
        [0.39, nan]
        """
        request = Request(scale, re_formula, new_levels, interval, interval_of, missing)
        return prediction.predict(self, newdata, request)

    def summary(self, detail: bool = False, digits: int = 2) -> text.Summary:
        """The table arm::display prints, as text or, in a notebook, as HTML.

        Parameters
        ----------
        detail :
            Whether to add z (estimate over standard error) and its two-sided p from the normal
            distribution; for a Gaussian fit the same ratio as t, with Satterthwaite's df.
        digits :
            Decimals of estimates, standard errors and sds.
        """
        return text.summarize(self, detail, digits)

    # --- how sure it is ---

    def confint(
        self,
        level: float = 0.9,
        method: str = "profile",
        *,
        parameters: str | Sequence[str] | None = None,
        draws: int = 500,
        seed: Seed = None,
        executor: Executor | None = None,
        progress: bool = True,
    ) -> pd.DataFrame:
        """Confidence intervals of coefficients, sds and correlations.

        Parameters
        ----------
        level :
            Confidence level, between 0 and 1.
        method :
            "wald": estimate plus or minus quantile times standard error. Coefficients only:
            the likelihood of an sd is skewed and may end at 0.
            "profile": where the likelihood, maximised over everything else, has fallen by
            ``quantile^2 / 2``. A limit of 0 (an sd), -1 or 1 (a correlation) or infinity says
            that it never falls so far. After REML it is the profile of maximum likelihood, as
            in lme4; the estimates shown are still those of the fit.
            "bootstrap": quantiles of the estimates from `draws` responses simulated from the
            fit, each with new group effects. Interrupting it keeps what is done. Draws that
            cannot be fitted are left out and counted in a warning.
        parameters :
            Names such as "x", "sd x | g", "corr Intercept, x | g", "sigma"; None for all.
        draws, seed :
            Of the bootstrap.
        executor :
            For the bootstrap: any `concurrent.futures.Executor`, of processes, threads, or of a
            Dask cluster (``client.get_executor()``). None computes here. The intervals do not
            depend on it. It is not shut down.
        progress :
            Whether to show a progress bar.

        Returns
        -------
        DataFrame
            ``term estimate conf_low conf_high``.

        Raises
        ------
        DataError
            An argument is not what it should be; an sd is asked of "wald".
        FitError
            The likelihood is higher elsewhere than at the estimates.

        Examples
        --------
        >>> import hierwidgets as hw
        >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
        ...                event="Contacted", n_agq=25)
        >>> fit.confint(0.95, progress=False).round(3)
                                 term  estimate  conf_low  conf_high
        0                   Intercept    -1.372    -1.648     -1.131
        1  sd Intercept | district_id     0.312     0.000      0.652
        """
        return intervals.confint(self, level, method, parameters, draws, seed, executor, progress)

    def conditional_means(self, n_nodes: int = 25) -> pd.DataFrame:
        """Conditional means of the group effects, by quadrature, for one scalar term.

        The conditional mode (`ranef`) is the top of an effect's conditional distribution given
        the estimated parameters; this is its mean. The two differ where a level's outcomes are
        few or one-sided.

        Returns
        -------
        DataFrame
            ``group term level mean sd response``; `response` is the conditional mean of the
            response (of the probability, not of its logit), averaged over the level's rows.

        Examples
        --------
        >>> import hierwidgets as hw
        >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
        ...                event="Contacted")
        >>> means = fit.conditional_means().set_index("level")["response"].round(4)
        >>> means[["District 308", "District 309"]].to_dict()
        {'District 308': 0.2696, 'District 309': 0.2703}
        """
        return diagnostics.conditional_means(self, n_nodes)

    # --- checks ---

    @property
    def fitted(self) -> pd.Series:
        """Means at the conditional modes, one per observation in the order of the data.

        For ``p(successes, trials)`` they are probabilities.
        """
        return diagnostics.fitted(self)

    def residuals(self, kind: str = "response") -> pd.Series:
        """Residuals at the conditional modes, one per observation in the order of the data.

        Parameters
        ----------
        kind :
            "response": outcome (a proportion for ``p(y, n)``) minus mean.
            "pearson": that, times the root of the weight and divided by the sd of an outcome;
            in a Gaussian model, where the sd is the same for all, not divided (as lme4).
            "deviance": the signed root of the observation's part of `conditional_deviance`;
            in a Gaussian model the same as "pearson".

        Examples
        --------
        >>> import hierwidgets as hw
        >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
        ...                event="Contacted")
        >>> deviance = float((fit.residuals("deviance") ** 2).sum())
        >>> round(deviance, 6) == round(fit.conditional_deviance, 6)
        True
        """
        return diagnostics.residuals(self, kind)

    def icc(self) -> pd.Series:
        """Intraclass correlation: the share of variance that lies between levels, by group.

        ``sd_group^2 / (sum of all groups' sd^2 + own^2)``, on the scale of the linear predictor.
        `own` is the residual sd of a Gaussian model; for a binary outcome the sd of the latent
        variable, ``pi / sqrt(3)`` (logit), 1 (probit), ``pi / sqrt(6)`` (cloglog); for counts the
        lognormal approximation ``own^2 = log(1 + 1 / mean)`` (Nakagawa, Johnson & Schielzeth
        2017, J. R. Soc. Interface 14, table 2). With coefficients that vary, a group's sd depends
        on the predictors: the variance is averaged over the observations (Johnson 2014, Methods
        Ecol. Evol. 5(9), eq. 10). Observations that share the levels of several groups correlate
        by the sum of their shares.

        Examples
        --------
        >>> import hierwidgets as hw
        >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
        ...                event="Contacted")
        >>> fit.icc().round(3).to_dict()
        {'district_id': 0.028}
        """
        return diagnostics.icc(self)

    def r2(self, method: str | None = None) -> pd.Series:
        """Nakagawa's R2: the share of variance explained, on the scale of the linear predictor.

        With ``f`` the variance of ``X beta`` over the observations, ``g`` that of all groups and
        ``own`` as in `icc`: marginal ``f / (f + g + own)``, by the predictors; conditional
        ``(f + g) / (f + g + own)``, with the groups (Nakagawa & Schielzeth 2013, Methods Ecol.
        Evol. 4(2); Johnson 2014). An offset counts as neither; `own` is that of a row with
        weight 1 and of a single trial.

        Parameters
        ----------
        method :
            Which `own` (Nakagawa, Johnson & Schielzeth 2017): "latent" (the default) or "delta",
            the observation-level variance, for a binary outcome; "lognormal" (the default),
            "delta" or "trigamma" for counts, at the mean over observations and effects.

        Examples
        --------
        >>> import hierwidgets as hw
        >>> hw.glmer("contacted ~ district_competitiveness + (1 | district_id)", hw.load("uk"),
        ...          event="Contacted").r2().round(3).to_dict()
        {'marginal': 0.041, 'conditional': 0.135}
        """
        return diagnostics.r2(self, method)

    def design_effect(self) -> pd.DataFrame:
        """How much grouping inflates each coefficient's variance.

        ``(std_error / std_error_pooled)^2``, where the second is that of the same model without
        group effects (complete pooling; Kish 1965, Survey Sampling, section 8.2). A design effect
        of 2.5 says that the data are worth as much as 1 / 2.5 of as many independent observations.

        Returns
        -------
        DataFrame
            Index: coefficients; ``std_error std_error_pooled design_effect``.

        Examples
        --------
        >>> import hierwidgets as hw
        >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
        ...                event="Contacted")
        >>> fit.design_effect().round(3).loc["Intercept"].to_dict()
        {'std_error': 0.118, 'std_error_pooled': 0.075, 'design_effect': 2.5}
        """
        return diagnostics.design_effect(self)

    # --- again ---

    def simulate(self, n: int = 1, seed: Seed = None, *, condition: bool = False) -> Array:
        """New responses drawn from the fitted model, in the order and coding of the data.

        Parameters
        ----------
        n :
            Number of responses.
        seed :
            A whole number or a numpy Generator, for the same draws again.
        condition :
            False draws new group effects for every response; True keeps the conditional modes.

        Returns
        -------
        (n, nobs) ndarray
            0 and 1 for a binary response, successes for ``p(successes, trials)``, counts, numbers.
            A prior weight scales the variance of a Gaussian outcome; elsewhere an observation is
            drawn once, whatever its weight.

        Examples
        --------
        >>> import hierwidgets as hw
        >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
        ...                event="Contacted")
        >>> y = fit.simulate(2, seed=1)
        >>> y.shape, sorted(set(y.ravel().tolist()))
        ((2, 1086), [0.0, 1.0])
        """
        n = check_whole(n, "n", 1, what="responses")
        if not isinstance(condition, bool):
            raise DataError(f"condition={condition!r} is neither True nor False")
        effects = self.modes.b if condition else None
        made = simulation.draws(
            self.design, self.family, self.theta, self.beta, self.sigma, n, seed, effects
        )
        return np.array(list(made))

    def refit(self, y: Any) -> "Fit":
        """The same model fitted to another response; this fit stays as it is.

        Parameters
        ----------
        y : (nobs,)
            One value per observation, in the order and coding of the data, such as a row of
            `simulate`.

        Raises
        ------
        DataError
            y has another length, missing values, or values the family does not allow.
        FitError
            The model cannot be fitted to y.

        Examples
        --------
        >>> import hierwidgets as hw
        >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
        ...                event="Contacted")
        >>> again = fit.refit(fit.simulate(1, seed=1)[0])
        >>> again.nobs, again.converged
        (1086, True)
        """
        design = with_response(self.design, self.family, y)
        return maximize(design, self.family, self.n_agq, self.reml)


def maximize(
    design: Design, family: Family, n_agq: int = 1, reml: bool = True, threads: int = 1
) -> Fit:
    """The fit of a design; `reml` matters to a Gaussian model only, which takes no `n_agq`."""
    found: estimate.Estimate | gaussian.Estimate
    if family.name == "gaussian":
        found = gaussian.maximize(design, reml, threads)
        n_agq, sigma = 1, found.sigma
    else:
        found = estimate.maximize(design, family, n_agq, threads)
        reml, sigma = False, 1.0
    return Fit(
        design=design,
        family=family,
        n_agq=n_agq,
        reml=reml,
        sigma=sigma,
        theta=found.theta,
        beta=found.beta,
        covariance=found.covariance,
        gradient=found.gradient,
        modes=found.modes,
        loglik=-0.5 * found.neg2loglik,
        converged=found.converged,
        message=found.message,
        trace=found.trace,
    )
