"""Charts of models, and points on them: needs the extra `bayes`."""

import numpy as np

import hierwidgets as hw
from hierwidgets.sampling.chart import Chart, chart
from hierwidgets.sampling.priors import Priors, resolve


def charted(m: hw.Model, priors: Priors | None = None, **how) -> Chart:
    return chart(m.design, m.family, resolve(priors or Priors(), m.design, m.family), **how)


def point(c: Chart, seed: int, spread: float = 0.6) -> np.ndarray:
    return c.start + np.random.default_rng(seed).normal(0, spread, len(c.start))
