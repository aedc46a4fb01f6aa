"""Cross-validation against hand-made scores and the reference values of the lectures.

The reference scores (10 folds of rows, mean of 5 divisions) come from another program and other
divisions; from one set of five divisions to the next their mean moves by .001 to .002 (.004 for
no pooling), the tolerance here. Scores made by hand agree to 1e-9.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from scipy.special import expit
from support.paths import STRUCTURES

import hierwidgets as hw
from hierwidgets.errors import DataError, FitError

PARTIAL = "contacted ~ (1 | district_id)"
LECTURE = {"no": "no pooling", "complete": "complete pooling", "partial": PARTIAL}


@cache
def frame(name):
    return pd.read_csv(STRUCTURES / f"{name}.csv")


@cache
def uk():
    data = hw.load("uk")
    return data.assign(contacted=(data["contacted"] == "Contacted").astype(int))


def validate(models, data, **more):
    return hw.cross_validate(models, data, **({"seed": 1, "progress": False} | more))


# --- folds ---


@pytest.mark.parametrize("folds", [2, 7, 10])
def test_folds_divide_the_rows(folds):
    scores = validate(
        {"complete": "complete pooling", "partial": PARTIAL}, uk(), folds=folds
    ).scores
    assert scores.notna().all().all()
    sizes = scores["fold"].value_counts()
    assert sorted(sizes.index) == list(range(1, folds + 1))
    assert sizes.max() - sizes.min() <= 1
    assert list(scores.index) == list(uk().index)


def test_whole_groups_stay_together():
    scores = validate({"a": PARTIAL}, uk(), by="district_id").scores
    assert (scores.groupby(uk()["district_id"])["fold"].nunique() == 1).all()
    assert scores["fold"].nunique() == 10


def test_division_follows_the_seed_and_not_the_models():
    one = validate({"a": PARTIAL}, uk(), folds=3).scores
    same = validate(LECTURE, uk(), folds=3).scores
    other = validate({"a": PARTIAL}, uk(), folds=3, seed=2).scores
    assert (one["a"] == same["partial"]).all()
    assert (one["fold"] == same["fold"]).all()
    assert (one["fold"] != other["fold"]).any()


# --- scores by hand ---


def test_scores_of_a_fold():
    data = uk()
    found = validate(LECTURE, data, folds=4)
    test = (found.scores["fold"] == 2).to_numpy()
    train, held = data[~test], data[test]
    y = held["contacted"].to_numpy()
    fit = hw.glmer(PARTIAL, train)
    effects = fit.ranef.set_index("level")["mode"]
    mu, sd = fit.fixef["Intercept"], float(fit.theta[0])

    def rate(level):
        if level in effects.index:
            return expit(mu + effects[level])
        return integrate.quad(lambda b: expit(mu + b) * stats.norm.pdf(b, 0, sd), -9, 9)[0]

    p = held["district_id"].map(rate).to_numpy()
    expected = np.log(np.where(y == 1, p, 1 - p))
    assert found.scores.loc[test, "partial"].to_numpy() == pytest.approx(expected, abs=1e-9)

    overall = train["contacted"].mean()
    expected = np.log(np.where(y == 1, overall, 1 - overall))
    assert found.scores.loc[test, "complete"].to_numpy() == pytest.approx(expected)

    events = train.groupby("district_id")["contacted"].agg(["sum", "size"])
    events = events.reindex(held["district_id"]).fillna(0)
    p = ((events["sum"] + 0.5) / (events["size"] + 1)).to_numpy()
    expected = np.log(np.where(y == 1, p, 1 - p))
    assert found.scores.loc[test, "no"].to_numpy() == pytest.approx(expected)


def test_population_leaves_the_unknown_effect_at_zero():
    data = uk()
    found = validate({"a": PARTIAL}, data, folds=3, by="district_id", new_levels="population")
    test = (found.scores["fold"] == 1).to_numpy()
    p = expit(hw.glmer(PARTIAL, data[~test]).fixef["Intercept"])
    expected = np.where(data["contacted"][test] == 1, np.log(p), np.log(1 - p))
    assert found.scores.loc[test, "a"].to_numpy() == pytest.approx(expected)


def test_ordinary_regression_is_complete_pooling():
    found = validate({"words": "complete pooling", "formula": "contacted ~ 1"}, uk())
    # Newton's method stops when the log-likelihood of 500 rows gains less than 1e-6 of itself
    assert found.scores["formula"].to_numpy() == pytest.approx(found.scores["words"], abs=1e-6)


def test_gaussian_scores():
    data = frame("gaussian")
    models = {"groups": "y_crossed ~ x + (1 | g) + (1 | h)", "none": "y_crossed ~ x"}
    found = validate(models, data, folds=3, by="g", family="gaussian")
    test = (found.scores["fold"] == 3).to_numpy()
    fit = hw.lmer(models["groups"], data[~test])
    sd = fit.varcorr.set_index("group")["sd"]
    h = fit.ranef.query("group == 'h'").set_index("level")["mode"]
    mean = fit.fixef["Intercept"] + fit.fixef["x"] * data["x"] + data["h"].map(h)
    expected = stats.norm.logpdf(data["y_crossed"], mean, np.hypot(sd["g"], sd["Residual"]))
    assert found.scores["groups"][test].to_numpy() == pytest.approx(expected[test], abs=1e-9)

    from statsmodels.api import OLS, add_constant

    X = add_constant(data["x"])
    ols = OLS(data["y_crossed"][~test], X[~test]).fit()
    expected = stats.norm.logpdf(data["y_crossed"], X @ ols.params, np.sqrt(ols.scale))
    assert found.scores["none"][test].to_numpy() == pytest.approx(expected[test], abs=1e-9)


def test_trials_and_counts_carry_their_counting_constant():
    binary, counts = frame("binary"), frame("counts")
    found = validate({"a": "p(y_trials, trials) ~ x + (1 | h)"}, binary, folds=2)
    test = (found.scores["fold"] == 1).to_numpy()
    fit = hw.glmer("p(y_trials, trials) ~ x + (1 | h)", binary[~test])
    p = fit.predict(binary[test])["estimate"]
    expected = stats.binom.logpmf(binary["y_trials"][test], binary["trials"][test], p)
    assert found.scores["a"][test].to_numpy() == pytest.approx(expected, abs=1e-9)

    formula = "y_offset ~ x + (1 | h)"
    fit = hw.glmer(formula, counts, "poisson", offset="log_exposure")
    found = validate({"a": fit}, counts, folds=2)
    test = (found.scores["fold"] == 1).to_numpy()
    again = hw.glmer(formula, counts[~test], "poisson", offset="log_exposure")
    expected = stats.poisson.logpmf(
        counts["y_offset"][test], again.predict(counts[test])["estimate"]
    )
    assert found.scores["a"][test].to_numpy() == pytest.approx(expected, abs=1e-9)


# --- the table ---


def test_table_is_the_mean_and_its_paired_error():
    found = validate(LECTURE, uk())
    for name in LECTURE:
        values = found.scores[name]
        assert found.table.loc[name, "log_score"] == pytest.approx(values.mean())
        assert found.table.loc[name, "std_error"] == pytest.approx(stats.sem(values))
    best = found.table.index[0]
    gap = found.scores["no"] - found.scores[best]
    assert found.table.loc["no", "difference"] == pytest.approx(gap.mean())
    assert found.table.loc["no", "std_error_difference"] == pytest.approx(stats.sem(gap))
    by_fold = found.folds.groupby("model").apply(
        lambda part: np.average(part["log_score"], weights=part["n"]), include_groups=False
    )
    assert by_fold[found.table.index].to_numpy() == pytest.approx(found.table["log_score"])
    assert (found.folds.groupby("model")["n"].sum() == 756).all()


def test_errors_by_groups_are_those_of_the_groups_sums():
    found = validate({"a": PARTIAL}, uk(), by="district_id", folds=5)
    total = (found.scores["a"] - found.scores["a"].mean()).groupby(uk()["district_id"]).sum()
    expected = np.sqrt(253 / 252 * (total**2).sum()) / 756
    assert found.table.loc["a", "std_error"] == pytest.approx(expected)


def test_errors_by_cluster_are_those_of_its_sums_and_scores_stay():
    rows = validate(LECTURE, uk(), folds=5)
    found = validate(LECTURE, uk(), folds=5, cluster="district_id")
    pd.testing.assert_frame_equal(found.scores, rows.scores)
    gap = found.scores["complete"] - found.scores[found.table.index[0]]
    total = (gap - gap.mean()).groupby(uk()["district_id"]).sum()
    expected = np.sqrt(253 / 252 * (total**2).sum()) / 756
    assert found.table.loc["complete", "std_error_difference"] == pytest.approx(expected)
    assert expected > 1.2 * rows.table.loc["complete", "std_error_difference"]
    assert "5 folds of rows, errors by district_id" in repr(found)


@pytest.mark.slow
def test_reference_scores():
    """10 folds of respondents, five divisions: UK -.673 -.628 -.615 -.608; Finland one score."""
    formula = "contacted ~ district_competitiveness + (1 | district_id)"
    runs = [
        validate(LECTURE | {"more": formula}, uk(), seed=s).table["log_score"] for s in range(5)
    ]
    found = pd.concat(runs, axis=1).mean(axis=1)
    assert found["no"] == pytest.approx(-0.673, abs=0.004)
    for name, expected in {"complete": -0.628, "partial": -0.615, "more": -0.608}.items():
        assert found[name] == pytest.approx(expected, abs=0.002)
    finland = hw.load("finland")
    runs = [
        validate(LECTURE, finland, event="Contacted", seed=s).table["log_score"] for s in range(5)
    ]
    found = pd.concat(runs, axis=1).mean(axis=1)
    for name, expected in {"no": -0.510, "complete": -0.511, "partial": -0.509}.items():
        assert found[name] == pytest.approx(expected, abs=0.002)


def test_models_that_are_not_told_apart_are_named():
    found = validate(LECTURE, hw.load("finland"), event="Contacted", folds=5)
    assert found.notes[-1].startswith("Not told apart from")
    assert "<caption>Cross-validated log scores" in found._repr_html_()
    assert len(str(found).splitlines()) == 4 + len(found.notes)


def test_fits_and_models_bring_their_settings():
    data = hw.load("uk")
    fit = hw.glmer(PARTIAL, data, event="Contacted", n_agq=9, link="probit")
    model = hw.Model(PARTIAL, data, "binomial", event="Contacted")
    found = validate({"fit": fit, "model": model}, data, folds=3)
    text = validate({"fit": PARTIAL}, data, folds=3, event="Contacted", n_agq=9, link="probit")
    assert found.scores["fit"].to_numpy() == pytest.approx(text.scores["fit"].to_numpy())
    text = validate({"model": PARTIAL}, data, folds=3, event="Contacted")
    assert found.scores["model"].to_numpy() == pytest.approx(text.scores["model"].to_numpy())


def test_data_are_left_alone():
    data, before = uk().copy(), uk().copy()
    validate(LECTURE, data, folds=2)
    pd.testing.assert_frame_equal(data, before)


# --- bad calls ---


@pytest.mark.parametrize(
    ("models", "more", "message"),
    [
        (PARTIAL, {}, "models must be a dictionary"),
        ({}, {}, "models must be a dictionary"),
        ({"a": 3}, {}, "model 'a' is a int; give a formula"),
        ({"a": "complete pooling"}, {}, "give at least one formula"),
        ({"a": PARTIAL}, {"folds": 1}, "folds=1; .* one for each row, from 2 to 756"),
        ({"a": PARTIAL}, {"folds": 2.5}, r"folds=2\.5"),
        ({"a": PARTIAL}, {"folds": 400, "by": "district_id"}, "'district_id', from 2 to 253"),
        ({"a": PARTIAL}, {"by": "county"}, "by='county' is not a column"),
        ({"a": PARTIAL}, {"cluster": "county"}, "cluster='county' is not a column"),
        ({"a": PARTIAL}, {"seed": "s"}, "seed='s' is not a seed"),
        ({"a": PARTIAL}, {"new_levels": "error"}, "new_levels='error'; choose"),
        ({"a": PARTIAL}, {"sampling": {"seed": 1}}, "sampling={'seed': 1}; give a dictionary"),
        ({"a": PARTIAL, "n": "no pooling"}, {"group": "county"}, "group='county' is not a column"),
        ({"a": "contacted ~ 1", "n": "no pooling"}, {}, "'no pooling' needs one grouping factor"),
        ({"a": PARTIAL, "b": "district_competitiveness ~ 1"}, {"family": "gaussian"}, "different"),
        ({"a": PARTIAL, "b": "no pooling"}, {"family": "gaussian"}, "is for a binary response"),
    ],
)  # fmt: skip
def test_bad_calls(models, more, message):
    with pytest.raises(DataError, match=message):
        validate(models, uk(), **more)


def test_one_cluster_gives_no_error():
    with pytest.raises(DataError, match=r"cluster=.all. has one level; .* two or more"):
        validate({"a": PARTIAL}, uk().assign(all="one"), cluster="all")


def test_weights_and_offsets_that_cannot_be_divided():
    data = frame("binary")
    fit = hw.glmer("y_scalar ~ x + (1 | g)", data, weights="w")
    with pytest.raises(DataError, match=r"'a' has prior weights; .* with weights="):
        validate({"a": fit}, data)
    fit = hw.glmer("y_scalar ~ x + (1 | g)", data, offset=data["o"])
    with pytest.raises(DataError, match="'a' has an offset that is not a column"):
        validate({"a": fit}, data)


def test_a_fold_that_cannot_be_fitted_is_named():
    data = pd.DataFrame({"y": [1] + [0] * 29, "g": list("abc") * 10})
    with pytest.raises(FitError, match=r"model 'a', fold \d: 'y' is 0 in every row"):
        validate({"a": "y ~ (1 | g)"}, data, folds=5)


# --- posteriors ---


PRIORS = hw.Priors(coefficients="normal(0, 1)", sd="half_normal(1)")
FEW = {"chains": 2, "tune": 300, "draws": 200}


def test_scores_of_a_fold_of_a_posterior(monkeypatch):
    """By hand from the draws that were made for the fold, unseen districts by integration."""
    from hierwidgets.validation import scores

    made = []
    real = scores.sampler.sample

    def keep(design, *args, **more):
        made.append((design, real(design, *args, **more)))
        return made[-1][1]

    monkeypatch.setattr(scores.sampler, "sample", keep)
    data = uk()
    post = hw.load_posterior("uk")
    model = hw.Model(PARTIAL, data, "binomial")
    post = hw.Posterior(model.design, model.family, PRIORS, post.draws)
    found = validate({"a": post, "no": "no pooling"}, data, folds=2, sampling=FEW)
    again = validate({"b": post}, data, folds=2, sampling=FEW).scores
    assert (again["b"] == found.scores["a"]).all()
    test = (found.scores["fold"] == 1).to_numpy()
    design, drawn = made[0]
    mu, sd = drawn.beta.reshape(-1), drawn.factors[0].reshape(-1)
    b = drawn.effects[0].reshape(400, -1)
    levels = list(design.terms[0].levels)
    grid = np.linspace(-8, 8, 801)
    weight = stats.norm.pdf(grid) / stats.norm.pdf(grid).sum()
    anywhere = np.mean([expit(m + s * grid) @ weight for m, s in zip(mu, sd, strict=True)])
    held = data[test]
    unseen = ~held["district_id"].isin(levels)
    assert 0 < unseen.sum() < len(held)
    p = np.array([
        expit(mu + b[:, levels.index(d)]).mean() if d in levels else anywhere
        for d in held["district_id"]
    ])  # fmt: skip
    expected = np.log(np.where(held["contacted"] == 1, p, 1 - p))
    assert found.scores.loc[test, "a"].to_numpy() == pytest.approx(expected, abs=1e-6)


def small():
    rng = np.random.default_rng(5)
    g = np.repeat(list("abcde"), 4)
    x = rng.normal(size=20)
    return pd.DataFrame({"y": rng.poisson(np.exp(0.8 + 0.4 * x)), "x": x, "g": g})


def test_leaving_out_one_row_agrees_with_importance_sampling():
    """12 refits against PSIS-LOO: two estimates of one number, each with a Monte Carlo error of
    about .03 a row from 1,000 draws (the sd of the log density, at most 1, over root ESS)."""
    data = small().head(12)
    post = hw.Model("y ~ x + (1 | g)", data, "poisson").sample(
        draws=500, seed=1, priors=PRIORS, method="auto", progress=False
    )
    how = {"chains": 2, "tune": 300, "draws": 500}
    refitted = validate({"a": post}, data, folds=12, sampling=how)
    smoothed = post.loo()
    assert smoothed.unreliable == 0
    gap = refitted.scores["a"].to_numpy() - smoothed.pointwise["elpd"].to_numpy()
    assert np.abs(gap).max() < 0.15
    assert abs(gap.sum()) < 0.5
    assert refitted.scores["fold"].nunique() == 12


def test_leaving_out_one_group_has_the_exact_predictive_density():
    """Sds all but fixed by their priors: what is left out is normal, with the mean and variance
    of generalised least squares and of a group not seen (Henderson 1975).

    The score is the log of an average over 4,000 draws of the coefficients, so its Monte Carlo
    error is the relative sd of the density under them over the root of 4,000: .035 in the tail.
    """
    rng = np.random.default_rng(3)
    data = small().assign(y=lambda d: 1 + d["x"] + rng.normal(size=20))
    sd, sigma = 0.8, 0.6
    priors = hw.Priors(
        intercept="flat()",
        by_name={"sd Intercept | g": hw.priors.normal(sd, 1e-3),
                 "sigma": hw.priors.normal(sigma, 1e-3)},
    )  # fmt: skip
    post = hw.Model("y ~ x + (1 | g)", data, "gaussian").sample(
        chains=2, tune=200, draws=20, seed=1, priors=priors, method="auto", progress=False
    )
    how = {"chains": 4, "tune": 400, "draws": 1000}
    found = validate({"a": post}, data, folds=5, by="g", sampling=how)
    X = np.column_stack([np.ones(20), data["x"]])
    same = data["g"].to_numpy()[:, None] == data["g"].to_numpy()
    V = sigma**2 * np.eye(20) + sd**2 * same
    for level in "abcde":
        out = (data["g"] == level).to_numpy()
        W = X[~out].T @ np.linalg.inv(V[np.ix_(~out, ~out)])
        cov = np.linalg.inv(W @ X[~out])
        mean = X[out] @ cov @ W @ data["y"][~out]
        drawn, rest = np.einsum("ij,jk,ik->i", X[out], cov, X[out]), sd**2 + sigma**2
        expected = stats.norm.logpdf(data["y"][out], mean, np.sqrt(drawn + rest))
        squared = stats.norm.pdf(data["y"][out], mean, np.sqrt(drawn + rest / 2))
        squared /= 2 * np.sqrt(
            np.pi * rest
        )  # E of the squared density, a normal of half the variance
        error = np.sqrt((squared / np.exp(expected) ** 2 - 1) / 4000)
        assert error.max() < 0.04
        assert (np.abs(found.scores.loc[out, "a"].to_numpy() - expected) < 4 * error).all()


def test_difference_of_two_leave_one_outs():
    plain, more = (
        hw.Model(f"y ~ {x} + (1 | g)", small(), "poisson").sample(
            chains=2, tune=200, draws=200, seed=1, priors=PRIORS, method="auto", progress=False
        )
        for x in ("1", "x")
    )
    one, two = plain.loo(), more.loo()
    gap = two.pointwise["elpd"] - one.pointwise["elpd"]
    found = two.difference(one)
    assert found["elpd"] == pytest.approx(two.elpd - one.elpd)
    assert found["std_error"] == pytest.approx(np.sqrt(20) * gap.std(ddof=0))
    assert (one.difference(one) == 0).all()
    with pytest.raises(DataError, match="different things"):
        one.difference(plain.loo("g"))


def test_every_fold_of_a_posterior_is_drawn_at_once(monkeypatch):
    """Without chains, unless they are asked for."""
    from hierwidgets.validation import scores

    post = hw.Model("y ~ x + (1 | g)", small(), "poisson").sample(
        draws=50, seed=1, priors=PRIORS, method="importance", progress=False
    )
    methods = []
    real = scores.sampler.sample

    def keep(*args, **more):
        drawn = real(*args, **more)
        methods.append("nuts" if drawn.pool is None else "importance")
        return drawn

    monkeypatch.setattr(scores.sampler, "sample", keep)
    validate({"a": post}, small(), folds=3)
    assert methods == ["importance"] * 3
