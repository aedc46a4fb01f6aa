"""Predictions of a fit at the conditional modes; `Fit.predict` says what of."""

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.likelihood.prediction import standard_errors
from hierwidgets.likelihood.predictive import observation_interval
from hierwidgets.spec import rows
from hierwidgets.spec.design import NewRows
from hierwidgets.spec.predictions import Request, prepare

from .record import FitRecord

__all__ = ["predict"]


def predict(fit: FitRecord, newdata: pd.DataFrame | None, request: Request) -> pd.DataFrame:
    """The table of `Fit.predict`."""
    prepared = prepare(fit.design, fit.family, newdata, request)
    if prepared.new is None:
        return prepared.beside({name: np.ones(0) for name in request.columns})
    return prepared.beside(_columns(fit, prepared.new, prepared.size, request))


def _columns(fit: FitRecord, new: NewRows, size: Array, request: Request) -> dict[str, Array]:
    eta = rows.linear_predictor(new, fit.beta, fit.modes.b)
    columns = {"estimate": eta}
    if request.interval is not None:
        se = standard_errors(
            fit.design, fit.family, new, fit.theta, fit.beta, fit.covariance, sigma=fit.sigma,
            unknown=request.new_levels == "sample",
        )  # fmt: skip
        if request.interval_of == "observation":
            return observation_interval(fit.family, eta, se, fit.sigma, size, request.interval)
        columns |= rows.link_interval(eta, se, request.interval)
    return rows.to_response(fit.family, columns) if request.scale == "response" else columns
