"""What to rescale when the arithmetic of a likelihood overflows, in words."""

import numpy as np

from hierwidgets.spec.design import Design

__all__ = ["beyond_arithmetic"]

_LARGE = 1e6  # of a predictor, a response or a weight
_WIDE = 30.0  # of offsets, on the link scale


def beyond_arithmetic(design: Design) -> str:
    """The values that are too far out for a model, as the end of an error's message."""
    found = []
    low, high = np.min(design.offset), np.max(design.offset)
    if high - low > _WIDE:
        found.append(
            f"offsets go from {low:.3g} to {high:.3g} on the link scale: is it a logarithm?"
        )
    columns = dict(zip(design.names, design.X.T, strict=True))
    for term in design.terms:
        columns |= dict(zip(term.names, term.Z.T, strict=True))
    for name, x in columns.items():
        if (reach := np.abs(x).max()) > _LARGE:
            found.append(f"the predictor {name!r} reaches {reach:.3g}: rescale it")
    if (reach := np.abs(design.y).max()) > _LARGE:
        found.append(f"the response {design.formula.response!r} reaches {reach:.3g}")
    if (reach := design.weights.max()) > _LARGE:
        found.append(f"weights reach {reach:.3g}")
    if found:
        return "; ".join(found)
    predictors = [name for name in columns if name != "Intercept"]
    if predictors:
        return f"rescale the predictors {predictors[:6]}"
    return f"the levels differ in {design.formula.response!r} by more than the model can follow"
