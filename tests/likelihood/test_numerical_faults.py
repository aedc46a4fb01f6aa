"""Numbers that break programs, and what happens to each here.

| given | what happens |
|---|---|
| a predictor in units of 1e-12 to 1e12 | the same fit, coefficients in those units |
| a predictor a million sds from 0, in a varying slope | the same fit: `test_coordinates.py` |
| outcomes constant within every level | `FitError`: no finite sd: `test_existence.py` |
| a fixed part that spans a group's levels | REML `FitError`: flat; ML: sd 0 |
| quadrature of effects with an sd in the tens | `converged` is False where nodes disagree |
| an offset that drives the predictor to overflow | `FitError` |
| complete separation by a predictor or a level | `FitError` that names it, whatever the link |
| counts or offsets that drive the predictor to overflow | `FitError` that names what is too large |
| a column in units of 1e-200 or 1e200 | `DataError` that names it |
| sigma at 0 | the fit says `singular`; effects are 0, predictions the overall rate |
| sigma without bound | grows with the data, stays finite |
| two predictors equal to 1e-7 | slopes whose sum is right; equal ones: `FormulaError` |
| float32, int8, bool, Int64, boolean columns | the digits of float64 |
| rows, columns, levels in another order | the same fit |
| an expected count of 1e12 to 1e304 | drawn, with the variance of a count (numpy's is wrong) |
| rows with 0 trials | left out and counted: the same fit |
| a million trials in a row | the same as a million rows |
| a constant offset | the intercept takes it; one of 1000 is refused: is it a logarithm? |

``pytest -s`` prints what was measured, a line for each.
"""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw

F = "y ~ x + (1 | g)"


def made(seed=30, n=240, levels=12, sd=0.8):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(levels), n // levels)
    x = rng.normal(size=n).round(3)
    eta = -0.4 + 0.7 * x + sd * rng.normal(size=levels)[g]
    return pd.DataFrame({"y": (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int), "x": x,
                         "g": [f"g{k}" for k in g]})  # fmt: skip


def told(what, result):
    print(f"\n{what}: {result}", end=" ")


def same(one, other, atol=2e-5, what="the same fit"):
    furthest = max(np.abs(one.fixef - other.fixef).max(), np.abs(one.theta - other.theta).max())
    gap = abs(one.loglik - other.loglik)
    told(what, f"log-likelihoods differ by {gap:.0e}, estimates by {furthest:.0e} at most")
    assert np.allclose(one.fixef, other.fixef, atol=atol)
    assert np.allclose(one.theta, other.theta, atol=atol)
    assert abs(one.loglik - other.loglik) < 1e-6


@pytest.mark.parametrize("unit", [1e-12, 1e-6, 1e6, 1e12])
def test_units(unit):
    frame = made()
    plain, scaled = hw.glmer(F, frame), hw.glmer(F, frame.assign(x=frame["x"] * unit))
    gap, ratio = abs(plain.loglik - scaled.loglik), scaled.fixef["x"] * unit / plain.fixef["x"]
    told(
        f"a predictor times {unit:g}", f"log-likelihood off by {gap:.0e}, slope by {ratio - 1:.0e}"
    )
    assert gap < 1e-6
    assert np.isclose(scaled.fixef["x"] * unit, plain.fixef["x"], rtol=1e-4)
    assert np.isclose(scaled.std_error["x"] * unit, plain.std_error["x"], rtol=1e-3)
    assert np.isclose(scaled.theta[0], plain.theta[0], atol=1e-4)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_units_of_a_gaussian_response(unit):
    frame = made().assign(z=lambda d: d["x"] + d["y"])
    plain, scaled = (
        hw.lmer("z ~ x + (1 | g)", frame),
        hw.lmer("z ~ x + (1 | g)", frame.assign(z=frame["z"] * unit)),
    )
    told(
        f"a response times {unit:g}",
        f"slope {scaled.fixef['x'] / unit:.6f}, {plain.fixef['x']:.6f}",
    )
    assert np.allclose(scaled.fixef / unit, plain.fixef, rtol=1e-6)
    assert np.allclose(scaled.varcorr["sd"] / unit, plain.varcorr["sd"], rtol=1e-4)


@pytest.mark.parametrize("size", [40.0, 800.0, 1e6])
def test_a_predictor_that_overflows(size):
    frame = made()
    offset = np.where(frame["y"] == 1, size, -size)
    with pytest.raises(hw.FitError, match=r"offset|separate the outcomes") as found:
        hw.glmer(F, frame, offset=offset)
    told(f"an offset of +-{size:g}", f"{found.value}"[:90])


def test_predictions_far_out_are_rates():
    fit = hw.glmer(F, made())
    far = fit.predict(pd.DataFrame({"x": [-1e6, 1e6], "g": "g1"}), interval=0.9)
    told("predictions a million away", far["estimate"].tolist())
    assert far["estimate"].tolist() == [0.0, 1.0]
    assert np.isfinite(far[["conf_low", "conf_high"]].to_numpy()).all()


def test_separation_is_named():
    frame = made()
    with pytest.raises(hw.FitError, match="'x'") as found:
        hw.glmer(F, frame.assign(y=(frame["x"] > 0.2).astype(int)))
    told("complete separation", f"{found.value}"[:90])


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_separation_by_the_reference_level_is_named(link):
    frame = made().assign(h=lambda d: np.arange(len(d)) % 3)
    frame.loc[frame["h"] == 0, "y"] = 1
    with pytest.raises(hw.FitError, match=r"'y' is 1 in all 80 rows with h = 0") as found:
        hw.glmer("y ~ C(h) + (1 | g)", frame, link=link)
    told(f"separation by a level, {link}", f"{found.value}"[40:130])


@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_units_beyond_arithmetic(unit):
    frame = made().assign(z=lambda d: d["x"] + d["y"])
    for column, formula in (("x", F), ("x", "y ~ 1 + (x | g)"), ("z", "z ~ x + (1 | g)")):
        fit = hw.lmer if formula.startswith("z") else hw.glmer
        with pytest.raises(hw.DataError, match=f"in column '{column}'") as found:
            fit(formula, frame.assign(**{column: frame[column] * unit}))
    told(f"a column times {unit:g}", f"{found.value}")


@pytest.mark.parametrize(
    ("formula", "changes", "words"),
    [
        ("c ~ 1 + (1 | g)", {"c": 1e12}, "the response 'c' reaches"),
        ("c ~ x + (1 | g)", {"c": 1e12}, "the response 'c' reaches"),
        ("c ~ 1 + (1 | g)", {"o": 700.0}, "offsets go from"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_overflow_is_laid_to_what_is_too_large(formula, changes, words):
    frame = made().assign(c=lambda d: 1.0 + np.arange(len(d)) % 7, o=0.0)
    for column, size in changes.items():
        frame.loc[::5, column] = size
    with pytest.raises(hw.FitError, match=words) as found:
        hw.glmer(formula, frame, "poisson", offset="o")
    told("an overflow", f"{found.value}"[:90])
    assert "rescale the predictors" not in str(found.value)


def test_sigma_at_zero():
    frame = made(n=200, levels=10).assign(y=np.tile([0, 0, 0, 1], 50))
    frame["x"] = np.tile([1.0, -1, -1, 1, 0, 0, 0, 0], 25)
    fit = hw.glmer("y ~ 1 + (1 | g)", frame)
    told("no differences between levels", f"sd {fit.theta[0]:.0e}, singular: {fit.singular}")
    assert fit.singular
    assert fit.theta[0] < 1e-4
    assert np.allclose(fit.predict()["estimate"], 0.25, atol=1e-3)
    assert "singular" in str(fit.summary()).lower()


def test_sigma_is_as_large_as_the_data_want():
    y = np.concatenate([np.repeat([0, 1], 50)] * 5)
    frame = pd.DataFrame({"y": y, "g": np.repeat(np.arange(10), 50)})
    frame.loc[::50, "y"] = 1 - frame.loc[::50, "y"]  # one exception in every level
    fit = hw.glmer("y ~ 1 + (1 | g)", frame)
    told("levels nearly all yes or all no", f"sd {fit.theta[0]:.2f}")
    assert 2 < fit.theta[0] < 20
    assert np.isfinite(fit.std_error).all()


def test_twin_predictors():
    """x and x + 1e-7 r span what x and r span, so their slopes add up to that of x beside r."""
    frame = made().assign(r=lambda d: np.arange(len(d)) / len(d))
    frame["w"] = frame["x"] + 1e-7 * frame["r"]
    fit, exact = hw.glmer("y ~ x + w + (1 | g)", frame), hw.glmer("y ~ x + r + (1 | g)", frame)
    total = fit.fixef["x"] + fit.fixef["w"]
    told("predictors equal to 1e-7", f"slopes add up to {total:.6f}, exact {exact.fixef['x']:.6f}")
    assert np.isclose(total, exact.fixef["x"], atol=1e-4)
    assert abs(fit.loglik - exact.loglik) < 1e-6
    with pytest.raises(hw.FormulaError, match="w"):
        hw.glmer("y ~ x + w + (1 | g)", frame.assign(w=2 * frame["x"]))


@pytest.mark.parametrize("kind", ["float32", "float16", "Float64", "string"])
def test_kinds_of_numbers(kind):
    frame = made().round({"x": 1})
    if kind == "string":
        with pytest.raises(hw.HierwidgetsError):
            hw.glmer(F, frame.assign(x=frame["x"].astype("string") + "?"))
        return
    rounded = frame["x"].astype(kind)
    same(hw.glmer(F, frame.assign(x=rounded)), hw.glmer(F, frame.assign(x=rounded.astype(float))),
         what=f"a predictor of {kind}")  # fmt: skip


@pytest.mark.parametrize("kind", ["int8", "uint8", "bool", "Int64", "boolean", "float32"])
def test_kinds_of_outcomes(kind):
    frame = made()
    same(hw.glmer(F, frame), hw.glmer(F, frame.assign(y=frame["y"].astype(kind))),
         what=f"an outcome of {kind}")  # fmt: skip


def test_order_of_rows_columns_and_levels():
    frame = made()
    mixed = frame.sample(frac=1, random_state=np.random.default_rng(1))[["g", "y", "x"]]
    mixed["g"] = pd.Categorical(mixed["g"], categories=sorted(set(mixed["g"]))[::-1])
    one, other = hw.glmer(F, frame), hw.glmer(F, mixed)
    same(one, other, atol=1e-6, what="another order")
    modes = [f.ranef.set_index("level")["mode"] for f in (one, other)]
    assert np.allclose(modes[0], modes[1].reindex(modes[0].index), atol=1e-5)


def test_a_million_trials_are_a_million_rows():
    rng = np.random.default_rng(31)
    rate = 1 / (1 + np.exp(-rng.normal(-1, 0.5, 20)))
    n = np.full(20, 50_000)
    y = rng.binomial(n, rate)
    counts = pd.DataFrame({"y": y, "n": n, "g": np.arange(20)})
    rows = pd.DataFrame({
        "y": np.concatenate([np.repeat([1, 0], [a, b - a]) for a, b in zip(y, n, strict=True)]),
        "g": np.repeat(np.arange(20), n),
    })  # fmt: skip
    one, other = hw.glmer("p(y, n) ~ 1 + (1 | g)", counts), hw.glmer("y ~ 1 + (1 | g)", rows)
    told("a million trials in 20 rows", f"{one.fixef.iloc[0]:.8f}; in rows of one "
         f"{other.fixef.iloc[0]:.8f}")  # fmt: skip
    assert np.allclose(one.fixef, other.fixef, atol=1e-6)
    assert np.allclose(one.theta, other.theta, atol=1e-6)


def test_a_constant_offset():
    frame = made()
    moved = hw.glmer(F, frame, offset=np.full(len(frame), 5.0))
    plain = hw.glmer(F, frame)
    told("an offset of 5 everywhere", f"intercept {moved.fixef['Intercept']:.4f} + 5, without it "
         f"{plain.fixef['Intercept']:.4f}")  # fmt: skip
    assert np.isclose(moved.fixef["Intercept"] + 5, plain.fixef["Intercept"], atol=1e-4)
    assert np.isclose(moved.fixef["x"], plain.fixef["x"], atol=1e-4)
    with pytest.raises(hw.FitError, match=r"offsets go from 1e.03 to 1e.03 on the link scale"):
        hw.glmer(F, frame, offset=np.full(len(frame), 1000.0))


@pytest.mark.parametrize("mean", [1e11, 1e13, 1e15, 1e17, 1e18, 1e20, 1e30, 1e300])
def test_large_counts_are_drawn(mean):
    """Standardised, their mean is 0 and their variance 1, within 4 standard errors."""
    draw = hw.Model(F, made(), "poisson").family.sample
    y = draw(np.random.default_rng(1), np.full(10_000, mean), np.ones(10_000))
    assert (y >= 0).all()
    assert np.abs(y.mean() / mean - 1) < 4e-2 / np.sqrt(mean) + 1e-15
    if mean < 1e30:  # above, numbers lie further apart than the sd
        spread = (y - mean) / np.sqrt(mean)
        assert abs(np.var(spread) - 1) < 4 * np.sqrt(2 / 10_000)
    told(f"counts of mean {mean:g}", f"{len(np.unique(y))} different ones")


def test_no_trials():
    frame = made()
    frame["n"] = np.arange(len(frame)) % 4
    frame["s"] = np.minimum(frame["y"], frame["n"])
    some = frame[frame["n"] > 0]
    same(hw.glmer("p(s, n) ~ x + (1 | g)", frame), hw.glmer("p(s, n) ~ x + (1 | g)", some))
