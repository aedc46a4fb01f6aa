"""The parameters a reader of a fit sees: coefficients, sds, correlations, the residual sd."""

from dataclasses import dataclass

from hierwidgets.base.arrays import Array

from .covariance import sd_corr
from .design import Design
from .families import Family

__all__ = ["Parameter", "Point", "parameters", "value"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter a reader of a fit sees.

    Attributes
    ----------
    name : str
        "x", "sd x | g", "corr Intercept, x | g" or "sigma".
    kind : str
        "coefficient", "sd", "corr" or "sigma".
    term : int
        The group term of an sd or correlation.
    i, j : int
        Its columns; a coefficient's position is `i`.
    """

    name: str
    kind: str
    term: int = -1
    i: int = -1
    j: int = -1


@dataclass(frozen=True, slots=True)
class Point:
    """Parameters of a model, the covariance factors in absolute units.

    Attributes
    ----------
    factors : tuple of (k, k)
        ``sigma Lambda``, one per term.
    sigma : float
        Residual sd of a Gaussian model, else 1.
    beta : (p,)
    neg2loglik : float
        By maximum likelihood, also where a fit is by REML.
    """

    factors: tuple[Array, ...]
    sigma: float
    beta: Array
    neg2loglik: float


def parameters(design: Design, family: Family) -> tuple[Parameter, ...]:
    """All parameters in the order of a summary: coefficients, sds, correlations, sigma.

    Examples
    --------
    >>> from hierwidgets.data import datasets
    >>> from hierwidgets.spec import design, families, formula
    >>> binomial = families.family("binomial")
    >>> d = design.build(formula.parse("contacted ~ (1 | district_id)"),
    ...                  datasets.load("finland"), binomial, event="Contacted")
    >>> [p.name for p in parameters(d, binomial)]
    ['Intercept', 'sd Intercept | district_id']
    """
    out = [Parameter(name, "coefficient", i=i) for i, name in enumerate(design.names)]
    for t, term in enumerate(design.terms):
        out += [
            Parameter(f"sd {name} | {term.group}", "sd", t, i) for i, name in enumerate(term.names)
        ]
        out += [
            Parameter(f"corr {term.names[i]}, {term.names[j]} | {term.group}", "corr", t, i, j)
            for block in term.blocks
            for n, i in enumerate(block)
            for j in block[n + 1 :]
        ]
    if family.name == "gaussian":
        out.append(Parameter("sigma", "sigma"))
    return tuple(out)


def value(parameter: Parameter, at: Point) -> float:
    """The parameter's value; nan for a correlation with an sd of 0."""
    if parameter.kind == "coefficient":
        return float(at.beta[parameter.i])
    if parameter.kind == "sigma":
        return at.sigma
    sd, corr = sd_corr(at.factors[parameter.term])
    if parameter.kind == "sd":
        return float(sd[parameter.i])
    return float(corr[parameter.i, parameter.j])
