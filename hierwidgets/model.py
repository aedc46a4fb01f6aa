"""A formula, data and a family: the description of a model, before any fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from .base.checks import check_whole
from .errors import DataError, FormulaError
from .fit.fit import Fit, maximize
from .posterior.posterior import Posterior
from .sampling import sampler
from .sampling.priors import Priors
from .spec import design as designs
from .spec import families, formula
from .spec.design import Design
from .spec.families import Family

_DEFAULT_PRIORS = Priors()

__all__ = ["Model", "glmer", "lmer"]


@dataclass(frozen=True, slots=True, eq=False, init=False, repr=False)
class Model:
    """A hierarchical model of a response.

    Parameters
    ----------
    formula :
        As lme4 writes it: ``"y ~ x + (1 + x | group)"``; ``"p(y, n) ~ ..."`` or
        ``"p(y, 40) ~ ..."`` for successes out of trials; rows with 0 trials are left out and
        counted. ``(1 | a/b)`` nests and ``(1 | a*b)`` crosses. ``(x || g)`` is
        ``(1 | g) + (0 + x | g)``, without correlations between terms; a factor then has an
        effect for each of its levels, correlated among themselves, as in lme4 (the data then
        tell the sum of the intercept's variance and the levels' covariance, not the two apart).
        ``diag(x | g)`` leaves out every correlation, as in glmmTMB.
    data :
        One row per observation. It is not changed.
    family :
        "gaussian", "binomial" or "poisson".
    link :
        "logit", "probit" or "cloglog" for binomial; None for the canonical link.
    event :
        The level of a text or categorical response that counts as 1.
    weights, offset :
        Column names, or one number per row: prior weights, and a known part of the linear
        predictor. A Series is aligned by its index, anything else goes by position.
    missing :
        "raise", or "drop" to leave out rows with missing values and count them.
    collinear :
        "raise", or "drop" to leave out fixed columns that those before them determine, such as
        that of an empty cell of ``a*b``, as lme4 does; the summary names them.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> model = hw.Model("contacted ~ (1 | district_id)", hw.load("finland"), "binomial",
    ...                  event="Contacted")
    >>> model
    Model(contacted ~ (1 | district_id), binomial; 1086 rows, 14 district_id)
    >>> model.maximize().converged
    True
    """

    formula: str
    family: Family
    design: Design

    def __init__(
        self,
        formula: str,
        data: pd.DataFrame,
        family: str = "gaussian",
        *,
        link: str | None = None,
        event: object | None = None,
        weights: str | Sequence[float] | None = None,
        offset: str | Sequence[float] | None = None,
        missing: str = "raise",
        collinear: str = "raise",
    ) -> None:
        parsed = _parse(formula)
        chosen = families.family(family, link)
        object.__setattr__(self, "formula", parsed.text)
        object.__setattr__(self, "family", chosen)
        object.__setattr__(
            self,
            "design",
            designs.build(
                parsed,
                data,
                chosen,
                event=event,
                weights=weights,
                offset=offset,
                missing=missing,
                collinear=collinear,
            ),
        )

    def __repr__(self) -> str:
        groups = ", ".join(f"{t.J} {t.group}" for t in self.design.terms)
        return f"Model({self.formula}, {self.family.name}; {self.design.nobs} rows, {groups})"

    def maximize(self, n_agq: int = 1, reml: bool = True, *, threads: int = 1) -> Fit:
        """The fit by maximum likelihood.

        Parameters
        ----------
        n_agq :
            Quadrature points per level; 1 is the Laplace approximation, which is exact for a
            Gaussian model. From 5 on a fit has not converged where other points give another
            likelihood; fewer are a coarse approximation by choice, and are not judged.
        reml :
            Whether a Gaussian model is fitted by restricted maximum likelihood.
        threads :
            Of linear algebra, for models with two or more group terms of many levels. More than
            one helps where nothing else runs; beside other programs they wait for each other.
        """
        if not isinstance(reml, bool):
            raise DataError(f"reml={reml!r} is neither True nor False")
        if self.family.name == "gaussian" and n_agq != 1:
            raise FormulaError(
                f"n_agq={n_agq!r}: a Gaussian model is integrated exactly; leave n_agq at 1"
            )
        threads = check_whole(threads, "threads", 1)
        return maximize(self.design, self.family, n_agq, reml, threads)

    def sample(
        self,
        chains: int = 4,
        tune: int = 1000,
        draws: int = 1000,
        seed: int | None = None,
        priors: Priors = _DEFAULT_PRIORS,
        *,
        method: str = "auto",
        target_accept: float | None = None,
        cores: int | None = None,
        progress: bool = True,
    ) -> Posterior:
        """Draws from the posterior.

        Parameters
        ----------
        chains, tune, draws :
            Independent chains; steps of each to adapt in, and to keep. Importance sampling has
            no chains: it takes ``chains * draws`` draws, and ``chains * tune`` proposals in each
            round of adapting.
        seed :
            For the same draws again, on any number of cores.
        priors :
            What is believed before the data; brms's defaults unless told.
        method :
            "importance" draws at once, with nothing to install, models with few parameters once
            the group with the most levels is integrated out; "nuts" (the extra ``bayes``) draws
            any. "auto" takes the first where it is sound, measured on the run itself, and else
            the second. `method` and `reason` of the posterior say what was taken, and why.
        target_accept :
            Of NUTS: closer to 1 means smaller steps, slower, and fewer divergences. None for .98,
            or .9 where every group effect is integrated out.
        progress :
            Whether to show a bar. Interrupting NUTS keeps the draws so far.
        """
        _check_priors(priors)
        found = sampler.sample(
            self.design, self.family, priors, chains=chains, tune=tune, draws=draws, seed=seed,
            method=method, cores=cores, target_accept=target_accept, progress=progress,
        )  # fmt: skip
        return Posterior(self.design, self.family, priors, found)

    def sample_prior(
        self, draws: int = 1000, seed: int | None = None, priors: Priors = _DEFAULT_PRIORS
    ) -> Posterior:
        """Draws from the prior: what the model expects before it has seen the response.

        The default prior of coefficients is flat and cannot be drawn from: give them one.

        Examples
        --------
        >>> import hierwidgets as hw
        >>> model = hw.Model("contacted ~ (1 | district_id)", hw.load("finland"), "binomial",
        ...                  event="Contacted")
        >>> prior = model.sample_prior(draws=200, seed=1)
        >>> prior.simulate(3, seed=1).shape
        (3, 1086)
        """
        _check_priors(priors)
        found = sampler.sample_prior(self.design, self.family, priors, draws, seed)
        return Posterior(self.design, self.family, priors, found, "prior")


def _check_priors(priors: object) -> None:
    if not isinstance(priors, Priors):
        raise DataError(f"priors must be a hw.Priors; a {type(priors).__name__} was given")


def _parse(text: Any) -> formula.Formula:
    if not isinstance(text, str):
        raise FormulaError(f"a formula is text such as 'y ~ (1 | g)'; got {type(text).__name__}")
    parsed = formula.parse(text)
    if not parsed.bars:
        raise FormulaError(
            f"{text!r} has no group term; add one, for example '+ (1 | group)', to say what varies"
        )
    return parsed


def glmer(
    formula: str,
    data: pd.DataFrame,
    family: str = "binomial",
    *,
    link: str | None = None,
    event: object | None = None,
    n_agq: int = 1,
    weights: str | Sequence[float] | None = None,
    offset: str | Sequence[float] | None = None,
    missing: str = "raise",
    collinear: str = "raise",
    threads: int = 1,
) -> Fit:
    """Fit a generalised hierarchical model by maximum likelihood, as lme4's glmer does.

    Parameters are those of `Model` and `Model.maximize`.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> print(fit.summary())
    contacted ~ 1 + (1 | district_id)  [binomial, logit link]
    coefficient  estimate (std. error)
    Intercept       -1.37 (0.12)
    <BLANKLINE>
    group        term         sd  corr
    district_id  Intercept  0.31
    <BLANKLINE>
    1086 observations; groups: district_id 14; Laplace
    AIC 1108.5, BIC 1118.5, logLik -552.3
    conditional deviance 1087.0, DIC 1069.5 (as arm prints it)
    """
    if family == "gaussian":
        raise FormulaError("glmer fits binomial and poisson models; for a Gaussian one use lmer")
    model = Model(
        formula, data, family, link=link, event=event, weights=weights, offset=offset,
        missing=missing, collinear=collinear,
    )  # fmt: skip
    return model.maximize(n_agq, threads=threads)


def lmer(
    formula: str,
    data: pd.DataFrame,
    *,
    reml: bool = True,
    weights: str | Sequence[float] | None = None,
    offset: str | Sequence[float] | None = None,
    missing: str = "raise",
    collinear: str = "raise",
    threads: int = 1,
) -> Fit:
    """Fit a Gaussian hierarchical model by REML or maximum likelihood, as lme4's lmer does.

    Parameters are those of `Model` and `Model.maximize`; with `weights` a row's variance is
    ``sigma^2 / weight``.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> uk = hw.load("uk")
    >>> uk["contacted"] = (uk["contacted"] == "Contacted").astype(float)
    >>> fit = hw.lmer("contacted ~ district_competitiveness + (1 | district_id)", uk)
    >>> fit.fixef.round(2).to_dict()
    {'Intercept': -0.17, 'district_competitiveness': 0.74}
    """
    model = Model(
        formula, data, "gaussian", weights=weights, offset=offset, missing=missing,
        collinear=collinear,
    )  # fmt: skip
    return model.maximize(reml=reml, threads=threads)
