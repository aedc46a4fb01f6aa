"""Comparisons of a posterior, against its own draws of expected outcomes: 1e-12, relative."""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw

X, RULES = "district_competitiveness", "electoral_rules"


@pytest.fixture(scope="module")
def post():
    return hw.load_posterior("rainey2015")


def expected_draws(post, rows):
    """(draws, rows), without group effects."""
    draws = post.epred_draws(rows.assign(row=range(len(rows))), re_formula="~0")
    return draws.pivot(index=["chain", "draw"], columns="row", values="epred").to_numpy()


def check(found, values):
    """`found` is the median, sd and quantiles of the draws `values` (draws, answers)."""
    low, high = np.quantile(values, [0.05, 0.95], axis=0)
    for column, expected in (
        ("estimate", np.median(values, axis=0)),
        ("std_error", values.std(axis=0, ddof=1)),
        ("conf_low", low),
        ("conf_high", high),
    ):
        assert found[column].to_numpy() == pytest.approx(expected, rel=1e-12)


ROWS = pd.DataFrame({X: [0.3, 0.6, 0.9]})


def ends(post):
    return [expected_draws(post, ROWS.assign(**{RULES: rules})) for rules in ("PR", "SMD")]


@pytest.mark.parametrize(
    ("comparison", "of"),
    [
        ("difference", lambda lo, hi: hi - lo),
        ("ratio", lambda lo, hi: hi / lo),
        ("lnratio", lambda lo, hi: np.log(hi / lo)),
        ("lnor", lambda lo, hi: np.log(hi / (1 - hi) / (lo / (1 - lo)))),
    ],
)
def test_a_comparison_is_made_in_every_draw(post, comparison, of):
    change = {RULES: ["PR", "SMD"]}
    found = hw.comparisons(post, change, ROWS, comparison=comparison, re_formula="~0")
    check(found, of(*ends(post)))


def test_averages_are_of_the_draws(post):
    lo, hi = ends(post)
    change = {RULES: ["PR", "SMD"]}
    found = hw.comparisons(post, change, ROWS, average=True, re_formula="~0")
    check(found, (hi - lo).mean(axis=1, keepdims=True))
    ratio = hw.comparisons(post, change, ROWS, average=True, comparison="ratio", re_formula="~0")
    check(ratio, hi.mean(axis=1, keepdims=True) / lo.mean(axis=1, keepdims=True))


def test_slopes_obey_the_chain_rule_in_the_middle_of_the_draws(post):
    rows = ROWS.assign(**{RULES: "PR"})
    found = hw.slopes(post, X, rows, re_formula="~0")
    p = expected_draws(post, rows)
    at = list(post.fixef.index).index(X)
    slope = post.draws.beta.reshape(p.shape[0], -1)[:, [at]]
    assert found["estimate"].to_numpy() == pytest.approx(
        np.median(p * (1 - p) * slope, axis=0), rel=1e-5
    )


def test_blocks_of_draws_do_not_matter(post, monkeypatch):
    from hierwidgets.effects import by_draw

    whole = hw.comparisons(post, {RULES: ["PR", "SMD"]}, ROWS, re_formula="~0")
    monkeypatch.setattr(by_draw, "_CHUNK", 1000)
    parts = hw.comparisons(post, {RULES: ["PR", "SMD"]}, ROWS, re_formula="~0")
    pd.testing.assert_frame_equal(whole, parts, rtol=1e-12)


def test_draws_cannot_be_conditional(post):
    with pytest.raises(hw.DataError, match="conditional=True is for fits"):
        hw.comparisons(post, {RULES: ["PR", "SMD"]}, ROWS, re_formula="~0", conditional=True)
