"""Estimates by number of nodes against lme4's stored ones with nAGQ, and what is refused.

Tolerances: lme4's fits with nAGQ are well converged, sd and coefficients 2e-4, -2 log L 2e-4.
"""

import numpy as np
import pytest
from support.stored_fits import EVERY, STORED, fitted, n_agq

import hierwidgets as hw
from hierwidgets.widgets import running_frame
from hierwidgets.widgets.numbers import running


@pytest.mark.parametrize("short", ["finland", "uk0", "uk1"])
def test_every_stored_number_of_nodes(short):
    found = running_frame(fitted(short)).set_index("nodes")
    assert found["converged"].all()
    for name in EVERY:
        if name.startswith(f"{short}_agq") or name == f"{short}_tight":
            row, stored = found.loc[n_agq(name)], STORED[name]
            assert row["sd"] == pytest.approx(stored["theta"], abs=2e-4)
            assert row["Intercept"] == pytest.approx(stored["fixef"]["(Intercept)"], abs=2e-4)
            assert row["neg2loglik"] == pytest.approx(stored["m2ll"], abs=2e-4)


def test_a_fit_s_own_number_is_its_own():
    fit = fitted("uk1_agq5")
    row = running_frame(fit, 5).iloc[-1]
    assert row["sd"] == pytest.approx(fit.theta[0], abs=1e-10)
    np.testing.assert_allclose(row[list(fit.design.names)].astype(float), fit.beta, atol=1e-10)
    assert row["neg2loglik"] == pytest.approx(-2 * fit.loglik, abs=1e-9)


def test_where_there_is_no_fit_the_row_is_missing(monkeypatch):
    own = running.maximize

    def sometimes(design, family, count):
        if count == 2:
            raise hw.FitError("no luck")
        return own(design, family, count)

    monkeypatch.setattr(running, "maximize", sometimes)
    found = running_frame(fitted("finland"), 3)
    assert found["sd"].isna().tolist() == [False, True, False]
    assert found["converged"].tolist() == [True, False, True]


@pytest.mark.parametrize("nodes", [0, 101, 2.5, "many"])
def test_wrong_numbers_are_refused(nodes):
    with pytest.raises(hw.DataError, match="whole number from 1 to 100"):
        running_frame(fitted("finland"), nodes)
