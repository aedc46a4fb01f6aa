"""Prior distributions: what is read, what is refused, and the defaults."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import hierwidgets as hw
from hierwidgets.course.studies import shipped_draws
from hierwidgets.priors import exponential, gamma, normal, student_t, uniform
from hierwidgets.sampling.priors import Prior, Priors


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


@pytest.mark.parametrize(
    ("prior", "known"),
    [
        (normal(0.3, 2.0), stats.norm(0.3, 2.0)),
        (normal(-30.0, 2.0), stats.norm(-30.0, 2.0)),
        (student_t(3, -1.0, 2.5), stats.t(3, -1.0, 2.5)),
        (student_t(1, 0.0, 5.0), stats.t(1, 0.0, 5.0)),
        (exponential(0.7), stats.expon(scale=1 / 0.7)),
        (gamma(2, 0.1), stats.gamma(2, scale=10)),
        (gamma(0.5, 3), stats.gamma(0.5, scale=1 / 3)),
        (uniform(-1, 3), stats.uniform(-1, 4)),
    ],
    ids=lambda one: repr(one) if isinstance(one, Prior) else "",
)
@pytest.mark.parametrize("positive", [False, True])
def test_densities_and_quantiles_are_scipy_s(prior, known, positive) -> None:
    shares = np.array([0.0, 0.01, 0.3, 0.5, 0.9, 0.999])
    low = known.cdf(0.0) if positive else 0.0
    wanted = known.ppf(low + (1 - low) * shares)
    np.testing.assert_array_equal(prior.quantiles(shares, positive), wanted)  # draws rest on them
    mass = known.sf(0.0) if positive else 1.0
    for x in (-2.0, -0.4, 0.0, 0.2, 1.0, 4.0):
        there = known.logpdf(x) - np.log(mass) if x > 0 or not positive else -np.inf
        assert prior.log_density(x, positive) == pytest.approx(there, rel=1e-12, abs=1e-12)
