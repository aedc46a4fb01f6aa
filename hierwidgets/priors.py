"""The prior distributions, as a user names them: ``hw.priors.normal(0, 1)``."""

from .sampling.priors import (
    Prior,
    Priors,
    exponential,
    flat,
    gamma,
    half_cauchy,
    half_normal,
    lkj,
    normal,
    student_t,
    uniform,
)

__all__ = [
    "Prior",
    "Priors",
    "exponential",
    "flat",
    "gamma",
    "half_cauchy",
    "half_normal",
    "lkj",
    "normal",
    "student_t",
    "uniform",
]
