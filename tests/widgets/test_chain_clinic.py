"""The chain clinic without a browser: numbers, verdicts, pictures as arrays, traits, errors.

R-hat and effective sample sizes are ArviZ's, asked for directly and compared exactly; R-hat is
also held at 1e-10 to its definition (Vehtari et al. 2021) written out here. The page's figures
are those of its table, to the digits it prints. Rank histograms are recounted in loops.
"""

import asyncio
import importlib
import sys

import numpy as np
import pandas as pd
import pytest
import traitlets
from ipywidgets.widgets.widget import _instances
from scipy import stats

import hierwidgets as hw
from hierwidgets.posterior.convergence import THRESHOLDS, array_statistics
from hierwidgets.widgets import ChainClinic, chain_clinic, printed_summary, stuck_chains
from hierwidgets.widgets.numbers import chains as numbers
from hierwidgets.widgets.panels.chains import LANE, MOST_ROWS
from hierwidgets.widgets.parts.instrument import owned_widgets

X = "district_competitiveness"
INTERACTION = f"{X}:electoral_rules[T.SMD]"
SLOPE_SD = f"sd {X} | election_id"


@pytest.fixture(scope="module")
def post():
    return hw.load_posterior("rainey2015")


@pytest.fixture
def clinic(post):
    runs = {"page": printed_summary(), "ours": post, "bad": stuck_chains()}
    instrument = ChainClinic(runs)
    yield instrument
    instrument.close()


def fine(clinic):
    assert not clinic._status.problem, clinic.status
    return clinic.status


# --- statistics ---------------------------------------------------------------------------


def rank_normal(values):
    ranks = stats.rankdata(values).reshape(values.shape)
    return stats.norm.ppf((ranks - 0.375) / (values.size + 0.25))


def split_rhat(values):
    n = values.shape[1] // 2
    halves = np.vstack([values[:, :n], values[:, -n:]])
    within = halves.var(axis=1, ddof=1).mean()
    between = n * halves.mean(axis=1).var(ddof=1)
    return np.sqrt(((n - 1) / n * within + between / n) / within)


def by_hand(values):
    """The larger of the R-hats of ranks and of ranks of distances from the median."""
    folded = np.abs(values - np.median(values))
    return max(split_rhat(rank_normal(values)), split_rhat(rank_normal(folded)))


@pytest.mark.parametrize("name", ["stuck", "slow"])
@pytest.mark.parametrize(("chains", "thin"), [((), 1), ((1, 2, 4), 2)])
def test_statistics_are_those_of_arviz_and_of_the_definition(name, chains, thin):
    draws = stuck_chains()[name]
    kept = (draws[[c - 1 for c in chains]] if chains else draws)[:, ::thin]
    (run,) = numbers.as_runs(stuck_chains()).values()
    row = numbers.run_table(run, chains, thin).loc[name]
    np.testing.assert_allclose(row["rhat"], by_hand(kept), rtol=1e-10)
    az = array_statistics()
    kept = np.ascontiguousarray(kept)
    assert row["rhat"] == float(az.rhat(kept, method="rank"))
    assert row["ess_bulk"] == float(az.ess(kept, method="bulk"))


def test_a_posterior_has_the_statistics_of_its_summary(post):
    (run,) = numbers.as_runs(post).values()
    table = numbers.run_table(run)
    wanted = post.summary().loc[table.index, ["rhat", "ess_bulk", "ess_tail"]]
    pd.testing.assert_frame_equal(table, wanted, check_names=False)
    assert numbers.judged_table(table, 1000)["verdict"].eq("passes").all()
    assert (table["rhat"] <= 1.01).all()


def test_simulated_chains_have_the_moments_they_promise():
    long = stuck_chains(seed=3, chains=3, draws=40_000)
    stuck, slow = long["stuck"], long["slow"]
    # sd of a mean: sqrt((1 + rho) / (1 - rho) / draws) = .009 for rho = .5; five of them
    np.testing.assert_allclose(stuck.mean(axis=1), [0, 0, 2.5], atol=0.045)
    np.testing.assert_allclose(stuck.std(axis=1), 1, atol=0.05)
    for values, rho in ((stuck, 0.5), (slow, 0.99)):
        off = values[0] - values[0].mean()
        assert abs((off[1:] * off[:-1]).mean() / (off**2).mean() - rho) < 0.03
    again = stuck_chains(seed=3, chains=3, draws=40_000)
    np.testing.assert_array_equal(again["slow"], slow)
    assert stuck_chains()["slow"].shape == (4, 1000)


# --- verdicts -----------------------------------------------------------------------------


def test_thresholds_are_those_of_the_one_table():
    assert (
        THRESHOLDS.loc[["rhat", "ess", "ess_to_publish", "ess_of_course"], "value"].tolist()
        == [numbers.RHAT, *numbers.ESS_LIMITS]
        == [1.01, 400, 1000, 2000]
    )


def test_the_printed_table_is_the_page_s():
    table = printed_summary()
    assert table["rhat"].tolist() == [1.01, 1.04, 1.01, 1.05, 1.01, 1.01, 1.04, 1.01]
    assert table["ess_bulk"].tolist() == [2798, 190, 2102, 126, 2641, 2851, 173, 1752]
    assert table["ess_tail"].tolist() == [4956, 118, 1009, 35, 4441, 3648, 49, 5597]
    assert table.loc[INTERACTION, ["estimate", "conf_low"]].tolist() == [3.09, 0.01]


@pytest.mark.parametrize(
    ("ess", "failing"),
    [
        (400, [X, INTERACTION, SLOPE_SD]),
        (1000, [X, INTERACTION, SLOPE_SD]),
        (2000, list(printed_summary().index)),  # an R-hat of 1.01 is not below 1.01
    ],
)
def test_the_printed_table_fails_row_by_row(ess, failing):
    judged = numbers.judged_table(printed_summary(), ess)
    assert judged.index[judged["verdict"] != "passes"].tolist() == failing
    sizes_fail = ~(judged["ess_bulk_ok"] & judged["ess_tail_ok"])
    if ess == 2000:
        assert sizes_fail.sum() == 5
        assert judged["verdict"]["Intercept"] == "R-hat 1.01 is not below 1.01"
    else:
        assert judged.index[sizes_fail].tolist() == failing
        assert judged["verdict"][X] == (
            f"R-hat 1.04 is above 1.01; bulk ESS 190, tail ESS 118 are below {ess:,}"
        )
        diagnosed = hw.diagnose(printed_summary())
        assert not diagnosed.ok
        assert "R-hat is above 1.01 for 3 of 8" in str(diagnosed)


@pytest.mark.parametrize(
    ("row", "ess", "verdict"),
    [
        ((1.01, 400, 400), 400, "passes"),
        ((1.0104, 400, 400), 400, "R-hat 1.010 is above 1.01"),
        ((1.0, 399.4, 400), 400, "bulk ESS 399 is below 400"),
        ((1.0, 999, 1000), 1000, "bulk ESS 999 is below 1,000"),
        ((1.0099, 2001, 2001), 2000, "passes"),
        ((1.01, 2000, 2001), 2000, "R-hat 1.01 is not below 1.01; "
         "bulk ESS 2,000 is not above 2,000"),
        ((np.nan, np.nan, np.nan), 400, "R-hat cannot be computed: the draws do not move; "
         "bulk ESS nan, tail ESS nan are below 400"),
    ],
)  # fmt: skip
def test_verdicts_at_the_limits(row, ess, verdict):
    table = pd.DataFrame([row], columns=["rhat", "ess_bulk", "ess_tail"], index=["a"])
    found = numbers.judged_table(table, ess)["verdict"]["a"]
    assert found.replace("1.0104", "1.010") == verdict
    assert numbers.verdict(numbers.judged_table(table, ess), ess)[0] == (verdict == "passes")
    if ess == 400:
        assert hw.diagnose(table).ok == (verdict == "passes")


def test_what_to_do_depends_on_what_fails():
    table = pd.DataFrame({"rhat": [1.0, 1.0], "ess_bulk": 300.0, "ess_tail": 900.0})
    assert numbers.verdict(numbers.judged_table(table))[1] == (
        "0 of 2 parameters pass. effective sample sizes are below 400 for 2: draw more."
    ).replace(". eff", ". Eff")
    table["rhat"] = [1.0, 1.2]
    assert numbers.verdict(numbers.judged_table(table))[1].endswith(
        "use none of these numbers; tune longer, or write the model another way."
    )


def test_another_limit_is_refused():
    with pytest.raises(hw.DataError, match=r"ess must be one of \[400, 1000, 2000\]; 500"):
        numbers.judged_table(printed_summary(), 500)


def test_the_chain_that_lies_apart_is_named():
    rng = np.random.default_rng(2)
    draws = rng.standard_normal((3, 4000))
    draws = (draws - draws.mean(axis=1, keepdims=True)) / draws.std(axis=1, keepdims=True)
    draws[1] -= 3  # sds of the others, exactly
    assert numbers.remark(draws, (2, 5, 7)) == "Chain 5 lies 3.0 sd lower than the others."
    assert numbers.remark(np.zeros((3, 50)), (1, 2, 3)) == ""


# --- pictures as arrays -------------------------------------------------------------------


def test_traces_keep_every_extreme():
    draws = np.random.default_rng(1).standard_normal((3, 5000))
    frame = numbers.trace_frame(draws, most=600)
    assert frame.groupby("chain").size().eq(frame.groupby("chain").size().iloc[0]).all()
    for c in range(3):
        mine = frame[frame["chain"] == c + 1]
        np.testing.assert_array_equal(draws[c, mine["draw"] - 1], mine["value"])
        assert mine["value"].agg(["min", "max"]).tolist() == [draws[c].min(), draws[c].max()]
        assert (np.diff(mine["draw"]) >= 0).all()
        assert len(mine) <= 600


def test_ranks_are_counted():
    draws = np.round(np.random.default_rng(1).standard_normal((3, 200)), 1)  # with ties
    frame = numbers.rank_frame(draws, bins=7)
    ranks = stats.rankdata(draws).reshape(draws.shape)
    for c in range(3):
        counts = [0] * 7
        for rank in ranks[c]:
            counts[min(int((rank - 0.5) / 600 * 7), 6)] += 1
        assert frame.loc[frame["chain"] == c + 1, "count"].tolist() == counts
    assert frame["expected"].unique().tolist() == [200 / 7]


# --- what it takes ------------------------------------------------------------------------


def test_frames_of_draws_give_the_same_as_arrays():
    arrays = stuck_chains(draws=60)
    C, D = arrays["stuck"].shape
    frame = pd.DataFrame({name: values.ravel() for name, values in arrays.items()})
    frame["chain"], frame["draw"] = np.repeat(list("abcd"), D), np.tile(np.arange(D), C)
    before = frame.copy()
    (run,) = numbers.as_runs(frame.sample(frac=1, random_state=1)).values()
    (wanted,) = numbers.as_runs(arrays).values()
    assert run.parameters == wanted.parameters == ("stuck", "slow")
    np.testing.assert_array_equal(run.draws, wanted.draws)
    numbers.as_runs(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_summaries_with_the_names_of_other_packages():
    names = {"rhat": "Rhat", "ess_bulk": "Bulk_ESS", "ess_tail": "Tail_ESS"}
    clinic = ChainClinic(printed_summary().rename(columns=names))
    assert clinic.judged["verdict"].eq("passes").sum() == 5
    clinic.close()


def without_chains(frame):
    return frame.drop(columns="ess_tail")


DRAWS = pd.DataFrame({"chain": [1] * 30 + [2] * 29, "draw": [*range(30), *range(29)], "a": 1.0})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "the run is a int; give a posterior"),
        ({}, "the clinic needs a run; the dict is empty"),
        ({1: printed_summary()}, "runs have names of text; 1 is none"),
        ({"a": None}, "run 'a' is a NoneType"),
        (printed_summary().drop(columns="ess_tail"), r"lacks the columns \['ess_tail'\]"),
        (printed_summary().iloc[:0], "needs one row for each parameter"),
        (printed_summary().assign(rhat="bad"), "must be numbers"),
        (DRAWS, "equally many in each"),
        (DRAWS.iloc[:30].drop(columns="a"), "needs a column for each parameter"),
        ({"a": np.zeros((1, 100))}, "1 chains of 100 draws"),
        ({"a": np.zeros((4, 19))}, "4 chains of 19 draws"),
        ({"a": np.zeros(100)}, r"one shape \(chains, draws\)"),
        ({"a": np.zeros((2, 30)), "b": np.zeros((2, 31))}, "one shape"),
        ({"a": [["x"] * 30] * 2}, "draws must be numbers"),
        ({"a": np.full((2, 30), np.nan)}, "draws of 'a' are not finite"),
    ],
)
def test_what_cannot_be_judged_is_refused(given, message):
    before = set(_instances)
    with pytest.raises(hw.DataError, match=message):
        ChainClinic(given)
    assert set(_instances) == before


def test_draws_need_arviz_and_a_summary_does_not(monkeypatch):
    monkeypatch.setitem(sys.modules, "arviz", None)
    monkeypatch.setitem(sys.modules, "arviz_stats", None)
    monkeypatch.setitem(sys.modules, "arviz_stats.base", None)
    real = importlib.import_module
    monkeypatch.setattr(
        importlib,
        "import_module",
        lambda name, *a: (
            (_ for _ in ()).throw(ImportError(name)) if name.startswith("arviz") else real(name, *a)
        ),
    )
    before = set(_instances)
    message = r'need arviz-stats; install with: pip install "hierwidgets\[lab\]"'
    with pytest.raises(hw.MissingExtraError, match=message):
        ChainClinic(stuck_chains())
    assert set(_instances) == before
    clinic = ChainClinic(printed_summary())
    fine(clinic)
    clinic.close()


# --- traits -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("run", "theirs", "run must be one of 'page', 'ours', 'bad'; 'theirs' was given"),
        ("parameter", "mu", "parameter must be one of 'stuck', 'slow'; 'mu' was given"),
        ("ess", 500, "ess must be one of 400, 1000, 2000; 500 was given"),
        ("chains", (1,), "chains must be 2 or more of 1 to 4, to compare them; .1,. was given"),
        ("chains", (1, 5), "2 or more of 1 to 4"),
        ("chains", ("a", "b"), "2 or more of 1 to 4"),
        ("thin", 0, "thin must be from 1 to 50 for 1,000 draws a chain; 0 was given"),
        ("thin", 51, "thin must be from 1 to 50"),
    ],
)
def test_wrong_traits_say_what_is_allowed(clinic, trait, value, message):
    clinic.run = "bad"
    with pytest.raises(traitlets.TraitError, match=message):
        setattr(clinic, trait, value)
    assert clinic.chains == ()
    runs = {"page": printed_summary(), "ours": clinic._runs["ours"].summary, "bad": stuck_chains()}
    runs["ours"] = printed_summary()
    before = set(_instances)
    with pytest.raises(traitlets.TraitError, match=message):
        ChainClinic(runs, **{"run": "bad", trait: value})
    assert set(_instances) == before


def test_a_summary_has_no_chains(clinic):
    with pytest.raises(traitlets.TraitError, match="a summary has no chains to choose"):
        clinic.chains = (1, 2)


def test_unknown_keywords_are_refused():
    with pytest.raises(TypeError, match="does not know 'thinning'; its keywords are run, param"):
        ChainClinic(printed_summary(), thinning=3)


def test_chains_are_sorted_and_all_is_empty(clinic):
    clinic.run = "bad"
    clinic.chains = [3, 1, 3]
    assert clinic.chains == (1, 3)
    clinic.chains = (4, 3, 2, 1)
    assert clinic.chains == ()


# --- the widget ---------------------------------------------------------------------------


def test_a_summary_shows_verdicts_and_says_that_there_are_no_draws(clinic):
    assert clinic._pair.layout.visibility == "hidden"
    assert clinic._thin_slider.layout.display == "none"
    assert len(clinic._trace.line.x) == 0
    clinic.parameter = INTERACTION
    assert clinic.status == (
        f"{INTERACTION}: R-hat 1.05 is above 1.01; bulk ESS 126, tail ESS 35 are below 400. A "
        "printed summary: there are no draws to look at. 5 of 8 parameters pass. R-hat is above "
        "1.01 for 3, effective sample sizes are below 400 for 3: use none of these numbers; tune "
        "longer, or write the model another way."
    )
    assert set(clinic._status.pictures) == {"hw-statistics"}
    assert len(clinic._table.rows) == 8
    assert clinic._table.rows[3] == [
        INTERACTION, "1.05", "126", "35",
        "R-hat 1.05 is above 1.01; bulk ESS 126, tail ESS 35 are below 400",
    ]  # fmt: skip


def lanes(mark, count):
    return np.append(mark.x, np.nan).reshape(count, -1)[:, :-1], np.append(
        mark.y, np.nan
    ).reshape(count, -1)[:, :-1]  # fmt: skip


def test_lanes_hold_the_draws_and_their_ranks(clinic):
    clinic.run, clinic.parameter = "bad", "stuck"
    draws = stuck_chains()["stuck"]
    low, high = draws.min(), draws.max()
    frame = numbers.trace_frame(draws)
    x, y = lanes(clinic._trace.line, 4)
    np.testing.assert_array_equal(x.ravel(), frame["draw"])
    back = (y - (-1.0 - np.arange(4))[:, None]) / LANE * (high - low) + low
    np.testing.assert_allclose(back.ravel(), frame["value"], atol=1e-12)
    _, middle = lanes(clinic._trace.expected, 4)
    share = (np.median(draws) - low) / (high - low)
    np.testing.assert_allclose(middle[:, 0], -1.0 - np.arange(4) + LANE * share)
    counts = numbers.rank_frame(draws)["count"].to_numpy().reshape(4, 20)
    _, up = lanes(clinic._ranks.line, 4)
    heights = (up - (-1.0 - np.arange(4))[:, None])[:, 1:-1:2] / LANE
    np.testing.assert_allclose(heights / heights[0, 0], counts / counts[0, 0], rtol=1e-10)
    assert clinic._ranks._numbers.text.tolist() == ["1", "2", "3", "4"]
    assert fine(clinic).startswith("stuck: R-hat 1.")
    assert "4 chains of 1,000 draws; for the mean, one draw in" in clinic.status
    away = (draws[3].mean() - draws[:3].mean()) / draws[:3].std()
    assert f"Chain 4 lies {away:.1f} sd higher than the others." in clinic.status


def test_leaving_a_chain_out_and_thinning(clinic):
    clinic.run, clinic.parameter = "bad", "stuck"
    assert clinic.judged["rhat"]["stuck"] > 1.3
    clinic.chains = (1, 2, 3)
    draws = stuck_chains()["stuck"][:3]
    az = array_statistics()
    assert clinic.judged["rhat"]["stuck"] == float(az.rhat(draws.copy(), method="rank"))
    assert clinic.judged["rhat"]["stuck"] < 1.01
    assert clinic._trace._numbers.text.tolist() == ["1", "2", "3"]
    assert [box.value for box in clinic._boxes] == [True, True, True, False]
    clinic.thin = 7
    kept = np.ascontiguousarray(draws[:, ::7])
    assert clinic.judged["ess_bulk"]["stuck"] == float(az.ess(kept, method="bulk"))
    assert f"3 chains of {kept.shape[1]} draws" in clinic.status
    assert clinic._statistics.marks[False, True].x.size + clinic._statistics.marks[
        False, False
    ].x.size == 4  # fmt: skip


def test_a_box_switches_a_chain_off_and_the_last_two_stay_on(clinic):
    clinic.run = "bad"
    clinic._boxes[3].value = False
    assert clinic.chains == (1, 2, 3)
    clinic._boxes[0].value = False
    assert clinic.chains == (2, 3)
    clinic._boxes[1].value = False
    assert clinic.chains == (2, 3)
    assert clinic._boxes[1].value
    assert "chains must be 2 or more" in clinic.status
    clinic._boxes[0].value = True
    assert clinic.chains == (1, 2, 3)
    fine(clinic)


def test_another_run_starts_with_all_its_draws(clinic):
    clinic.run, clinic.thin, clinic.chains = "bad", 5, (1, 2)
    clinic.parameter = "slow"
    clinic.run = "ours"
    assert (clinic.chains, clinic.thin, clinic.parameter) == ((), 1, "Intercept")
    assert all(box.value for box in clinic._boxes)
    assert "All 8 parameters pass: these draws can be used." in fine(clinic)
    assert clinic._pair.layout.visibility is None
    clinic.parameter = X
    clinic.run = "page"
    assert clinic.parameter == X
    assert f"{X}: R-hat 1.04 is above" in fine(clinic)
    assert clinic._parameter_menu.index == 1


def test_the_rule_changes_the_verdicts(clinic):
    clinic.ess = 2000
    assert "0 of 8 parameters pass" in clinic.status
    assert clinic._rule_menu.value == 2000
    clinic._rule_menu.value = 1000
    assert clinic.ess == 1000
    assert "5 of 8 parameters pass" in clinic.status


def test_points_stand_where_the_statistics_are(clinic):
    picture, judged = clinic._statistics, clinic.judged
    passing, failing = picture.marks[False, True], picture.marks[False, False]
    assert len(failing.x) == 6  # R-hat and bulk ESS of three rows
    assert len(passing.x) == 10
    assert len(picture.marks[True, False].x) == 3
    high = max(1.06, judged["rhat"].max() * 1.01)
    rows = np.flatnonzero(~judged["rhat_ok"])
    wanted = 0.44 * (judged["rhat"].iloc[rows] - 1) / (high - 1)
    np.testing.assert_allclose(failing.x[:3], wanted, rtol=1e-12)
    np.testing.assert_allclose(failing.y[:3], -0.5 - rows)
    sizes = np.log10(judged["ess_bulk"].iloc[rows])
    np.testing.assert_allclose(failing.x[3:], 0.56 + 0.44 * (sizes - 1) / 3, rtol=1e-12)
    limit = picture._limits.x
    assert failing.x[:3].min() > limit[0] >= passing.x[: len(judged) - 3].max()
    assert picture._names.text.tolist()[0] == "Intercept"
    assert picture._row.y.tolist() == [-0.5, -0.5]


def click(clinic, x, y):
    clinic._status._handle_custom_msg({"place": "hw-statistics", "x": x, "y": y}, [])


def test_a_click_on_a_row_and_the_menu_choose_a_parameter(clinic):
    click(clinic, 0.3, 1 - 3.5 / 8)
    assert clinic.parameter == INTERACTION
    assert clinic._parameter_menu.index == 3
    assert clinic._statistics._row.y.tolist() == [-3.5, -3.5]
    clinic._parameter_menu.index = 6
    assert clinic.parameter == SLOPE_SD


def test_many_parameters_show_the_worst(post):
    rng = np.random.default_rng(4)
    arrays = {f"a{i}": rng.standard_normal((3, 60)) for i in range(MOST_ROWS + 5)}
    arrays["a7"][1] += 4
    clinic = ChainClinic(arrays)
    assert len(clinic._statistics.shown) == MOST_ROWS
    assert "a7" in clinic._statistics.shown
    assert "The 5 best are not drawn." in fine(clinic)
    assert len(clinic._table.rows) == MOST_ROWS + 5
    clinic.close()


def test_more_chains_than_lanes():
    rng = np.random.default_rng(4)
    clinic = ChainClinic({"a": rng.standard_normal((12, 40))})
    assert "2 chains have no lane." in fine(clinic)
    clinic._boxes[0].value = False
    assert clinic.chains == tuple(range(2, 13))
    clinic.close()


def test_draws_that_never_move():
    clinic = ChainClinic({"a": np.zeros((2, 40)), "b": np.random.default_rng(1).random((2, 40))})
    assert "a: R-hat cannot be computed: the draws do not move" in fine(clinic)
    clinic.thin = 2
    fine(clinic)
    clinic.close()


def test_a_drag_redraws_at_once_and_judges_the_rest_when_it_stops(clinic, monkeypatch):
    clinic.run = "bad"
    judged = []
    exact = numbers.run_table
    monkeypatch.setattr(
        numbers, "run_table", lambda run, *a: (judged.append(run.parameters), exact(run, *a))[1]
    )

    async def drag():
        for thin in range(2, 8):
            clinic.thin = thin
            assert clinic._trace.line.x[-1] <= np.ceil(1000 / thin)
            assert f"4 chains of {-(-1000 // thin)} draws" in clinic.status
        assert set(judged) == {("stuck",)}
        await asyncio.sleep(4 * chain_clinic.SETTLE)

    asyncio.run(drag())
    assert judged[-1] == ("stuck", "slow") or ("stuck", "slow") in judged
    assert judged.count(("stuck", "slow")) == 1
    assert "Judging" not in clinic.status


def test_closing_forgets_what_is_still_to_come():
    before = set(_instances)

    async def close_while_waiting():
        clinic = ChainClinic(stuck_chains())
        clinic.thin = 3
        pending = clinic._pending
        clinic.close()
        assert pending.cancelled()
        await asyncio.sleep(2 * chain_clinic.SETTLE)

    asyncio.run(close_while_waiting())
    assert set(_instances) == before


def test_moving_rebuilds_nothing(clinic):
    before = {id(widget) for widget in owned_widgets(clinic)}
    for clinic.run in ("bad", "ours", "page", "bad"):
        clinic.parameter = clinic._shown.parameters[1]
        clinic.ess = 1000
    clinic.thin, clinic.chains = 4, (2, 3)
    assert {id(widget) for widget in owned_widgets(clinic)} == before


def test_pictures_have_texts_that_follow(clinic):
    clinic.run = "bad"
    texts = clinic._status.pictures
    assert set(texts) == {"hw-traces", "hw-ranks", "hw-statistics"}
    assert "stuck, a lane for each of 4 chains" in texts["hw-traces"]
    clinic.parameter = "slow"
    assert "slow, a lane for each of 4 chains" in clinic._status.pictures["hw-ranks"]
    assert "0 of 2 parameters pass" in clinic._status.pictures["hw-statistics"]


def test_an_error_while_drawing_shows_in_the_status(clinic, monkeypatch):
    clinic.run = "bad"

    def fail(*_):
        raise ValueError("no luck")

    with monkeypatch.context() as patch:
        patch.setattr(numbers, "rank_frame", fail)
        clinic.parameter = "slow"
    assert clinic.status == "This could not be drawn: no luck"
    clinic.thin = 2
    fine(clinic)


def test_the_text_is_short_and_the_same_each_time(clinic):
    clinic.run, clinic.chains, clinic.thin = "bad", (1, 2), 3
    assert repr(clinic) == (
        "ChainClinic(run='bad', parameter='stuck', chains=(1, 2), thin=3, ess=400)"
    )


def test_closing_frees_every_widget_and_observer():
    before = set(_instances)
    clinic = ChainClinic(stuck_chains())
    slider = clinic._thin_slider
    clinic.close()
    assert set(_instances) == before
    slider.value = 9
    assert clinic.thin == 1
