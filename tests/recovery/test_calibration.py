"""Calibration: right draws pass, wrong ones are found; a seed decides, wherever it is run."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest
from support.recoveries import Idle

import hierwidgets as hw
from hierwidgets.course.studies import ranks as study
from hierwidgets.errors import DataError, FitError, FitWarning
from hierwidgets.recovery import calibration
from hierwidgets.sampling import sampler
from hierwidgets.sampling.draws import Draws
from hierwidgets.sampling.priors import Priors, half_normal, normal

MILD = Priors(intercept=normal(0, 1), coefficients=normal(0, 1), sd=half_normal(1),
              sigma=half_normal(1))  # fmt: skip


def proportions():
    data = pd.DataFrame({"y": 0, "n": 12, "g": np.arange(8)})
    return hw.Model("p(y, n) ~ 1 + (1 | g)", data, "binomial")


def numbers():
    data = pd.DataFrame({"y": 0.0, "g": np.arange(40) % 8})
    return hw.Model("y ~ 1 + (1 | g)", data)


def calibrate(model, repetitions=6, **given):
    own = {"seed": 1, "priors": MILD, "progress": False} | given
    return hw.calibrate(model, repetitions, **own)


def same(a, b):
    pd.testing.assert_frame_equal(a.ranks, b.ranks)
    pd.testing.assert_frame_equal(a.truths, b.truths)
    pd.testing.assert_frame_equal(a.runs, b.runs)


def test_the_seed_decides_and_more_repetitions_begin_with_the_same():
    few, many = calibrate(proportions(), 3), calibrate(proportions(), 5)
    same(few, replace(many, ranks=many.ranks[:3], truths=many.truths[:3], runs=many.runs[:3]))
    assert not calibrate(proportions(), 3, seed=2).truths.equals(few.truths)


def test_threads_give_the_same():
    with ThreadPoolExecutor(2) as pool:
        same(calibrate(proportions()), calibrate(proportions(), executor=pool, chunk=2))


def test_processes_give_the_same():
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        same(calibrate(proportions()), calibrate(proportions(), executor=pool, chunk=4))


def test_an_executor_that_breaks_midway_keeps_what_is_done():
    with pytest.warns(FitWarning, match=r"failed \(OSError: x\): 4 of 6"):
        found = calibrate(proportions(), executor=Idle(2, OSError("x")), chunk=2)
    assert list(found.ranks.index) == [0, 1, 2, 3]
    assert "4 of 6 repetitions" in str(found.check())


def test_an_interrupt_keeps_what_is_done(monkeypatch):
    calls, done = [], calibration.perform

    def perform(task):
        calls.append(task)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return done(task)

    monkeypatch.setattr(calibration, "perform", perform)
    with pytest.warns(FitWarning, match="interrupted: 2 of 6 repetitions are done, and kept"):
        found = calibrate(proportions())
    assert found.stopped.startswith("interrupted")
    assert len(found.ranks) == 2


# --- whether it finds what is wrong -------------------------------------------------------


def from_prior(design, family, priors, *, seed, **_):
    """Draws that have not seen the data."""
    drawn = sampler.sample_prior(design, family, priors, 200, seed)
    return replace(drawn, pool=None)


def closer(by):
    """The sampler, with draws of the intercept moved towards their mean by a factor."""
    right = sampler.sample

    def sample(*given, **how) -> Draws:
        drawn = right(*given, **how)
        mean = drawn.beta.mean(axis=(0, 1))
        return replace(drawn, beta=mean + by * (drawn.beta - mean))

    return sample


def test_draws_that_forget_the_data_are_found_by_the_log_likelihood(monkeypatch):
    """Ranks of parameters are even under the prior too (Modrák et al. 2023, section 3)."""
    monkeypatch.setattr(sampler, "sample", from_prior)
    inside = calibrate(numbers(), 60).summary()["inside"]
    assert not inside["log-likelihood"]
    assert inside.drop("log-likelihood").all()


@pytest.mark.slow
@pytest.mark.parametrize(("by", "words"), [(0.4, "too close together"), (2.5, "too far apart")])
def test_draws_of_the_wrong_spread_are_found(monkeypatch, by, words):
    monkeypatch.setattr(sampler, "sample", closer(by))
    found = calibrate(numbers(), 60)
    assert not found.summary()["inside"]["Intercept"]
    assert not found.check().ok
    assert "The ranks of Intercept leave the band" in str(found.check())
    assert words in str(found.check())


@pytest.mark.slow
def test_right_draws_pass():
    assert calibrate(numbers(), 200).check().ok


@pytest.mark.long
@pytest.mark.parametrize("name", study.NAMES[:4])
def test_four_models_pass(name):
    """At the boundary, tiny groups, slopes, Gaussian: 200 repetitions of each."""
    found = study.make(name)
    assert len(found.ranks) == study.REPETITIONS
    assert found.check().ok, found.check()


# --- what it is told ----------------------------------------------------------------------


def test_flat_priors_are_named():
    uk = hw.load("uk")
    model = hw.Model(
        "contacted ~ district_competitiveness + (1 | district_id)", uk, "binomial",
        event="Contacted",
    )  # fmt: skip
    with pytest.raises(DataError, match="prior of district_competitiveness is flat"):
        calibrate(model, priors=Priors())


def test_priors_do_not_change_with_the_data():
    """The default scale of a Gaussian model is that of the response given, once for all."""
    data = pd.DataFrame({"y": np.arange(40) * 10.0, "g": np.arange(40) % 8})
    plan = calibration._plan(hw.Model("y ~ 1 + (1 | g)", data), Priors(), 99, None, None)
    again = plan.priors.describe(numbers())
    assert again["prior"].tolist() == [
        "student_t(3, 195, 148.3)", "student_t(3, 0, 148.3)", "student_t(3, 0, 148.3)",
    ]  # fmt: skip


def test_repetitions_that_cannot_be_sampled_are_counted(monkeypatch):
    right, calls = sampler.sample, []

    def fails_once(*given, **how):
        calls.append(1)
        if len(calls) == 2:
            raise FitError("no peak")
        return right(*given, **how)

    monkeypatch.setattr(sampler, "sample", fails_once)
    found = calibrate(proportions(), 4)
    assert list(found.ranks.index) == [0, 2, 3]
    assert found.failures.to_dict() == {1: "no peak"}
    assert "1 of 4 repetitions could not be sampled" in str(found.check())
    assert "the first: no peak" in str(found.check())


def test_draws_worth_too_few_are_counted():
    found = calibrate(proportions(), 3)
    few = replace(found, runs=found.runs.assign(effective=[50.0, 98.0, 99.0]))
    assert "In 2 repetitions the draws are worth fewer than the 99" in str(few.check())


def test_nothing_that_can_be_sampled(monkeypatch):
    def fails(*_, **__):
        raise FitError("no peak")

    monkeypatch.setattr(sampler, "sample", fails)
    with pytest.raises(FitError, match="none of 2 repetitions could be sampled; the first: no p"):
        calibrate(proportions(), 2)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"repetitions": 0}, "repetitions=0"),
        ({"kept": 5000}, "kept=5000; give a whole number of draws, of those made, from 1 to 1000"),
        ({"level": 2}, "level=2"),
        ({"seed": None}, "seed=None"),
        ({"sampling": {"seed": 1}}, "seed and priors are those of calibrate"),
        ({"sampling": {"method": "gibbs"}}, "method='gibbs'"),
        ({"executor": 4}, "executor=4"),
        ({"chunk": 0}, "chunk=0"),
        ({"priors": "normal(0, 1)"}, "priors must be a hw.Priors; a str was given"),
        ({"model": "y ~ 1 + (1 | g)"}, "model must be a hw.Model; a str was given"),
    ],
)
def test_arguments_are_checked(given, words):
    own = {"model": proportions()} | given
    with pytest.raises(DataError, match=words):
        calibrate(**own)


def test_weights_cannot_be_drawn_with():
    data = pd.DataFrame({"y": [0, 1] * 8, "g": np.arange(16) % 8, "w": 2.0})
    model = hw.Model("y ~ 1 + (1 | g)", data, "binomial", weights="w")
    with pytest.raises(DataError, match="prior weights, with which no responses"):
        calibrate(model)
