"""The numbers of the chain clinic: statistics, verdicts, pictures as arrays.

R-hat and effective sample sizes are ArviZ's, asked for directly and compared exactly; R-hat is
also held at 1e-10 to its definition (Vehtari et al. 2021) written out here. The page's figures
are those of its table, to the digits it prints. Rank histograms are recounted in loops.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import hierwidgets as hw
from hierwidgets.posterior.convergence import THRESHOLDS, array_statistics
from hierwidgets.widgets import printed_summary, stuck_chains
from hierwidgets.widgets.numbers import chains as numbers

X = "district_competitiveness"
INTERACTION = f"{X}:electoral_rules[T.SMD]"
SLOPE_SD = f"sd {X} | election_id"


@pytest.fixture(scope="module")
def post():
    return hw.load_posterior("rainey2015")


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
