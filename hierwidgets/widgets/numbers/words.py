"""Names and texts that the numbers of several instruments share."""

from hierwidgets.fit.fit import Fit
from hierwidgets.posterior.posterior import Posterior

__all__ = ["Estimated", "rate_name", "shorter"]

Estimated = Fit | Posterior


def rate_name(model: Estimated) -> str:
    """What the rates of a binomial model are rates of: "Pr(contacted = Contacted)" or "y / n"."""
    design = model.design
    if design.formula.trials is not None:
        return f"{design.formula.response} / {design.formula.trials}"
    return f"Pr({design.formula.response} = {1 if design.event is None else design.event})"


def shorter(name: str, most: int) -> str:
    """A name cut to at most so many characters.

    Examples
    --------
    >>> shorter("District 309", 9)
    'District…'
    """
    return name if len(name) <= most else f"{name[: most - 1]}…"
