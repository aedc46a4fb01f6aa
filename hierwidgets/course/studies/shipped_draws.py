"""The converged draws shipped with the package, and the command that makes them.

    python -m hierwidgets.course.studies.shipped_draws [NAME ...]

writes ``hierwidgets/data/draws/NAME.npz`` for each of

    finland                 contacted ~ 1 + (1 | district_id)
    uk                      the same for Great Britain
    uk_competitiveness      with district_competitiveness
    rainey2015              the several-countries model of the lecture
    rainey2015_individual   the model of Rainey (2015): seven covariates of respondents, range
                            0 to 1 and centred at their medians, and the article's weak priors:
                            half-Cauchy(5) on sds, normal with variance 1000 on coefficients, a
                            uniform correlation

with brms's default priors but for the last. Every file must pass `Posterior.diagnose` and have
bulk and tail effective sample sizes of 1000 for every parameter, or nothing is written.
"""

import sys

import numpy as np
import pandas as pd

from hierwidgets.course.models import MODELS
from hierwidgets.data.datasets import load
from hierwidgets.data.shipped import SHIPPED, shipped_file
from hierwidgets.errors import FitError
from hierwidgets.model import Model
from hierwidgets.posterior.convergence import THRESHOLDS
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.sampling.priors import Priors, half_cauchy, lkj, normal

__all__ = ["COVARIATES", "article_data", "make", "model"]

COVARIATES = (
    "Age", "Male", "Education", "Union.Member", "Household.Income", "Urban", "Close.To.Party",
)  # fmt: skip
ARTICLE_PRIORS = Priors(
    intercept=normal(0, np.sqrt(1000)),
    coefficients=normal(0, np.sqrt(1000)),
    sd=half_cauchy(5),
    corr=lkj(1),
    centred=False,
)


def article_data() -> pd.DataFrame:
    """The individual data as the article's model has them: names with underscores, covariates
    scaled to the range 0 to 1 and centred at their medians, SMD for `1 - PR`.

    Examples
    --------
    >>> article_data()[["age", "male"]].median().to_dict()
    {'age': 0.0, 'male': 0.0}
    """
    raw = load("rainey2015_individual")
    out = pd.DataFrame(
        {
            "contacted": raw["Contacted"],
            "competitiveness": raw["District.Competitiveness"],
            "smd": 1 - raw["PR"],
            "district": raw["District.Country"],
            "election": raw["Alpha.Polity"],
        }
    )
    for name in COVARIATES:
        x = raw[name].astype(float)
        x = (x - x.min()) / (x.max() - x.min())
        out[name.lower().replace(".", "_")] = x - x.median()
    return out


def model(name: str) -> tuple[Model, Priors]:
    """A model whose draws are shipped, and its priors."""
    if name == "rainey2015_individual":
        covariates = " + ".join(c.lower().replace(".", "_") for c in COVARIATES)
        text = (
            f"contacted ~ {covariates} + competitiveness * smd + (1 | district) "
            "+ (1 + competitiveness | election)"
        )
        return Model(text, article_data(), "binomial"), ARTICLE_PRIORS
    text, data = MODELS[name]
    return Model(text, load(data), "binomial", event="Contacted"), Priors()


def make(name: str, progress: bool = True) -> Posterior:
    """Sample a model whose draws are shipped; raise if the draws are not good enough."""
    described, priors = model(name)
    large = name == "rainey2015_individual"
    post = described.sample(
        draws=1250 if large else 2500,
        seed=2015,
        priors=priors,
        method="nuts",
        progress=progress,
        target_accept=0.99 if large else None,
    )
    verdict, least = post.diagnose(), post.summary()[["ess_bulk", "ess_tail"]].to_numpy().min()
    if not verdict.ok or least < float(THRESHOLDS.loc["ess_to_publish", "value"]):  # type: ignore[arg-type]
        raise FitError(f"the draws of {name} are not to be shipped:\n{verdict}")
    return post


def main(names: list[str]) -> int:
    """Make the files named, or all."""
    for name in names or SHIPPED:
        post = make(name)
        file = shipped_file(name)
        post.save(file)
        size = file.stat().st_size
        print(f"{name}: {size / 1000:.0f} kB, {post.draws.seconds:.0f} s\n{post.diagnose()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
