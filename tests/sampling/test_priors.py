"""Prior distributions: what is read, what is refused, and the defaults."""

import pickle

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.course.studies import shipped_draws
from hierwidgets.sampling.priors import Priors


@pytest.mark.parametrize(
    ("bad", "says"),
    [("normal(0)", "do not fit"), ("normal(0, -1)", "above 0"), ("cauchy(1)", "write one of"),
     ("lkj(1)", "anything but lkj"), (3, "write one of")],
)  # fmt: skip
def test_bad_priors_are_refused(bad, says) -> None:
    with pytest.raises(hw.DataError, match=says):
        Priors(sd=bad)


def test_default_priors_of_counts_and_numbers() -> None:
    data = pd.DataFrame({"y": [100.0, 120.0, 90.0, 150.0] * 5, "g": list("abcde") * 4})
    text = str(Priors().describe(hw.Model("y ~ (1 | g)", data))["prior"].tolist())
    centre = np.median(data["y"])
    scale = round(1.4826 * np.median(np.abs(data["y"] - centre)), 1)
    assert f"student_t(3, {centre:g}, {scale:g})" in text
    assert f"student_t(3, 0, {scale:g})" in text


def test_by_name_must_name_a_parameter() -> None:
    model, _ = shipped_draws.model("finland")
    with pytest.raises(hw.DataError, match="sd x"):
        Priors(by_name={"sd x | g": "exponential(1)"}).describe(model)


def test_priors_can_be_sent_to_another_process() -> None:
    priors = Priors(coefficients="normal(0, 2)", by_name={"sd Intercept | g": "normal(0, 1)"})
    assert pickle.loads(pickle.dumps(priors)) == priors
