"""A fit as an object: it is sent, copied, frozen and changed in a copy like any frozen record."""

import copy
import dataclasses
import pickle

import pandas as pd
import pytest
from support.core_cases import LINKS, frame, model

import hierwidgets as hw
from hierwidgets.fit.record import FitRecord


def fit(kind="binomial", link="logit"):
    if kind == "gaussian":
        return hw.lmer("x ~ w + (1 | g)", frame())
    return model(kind, link, "slope").maximize()


@pytest.mark.parametrize(("kind", "link"), [*LINKS, ("gaussian", None)])
def test_a_fit_can_be_sent_to_another_process(kind, link):
    found = fit(kind, link)
    again = pickle.loads(pickle.dumps(found))
    assert again.predict(interval=0.9).equals(found.predict(interval=0.9))
    assert str(again.summary()) == str(found.summary())


def test_a_fit_is_frozen():
    found = fit()
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.loglik = 0.0
    readers = found.fixef
    readers["x"] = 99.0
    assert found.fixef["x"] != 99.0
    assert repr(found).startswith("Fit(p(s, n) ~ x + (1 + x | g), binomial, logLik=")


def test_a_fit_is_copied_and_replaced_whole():
    found = fit()
    for again in (copy.copy(found), copy.deepcopy(found), dataclasses.replace(found)):
        assert type(again) is hw.Fit
        assert repr(again) == repr(found)
        assert again.confint(method="wald").equals(found.confint(method="wald"))
    other = dataclasses.replace(found, loglik=-1.0)
    assert other.aic == 2.0 + 2 * found.n_parameters
    assert found.loglik != -1.0


def test_a_fit_has_the_fields_of_its_record_and_no_other_place_for_a_value():
    found = fit()
    names = [field.name for field in dataclasses.fields(hw.Fit)]
    assert names == [field.name for field in dataclasses.fields(FitRecord)]
    assert not hasattr(found, "__dict__")
    assert isinstance(found, FitRecord)


@pytest.mark.parametrize(
    "made",
    [
        fit,
        lambda: fit().design,
        lambda: fit().summary(),
        lambda: hw.tables(fit()),
        lambda: hw.Model(
            "y ~ x + (1 | g)",
            pd.DataFrame({"y": [0.0, 1, 3], "x": [1.0, 0, 2], "g": ["a", "b", "b"]}),
        ),
    ],
    ids=["fit", "design", "summary", "tables", "model"],
)
def test_results_are_compared_by_identity(made):
    """Arrays have no single truth: two results are the same object or not."""
    one, other = made(), copy.copy(made())
    assert one == one
    assert one != other
    assert len({one, other}) == 2
