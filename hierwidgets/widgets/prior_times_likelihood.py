"""Prior times likelihood: how a level's own data and the model of the levels make a posterior.

The numbers come from `_shrinkage` and `_averaged`; the widget only draws them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bqplot
import ipywidgets
import numpy as np
import traitlets as t

from hierwidgets.fit.fit import Fit
from hierwidgets.widgets.numbers.averaged import AveragedPrior, averaged_prior
from hierwidgets.widgets.numbers.pooling import check_fit, pooling_frame
from hierwidgets.widgets.numbers.shrinkage import (
    LogDensity,
    Settings,
    Shrinkage,
    first_level,
    link_axis,
    link_limits,
    one_level,
    shrinkage,
)
from hierwidgets.widgets.numbers.words import rate_name
from hierwidgets.widgets.parts.charts import WIDTH, figure, round_ticks, upright
from hierwidgets.widgets.parts.controls import NamedSlider
from hierwidgets.widgets.parts.instrument import Instrument

__all__ = ["PriorTimesLikelihood"]

DATA, POSTERIOR, PRIOR = "#1b9e77", "#d95f02", "#7570b3"  # ColorBrewer Dark2, colour-blind safe
ROWS = {  # the layers: where their bars are, below the curves, and in which colour
    "prior": (-0.06, PRIOR),
    "likelihood": (-0.13, DATA),
    "posterior": (-0.20, POSTERIOR),
    "plug-in posterior": (-0.27, "#a6761d"),
}
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
        The level to show; Finland's district 309 where there is one, otherwise the one that
        moves most.
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
        **unknown: object,
    ) -> None:
        check_fit(fit)
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
        frame = pooling_frame(self._fit)
        self._group = self._fit.design.terms[0].group
        self._first = first_level(self._fit)
        self._levels = sorted(frame["level"], key=lambda level: level != self._first)
        self._priors: dict[int, LogDensity] = {}
        low, high = self._shown = link_limits(self._fit)
        mu, middle = float(self._fit.fixef["Intercept"]), float(frame["target_link"].mean())
        self._limits = {
            "mu": (round(mu + low - middle, 2), round(mu + high - middle, 2)),
            "sigma": (SMALLEST_SIGMA, max(LARGEST_SIGMA, 2 * float(self._fit.theta[0]))),
            "multiplier": MULTIPLIERS,
            "n": (min(1.0, frame["n"].min()), max(LEAST_N, 2 * frame["n"].max())),
        }
        self._whole = bool((frame["n"] % 1 == 0).all() and (self._fit.design.y % 1 == 0).all())

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
        return _between(name, float(proposal["value"]), low, high)

    @t.validate("y")  # type: ignore[untyped-decorator]
    def _at_most_n(self, proposal: dict[str, Any]) -> float:
        return _between("y", float(proposal["value"]), 0.0, self.n)

    @t.validate("scale")  # type: ignore[untyped-decorator]
    def _known_scale(self, proposal: dict[str, Any]) -> str:
        if proposal["value"] not in self._scales:
            raise t.TraitError(f"scale must be one of {self._scales}; {proposal['value']!r} given")
        return str(proposal["value"])

    @t.validate("level")  # type: ignore[untyped-decorator]
    def _known_level(self, proposal: dict[str, Any]) -> object:
        value = proposal["value"]
        if value not in self._levels:
            some = ", ".join(map(repr, self._levels[:3]))
            raise t.TraitError(
                f"level must be one of the {len(self._levels)} levels of {self._group} "
                f"({some}, ...); {value!r} was given"
            )
        return value

    # --- the parts, built once ---

    def _build(self) -> None:
        self._build_controls()
        self._legend = ipywidgets.HTML()
        picture = self._build_picture()
        self._table.title = "Table of the curves"
        self._table.columns = ["curve", "mode", "mean", "5 %", "95 %"]
        self._assemble(
            ipywidgets.HBox([self._level_menu, self._scale_menu, self._button]),
            self._mu_slider, self._sigma_slider,
            ipywidgets.HBox([self._n_slider, self._y_slider]),
            ipywidgets.HBox([self._multiplier_slider, self._switch]),
            self._legend, picture,
            width=WIDTH,
        )  # fmt: skip

    def _build_controls(self) -> None:
        def slider(name: str, label: str, **options: Any) -> NamedSlider:
            low, high = self._limits[name]
            value = getattr(self, name)
            return NamedSlider(label=label, value=value, min=low, max=high, **options)

        low, high = self._limits["n"]
        counting = {"digits": 0, "steps": int(high - low)} if self._whole else {}
        half = {"width": "366px"}
        alone = len(self._fit.fixef) == 1  # otherwise predictors move the centre of each level
        self._mu_slider = slider("mu", "μ, prior centre" if alone else "μ, intercept")
        self._sigma_slider = slider("sigma", "σ, prior spread", log=True)
        self._n_slider = slider("n", "n, trials", layout=dict(half), **counting)
        self._y_slider = NamedSlider(
            label="y, events", value=self.y, max=self.n, digits=0 if self._whole else 3,
            layout=dict(half),
        )  # fmt: skip
        self._multiplier_slider = slider(
            "multiplier", "both times", log=True, steps=6, layout=dict(half)
        )
        self._level_menu = ipywidgets.Dropdown(
            description=self._group, options=[*map(str, self._levels)], index=0,
            layout={"width": "330px"}, style={"description_width": "9.5em"},
        )  # fmt: skip
        self._scale_menu = ipywidgets.Dropdown(
            description="Scale", options=self._scales, value=self.scale,
            layout={"width": "180px"}, style={"description_width": "initial"},
        )  # fmt: skip
        self._switch = ipywidgets.Checkbox(
            description="full Bayes: average over μ, σ", value=self.full_bayes, indent=False,
            layout={"width": "300px", "margin": "2px 0 0 30px"},
        )  # fmt: skip
        self._button = ipywidgets.Button(
            description="Back to data and fit", layout={"width": "170px"},
            tooltip="The level's own counts, and μ and σ at their maximum likelihood values",
        )  # fmt: skip

    def _build_picture(self) -> bqplot.Figure:
        self._place = bqplot.LinearScale(allow_padding=False)
        height = bqplot.LinearScale(min=-0.31, max=1.06, allow_padding=False)
        scales = {"x": self._place, "y": height}

        def line(name: str, style: str, width: float) -> bqplot.Lines:
            return bqplot.Lines(
                scales=scales, x=[0, 1], y=[0, 0], colors=[ROWS[name][1]], line_style=style,
                stroke_width=width,
            )  # fmt: skip

        self._lines = {
            "plug-in posterior": line("plug-in posterior", "dash_dotted", 2),
            "prior": line("prior", "dashed", 2.5),
            "likelihood": line("likelihood", "dotted", 3),
            "posterior": line("posterior", "solid", 3),
        }
        self._bars = bqplot.Lines(scales=scales, x=[[0, 1]], y=[[0, 0]], stroke_width=3)
        self._ground = bqplot.Lines(
            scales=scales, x=[0, 1], y=[0, 0], colors=["#8c8c8c"], stroke_width=1
        )
        self._modes, self._means = (
            bqplot.Scatter(
                scales=scales, x=[], y=[], marker=marker, fill=fill, default_size=area,
                stroke_width=2, interactions={},
            )
            for marker, fill, area in (("diamond", True, 80), ("circle", False, 90))
        )  # fmt: skip
        self._place_axis = bqplot.Axis(
            scale=self._place, grid_lines="none", label_offset="32px", tick_format="~g"
        )
        names = {at: name.removesuffix(" posterior") for name, (at, _) in ROWS.items()}
        self._row_axis = upright(  # with new ticks new labels are lost: it has all from the start
            bqplot.Axis(
                scale=height, grid_lines="none", tick_style={"font-size": "11px"},
                tick_labels=names, tick_values=np.zeros(1),
            )
        )  # fmt: skip
        marks = [self._ground, *self._lines.values(), self._bars, self._means, self._modes]
        return figure("hw-curves", "330px", marks, [self._place_axis, self._row_axis], bottom=44)

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
        self._draw_axes((0.0, 1.0) if self.scale == "probability" else axis)
        self._draw_curves(found)
        self._draw_bars(found.summary)
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

    def _draw_axes(self, limits: tuple[float, float]) -> None:
        low, high = limits
        air = 0.012 * (high - low)  # a mark at an end is whole
        if (self._place.min, self._place.max) != (low - air, high + air):
            with self._place.hold_sync():
                self._place.min, self._place.max = low - air, high + air
            rate = rate_name(self._fit)
            self._place_axis.tick_values = round_ticks(low, high, most=12)
            on_rates = self.scale == "probability"
            self._place_axis.label = rate if on_rates else f"{self.scale} {rate}"
            self._ground.x = [low, high]
        rows = [at for at, _ in ROWS.values()][: 4 if self.full_bayes else 3]
        if len(rows) != len(self._row_axis.tick_values):
            self._row_axis.tick_values = np.array(rows)
            self._lines["plug-in posterior"].visible = self.full_bayes
            self._legend.value = _legend(self.full_bayes)

    def _draw_curves(self, found: Shrinkage) -> None:
        """Each curve over the highest of all; what rises out of the picture at an end is cut."""
        at = found.curves["at"]
        low, high = at[0], at[-1]
        air = 0.01 * (high - low)
        inner = (at >= low + air) & (at <= high - air)
        names = [name for name in self._lines if name in found.curves]
        top = max(float(found.curves[name][inner].max()) for name in names)
        for name in names:
            with self._lines[name].hold_sync():
                self._lines[name].x = at
                self._lines[name].y = np.minimum(found.curves[name] / top, 1.06)

    def _draw_bars(self, summary: dict[str, list[Any]]) -> None:
        names = np.array(summary["curve"])
        rows = np.array([ROWS[name][0] for name in names])
        colors = np.array([ROWS[name][1] for name in names])
        low, high = np.array(summary["conf_low"]), np.array(summary["conf_high"])
        wide = np.isfinite(low)
        with self._bars.hold_sync():
            self._bars.colors = colors[wide].tolist()
            self._bars.x = np.clip(np.column_stack([low, high])[wide], *self._ends)
            self._bars.y = np.column_stack([rows, rows])[wide]
        for mark, column in ((self._modes, "mode"), (self._means, "mean")):
            values = np.array(summary[column])
            inside = (values >= self._place.min) & (values <= self._place.max)
            with mark.hold_sync():
                mark.colors = colors[inside].tolist()
                mark.x, mark.y = values[inside], rows[inside]

    @property
    def _ends(self) -> tuple[float, float]:
        return float(self._place.min), float(self._place.max)

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
            f"{trials:,g} trials"
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


def _between(name: str, value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise t.TraitError(f"{name} must be from {low:.4g} to {high:.4g}; {value:g} was given")
    return value


def _sizes(row: dict[str, float]) -> str:
    return (
        f"mode {row['mode']:.3f}, mean {row['mean']:.3f}, 90 % interval "
        f"{row['conf_low']:.3f} to {row['conf_high']:.3f}"
    )


def _legend(full_bayes: bool) -> str:
    """The key: dashes and shapes tell the layers apart without colour."""

    def line(name: str, dashes: str) -> str:
        return (
            f'<path d="M0 8h30" stroke="{ROWS[name][1]}" stroke-width="3" '
            f'stroke-dasharray="{dashes}"/>'
        )

    keys = [
        ("prior, averaged" if full_bayes else "prior N(μ, σ²)", line("prior", "8 4")),
        ("likelihood, area made 1", line("likelihood", "2 3")),
        ("posterior", line("posterior", "none")),
        ("mode", '<path d="M15 1l6 7-6 7-6-7z" fill="#808080"/>'),
        ("mean, on its 90 % bar", '<path d="M0 8h30" stroke="#808080"/>'
         '<circle cx="15" cy="8" r="5" fill="none" stroke="#808080"/>'),
    ]  # fmt: skip
    if full_bayes:
        keys.insert(3, ("plug-in posterior", line("plug-in posterior", "8 3 2 3")))
    spans = (
        f'<span><svg width="30" height="16" stroke-width="2" aria-hidden="true">{shape}</svg>'
        f"{name}</span>"
        for name, shape in keys
    )
    return f'<div class="hw-legend">{"".join(spans)}</div>'
