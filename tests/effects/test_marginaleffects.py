"""The adapter to marginaleffects, against the package itself and our own comparisons.

Where the package differentiates automatically (predictions, differences, ratios) the two sides
are the same formulas: rtol 1e-8. With an offset it takes forward differences, good to 1e-5.
Slopes it differentiates by forward differences of numbers that are themselves differences over
1e-4; with its step for coefficients set to 1e-6, rounding leaves about 1e-6 of a standard error,
and the tolerance is 1e-5.
"""

import subprocess
import sys
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.effects import marginaleffects as adapter

marginaleffects = pytest.importorskip("marginaleffects")
pl = pytest.importorskip("polars")

# marginaleffects 0.6.0 calls what polars is about to remove; the pin on polars stands for it
pytestmark = pytest.mark.filterwarnings("ignore:.*get_categories:DeprecationWarning")

DISTRICTS = [312, 315, 316, 305, 310, 306, 311, 304, 317, 307, 314, 313, 308, 309]
PRINTED = [0.151, 0.160, 0.174, 0.183, 0.173, 0.190, 0.191, 0.221, 0.216, 0.225]
COLUMNS = ["estimate", "std_error"]


def frame(result):
    """Their result as a pandas frame of plain columns."""
    return pd.DataFrame(result.to_dict(as_series=False))


def agree(theirs, ours, rel):
    theirs = frame(theirs)
    assert len(theirs) == len(ours)
    for column in COLUMNS:
        assert theirs[column].to_numpy() == pytest.approx(ours[column].to_numpy(), rel=rel)


@pytest.fixture(scope="module")
def finland():
    return hw.glmer("contacted ~ (1 | district_id)", hw.load("finland"), event="Contacted")


@pytest.fixture(scope="module")
def several():
    formula = (
        "contacted ~ district_competitiveness * electoral_rules + (1 | district_id)"
        " + (1 + district_competitiveness | election_id)"
    )
    return hw.glmer(formula, hw.load("rainey2015"), event="Contacted")


def test_the_page_s_predictions_of_unique_districts(finland):
    model = hw.to_marginaleffects(finland)
    grid = marginaleffects.datagrid(district_id=lambda column: column.unique())
    found = frame(marginaleffects.predictions(model, newdata=grid))
    estimate = found.set_index("district_id")["estimate"]
    order = [f"District {number}" for number in DISTRICTS]
    assert sorted(estimate.index) == sorted(order)
    assert estimate[order[:10]].round(3).tolist() == PRINTED
    mine = finland.predict(pd.DataFrame({"district_id": order}), interval=0.9)
    theirs = found.set_index("district_id").loc[order]
    for column in COLUMNS:
        assert theirs[column].to_numpy() == pytest.approx(mine[column].to_numpy(), rel=1e-8)


def test_ways_to_write_the_grid(finland):
    model = hw.to_marginaleffects(finland)
    grids = [
        marginaleffects.datagrid(model, district_id=lambda column: column.unique().sort()),
        marginaleffects.datagrid(model, district_id=hw.load("finland")["district_id"].unique()),
        marginaleffects.datagrid(model, district_id=[f"District {n}" for n in sorted(DISTRICTS)]),
    ]
    for grid in grids:
        assert sorted(grid["district_id"]) == grids[0]["district_id"].to_list()
    assert grids[0].height == 14


def test_the_package_is_as_it_was(finland):
    """Nothing of theirs is replaced: "unique" is a plain value, for our models too."""
    hw.to_marginaleffects(finland)
    grid = marginaleffects.datagrid(newdata=pl.DataFrame({"x": ["a", "b"]}), x="unique")
    assert grid["x"].to_list() == ["unique"]
    model = hw.to_marginaleffects(finland)
    with pytest.raises(hw.NewLevelError, match=r"'unique'.*lambda column: column.unique\(\)"):
        marginaleffects.predictions(model, newdata=marginaleffects.datagrid(district_id="unique"))


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("kind", ["difference", "ratio"])
def test_comparisons_agree(several, kind, conditional):
    model = hw.to_marginaleffects(several, conditional=conditional)
    rules = {"electoral_rules": ["PR", "SMD"]}
    rows = hw.load("rainey2015").iloc[::97]
    theirs = marginaleffects.comparisons(
        model, variables=rules, newdata=pl.from_pandas(rows), comparison=kind
    )
    ours = hw.comparisons(several, rules, rows, comparison=kind, conditional=conditional)
    agree(theirs, ours, 1e-8)


def test_comparisons_of_numbers_agree(several):
    model = hw.to_marginaleffects(several)
    rows = hw.load("rainey2015").iloc[::211]
    for how in ([0.2, 0.8], 1, "sd", "iqr", "minmax"):
        change = {"district_competitiveness": how}
        theirs = marginaleffects.comparisons(model, variables=change, newdata=pl.from_pandas(rows))
        agree(theirs, hw.comparisons(several, change, rows), 1e-8)


def test_averages_agree(several):
    model = hw.to_marginaleffects(several)
    rules = {"electoral_rules": ["PR", "SMD"]}
    theirs = marginaleffects.avg_comparisons(model, variables=rules)
    agree(theirs, hw.comparisons(several, rules, average=True), 1e-8)
    theirs = marginaleffects.avg_comparisons(model, variables=rules, by="election_id")
    agree(theirs, hw.comparisons(several, rules, by="election_id"), 1e-8)


def test_slopes_agree(several):
    model = hw.to_marginaleffects(several)
    rows = hw.load("rainey2015").iloc[::97]
    theirs = marginaleffects.slopes(
        model,
        variables="district_competitiveness",
        newdata=pl.from_pandas(rows),
        eps_vcov=1e-6,
    )
    agree(theirs, hw.slopes(several, "district_competitiveness", rows), 1e-5)


def test_without_group_effects_no_group_is_asked_for(several):
    model = hw.to_marginaleffects(several, re_formula="~0")
    at = pd.DataFrame({"district_competitiveness": [0.3, 0.8], "electoral_rules": "PR"})
    rules = {"electoral_rules": ["PR", "SMD"]}
    theirs = marginaleffects.comparisons(model, variables=rules, newdata=pl.from_pandas(at))
    agree(theirs, hw.comparisons(several, rules, at, re_formula="~0"), 1e-8)
    assert "district_id" not in model.get_modeldata().columns


def made(family):
    rng = np.random.default_rng(12)
    n, g = 600, 20
    data = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "arm": pd.Categorical(rng.choice(["lo", "mid", "hi"], n), ["lo", "mid", "hi"]),
            "site": rng.integers(100, 100 + g, n),
            "time": rng.uniform(0.5, 2.0, n),
        }
    )
    eta = 0.4 * data["x"] + 0.5 * (data["arm"] == "hi") + rng.normal(size=g)[data["site"] - 100]
    draw = {
        "gaussian": lambda: eta + rng.normal(size=n),
        "poisson": lambda: rng.poisson(data["time"] * np.exp(0.5 * eta)),
        "binomial": lambda: (rng.uniform(size=n) < 1 / (1 + np.exp(-eta))).astype(int),
    }
    return data.assign(y=draw[family](), log_time=np.log(data["time"]))


FITS = {
    "gaussian": lambda d: hw.lmer("y ~ x * arm + (1 + x | site)", d),
    "poisson": lambda d: hw.glmer("y ~ x + arm + (1 | site)", d, "poisson", offset="log_time"),
    "binomial": lambda d: hw.glmer("y ~ x + arm + (1 | site)", d, link="probit"),
}


@pytest.mark.parametrize("family", FITS)
def test_other_families_numeric_groups_ordered_levels_and_offsets(family):
    data = made(family)
    fit = FITS[family](data)
    model = hw.to_marginaleffects(fit)
    rel = 1e-5 if family == "poisson" else 1e-8  # no automatic differentiation with an offset
    theirs = marginaleffects.predictions(model)
    agree(theirs, fit.predict(interval=0.9), rel)
    theirs = marginaleffects.comparisons(model, variables="arm")
    ours = hw.comparisons(fit, "arm")
    assert frame(theirs)["contrast"].unique().tolist() == ["mid - lo", "hi - lo"]
    agree(theirs, ours, rel)


def test_numerical_derivatives_give_the_automatic_ones(finland):
    model = hw.to_marginaleffects(finland)
    grid = marginaleffects.datagrid(model, district_id=pl.Series.unique)
    automatic = frame(marginaleffects.predictions(model, newdata=grid))["std_error"]
    marginaleffects.autodiff(False)
    try:
        numerical = frame(marginaleffects.predictions(model, newdata=grid))["std_error"]
    finally:
        marginaleffects.autodiff(None)
    assert numerical.to_numpy() == pytest.approx(automatic.to_numpy(), rel=1e-5)


def test_coefficients_and_covariance_have_names(finland):
    model = hw.to_marginaleffects(finland)
    names = model.get_coefnames().tolist()
    assert names[:2] == ["Intercept", "district_id[District 304] Intercept"]
    assert model.get_vcov(True).shape == (15, 15)
    assert model.get_vcov(True)[0, 0] == pytest.approx(finland.vcov.iloc[0, 0], rel=1e-12)
    assert model.get_vcov(False) is None


def test_works_in_a_fresh_interpreter_and_hierwidgets_stays_light():
    code = (
        "import sys, hierwidgets as hw\n"
        "heavy = {'marginaleffects', 'polars', 'jax'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "fit = hw.glmer('contacted ~ (1 | district_id)', hw.load('finland'), event='Contacted')\n"
        "model = hw.to_marginaleffects(fit)\n"
        "from marginaleffects import avg_predictions\n"
        "import marginaleffects as me\n"
        "names = ['datagrid', 'predictions', 'comparisons', 'slopes', 'avg_slopes', 'hypotheses']\n"
        "assert all(callable(getattr(me, name)) for name in names)\n"
        "print(round(avg_predictions(model)['estimate'].item(), 4))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rate = (hw.load("finland")["contacted"] == "Contacted").mean()
    assert float(done.stdout) == pytest.approx(rate, abs=0.005)


# --- bad calls ----------------------------------------------------------------------------


def test_a_missing_package_is_one_sentence(monkeypatch, finland):
    monkeypatch.delitem(sys.modules, "hierwidgets.effects.marginaleffects_model", raising=False)
    monkeypatch.setitem(sys.modules, "marginaleffects.classes", None)
    with pytest.raises(hw.MissingExtraError, match=r'pip install "hierwidgets\[lab\]"'):
        hw.to_marginaleffects(finland)


def test_versions_that_do_not_go_together_are_named():
    for release in ("0.6.0", "0.6.1"):
        with pytest.raises(hw.MissingExtraError, match='pip install "polars<2"'):
            adapter._check_versions("2.1.0", release)
    adapter._check_versions(pl.__version__, version("marginaleffects"))


def test_bad_calls_say_what_was_given(finland):
    with pytest.raises(hw.DataError, match="a str was given"):
        hw.to_marginaleffects("fit")
    with pytest.raises(hw.FormulaError, match="names the group 'country'"):
        hw.to_marginaleffects(finland, re_formula="~ (1 | country)")
    data = made("poisson")
    offset = data["log_time"].to_numpy()
    given = hw.glmer("y ~ x + (1 | site)", data, "poisson", offset=offset)
    with pytest.raises(hw.DataError, match="the offset of this fit was given as numbers"):
        hw.to_marginaleffects(given)
    with pytest.raises(hw.DataError, match="vcov='HC3'"):
        marginaleffects.predictions(hw.to_marginaleffects(finland), vcov="HC3")


def test_a_matrix_too_large_says_so(monkeypatch, finland):
    from hierwidgets.effects import marginaleffects_model

    monkeypatch.setattr(marginaleffects_model, "_MOST", 100)
    with pytest.raises(hw.DataError, match="1086 rows by 15 coefficients and effects"):
        marginaleffects.predictions(hw.to_marginaleffects(finland))


def test_the_data_of_the_fit_stay_as_they_are(finland):
    before = finland.design.data.copy(deep=True)
    marginaleffects.avg_predictions(hw.to_marginaleffects(finland))
    pd.testing.assert_frame_equal(finland.design.data, before)


def test_a_predictor_of_booleans():
    data = hw.load("uk").assign(close=lambda d: d["district_competitiveness"] > 0.8)
    fit = hw.glmer("contacted ~ close + (1 | district_id)", data, event="Contacted")
    marginaleffects = pytest.importorskip("marginaleffects")
    theirs = marginaleffects.avg_comparisons(hw.to_marginaleffects(fit), variables="close")
    ours = hw.comparisons(fit, "close", average=True)
    assert theirs["estimate"].item() == pytest.approx(ours["estimate"].item(), rel=1e-8)
