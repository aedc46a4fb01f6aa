"""``p(s, 40)`` is ``p(s, n)`` with 40 in every row of n: in every reader of a fit, to the digit."""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.widgets.numbers.effect.moved import without_predictor

N = 40
PRIORS = hw.Priors(coefficients="normal(0, 1)", intercept="normal(0, 1)")


def data() -> pd.DataFrame:
    rng = np.random.default_rng(40)
    g = np.repeat(np.arange(12), 8)
    x = rng.normal(size=96).round(2)
    rate = 1 / (1 + np.exp(-(-0.3 + 0.4 * x + 0.5 * rng.normal(size=12)[g])))
    return pd.DataFrame({"s": rng.binomial(N, rate), "x": x, "g": g, "n": N, "k": g % 3})


@pytest.fixture(scope="module")
def pair() -> tuple[hw.Fit, hw.Fit]:
    return tuple(hw.glmer(f"p(s, {n}) ~ x + (1 | g)", data()) for n in ("40", "n"))


READERS = {
    "loglik": lambda f: f.loglik,
    "aic": lambda f: [f.aic, f.bic, f.conditional_deviance, f.dic],
    "fixef": lambda f: f.fixef.to_numpy(),
    "std_error": lambda f: f.std_error.to_numpy(),
    "theta": lambda f: f.theta,
    "ranef": lambda f: f.ranef[["mode", "sd"]].to_numpy(),
    "fitted": lambda f: f.fitted.to_numpy(),
    "predict": lambda f: f.predict(interval=0.9)[["estimate", "conf_low"]].to_numpy(),
    "newdata": lambda f: f.predict(
        pd.DataFrame({"x": [0.5], "g": [99]}), new_levels="sample", interval=0.9
    )[["estimate", "conf_high"]].to_numpy(),
    "residuals": lambda f: [f.residuals(k).to_numpy() for k in ("response", "deviance", "pearson")],
    "simulate": lambda f: f.simulate(3, seed=1),
    "refit": lambda f: f.refit(f.simulate(1, seed=2).ravel()).fixef.to_numpy(),
    "profile": lambda f: f.confint(progress=False)[["conf_low", "conf_high"]].to_numpy(),
    "bootstrap": lambda f: f.confint(method="bootstrap", draws=20, seed=1, progress=False)[
        ["conf_low", "conf_high"]].to_numpy(),
    "icc": lambda f: f.icc().to_numpy(),
    "design_effect": lambda f: f.design_effect().select_dtypes("number").to_numpy(),
    "conditional_means": lambda f: f.conditional_means().select_dtypes("number").to_numpy(),
    "comparisons": lambda f: hw.comparisons(f, "x")["estimate"].to_numpy(),
    "partial_pooling": lambda f: hw.partial_pooling(
        hw.glmer(f"p(s, {f.design.formula.trials}) ~ 1 + (1 | g)", data())
    ).select_dtypes("number").to_numpy(),
    "without": lambda f: without_predictor(f, "x").loglik,
    "compare": lambda f: hw.compare(without_predictor(f, "x"), f).table["loglik"].to_numpy(),
    "cross_validate": lambda f: hw.cross_validate(
        {"one": f, "no": "no pooling", "all": "complete pooling"}, data(), folds=3, seed=1,
        group="g", progress=False).table["log_score"].to_numpy(),
    "by": lambda f: hw.cross_validate({"one": f}, data(), folds=3, by="g", seed=1,
                                      progress=False).table["log_score"].to_numpy(),
}  # fmt: skip


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_of_a_fit(pair, reader) -> None:
    read = READERS[reader]
    constant, column = (read(fit) for fit in pair)
    assert np.allclose(constant, column, rtol=1e-12, atol=1e-12)


def test_draws_and_their_file(tmp_path) -> None:
    found = []
    for n in ("40", "n"):
        model = hw.Model(f"p(s, {n}) ~ x + (1 | g)", data(), "binomial")
        prior = model.sample_prior(30, seed=1, priors=PRIORS)
        prior.save(tmp_path / f"{n}.npz")
        again = hw.load_posterior(tmp_path / f"{n}.npz")
        assert again.design.formula == model.design.formula
        found.append([
            prior.simulate(4, seed=2), again.simulate(4, seed=2),
            prior.predictive_check(n=20, seed=3).select_dtypes("number"),
            prior.predict(data().head(3))["estimate"],
        ])  # fmt: skip
    for one, other in zip(*found, strict=True):
        assert np.allclose(one, other)


def test_the_column_is_not_asked_for() -> None:
    fit = hw.glmer("p(s, 40) ~ x + (1 | g)", data().drop(columns="n"))
    assert "n" not in fit.design.data
    assert fit.predict(pd.DataFrame({"x": [0.0], "g": [1]}))["estimate"].between(0, 1).all()


def test_one_trial_is_a_binary_response() -> None:
    frame = data().assign(s=lambda d: (d["s"] > 18).astype(int))
    one, plain = (hw.glmer(f"{left} ~ x + (1 | g)", frame) for left in ("p(s, 1)", "s"))
    assert one.loglik == pytest.approx(plain.loglik, abs=1e-10)


def test_more_successes_than_trials() -> None:
    with pytest.raises(hw.DataError, match=r"p\(s, 20\) needs 0 <= successes <= trials"):
        hw.glmer("p(s, 20) ~ x + (1 | g)", data())
    with pytest.raises(hw.FormulaError, match="not poisson"):
        hw.glmer("p(s, 40) ~ x + (1 | g)", data(), family="poisson")
    fit = hw.glmer("p(s, 40) ~ x + (1 | g)", data())
    with pytest.raises(hw.DataError, match="out of 40 trials"):
        fit.refit(np.full(96, 41))
