"""What draws from a posterior say: a frozen record, with the readers that a `Fit` has."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.base.checks import check_seed
from hierwidgets.errors import DataError
from hierwidgets.fit.profiles import parameters
from hierwidgets.sampling.priors import Priors
from hierwidgets.sampling.sampler import Draws
from hierwidgets.spec import responses as simulate
from hierwidgets.spec import rows as prediction
from hierwidgets.spec.design import Design, NewRows
from hierwidgets.spec.families import Family

from . import convergence, files, loo, replication

__all__ = ["Posterior", "load_posterior"]


_CHUNK = 4_000_000  # numbers of one block of predictions


@dataclass(frozen=True, slots=True, repr=False)
class Posterior:
    """Draws from the posterior (or the prior) of a hierarchical model.

    Attributes
    ----------
    design, family : Design, Family
    priors : Priors
    draws : Draws
        Parameters and group effects, (chains, draws, ...).
    kind : str
        "posterior" or "prior".

    Examples
    --------
    >>> import hierwidgets as hw
    >>> model = hw.Model("contacted ~ 1 + (1 | district_id)", hw.load("finland"), "binomial",
    ...                  event="Contacted")
    >>> post = model.sample(chains=2, tune=300, draws=300, seed=1, progress=False)
    >>> post.summary()["estimate"].round(1).to_dict()
    {'Intercept': -1.4, 'sd Intercept | district_id': 0.4}
    """

    design: Design
    family: Family
    priors: Priors
    draws: Draws
    kind: str = "posterior"

    def __repr__(self) -> str:
        C, D = self.draws.sigma.shape
        return (
            f"Posterior({self.design.formula}, {self.family.name}; {C} chains of {D} "
            f"{'' if self.kind == 'posterior' else self.kind + ' '}draws)"
        )

    # --- parameters ---

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of `summary`."""
        return tuple(p.name for p in parameters(self.design, self.family))

    @property
    def parameters(self) -> Array:
        """Draws of the parameters, (C, D, number of `names`)."""
        return np.stack(
            [_values(p.kind, p.term, p.i, p.j, self.draws)
             for p in parameters(self.design, self.family)], axis=-1
        )  # fmt: skip

    @property
    def divergences(self) -> int:
        """Number of draws that diverged."""
        return int(self.draws.divergent.sum())

    @property
    def nobs(self) -> int:
        """Number of observations."""
        return self.design.nobs

    def summary(self, level: float = 0.95) -> pd.DataFrame:
        """Mean, sd and quantiles of every parameter, and whether the chains agree on it.

        Returns
        -------
        DataFrame
            Index: names, as in `Fit.confint`. Columns: estimate (mean), std_error (posterior
            sd), conf_low, conf_high, rhat, ess_bulk, ess_tail.
        """
        values = self.parameters
        table = _described(values.reshape(-1, values.shape[2]).T, _level(level), "mean")
        frame = pd.DataFrame(table, index=list(self.names))
        return frame.join(convergence.statistics(values).set_index(frame.index))

    @property
    def fixef(self) -> pd.Series:
        """Posterior means of the coefficients: (p,) Series."""
        mean = self.draws.beta.mean(axis=(0, 1))
        return pd.Series(mean, index=list(self.design.names), name="estimate")

    @property
    def std_error(self) -> pd.Series:
        """Posterior sds of the coefficients: (p,) Series."""
        sd = _flat(self.draws.beta).std(axis=0, ddof=1)
        return pd.Series(sd, index=list(self.design.names), name="std_error")

    @property
    def vcov(self) -> pd.DataFrame:
        """Posterior covariance of the coefficients: (p, p) DataFrame."""
        names = list(self.design.names)
        cov = np.atleast_2d(np.cov(_flat(self.draws.beta), rowvar=False))
        return pd.DataFrame(cov, index=names, columns=names)

    @property
    def ranef(self) -> pd.DataFrame:
        """Group effects: group, term, level, estimate, std_error, conf_low, conf_high (95 %)."""
        return self._by_level(lambda t, name: _flat(self.draws.effects[t])[:, :, name], own=True)

    @property
    def coef(self) -> pd.DataFrame:
        """Coefficients of each level, fixed part plus effect; columns as `ranef`."""
        return self._by_level(None, own=False)

    def _by_level(self, read: Callable[[int, int], Array] | None, own: bool) -> pd.DataFrame:
        parts = []
        for t, term in enumerate(self.design.terms):
            names = term.names if own else tuple(dict.fromkeys([*self.design.names, *term.names]))
            for name in names:
                values = np.zeros((self.draws.sigma.size, term.J))
                if name in term.names:
                    values += _flat(self.draws.effects[t])[:, :, term.names.index(name)]
                if not own and name in self.design.names:
                    values += _flat(self.draws.beta)[:, [self.design.names.index(name)]]
                labels = pd.DataFrame({"group": term.group, "term": name, "level": term.levels})
                parts.append(labels.assign(**_described(values.T, 0.95, "mean")))
        return pd.concat(parts, ignore_index=True)

    @property
    def varcorr(self) -> pd.DataFrame:
        """Sds and correlations: group, term, other, estimate, std_error, conf_low, conf_high.

        A row with `other` empty is an sd, a row with `other` a correlation. A Gaussian model
        ends with the group "Residual". Intervals are of 95 %.
        """
        chosen = [p for p in parameters(self.design, self.family) if p.kind != "coefficient"]
        rows = []
        for p in chosen:
            term = self.design.terms[p.term] if p.kind != "sigma" else None
            rows.append(
                ("Residual", "", None) if term is None
                else (term.group, term.names[p.i], term.names[p.j] if p.kind == "corr" else None)
            )  # fmt: skip
        values = np.stack([_values(p.kind, p.term, p.i, p.j, self.draws) for p in chosen], -1)
        table = _described(_flat(values).T, 0.95, "mean")
        return pd.DataFrame(rows, columns=["group", "term", "other"]).assign(**table)

    # --- use ---

    def linear_predictor(
        self,
        newdata: pd.DataFrame | None = None,
        *,
        re_formula: str | None = None,
        new_levels: str = "error",
        seed: int = 0,
        thin: int = 1,
    ) -> Array:
        """Draws of the linear predictor, (rows, chains * draws / thin), chain after chain."""
        kept = prediction.kept_columns(self.design, re_formula)
        frame = self.design.data if newdata is None else prediction.as_frame(newdata)
        new = prediction.rows_of(self.design, newdata, kept, new_levels)
        pick = slice(None, None, thin)
        return self.predictor(new, frame, kept, new_levels, seed=seed, pick=pick)

    def predictor(
        self,
        new: NewRows,
        frame: pd.DataFrame,
        kept: list[NDArray[np.bool_]],
        new_levels: str,
        *,
        seed: int = 0,
        pick: slice = slice(None),
    ) -> Array:
        """`linear_predictor` for rows already prepared; `pick` takes some of all draws."""
        eta = new.X @ _flat(self.draws.beta)[pick].T + new.offset[:, None]
        for t, term in enumerate(self.design.terms):
            if not kept[t].any():
                continue
            b, codes = _flat(self.draws.effects[t])[pick], new.codes[t]
            known = codes >= 0
            for i in np.flatnonzero(kept[t]):
                eta[known] += new.Z[t][known, i, None] * b[:, codes[known], i].T
            if new_levels == "sample" and not known.all():
                factor = _flat(self.draws.factors[t])[pick]
                names = prediction.labels(frame, term.factors)[~known]
                eta[~known] += _unseen(names, new.Z[t][~known], factor, seed)
        return eta

    def predict(
        self,
        newdata: pd.DataFrame | None = None,
        *,
        scale: str = "response",
        re_formula: str | None = None,
        new_levels: str = "error",
        interval: float | None = None,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Expected outcomes beside the rows they belong to: the median of the draws.

        Parameters
        ----------
        newdata, scale, re_formula, new_levels :
            As in `Fit.predict`; with new_levels="sample" the effect of an unseen level is drawn,
            with `seed`, from its distribution.
        interval :
            A level such as 0.95 adds std_error (sd of the draws), conf_low and conf_high (their
            quantiles).
        """
        if scale not in ("response", "link"):
            raise DataError(f"scale={scale!r}; choose 'response' or 'link'")
        level = None if interval is None else _level(interval)
        kept = prediction.kept_columns(self.design, re_formula)
        frame = self.design.data if newdata is None else prediction.as_frame(newdata)
        new = prediction.rows_of(self.design, newdata, kept, new_levels)
        clash = [c for c in ("estimate", "std_error", "conf_low", "conf_high") if c in frame]
        if clash:
            raise DataError(f"newdata already has the columns {clash}; rename them")
        first, where = _distinct(new, frame, self.design, new_levels)
        columns: dict[str, list[Array]] = {}
        step = max(1, _CHUNK // self.draws.sigma.size)
        for a in range(0, len(first), step):
            part = first[a : a + step]
            eta = self.predictor(new.take(part), frame.iloc[part], kept, new_levels, seed=seed)
            mu = eta if scale == "link" else self.family.link.inverse(eta)[0]
            for name, values in _described(mu, level, "median").items():
                columns.setdefault(name, []).append(values)
        return frame.assign(**{n: np.concatenate(v)[where] for n, v in columns.items()})

    def epred_draws(
        self,
        newdata: pd.DataFrame | None = None,
        re_formula: str | None = None,
        *,
        new_levels: str = "error",
        seed: int = 0,
        thin: int = 1,
    ) -> pd.DataFrame:
        """Draws of the expected outcome in a long frame, as tidybayes' add_epred_draws.

        Parameters
        ----------
        thin :
            Keep every `thin`-th draw of all chains, one after the other.

        Returns
        -------
        DataFrame
            chain, draw, newdata's columns, epred; all draws of the first row, then of the next.
        """
        frame = self.design.data if newdata is None else prediction.as_frame(newdata)
        clash = [c for c in ("chain", "draw", "epred") if c in frame.columns]
        if clash:
            raise DataError(f"newdata already has the columns {clash}; rename them")
        if isinstance(thin, bool) or not isinstance(thin, int) or thin < 1:
            raise DataError(f"thin={thin!r}: give a whole number, 1 or larger")
        eta = self.linear_predictor(
            newdata, re_formula=re_formula, new_levels=new_levels, seed=seed, thin=thin
        )
        mu = self.family.link.inverse(eta)[0]
        C, D = self.draws.sigma.shape
        chain, draw = (i.ravel()[::thin] for i in np.indices((C, D)))
        long = frame.loc[frame.index.repeat(mu.shape[1])].reset_index(drop=True)
        long.insert(0, "chain", np.tile(chain, len(frame)))
        long.insert(1, "draw", np.tile(draw, len(frame)))
        return long.assign(epred=mu.ravel())

    def simulate(self, n: int = 1, seed: int | None = None, *, condition: bool = True) -> Array:
        """Replicated responses for predictive checks, each from a draw of its own, (n, nobs).

        Parameters
        ----------
        condition :
            True keeps the group effects of the draw: the same districts answer again. False
            draws new ones: other districts answer.
        """
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
            raise DataError(f"n={n!r}; the number of responses is a whole number, 1 or larger")
        rng = check_seed(seed)
        size = self.draws.sigma.size
        out = np.empty((n, self.design.nobs))
        for i, s in enumerate(rng.choice(size, n, replace=n > size)):
            b = [_flat(e)[s] for e in self.draws.effects]
            if not condition:
                pairs = zip(self.design.terms, self.draws.factors, strict=True)
                b = [rng.standard_normal((t.J, t.k)) @ _flat(F)[s].T for t, F in pairs]
            made = simulate.draws(
                self.design, self.family, self.design.template.start(), _flat(self.draws.beta)[s],
                float(self.draws.sigma.ravel()[s]), 1, rng, b,
            )  # fmt: skip
            out[i] = next(made)
        return out

    def predictive_check(
        self,
        statistic: str | Callable[[Array], float] = "mean",
        by: str | None = None,
        *,
        n: int = 500,
        seed: int | None = 0,
        interval: float = 0.9,
        condition: bool = True,
    ) -> pd.DataFrame:
        """Whether data that the model would make look like the data there are.

        Parameters
        ----------
        statistic :
            "mean", "sd", "min", "max", "zeros" (their share), or a function of the responses.
        by :
            A column of the data: the statistic of each of its levels.
        n, seed, condition :
            Of the replicated responses, as in `simulate`.
        interval :
            Level of the range of the replicated statistics.

        Returns
        -------
        DataFrame
            The column `by`, observed, replicated (mean), conf_low, conf_high, and p, the share
            of replications that exceed the observed value (ties count half).

        Examples
        --------
        >>> import hierwidgets as hw
        >>> post = hw.load_posterior("finland")
        >>> found = post.predictive_check("mean", n=200)
        >>> bool(0.05 < found["p"][0] < 0.95)
        True
        """
        return replication.predictive_check(self, statistic, by, n, seed, interval, condition)

    def diagnose(self) -> convergence.Diagnosis:
        """What is wrong with the draws, in words, and what to do about it."""
        if self.kind == "prior":
            raise DataError("draws from a prior are independent; there is nothing to diagnose")
        d = self.draws
        return convergence.judge(self.summary(), d.divergent, d.depth, d.energy)

    def loo(self, by: str | None = None) -> loo.Loo:
        """How well an observation, or the group `by`, is predicted from all others (`loo`)."""
        return loo.loo(self.design, self.family, self.draws, by)

    def save(self, path: str | Path) -> None:
        """Write everything to one file that `load_posterior` reads (`draw_files`)."""
        files.save(path, self.design, self.family, self.priors, self.draws, self.kind)


def load_posterior(path: str | Path, *, effects: bool = True) -> Posterior:
    """The posterior saved at `path`, or one shipped with the package, by name.

    Parameters
    ----------
    path :
        A file that `Posterior.save` wrote; or "finland", "uk", "uk_competitiveness",
        "rainey2015", "rainey2015_individual" (`hierwidgets.course.studies.shipped_draws` makes
        those).
    effects :
        False leaves out the group effects that were integrated out (they are NaN), which reads a
        large file at once. Parameters, and predictions without these effects, are complete.

    Notes
    -----
    Group effects that were integrated out are drawn again when a file is read, from the same
    seed; sampling itself is not repeated, and needs no extra.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> hw.load_posterior("finland")
    Posterior(contacted ~ 1 + (1 | district_id), binomial; 4 chains of 2500 draws)
    """
    return Posterior(*files.load(path, effects))


# --- pieces -------------------------------------------------------------------------------


def _flat(values: Array) -> Array:
    """(C, D, ...) as (C * D, ...)."""
    return values.reshape(-1, *values.shape[2:])


def _values(kind: str, term: int, i: int, j: int, draws: Draws) -> Array:
    """Draws of one parameter (C, D)."""
    if kind == "coefficient":
        return draws.beta[..., i]
    if kind == "sigma":
        return draws.sigma
    F = draws.factors[term]
    sd = np.sqrt((F**2).sum(axis=-1))
    if kind == "sd":
        return sd[..., i]
    product = (F[..., i, :] * F[..., j, :]).sum(axis=-1)
    return np.clip(product / (sd[..., i] * sd[..., j]), -1.0, 1.0)


def _level(level: float) -> float:
    if isinstance(level, bool) or not isinstance(level, float | int) or not 0 < level < 1:
        raise DataError(f"{level!r} is not a level between 0 and 1, such as 0.95")
    return float(level)


def _described(values: Array, level: float | None, how: str) -> dict[str, Array]:
    """Mean or median, sd and quantiles of draws (rows, S)."""
    out = {"estimate": np.median(values, axis=1) if how == "median" else values.mean(axis=1)}
    if level is not None:
        tails = [(1 - level) / 2, (1 + level) / 2]
        low, high = np.quantile(values, tails, axis=1)
        out |= {"std_error": values.std(axis=1, ddof=1), "conf_low": low, "conf_high": high}
    return out


def _distinct(
    new: NewRows, frame: pd.DataFrame, design: Design, new_levels: str
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first of each kind of row, and the kind of each row."""
    keys = [new.X, new.offset[:, None], *[c[:, None] for c in new.codes], *new.Z]
    if new_levels == "sample":
        for term, codes in zip(design.terms, new.codes, strict=True):
            if (codes < 0).any() and set(term.factors) <= set(frame.columns):
                keys.append(pd.factorize(prediction.labels(frame, term.factors))[0][:, None])
    _, first, where = np.unique(np.hstack(keys), axis=0, return_index=True, return_inverse=True)
    return first.astype(np.intp), where.reshape(-1)


def _unseen(names: NDArray[np.object_], Z: Array, factor: Array, seed: int) -> Array:
    """``Z b`` of unseen levels (rows, S), b drawn from its distribution, one per level and draw.

    A level's stream depends on its name, so that it has one effect in every call.
    """
    out = np.empty((len(names), len(factor)))
    for name in dict.fromkeys(names):
        rows = np.flatnonzero(names == name)
        rng = np.random.default_rng([seed, *str(name).encode()])
        b = np.einsum("skl,sl->sk", factor, rng.standard_normal(factor.shape[:2]))
        out[rows] = Z[rows] @ b.T
    return out
