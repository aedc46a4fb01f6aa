"""A country made up, cell by cell, and surveys of it that do not reach all alike.

Every cell of district, education and age has a known number of people and a known rate, so that
whatever is estimated can be held against the truth. What takes too long for a lecture is kept in a
stored table:

    python -m hierwidgets.course.studies.poststratification

writes ``hierwidgets/course/data/polls.csv``: what 500 surveys of that country find, once where the
people of a cell answer alike and once where those who were contacted answer more often.
"""

import sys

import numpy as np
import pandas as pd
import scipy.sparse

from hierwidgets.base.arrays import Array, Index, expit, normal_quantile
from hierwidgets.course.models import POLL
from hierwidgets.effects.poststratification import average_draws, described
from hierwidgets.fit.fit import Fit
from hierwidgets.model import glmer

from .store import stored_table, write_tables

__all__ = ["AGES", "EDUCATIONS", "country", "district_rates", "polls", "survey"]

EDUCATIONS = {"school": 0.0, "training": 0.5, "degree": 1.1}
"""Education, and what it adds to the log-odds of being contacted."""
AGES = {"18-34": 0.0, "35-59": 0.4, "60+": 0.8}
"""Age, and what it adds."""
TYPICAL, SPREAD = -1.9, 0.5
"""Log-odds of the first cell of a typical district; sd between districts."""
DISTRICTS = 40
ANSWERS = {"school": 0.08, "training": 0.16, "degree": 0.32}
"""The share of invited people who answer, by education, at ages 35 to 59."""
EAGER = {"18-34": 0.5, "35-59": 1.0, "60+": 1.5}
"""What age multiplies it by."""
INSIDE = 1.3
"""In the second half of the study: how many times as often the contacted of a cell answer."""


def country(seed: int = 13) -> pd.DataFrame:
    """Every cell of a country of 40 districts: who lives there, and their true rate.

    The log-odds of a cell are the sum of `TYPICAL`, its education, its age and its district, whose
    part is normal with sd `SPREAD`. Districts have 20,000 to 400,000 people; the share of each
    education varies between them.

    Returns
    -------
    DataFrame
        ``district education age n truth``: 360 rows, `n` people in each.

    Examples
    --------
    >>> cells = country()
    >>> len(cells), cells["district"].nunique()
    (360, 40)
    """
    rng = np.random.default_rng(seed)
    effect = rng.normal(0.0, SPREAD, DISTRICTS)
    people = np.exp(rng.uniform(np.log(20_000), np.log(400_000), DISTRICTS))
    education = rng.dirichlet(20 * np.array([0.45, 0.37, 0.18]), DISTRICTS)
    age = rng.dirichlet(60 * np.array([0.27, 0.42, 0.31]), DISTRICTS)
    n = people[:, None, None] * education[:, :, None] * age[:, None, :]
    eta = TYPICAL + effect[:, None, None] + np.add.outer(
        np.array(list(EDUCATIONS.values())), np.array(list(AGES.values()))
    )  # fmt: skip
    names = [f"district {j + 1:02d}" for j in range(DISTRICTS)]
    cells = pd.MultiIndex.from_product(
        [names, list(EDUCATIONS), list(AGES)], names=["district", "education", "age"]
    )
    frame = cells.to_frame(index=False)
    return frame.assign(n=np.rint(n.ravel()).astype(np.int64), truth=expit(eta.ravel()))


def survey(cells: pd.DataFrame, size: int, seed: int, inside: float = 1.0) -> pd.DataFrame:
    """A survey of so many respondents: people are invited at random, and not all answer.

    How often they do depends on education and age (`ANSWERS`, `EAGER`), and within a cell on
    whether they were contacted where `inside` is not 1.

    Parameters
    ----------
    cells
        As from `country`.
    inside
        How many times as often contacted people answer as others of their cell.

    Returns
    -------
    DataFrame
        ``district education age respondents contacted``: the cells with a respondent or more.
    """
    rng = np.random.default_rng(seed)
    answer = cells["education"].map(ANSWERS) * cells["age"].map(EAGER)
    truth = cells["truth"].to_numpy()
    eager = 1.0 + (inside - 1.0) * truth  # how the cell's answers grow, and who gives them
    reached = (cells["n"] * answer).to_numpy() * eager
    respondents = rng.multinomial(size, reached / reached.sum())
    contacted = rng.binomial(respondents, inside * truth / eager)
    found = cells[["district", "education", "age"]].assign(
        respondents=respondents, contacted=contacted
    )
    return found[found["respondents"] > 0].reset_index(drop=True)


def district_rates(fit: Fit, poll: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Three estimates of each district beside its true rate.

    Returns
    -------
    DataFrame
        ``district respondents truth raw modelled poststratified``, a row per district: the rate of
        its respondents (nan without any), the model's rates averaged as the respondents are
        spread over cells, and averaged as the people are.
    """
    names = cells["district"].unique()
    code = pd.Index(names).get_indexer(pd.Index(cells["district"])).astype(np.intp)
    asked = cells.merge(poll, on=["district", "education", "age"], how="left").fillna(0)
    counts = pd.DataFrame({c: asked[c].to_numpy(float) for c in ("respondents", "contacted")})
    total = counts.groupby(code).sum()
    people, sample = cells["n"].to_numpy(float), counts["respondents"].to_numpy()
    mu = average_draws(
        fit, cells, scipy.sparse.eye_array(len(cells), format="csr"), new_levels="sample"
    ).mean(axis=1)  # fmt: skip
    with np.errstate(invalid="ignore"):
        return pd.DataFrame(
            {
                "district": names,
                "respondents": total["respondents"].to_numpy(int),
                "truth": _averages(cells["truth"].to_numpy(), people, code),
                "raw": (total["contacted"] / total["respondents"]).to_numpy(),
                "modelled": _averages(mu, sample, code),
                "poststratified": _averages(mu, people, code),
            }
        )


def _averages(values: Array, weights: Array, code: Index) -> Array:
    found: Array = np.bincount(code, weights * values) / np.bincount(code, weights)
    return found


# --- many surveys ---------------------------------------------------------------------------

_REPEATS, _SIZE = 500, 1000


def polls() -> pd.DataFrame:
    """What 500 surveys of 1,000 respondents find, in each of two ways of answering; stored.

    Returns
    -------
    DataFrame
        ``inside seed`` (of the survey), the national estimates ``raw raw_low raw_high modelled
        poststratified low high`` with 90 % intervals, and the root mean squared errors of
        districts ``rmse_raw rmse_modelled rmse_poststratified``, over those with respondents.
    """
    return stored_table("polls", list(_MAKERS))


def _polls() -> pd.DataFrame:
    cells = country()
    rows = [
        _judged(cells, seed, inside) for inside in (1.0, INSIDE) for seed in range(1, _REPEATS + 1)
    ]
    return pd.DataFrame(rows).round(4)


def _judged(cells: pd.DataFrame, seed: int, inside: float) -> dict[str, float]:
    poll = survey(cells, _SIZE, seed, inside)
    fit = glmer(POLL, poll)
    raw = poll["contacted"].sum() / _SIZE
    reach = normal_quantile(0.9) * np.sqrt(raw * (1 - raw) / _SIZE)
    shares = (cells["n"] / cells["n"].sum()).to_numpy()[None, :]
    found = described(average_draws(fit, cells, shares, new_levels="sample"), 0.9)
    sample = (poll["respondents"] / _SIZE).to_numpy()[None, :]
    rates = district_rates(fit, poll, cells).dropna()
    errors = {
        f"rmse_{name}": float(np.sqrt(np.mean((rates[name] - rates["truth"]) ** 2)))
        for name in ("raw", "modelled", "poststratified")
    }
    return {
        "inside": inside, "seed": seed, "raw": raw, "raw_low": raw - reach, "raw_high": raw + reach,
        "modelled": average_draws(fit, poll, sample).mean(),
        "poststratified": found["estimate"].item(),
        "low": found["conf_low"].item(), "high": found["conf_high"].item(), **errors,
    }  # fmt: skip


_MAKERS = {"polls": _polls}


if __name__ == "__main__":
    sys.exit(write_tables(sys.argv[1:], _MAKERS))
