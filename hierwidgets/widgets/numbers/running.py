"""The estimates of one model by 1, 2, ... quadrature nodes."""

import numpy as np
import pandas as pd

from hierwidgets.base.checks import check_whole
from hierwidgets.errors import HierwidgetsError
from hierwidgets.fit.fit import Fit
from hierwidgets.likelihood.estimate import maximize

from .integral import MOST_NODES, check_integral

__all__ = ["running_frame"]


def running_frame(fit: Fit, nodes: int = MOST_NODES) -> pd.DataFrame:
    """The model of a fit, fitted anew with each number of nodes from 1 (Laplace) on.

    Parameters
    ----------
    fit
        A binomial or Poisson fit with one group term of one coefficient, ``(1 | group)``.
    nodes
        The largest number of nodes, 1 to 100.

    Returns
    -------
    DataFrame
        ``nodes``; ``sd``, of the levels' effects; a column for each coefficient, by its name;
        ``neg2loglik``, minus twice the log-likelihood, counting constant included; ``converged``.
        Where a number of nodes gives no fit, its row is missing.

    Raises
    ------
    DataError
        Another kind of fit, or another number of nodes.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> from hierwidgets.widgets import running_frame
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> running_frame(fit, 3).round(3)[["nodes", "sd", "Intercept", "neg2loglik"]]
       nodes     sd  Intercept  neg2loglik
    0      1  0.310     -1.372    1104.527
    1      2  0.310     -1.372    1104.526
    2      3  0.311     -1.372    1104.515
    """
    check_integral(fit)
    rows = []
    for count in range(1, check_whole(nodes, "nodes", 1, 100) + 1):
        try:
            found = maximize(fit.design, fit.family, count)
        except HierwidgetsError:
            values = np.full(len(fit.beta) + 2, np.nan)
            rows.append((count, *values, False))
        else:
            rows.append((count, found.theta[0], *found.beta, found.neg2loglik, found.converged))
    names = ["nodes", "sd", *fit.design.names, "neg2loglik", "converged"]
    return pd.DataFrame(rows, columns=names)
