"""Prior times likelihood: how a level's own data and the model of the levels make a posterior.

The numbers come from `numbers.shrinkage` and `numbers.averaged`, the picture from
`panels.shrinkage`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ipywidgets
import numpy as np
import traitlets as t

from hierwidgets.fit.fit import Fit
from hierwidgets.widgets.numbers.averaged import AveragedPrior, averaged_prior
from hierwidgets.widgets.numbers.curves import LogDensity
from hierwidgets.widgets.numbers.pooling import check_fit, mu_range, pooling_columns
from hierwidgets.widgets.numbers.shrinkage import (
    Settings,
    Shrinkage,
    first_level,
    link_axis,
    link_limits,
    one_level,
    shrinkage,
)
from hierwidgets.widgets.numbers.words import GivenWords, rate_name, words_of
from hierwidgets.widgets.panels.shrinkage import ShrinkagePanel, shrinkage_key
from hierwidgets.widgets.parts.choices import known_level, one_of, within
from hierwidgets.widgets.parts.controls import NamedSlider, button, menu, switch
from hierwidgets.widgets.parts.instrument import Instrument

__all__ = ["PriorTimesLikelihood"]

SMALLEST_SIGMA, LARGEST_SIGMA = 0.01, 5.0
MULTIPLIERS = (0.25, 16.0)
LEAST_N = 200.0  # what the slider of n reaches at least


class PriorTimesLikelihood(Instrument):
    """Prior, likelihood and posterior of one level, with the prior and the data to turn.

    Parameters
    ----------
    fit
        A binomial fit with one ``(1 | group)``; see `shrinkage_frame` for the numbers shown.
    level
        The level to show; if not given, the one that partial pooling moves furthest.
    mu, sigma
        Intercept and standard deviation of the prior; the fit's own values if not given.
    n, y
        Trials and events, if other than the level's own.
    multiplier
        From 1/4 to 16: both counts times this, at the same rate.
    scale
        ``"probability"``, or the name of the fit's link, usually ``"logit"``.
    full_bayes
        Average the prior over what the other levels say of mu and sigma; see `averaged_prior`.
    words
        What levels, events and trials are called, `Words` or a mapping; by the names of the
        columns if not given.

    Attributes
    ----------
    level, mu, sigma, n, y, multiplier, scale, full_bayes
        The state, to read, set or observe. A new level brings its own counts.
    status
        What the status line says.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> shown = PriorTimesLikelihood(fit, sigma=1)
    >>> shown.level, shown.y, shown.n
    ('District 309', 10.0, 23.0)
    >>> shown.multiplier = 16
    >>> shown.close()
    """

    state_names = ("level", "mu", "sigma", "n", "y", "multiplier", "scale", "full_bayes")

    level = t.Any()
    mu = t.Float()
    sigma = t.Float()
    n = t.Float()
    y = t.Float()
    multiplier = t.Float(1.0)
    scale = t.Unicode("probability")
    full_bayes = t.Bool(False)

    _quiet = False
    _averaged: AveragedPrior | None = None

    def __init__(
        self,
        fit: Fit,
        level: object = None,
        *,
        mu: float | None = None,
        sigma: float | None = None,
        n: float | None = None,
        y: float | None = None,
        multiplier: float = 1.0,
        scale: str = "probability",
        full_bayes: bool = False,
        words: GivenWords = None,
        **unknown: object,
    ) -> None:
        check_fit(fit)
        self._words = words_of(fit, words)
        super().__init__(**unknown)
        self._fit = fit
        self._prepare()
        self._start_at(level=self._first if level is None else level)
        self._take_level()
        self.snap()
        self._start_at(mu=mu, sigma=sigma, n=n)
        self.y = min(self.y, self.n)
        self._start_at(y=y, multiplier=multiplier, scale=scale, full_bayes=full_bayes)
        self._build()
        self._connect()
        self._guarded(self._draw)

    def snap(self) -> None:
        """Back to the level's own data and to the fit (sigma to .01 where that is 0)."""
        own = self._own
        with self._in_one_go():
            self.mu = float(self._fit.fixef["Intercept"])
            self.sigma = max(float(self._fit.theta[0]), SMALLEST_SIGMA)
            self.multiplier = 1.0
            self.y, self.n, self.y = 0.0, float(own.trials.sum()), float(own.y.sum())

    # --- what never changes, and what changes with the level ---

    def _prepare(self) -> None:
        n = pooling_columns(self._fit)["n"]
        term = self._fit.design.terms[0]
        self._group, self._first = term.group, first_level(self._fit)
        self._levels = sorted(term.levels, key=lambda level: level != self._first)
        self._priors: dict[int, LogDensity] = {}
        self._shown = link_limits(self._fit)
        self._limits = {
            "mu": mu_range(self._fit, self._shown),
            "sigma": (SMALLEST_SIGMA, max(LARGEST_SIGMA, 2 * float(self._fit.theta[0]))),
            "multiplier": MULTIPLIERS,
            "n": (min(1.0, n.min()), max(LEAST_N, 2 * n.max())),
        }
        self._whole = bool((n % 1 == 0).all() and (self._fit.design.y % 1 == 0).all())

    def _take_level(self) -> None:
        """The data of the level, with its own counts."""
        self._own = one_level(self._fit, self.level)
        with self._in_one_go():
            self.y, self.n = 0.0, float(self._own.trials.sum())
            self.y = float(self._own.y.sum())

    @property
    def _scales(self) -> tuple[str, str]:
        return "probability", self._fit.family.link.name

    @t.validate("mu", "sigma", "n", "multiplier")  # type: ignore[untyped-decorator]
    def _within(self, proposal: dict[str, Any]) -> float:
        name = proposal["trait"].name
        low, high = self._limits[name]
        return within(name, float(proposal["value"]), low, high)

    @t.validate("y")  # type: ignore[untyped-decorator]
    def _at_most_n(self, proposal: dict[str, Any]) -> float:
        return within("y", float(proposal["value"]), 0.0, self.n)

    @t.validate("scale")  # type: ignore[untyped-decorator]
    def _known_scale(self, proposal: dict[str, Any]) -> str:
        return str(one_of("scale", proposal["value"], self._scales))

    @t.validate("level")  # type: ignore[untyped-decorator]
    def _known_level(self, proposal: dict[str, Any]) -> object:
        return known_level("level", proposal["value"], self._levels, self._group, optional=False)

    # --- the parts, built once ---

    def _build(self) -> None:
        self._build_controls()
        self._key = ipywidgets.HTML()
        self.curves = ShrinkagePanel()
        self._table.title = "Table of the curves"
        self._table.columns = ["curve", "mode", "mean", "5 %", "95 %"]
        self._assemble(
            (self._level_menu, self._scale_menu, self._switch, self._sigma_slider,
             self._mu_slider, self._n_slider, self._y_slider, self._multiplier_slider,
             self._button),
            (self._key, self.curves.figure),
        )  # fmt: skip

    def _build_controls(self) -> None:
        def slider(name: str, label: str, **options: Any) -> NamedSlider:
            low, high = self._limits[name]
            value = getattr(self, name)
            return NamedSlider(label=label, value=value, min=low, max=high, **options)

        low, high = self._limits["n"]
        counting = {"digits": 0, "steps": int(high - low)} if self._whole else {}
        alone = len(self._fit.fixef) == 1  # otherwise predictors move the centre of each level
        self._mu_slider = slider("mu", "μ, prior centre" if alone else "μ, intercept")
        self._sigma_slider = slider("sigma", "σ, prior spread", log=True)
        self._n_slider = slider("n", f"n, {self._words.trials}", **counting)
        self._y_slider = NamedSlider(
            label=f"y, {self._words.event}",
            value=self.y,
            max=self.n,
            digits=0 if self._whole else 3,
        )
        self._multiplier_slider = slider("multiplier", "both times", log=True, steps=6)
        self._level_menu = menu(self._words.level, list(map(str, self._levels)))
        self._scale_menu = menu("Scale", self._scales, self.scale)
        self._switch = switch("full Bayes: average over μ, σ", self.full_bayes)
        self._button = button(
            "Back to data and fit",
            "The level's own counts, and μ and σ at their maximum likelihood values",
        )

    # --- what changes ---

    def _connect(self) -> None:
        for name in ("mu", "sigma", "n", "y", "multiplier"):
            self._bind(name, getattr(self, f"_{name}_slider"))
        self._bind("scale", self._scale_menu)
        self._bind("full_bayes", self._switch)
        self._level_menu.observe(lambda _: self._guarded(self._choose), names="index")
        self._button.on_click(lambda _: self._guarded(self._snap_and_draw))
        self.observe(lambda _: self._guarded(self._new_level), names="level")
        self.observe(lambda _: self._guarded(self._new_n), names="n")
        self._redraw_on(self._draw, *(name for name in self.state_names[1:] if name != "n"))
        self._table.observe(lambda _: self._guarded(self._draw), names="is_open")

    def _choose(self) -> None:
        self.level = self._levels[self._level_menu.index]

    def _snap_and_draw(self) -> None:
        self.snap()
        self._draw()

    def _new_level(self) -> None:
        self._take_level()
        self._draw()

    def _new_n(self) -> None:
        if self.y > self.n:
            self.y = self.n  # which draws
        else:
            self._draw()

    @contextmanager
    def _in_one_go(self) -> Iterator[None]:
        """Several traits change, and whoever changes them draws once."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    def _draw(self) -> None:
        """Bring every mark to the present state."""
        if self._quiet:
            return
        settings = Settings(self.mu, self.sigma, self.y, self.n, self.multiplier, self.scale)
        family = self._fit.family
        axis = link_axis(family, self._shown, settings)
        found = shrinkage(family, self._own, settings, axis, self._prior_of_level())
        self._level_menu.index = self._levels.index(self.level)
        with self._y_slider.hold_sync():
            self._y_slider.max = self.n
            self._y_slider.steps = int(self.n) if self._whole else 200
        self._draw_axes(axis)
        self.curves.show(found.curves, found.summary)
        self._report(found)

    def _prior_of_level(self) -> LogDensity | None:
        """Averaged over the posterior of mu and sigma; each level's is made when asked for."""
        if not self.full_bayes:
            return None
        if self._averaged is None:
            self._averaged = averaged_prior(self._fit)
        index = self._own.index
        if index not in self._priors:
            self._priors[index] = self._averaged.without(index, self._own.offset)
        return self._priors[index]

    def _draw_axes(self, link_limits: tuple[float, float]) -> None:
        on_rates, rate = self.scale == "probability", rate_name(self._fit)
        limits, label = ((0.0, 1.0), rate) if on_rates else (link_limits, f"{self.scale} of {rate}")
        self.curves.set_axes(limits, label, plug_in=self.full_bayes)
        self._key.value = shrinkage_key(self.full_bayes)

    def _report(self, found: Shrinkage) -> None:
        columns = ("mode", "mean", "conf_low", "conf_high")
        rows = {
            name: dict(zip((*columns, "weight", "pseudo_n"), values, strict=True))
            for name, *values in zip(*found.summary.values(), strict=True)
        }
        if self._table.is_open or not self._table.rows:
            self._table.rows = [
                [name, *("–" if np.isnan(row[c]) else f"{row[c]:.3f}" for c in columns)]
                for name, row in rows.items()
            ]
        self._say(self._about(rows), hw_curves=self._picture(rows))

    def _about(self, rows: dict[str, dict[str, float]]) -> str:
        """The posterior in numbers; weight and pseudo-n are those of the plug-in prior."""
        y, n = self.multiplier * self.y, self.multiplier * self.n
        times = (
            "" if self.multiplier == 1 else f" ({self.y:g} and {self.n:g}, × {self.multiplier:g})"
        )
        data = f"{self.level}: y = {y:g}, n = {n:g}{times}, raw rate {self.y / self.n:.3f}."
        last = rows["posterior"]
        trials = float(f"{last['pseudo_n']:.3g}")
        worth = (
            f"own data carry {last['weight']:.0%} of the weight, the prior is worth "
            f"{trials:,g} {self._words.trials}"
        )
        if not self.full_bayes:
            return f"{data} Posterior: {_sizes(last)}; {worth}."
        return (
            f"{data} Full Bayes posterior: {_sizes(last)}. Plug-in posterior: "
            f"{_sizes(rows['plug-in posterior'])}; there {worth}."
        )

    def _picture(self, rows: dict[str, dict[str, float]]) -> str:
        normal = f"normal with mu {self.mu:.3g} and sigma {self.sigma:.3g}"
        prior = "averaged over mu and sigma" if self.full_bayes else normal
        sizes = (f"{name}: {_sizes(row)}." for name, row in rows.items() if name != "likelihood")
        return (
            f"Curves of {self.level} on the {self.scale} scale. The prior is {prior}; the "
            f"likelihood is highest at the raw rate {self.y / self.n:.3f}. {' '.join(sizes)}"
        )


def _sizes(row: dict[str, float]) -> str:
    return (
        f"mode {row['mode']:.3f}, mean {row['mean']:.3f}, 90 % interval "
        f"{row['conf_low']:.3f} to {row['conf_high']:.3f}"
    )
