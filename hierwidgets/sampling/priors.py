r"""Prior distributions: what is believed of the parameters before the data.

The defaults are those of brms (Bürkner 2017, J. Stat. Softw. 80(1); `brms::set_prior`):

    intercept of the centred design    student_t(3, location, scale)
    other coefficients                 flat
    sds, and the residual sd           student_t(3, 0, scale), its positive half
    correlation matrices               LKJ(1): every correlation matrix equally likely

with location 0 and scale 2.5 for binomial models. For Gaussian and Poisson models the
location is the median of the response and the scale its median absolute deviation, at least
2.5, both on the scale of the link and rounded to one digit (Poisson: of log(y + 0.1)).
"The centred design" has the mean of every predictor taken off, so its intercept is the
linear predictor of an average row, whatever the predictors' zeros mean.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family

from . import standard

__all__ = [
    "Prior", "Priors", "Resolved", "exponential", "flat", "gamma", "half_cauchy", "half_normal",
    "lkj", "normal", "resolve", "settled", "student_t", "uniform",
]  # fmt: skip


_WRITTEN = re.compile(r"\s*([a-z_]+)\s*\(([^()]*)\)\s*")


@dataclass(frozen=True, slots=True)
class Prior:
    """One prior distribution; make it with `normal`, `student_t` and the like.

    Attributes
    ----------
    kind : str
        One of ``flat normal student_t exponential gamma uniform lkj``.
    parameters : tuple of float
        (mean, sd); (df, location, scale); (rate,); (shape, rate); (low, high); (eta,).

    Examples
    --------
    >>> normal(0, 1)
    normal(0, 1)
    >>> float(round(normal(0, 1).log_density(0.0), 4))
    -0.9189
    """

    kind: str
    parameters: tuple[float, ...] = ()

    def __repr__(self) -> str:
        return f"{self.kind}({', '.join(f'{v:g}' for v in self.parameters)})"

    @property
    def proper(self) -> bool:
        """Whether it can be drawn from."""
        return self.kind != "flat"

    def log_density(self, x: float, positive: bool = False) -> float:
        """Its log density at x; `positive` renormalises it to x > 0, as for an sd."""
        if self.kind == "flat":
            return 0.0
        if positive and x <= 0:
            return -np.inf
        shape, location, scale = self._standard()
        mass = float(shape.above(-location / scale)) if positive else 1.0
        height = float(shape.log_density((x - location) / scale)) - float(np.log(scale))
        return height - float(np.log(mass))

    def sample(self, rng: np.random.Generator, size: int, positive: bool = False) -> Array:
        """(size,) draws, with `positive` from the part above 0."""
        return self.quantiles(rng.random(size), positive)

    def quantiles(self, shares: Array, positive: bool = False) -> Array:
        """Below which so much of it lies, with `positive` of the part above 0.

        Examples
        --------
        >>> normal(0, 1).quantiles(np.array([0.5, 0.975])).round(2).tolist()
        [0.0, 1.96]
        """
        shape, location, scale = self._standard()
        low = float(shape.below(-location / scale)) if positive else 0.0
        return np.asarray(shape.quantiles(low + (1.0 - low) * shares) * scale + location)

    def _standard(self) -> tuple[standard.Standard, float, float]:
        """The distribution around 0 with scale 1, and its own location and scale."""
        a = self.parameters
        if self.kind == "normal":
            return standard.NORMAL, a[0], a[1]
        if self.kind == "student_t":
            return standard.student_t(a[0]), a[1], a[2]
        if self.kind == "exponential":
            return standard.EXPONENTIAL, 0.0, 1.0 / a[0]
        if self.kind == "gamma":
            return standard.gamma(a[0]), 0.0, 1.0 / a[1]
        if self.kind == "uniform":
            return standard.UNIFORM, a[0], a[1] - a[0]
        raise DataError(f"the prior {self!r} has no density over numbers to draw from")


# --- the distributions --------------------------------------------------------------------


def _positive(name: str, **values: float) -> None:
    for key, value in values.items():
        if not (np.isfinite(value) and value > 0):
            raise DataError(f"{name}: {key}={value!r} must be a number above 0")


def flat() -> Prior:
    """Every value equally likely: no information, and nothing that could be drawn from.

    >>> flat().proper
    False
    """
    return Prior("flat")


def normal(mean: float, sd: float) -> Prior:
    """The normal distribution; for an sd, its part above 0.

    >>> normal(0, 2.5)
    normal(0, 2.5)
    """
    _positive("normal", sd=sd)
    return Prior("normal", (float(mean), float(sd)))


def half_normal(sd: float) -> Prior:
    """The part above 0 of a normal distribution around 0, for an sd.

    >>> half_normal(2)
    normal(0, 2)
    """
    return normal(0.0, sd)


def student_t(df: float, location: float, scale: float) -> Prior:
    """Student's t; for an sd, its part above 0.

    >>> student_t(3, 0, 2.5)
    student_t(3, 0, 2.5)
    """
    _positive("student_t", df=df, scale=scale)
    return Prior("student_t", (float(df), float(location), float(scale)))


def half_cauchy(scale: float) -> Prior:
    """The part above 0 of a Cauchy distribution around 0 (Gelman 2006, Bayesian Anal. 1(3)).

    >>> half_cauchy(5)
    student_t(1, 0, 5)
    """
    return student_t(1.0, 0.0, scale)


def exponential(rate: float) -> Prior:
    """The exponential distribution with mean ``1 / rate``.

    >>> exponential(1)
    exponential(1)
    """
    _positive("exponential", rate=rate)
    return Prior("exponential", (float(rate),))


def gamma(shape: float, rate: float) -> Prior:
    """The gamma distribution with mean ``shape / rate``.

    >>> gamma(2, 0.1)
    gamma(2, 0.1)
    """
    _positive("gamma", shape=shape, rate=rate)
    return Prior("gamma", (float(shape), float(rate)))


def uniform(low: float, high: float) -> Prior:
    """Every value from low to high equally likely, none outside.

    >>> uniform(0, 100)
    uniform(0, 100)
    """
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise DataError(f"uniform({low!r}, {high!r}): low must be below high, both finite")
    return Prior("uniform", (float(low), float(high)))


def lkj(eta: float) -> Prior:
    """``det(R)^(eta - 1)`` over correlation matrices R (Lewandowski, Kurowicka & Joe 2009,
    J. Multivar. Anal. 100(9)); eta = 1 is uniform, larger eta prefers small correlations.

    >>> lkj(1)
    lkj(1)
    """
    _positive("lkj", eta=eta)
    return Prior("lkj", (float(eta),))


_MAKERS: dict[str, Callable[..., Prior]] = {
    "flat": flat, "normal": normal, "half_normal": half_normal, "student_t": student_t,
    "half_cauchy": half_cauchy, "exponential": exponential, "gamma": gamma, "uniform": uniform,
    "lkj": lkj,
}  # fmt: skip


def _read(given: Any, what: str) -> Prior:
    """A prior from a prior or from text such as "normal(0, 1)"."""
    if isinstance(given, Prior):
        return given
    found = _WRITTEN.fullmatch(given) if isinstance(given, str) else None
    if found is None or found[1] not in _MAKERS:
        raise DataError(
            f"the prior of {what} is {given!r}; write one of {sorted(_MAKERS)} with its "
            "numbers, such as 'normal(0, 1)'"
        )
    try:
        return _MAKERS[found[1]](*[float(v) for v in found[2].split(",") if v.strip()])
    except (TypeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"the prior of {what} is {given!r}: its numbers do not fit") from None


# --- the priors of a model ----------------------------------------------------------------


class Specified(Protocol):
    """What has parameters to describe the priors of, such as a `Model`."""

    @property
    def design(self) -> Design: ...

    @property
    def family(self) -> Family: ...


@dataclass(frozen=True, slots=True)
class Priors:
    """The priors of a model, by class of parameter and by name.

    Attributes
    ----------
    intercept, coefficients, sd, corr, sigma : Prior, text or None
        One for each class; None stands for brms's default (see the module). `sigma` is the
        residual sd of a Gaussian model.
    by_name : mapping
        Priors of single parameters, which go before their class: keys are the names of a
        summary, ``"district_competitiveness"`` or ``"sd Intercept | district_id"``; the
        prior of a correlation matrix has the key ``"corr | election_id"``.
    centred : bool
        Whether the prior of the intercept speaks of the centred design (as in brms) or of the
        intercept itself.

    Examples
    --------
    >>> Priors(sd=half_cauchy(5), coefficients="normal(0, 10)").sd
    student_t(1, 0, 5)
    """

    intercept: Any = None
    coefficients: Any = field(default_factory=flat)
    sd: Any = None
    corr: Any = field(default_factory=lambda: lkj(1))
    sigma: Any = None
    by_name: Mapping[str, Any] = field(default_factory=dict)
    centred: bool = True

    def __post_init__(self) -> None:
        for what in ("intercept", "coefficients", "sd", "corr", "sigma"):
            given = getattr(self, what)
            if given is None:
                continue
            prior = _read(given, what)
            _check_class(prior, what, "corr" if what == "corr" else "number")
            object.__setattr__(self, what, prior)
        read = {name: _read(given, name) for name, given in self.by_name.items()}
        for name, prior in read.items():
            _check_class(prior, name, "corr" if name.startswith("corr ") else "number")
        object.__setattr__(self, "by_name", MappingProxyType(read))

    def __reduce__(self) -> tuple[Any, ...]:
        """For another process: a mapping proxy cannot be sent as it is."""
        classes = (self.intercept, self.coefficients, self.sd, self.corr, self.sigma)
        return Priors, (*classes, dict(self.by_name), self.centred)

    def describe(self, model: Specified) -> pd.DataFrame:
        """The prior of every parameter of `model`: parameter, prior.

        Examples
        --------
        >>> import hierwidgets as hw
        >>> model = hw.Model("contacted ~ district_competitiveness + (1 | district_id)",
        ...                  hw.load("uk"), "binomial", event="Contacted")
        >>> for row in hw.Priors().describe(model).itertuples(index=False):
        ...     print(*row, sep=": ")
        Intercept (centred): student_t(3, 0, 2.5)
        district_competitiveness: flat()
        sd Intercept | district_id: student_t(3, 0, 2.5)
        """
        found = resolve(self, model.design, model.family)
        rows = [(name, prior) for name, prior in found.named(model.design)]
        return pd.DataFrame(
            [(name, repr(prior)) for name, prior in rows], columns=["parameter", "prior"]
        )


def _check_class(prior: Prior, what: str, wanted: str) -> None:
    if (prior.kind == "lkj") != (wanted == "corr"):
        allowed = "lkj(eta)" if wanted == "corr" else "anything but lkj"
        raise DataError(f"the prior of {what} is {prior!r}; it can be {allowed}")


@dataclass(frozen=True, slots=True)
class Resolved:
    """The prior of every parameter of one design.

    Attributes
    ----------
    coefficients : tuple of Prior
        One for each of the p coefficients.
    centre : (p,)
        The means of the columns of X where the intercept's prior is of the centred design,
        else 0 (1 for the intercept itself): its prior is of ``centre @ beta``.
    intercept : int or None
        Its position.
    sds : tuple of tuple of Prior
        One for each column of each term.
    corrs : tuple of tuple of float
        eta of each block of each term.
    sigma : Prior
    """

    coefficients: tuple[Prior, ...]
    centre: Array
    intercept: int | None
    sds: tuple[tuple[Prior, ...], ...]
    corrs: tuple[tuple[float, ...], ...]
    sigma: Prior | None

    def named(self, design: Design) -> Iterator[tuple[str, Prior]]:
        """Names and priors, in the order of a summary."""
        for i, (name, prior) in enumerate(zip(design.names, self.coefficients, strict=True)):
            shifted = i == self.intercept and np.count_nonzero(self.centre) > 1
            yield name + (" (centred)" if shifted else ""), prior
        for term, sds, etas in zip(design.terms, self.sds, self.corrs, strict=True):
            for column, prior in zip(term.names, sds, strict=True):
                yield f"sd {column} | {term.group}", prior
            for block, eta in zip(term.blocks, etas, strict=True):
                if len(block) > 1:
                    yield f"corr | {term.group}", lkj(eta)
        if self.sigma is not None:
            yield "sigma", self.sigma


def resolve(priors: Priors, design: Design, family: Family) -> Resolved:
    """The prior of every parameter of a design.

    Raises
    ------
    DataError
        `by_name` names a parameter that the model does not have.
    """
    location, scale = default_scale(design, family)
    intercept = priors.intercept or student_t(3, location, scale)
    spread = student_t(3, 0, scale)
    known: list[str] = list(design.names)
    own = priors.by_name

    def choose(name: str, fallback: Prior) -> Prior:
        known.append(name)
        return own.get(name, fallback)

    where = design.names.index("Intercept") if "Intercept" in design.names else None
    coefficients = tuple(
        own.get(name, intercept if i == where else priors.coefficients)
        for i, name in enumerate(design.names)
    )
    centre = np.zeros(len(design.names))
    if where is not None:
        centre[where] = 1.0
        if priors.centred:
            centre = design.X[design.rows].mean(axis=0)
    sds = tuple(
        tuple(choose(f"sd {name} | {t.group}", priors.sd or spread) for name in t.names)
        for t in design.terms
    )
    corrs = tuple(
        tuple(choose(f"corr | {t.group}", priors.corr).parameters[0] for _ in t.blocks)
        for t in design.terms
    )
    sigma = choose("sigma", priors.sigma or spread) if family.name == "gaussian" else None
    strange = [name for name in own if name not in known]
    if strange:
        raise DataError(
            f"by_name has {strange[0]!r}, which is no parameter of the model; its parameters "
            f"are {list(dict.fromkeys(known))}"
        )
    return Resolved(coefficients, centre, where, sds, corrs, sigma)


def settled(priors: Priors, design: Design, family: Family) -> Priors:
    """The same priors of a design, none of them left to a default that looks at its response."""
    location, scale = default_scale(design, family)
    spread = student_t(3, 0, scale)
    return replace(
        priors,
        intercept=priors.intercept or student_t(3, location, scale),
        sd=priors.sd or spread,
        sigma=priors.sigma or spread,
    )


def default_scale(design: Design, family: Family) -> tuple[float, float]:
    """Location and scale of brms's default priors for a response on the link scale."""
    if family.name == "binomial":
        return 0.0, 2.5
    y = design.y[design.rows] if family.name == "gaussian" else _counts(design)
    on_link = y if family.name == "gaussian" else np.log(y + 0.1)
    location = float(np.median(on_link))
    spread = 1.4826 * float(np.median(np.abs(on_link - location)))
    return round(location, 1), max(2.5, round(spread, 1))


def _counts(design: Design) -> Array:
    return design.data[design.formula.response].to_numpy(dtype=np.float64)
