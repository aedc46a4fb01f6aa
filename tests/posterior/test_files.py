"""A posterior written and read: the same draws, levels and predictions, whatever the groups are.

Tolerances: draws are kept in single precision, so predictions are the same numbers (1e-12).
"""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw

DAYS = pd.Series(pd.Timestamp("2020-02-27") + pd.to_timedelta(np.repeat(np.arange(6), 10), "D"))
NUMBER = pd.Series(np.repeat(np.arange(6), 10))
GROUPS = {
    "datetime64": DAYS,
    "with a time zone": DAYS.dt.tz_localize("Europe/Helsinki"),
    "date": DAYS.dt.date,
    "timestamps": DAYS.astype(object),
    "period of days": DAYS.dt.to_period("D"),
    "period of quarters": (DAYS + pd.to_timedelta(100 * NUMBER, "D")).dt.to_period("Q"),
    "intervals": pd.cut(NUMBER, [-1, 0, 1, 2.5, 3, 4, 9]),
    "intervals that are no categories": pd.cut(NUMBER, [-1, 0, 1, 2.5, 3, 4, 9]).astype(object),
    "intervals of dates": pd.cut(DAYS, 6),
    "categories of dates": DAYS.astype("category"),
    "nullable": NUMBER.astype("Int64"),
    "text": NUMBER.astype(str),
    "categories of numbers": NUMBER.astype("category"),
    "booleans": NUMBER > 2,
    "nullable booleans": (NUMBER > 2).astype("boolean"),
}


@pytest.mark.parametrize("what", GROUPS)
def test_groups_of_every_kind(what, tmp_path):
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"g": GROUPS[what], "y": rng.normal(size=60), "x": rng.normal(size=60)})
    data["w"] = rng.uniform(0.5, 2, 60)
    model = hw.Model("y ~ x + (1 | g)", data, weights="w")
    post = model.sample_prior(50, seed=1, priors=hw.Priors(coefficients="normal(0, 1)"))
    post.save(tmp_path / "draws.npz")
    again = hw.load_posterior(tmp_path / "draws.npz")
    assert list(again.ranef["level"]) == list(post.ranef["level"])
    assert list(map(type, again.ranef["level"])) == list(map(type, post.ranef["level"]))
    how = {"interval": 0.9, "interval_of": "observation"}
    one, other = post.predict(data, **how), again.predict(data, **how)
    pd.testing.assert_frame_equal(one, other, rtol=1e-12)


def test_what_cannot_be_saved_is_said(tmp_path):
    data = pd.DataFrame({"g": [(k, k + 1) for k in range(6)] * 10, "y": np.arange(60.0)})
    post = hw.Model("y ~ 1 + (1 | g)", data).sample_prior(50, seed=1)
    with pytest.raises(hw.DataError, match="'g' holds tuple, which cannot be saved: make it text"):
        post.save(tmp_path / "draws.npz")
