"""The pooling dial: turn sigma and mu, and watch every level glide between no and complete pooling.

The numbers come from `numbers.pooling`, the pictures from `panels`: `estimates`, `weights` and
`profile`.
"""

from typing import Any

import ipywidgets
import numpy as np
import traitlets as t

from hierwidgets.base.arrays import Array
from hierwidgets.base.palette import GREY, PALE
from hierwidgets.errors import DataError
from hierwidgets.fit.fit import Fit
from hierwidgets.widgets.numbers.pooling import (
    Columns,
    check_fit,
    half_weight_size,
    imagined_columns,
    loglik_near,
    mu_range,
    pooling_columns,
    pooling_frame,
    profile_frame,
    weight_at,
)
from hierwidgets.widgets.numbers.words import GivenWords, rate_name, three_digits, words_of
from hierwidgets.widgets.panels.estimates import EstimatesPanel, link_range
from hierwidgets.widgets.panels.profile import ProfilePanel
from hierwidgets.widgets.panels.weights import IMAGINED, POOLED, RAW, TARGET, WeightPanel
from hierwidgets.widgets.parts.choices import known_level, one_of, within
from hierwidgets.widgets.parts.controls import NamedSlider, NumberBox, button, menu
from hierwidgets.widgets.parts.instrument import Instrument
from hierwidgets.widgets.parts.legend import legend

__all__ = ["PoolingDial"]

SMALLEST_SIGMA, LARGEST_SIGMA = 0.01, 5.0  # near complete pooling, near no pooling
LEVEL = 0.9  # of the interval of sigma
MOST_TRIALS = 100_000  # of an imagined level


class PoolingDial(Instrument):
    """Raw and partially pooled estimates of every level, with sigma and mu to turn.

    Parameters
    ----------
    fit
        A binomial fit with one ``(1 | group)``; see `pooling_frame` for the numbers shown.
    sigma, mu
        Where the dial starts; the fit's own values if not given.
    scale
        ``"probability"``, or the name of the fit's link, usually ``"logit"``.
    selected
        The level to show in detail, or None.
    imagined
        One more level as a pair (y, n): y events in n trials; or None. It does not change the
        fit.
    words
        What levels, events and trials are called, `Words` or a mapping; by the names of the
        columns if not given.

    Attributes
    ----------
    sigma, mu, scale, selected, imagined
        The state, to read, set or observe.
    status
        What the status line says.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> dial = PoolingDial(fit)
    >>> dial.sigma, dial.selected = 5, "District 309"
    >>> dial
    PoolingDial(sigma=5, mu=-1.37, scale='probability', selected='District 309')
    >>> dial.close()
    """

    state_names = ("sigma", "mu", "scale", "selected", "imagined")

    sigma = t.Float()
    mu = t.Float()
    scale = t.Unicode("probability")
    selected = t.Any(None, allow_none=True)
    imagined = t.Any(None, allow_none=True)

    _typing = False

    def __init__(
        self,
        fit: Fit,
        *,
        sigma: float | None = None,
        mu: float | None = None,
        scale: str = "probability",
        selected: object = None,
        imagined: tuple[float, float] | None = None,
        words: GivenWords = None,
        **unknown: object,
    ) -> None:
        check_fit(fit)
        self._words = words_of(fit, words)
        super().__init__(**unknown)
        self._fit = fit
        self._prepare()
        self.snap()
        self._start_at(sigma=sigma, mu=mu, scale=scale, selected=selected, imagined=imagined)
        self._build()
        self._connect()
        self._guarded(self._draw)

    def snap(self) -> None:
        """Set sigma and mu to the maximum likelihood fit (sigma to .01 where that is 0)."""
        self.sigma = max(float(self._fit.theta[0]), self._sigma_range[0])
        self.mu = float(self._fit.fixef["Intercept"])

    # --- what never changes ---

    def _prepare(self) -> None:
        """Limits, order and profile: everything that depends on the fit alone."""
        fitted = float(self._fit.theta[0])
        frame = self._frame = pooling_frame(self._fit)
        self._group = self._fit.design.terms[0].group
        self._levels = list(frame["level"])
        rounded = frame.assign(target_link=frame["target_link"].round(8))  # equal but for rounding
        self._order = rounded.sort_values(["target_link", "raw", "n"]).index.to_numpy()
        self._sigma_range = (SMALLEST_SIGMA, max(LARGEST_SIGMA, 2 * fitted))
        self._mu_range = mu_range(self._fit, link_range(pooling_columns(self._fit)))
        grid = np.geomspace(*self._sigma_range, 41)
        found = self._fit.confint(
            LEVEL, parameters=f"sd Intercept | {self._group}", progress=False
        ).iloc[0]
        self._interval = float(found["conf_low"]), float(found["conf_high"])
        ticks = [fitted] if fitted > grid[0] else []
        self._profile_frame = profile_frame(self._fit, np.sort(np.append(grid, ticks)))
        self._best = float(self._profile_frame["loglik"].max())

    @property
    def _scales(self) -> tuple[str, str]:
        return "probability", self._fit.family.link.name

    @t.validate("sigma", "mu")  # type: ignore[untyped-decorator]
    def _within(self, proposal: dict[str, Any]) -> float:
        name = proposal["trait"].name
        low, high = self._sigma_range if name == "sigma" else self._mu_range
        return within(name, float(proposal["value"]), low, high)

    @t.validate("scale")  # type: ignore[untyped-decorator]
    def _known_scale(self, proposal: dict[str, Any]) -> str:
        return str(one_of("scale", proposal["value"], self._scales))

    @t.validate("selected")  # type: ignore[untyped-decorator]
    def _known_level(self, proposal: dict[str, Any]) -> object:
        return known_level("selected", proposal["value"], self._levels, self._group)

    @t.validate("imagined")  # type: ignore[untyped-decorator]
    def _possible(self, proposal: dict[str, Any]) -> tuple[float, float] | None:
        value = proposal["value"]
        if value is None:
            return None
        try:
            y, n = map(float, value)
        except (TypeError, ValueError):
            y = n = np.nan
        if not (0 <= y <= n and 0 < n <= MOST_TRIALS):
            raise t.TraitError(
                f"imagined must be None or (y, n): n trials, more than 0 and at most "
                f"{MOST_TRIALS}, and y events, from 0 to n; {value!r} was given"
            )
        return y, n

    def __repr__(self) -> str:
        text = super().__repr__()
        return text if self.imagined else text.replace(", imagined=None", "")

    # --- the parts, built once ---

    def _build(self) -> None:
        self._build_controls()
        ordered = {name: column[self._order] for name, column in pooling_columns(self._fit).items()}
        self.estimates = EstimatesPanel(
            ordered, self._fit.family, self._words.levels, rate_name(self._fit)
        )
        self.weights = WeightPanel(self._frame, self._words.trials)
        self.profile = ProfilePanel(self._profile_frame, float(self._fit.theta[0]), self._interval)
        lower = self.profile.figure, self.weights.figure
        self._key = ipywidgets.HTML()
        self._table.title = f"Table of the {len(self._levels)} estimates"
        self._table.columns = [self._words.level, "n", "raw", "pooled", "target", "own weight"]
        self._assemble(
            (self._level_menu, self._scale_menu, self._sigma_slider, self._mu_slider,
             self._button, self._y_box, self._n_box),
            (self._key, self.estimates.figure, lower),
        )  # fmt: skip

    def _build_controls(self) -> None:
        low, high = self._sigma_range
        self._sigma_slider = NamedSlider(
            label="σ, spread", value=self.sigma, min=low, max=high, log=True, steps=800
        )
        low, high = self._mu_range
        self._mu_slider = NamedSlider(label="μ, centre", value=self.mu, min=low, max=high)
        levels = ["none", *map(str, self._levels)]
        self._level_menu = menu(self._words.level, levels)
        self._scale_menu = menu("Scale", self._scales, self.scale)
        self._button = button("Snap to the fit", "Set σ and μ to their maximum likelihood values")

        named = (
            (f"imagine one more {self._words.level}: y {self._words.event}", 0),
            (f"of n {self._words.trials}", 1),
        )
        self._y_box, self._n_box = (
            NumberBox(label=name, min=low, max=MOST_TRIALS, whole=True) for name, low in named
        )
        self._show_boxes()

    # --- what changes ---

    def _connect(self) -> None:
        self._bind("sigma", self._sigma_slider)
        self._bind("mu", self._mu_slider)
        self._bind("scale", self._scale_menu)
        self._level_menu.observe(lambda _: self._guarded(self._choose), names="index")
        self.observe(lambda _: self._guarded(self._show_boxes), names="imagined")
        for box in (self._y_box, self._n_box):
            box.observe(lambda _: self._guarded(self._imagine), names="value")
        self._button.on_click(lambda _: self._guarded(self.snap))
        self._on_place("hw-estimates", self._pick_estimate)
        self._on_place("hw-weights", self._pick_weight)
        self._redraw_on(self._draw, *self.state_names)
        self._table.observe(lambda _: self._guarded(self._draw), names="is_open")

    def _choose(self) -> None:
        index = self._level_menu.index
        self.selected = self._levels[index - 1] if index else None

    def _pick_estimate(self, x: float, y: float) -> None:
        place = self.estimates.pick(x, y)
        if place is not None:
            self.selected = self._levels[self._order[place]]

    def _pick_weight(self, x: float, y: float) -> None:
        row = self.weights.pick(x, y)
        if row is not None:
            self.selected = self._levels[row]

    def _show_boxes(self) -> None:
        """The boxes show the trait, unless it is they that have just set it."""
        if self._typing:
            return
        self._typing = True
        y, n = self.imagined or (None, None)
        self._y_box.value, self._n_box.value = y, n
        self._typing = False

    def _imagine(self) -> None:
        """The two boxes as a level; a level that cannot be is taken away, and the reason said."""
        if self._typing:
            return
        pair = self._y_box.value, self._n_box.value
        self._typing = True
        try:
            self.imagined = None if None in pair else pair
        except t.TraitError:
            self.imagined = None
            raise DataError(
                f"{pair[0]:g} {self._words.event} of {pair[1]:g} {self._words.trials} cannot be: "
                "y is at most n"
            ) from None
        finally:
            self._typing = False

    def _draw(self) -> None:
        """Bring every mark to the present state; marks that do not change send nothing."""
        columns = pooling_columns(self._fit, self.sigma, self.mu)
        shown = {name: column[self._order] for name, column in columns.items()}
        extra = self._extra_level()
        half = half_weight_size(self._fit, self.sigma, self.mu)
        row = None if self.selected is None else self._levels.index(self.selected)
        place = None if row is None else int(np.flatnonzero(self._order == row)[0])
        self._level_menu.index = 0 if row is None else 1 + row
        off_the_scale = not np.isfinite(self._frame["raw_link"]).all()
        self._key.value = _key(bool(off_the_scale), extra is not None)
        self.estimates.show(shown, self.scale, place, extra)
        self._draw_weights(columns["weight"], half, row, extra)
        effects = columns["estimate_link"] - columns["target_link"]
        loglik = loglik_near(self._fit, self.sigma, self.mu, effects)
        self.profile.show(self.sigma, loglik)
        self._report(shown, loglik, half, place, extra)
        if self._table.is_open or not self._table.rows:
            self._table.rows = _table_rows(shown) + ([] if extra is None else _table_rows(extra))

    def _extra_level(self) -> Columns | None:
        if self.imagined is None:
            return None
        y, n = self.imagined
        return imagined_columns(self._fit, y, n, self.sigma, self.mu)

    def _draw_weights(
        self, weights: Array, half: float, selected: int | None, extra: Columns | None
    ) -> None:
        self.weights.make_room(None if extra is None else extra["n"][0])
        curve = weight_at(self.weights.sizes, half)
        point = None if extra is None else (extra["n"][0], extra["weight"][0])
        self.weights.show(weights, curve, selected, point)

    def _report(
        self, frame: Columns, loglik: float, half: float, place: int | None, extra: Columns | None
    ) -> None:
        where = self._where(frame) if place is None else self._about(frame, place)
        one_more = "" if extra is None else f" {self._about(extra, 0)}"
        turn = ""  # told of one's own district alone: elsewhere it is a question to be answered
        if place is not None or extra is not None:
            turn = f" The weight is one half at n = {three_digits(half)}."
        best = self._best
        fit = f"Log-likelihood {loglik:.2f}, {max(best - loglik, 0):.2f} below the best possible."
        pooled, raw, weight = frame["estimate"], frame["raw"], frame["weight"]
        self._say(
            f"{where}{one_more}{turn} {fit}",
            hw_estimates=f"{len(raw)} {self._words.levels}: raw rates {_span(raw)}, partial "
            f"pooling estimates {_span(pooled)}, targets {_span(frame['target'])}, complete "
            f"pooling {self.estimates.overall_rate['']:.3f}.{one_more}",
            hw_profile=f"Profile log-likelihood of sigma: highest, {best:.2f}, at sigma "
            f"{float(self._fit.theta[0]):.2f}, 90 % interval {self._interval[0]:.2f} to "
            f"{self._interval[1]:.2f}; {loglik:.2f} at the current sigma "
            f"{self.sigma:.3g} and mu {self.mu:.3g}.",
            hw_weights=f"Weight of each {self._words.level}'s own data, {_span(weight)}, against "
            f"its n, {frame['n'].min():g} to {frame['n'].max():g}. The curve is n / (n + n₀)."
            f"{one_more}{turn}",
        )

    def _where(self, frame: Columns) -> str:
        weight = frame["weight"]
        return (
            f"σ = {self.sigma:.3g}, μ = {self.mu:.3g}. Own data carry a weight of "
            f"{weight.mean():.0%} on average, {weight.min():.0%} to {weight.max():.0%}."
        )

    def _about(self, frame: Columns, place: int) -> str:
        row = {name: values[place] for name, values in frame.items()}
        return (
            f"{row['level']}: n = {row['n']:g}, raw {row['raw']:.3f}, pooled "
            f"{row['estimate']:.3f}, target {row['target']:.3f}; its own data carry "
            f"{row['weight']:.0%} of the weight at σ = {self.sigma:.3g}, μ = {self.mu:.3g}."
        )


def _span(values: Array) -> str:
    return f"{np.min(values):.2f} to {np.max(values):.2f}"


def _table_rows(frame: Columns) -> list[list[str]]:
    numbers = zip(*(frame[name] for name in ("raw", "estimate", "target", "weight")), strict=True)
    return [
        [str(level), f"{n:g}", *(f"{value:.3f}" for value in values)]
        for level, n, values in zip(frame["level"], frame["n"], numbers, strict=True)
    ]


def _key(off_the_scale: bool, imagined: bool) -> str:
    """The key of both pictures; shapes and dashes tell the layers apart without colour."""
    keys = [
        ("no pooling: raw rate", f'<circle cx="9" cy="8" r="5" fill="none" stroke="{RAW}"/>'),
        ("partial pooling", f'<path d="M9 1l5 7-5 7-5-7z" fill="{POOLED}"/>'),
        (
            "complete pooling",
            f'<path d="M0 8h18" stroke="{TARGET}" stroke-dasharray="2 2"/>'
            f'<path d="M5 4h8v8h-8z" fill="{TARGET}"/>',
        ),
        (
            "target",
            f'<path d="M0 8h18" stroke="{TARGET}" stroke-width="3" stroke-dasharray="5 3"/>',
        ),
        (
            "best σ, 90 % interval",
            f'<path d="M0 1h18v14h-18z" fill="{PALE}"/><path d="M9 0v16" stroke="{GREY}"/>',
        ),
        (
            "σ now",
            f'<path d="M9 6v10" stroke="{POOLED}"/><path d="M9 1l4 5-4 5-4-5z" fill="{POOLED}"/>',
        ),
        ("weight n / (n + n₀)", f'<path d="M0 8h18" stroke="{GREY}" stroke-dasharray="6 2 2 2"/>'),
    ]  # fmt: skip
    if imagined:
        keys.append(("imagined", f'<path d="M4 3h10v10h-10z" fill="{IMAGINED}"/>'))
    if off_the_scale:
        shape = f'<path d="M9 3l6 10H3z" fill="none" stroke="{RAW}"/>'
        keys.insert(1, ("raw rate 0 or 1: off the logit scale", shape))
    return legend(keys)
