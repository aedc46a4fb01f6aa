"""What the prior dial says: of one quantity, of the weights, and its table."""

from collections.abc import Mapping

import numpy as np

from hierwidgets.sampling.pareto import K_LIMIT, Weights

from .look import Look, Summary
from .shapes import OWN, Turned

__all__ = ["about", "beyond_words", "picture_words", "row", "turned_words", "weights_words"]


def about(name: str, summary: Summary) -> str:
    """One quantity in a sentence.

    Examples
    --------
    >>> about("sd x | g", {"as drawn": (0.5, 0.1, 0.9), "posterior": (0.4, 0.1, 0.7)})
    'sd x | g: mean 0.400, 90 % interval 0.100 to 0.700; as drawn 0.500.'
    """
    drawn = summary["as drawn"][0]
    if "posterior" not in summary:
        return f"{name}: as drawn {drawn:.3f}."
    mean, low, high = summary["posterior"]
    return f"{name}: mean {mean:.3f}, 90 % interval {low:.3f} to {high:.3f}; as drawn {drawn:.3f}."


def weights_words(weights: Weights, fresh: bool) -> str:
    """How the posterior shown was come by.

    Examples
    --------
    >>> weights_words(Weights(np.full(4000, 1 / 4000), -np.inf), fresh=True)
    'Drawn anew under these priors: 4,000 draws.'
    """
    count = len(weights.share)
    if np.ptp(weights.share) == 0:
        how = "Drawn anew under these priors" if fresh else "As drawn"
        return f"{how}: {count:,} draws."
    of = "new draws" if fresh else "draws"
    k = "" if np.isinf(weights.k) else f"; Pareto k {weights.k:.2f}, sound below {K_LIMIT}"
    return f"By weights, worth {weights.effective:,.0f} of {count:,} {of}{k}."


def beyond_words(weights: Weights, drawing: bool) -> str:
    """Why there is no posterior to see."""
    k = "" if np.isinf(weights.k) else f" (Pareto k {weights.k:.2f}, not below {K_LIMIT})"
    then = "Drawing anew …" if drawing else "New draws are taken when you let go."
    return f"Too far from the draws{k}: a few of them would decide. {then}"


def turned_words(turned: Turned, classes: Mapping[str, str]) -> str:
    """The priors in words; `classes` has the names of "sd", "coefficient" and "corr" shown.

    Examples
    --------
    >>> turned_words(Turned("half-normal", 0.5, "flat", 2.5, 1.0), {"sd": "sds"})
    'Prior of the sds: half-normal, scale 0.5.'
    """
    shapes = {"sd": turned[:2], "coefficient": turned[2:4]}
    parts = []
    for key, name in classes.items():
        if key == "corr":
            parts.append(f"{name}: LKJ, η {turned.eta:.3g}")
            continue
        shape, scale = shapes[key]
        fixed = shape in ("flat", OWN)
        parts.append(f"{name}: {shape}" + ("" if fixed else f", scale {scale:.3g}"))
    return f"Prior of the {'; of the '.join(parts)}." if parts else ""


def picture_words(name: str, look: Look) -> str:
    """The text alternative of a picture."""
    texts = [f"Curves of {name}."]
    if "prior" not in look.summary:
        texts.append("No prior is drawn: one that it is made of is flat.")
    for key, (middle, low, high) in look.summary.items():
        if np.isnan(low):
            texts.append(f"The {key} is flat.")
            continue
        which = {"prior": "Prior: median", "as drawn": "Posterior as drawn: mean"}
        texts.append(
            f"{which.get(key, 'Posterior: mean')} {middle:.3f}, 90 % interval {low:.3f} to "
            f"{high:.3f}."
        )
    return " ".join(texts)


def row(name: str, summary: Summary) -> list[str]:
    """One row of the table."""
    parts = [name]
    prior = summary.get("prior", (np.nan,) * 3)
    parts.append("–" if np.isnan(prior[1]) else f"{prior[1]:.3f} to {prior[2]:.3f}")
    for key in ("as drawn", "posterior"):
        if key not in summary:
            parts += ["–", "–"]
            continue
        mean, low, high = summary[key]
        parts += [f"{mean:.3f}", f"{low:.3f} to {high:.3f}"]
    return parts
