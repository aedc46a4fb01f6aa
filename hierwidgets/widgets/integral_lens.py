"""The integral lens: how the effect of one district is integrated out, and what nodes buy.

The numbers come from `numbers.integral` and `numbers.running`, the pictures from
`panels.integral`.
"""

from typing import Any

import ipywidgets
import numpy as np
import traitlets as t

from hierwidgets.base.arrays import Array
from hierwidgets.fit.fit import Fit
from hierwidgets.widgets.numbers import integral_words as words
from hierwidgets.widgets.numbers.integral import (
    MOST_NODES,
    Integrands,
    Lens,
    alone,
    check_integral,
    integrands,
    lens,
    sigma_range,
    worst_first,
)
from hierwidgets.widgets.numbers.running import running_frame
from hierwidgets.widgets.panels.integral import (
    ErrorPanel,
    IntegrandPanel,
    RunningPanel,
    integral_key,
    nodes_at,
)
from hierwidgets.widgets.parts.choices import known_level, within
from hierwidgets.widgets.parts.controls import NamedSlider, button, menu
from hierwidgets.widgets.parts.instrument import Instrument
from hierwidgets.widgets.parts.whole import Whole, follow_slider, whole_number

__all__ = ["IntegralLens"]


class IntegralLens(Instrument):
    """One district's integral in the likelihood, by Laplace and by 1 to 25 nodes.

    Above, the integrand, the normal curve of Laplace and the nodes of adaptive Gauss-Hermite
    quadrature, at the fit's coefficients. Below, the error of its area against the number of
    nodes, and the estimates of the whole model against it.

    Parameters
    ----------
    fit
        A binomial or Poisson fit with one group term of one coefficient, ``(1 | group)``.
    level
        The level to show; if not given, the one with the largest error of one node. The menu has
        them in that order.
    nodes
        From 1 (Laplace) to 25; the fit's own if not given.
    sigma
        The standard deviation of the levels' effects; the fit's own if not given.

    Attributes
    ----------
    level, nodes, sigma
        The state, to read, set or observe.
    status
        What the status line says.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> lens = IntegralLens(fit, "District 309", nodes=3)
    >>> lens.status[:47]
    'District 309: 10 of 23 contacted. By 3 nodes at'
    >>> lens.close()
    """

    state_names = ("level", "nodes", "sigma")

    level = t.Any()
    nodes: int = Whole(1)
    sigma = t.Float(1.0)

    _every: tuple[float, Integrands, Array] | None = None
    _quiet = False

    def __init__(
        self,
        fit: Fit,
        level: object = None,
        *,
        nodes: int | None = None,
        sigma: float | None = None,
        **unknown: object,
    ) -> None:
        check_integral(fit)
        super().__init__(**unknown)
        self._fit = fit
        self._prepare()
        self.snap()
        self._start_at(level=self._levels[0] if level is None else level)
        self._start_at(nodes=nodes, sigma=sigma)
        self._running = running_frame(fit)
        self._build()
        self._connect()
        self._guarded(self._draw)

    def snap(self) -> None:
        """Back to the fit's own sigma (the least there is where that is 0) and nodes."""
        self._quiet = True
        self.sigma = max(float(self._fit.theta[0]), self._limits[0])
        self.nodes = min(self._fit.n_agq, MOST_NODES)
        self._quiet = False

    # --- what never changes ---

    def _prepare(self) -> None:
        design = self._fit.design
        term = design.terms[0]
        self._group, self._places = term.group, worst_first(self._fit)
        self._levels = [term.levels[place] for place in self._places]
        self._limits = sigma_range(self._fit)
        y, n = (np.bincount(term.codes, values) for values in (design.y, design.trials))
        self._data = [words.data_words(self._fit, y[place], n[place]) for place in self._places]
        self._names = [words.named_level(self._group, level) for level in self._levels]
        self._word = words.group_word(self._group)
        self._others = f"all {len(self._levels)} {words.plural(self._word)}"
        self._axis = words.axis_name(self._fit)
        self._coefficient = next(
            (name for name in ("Intercept", *design.names) if name in design.names), None
        )

    @t.validate("nodes")  # type: ignore[untyped-decorator]
    def _some_nodes(self, proposal: dict[str, Any]) -> int:
        return whole_number("nodes", proposal["value"], 1, MOST_NODES)

    @t.validate("sigma")  # type: ignore[untyped-decorator]
    def _within(self, proposal: dict[str, Any]) -> float:
        return within("sigma", float(proposal["value"]), *self._limits)

    @t.validate("level")  # type: ignore[untyped-decorator]
    def _known_level(self, proposal: dict[str, Any]) -> object:
        return known_level("level", proposal["value"], self._levels, self._group, optional=False)

    # --- the parts, built once ---

    def _build(self) -> None:
        low, high = self._limits
        of = "slopes" if self._axis.startswith("b") else words.plural(self._word)
        labels = [f"{level}: {data}" for level, data in zip(self._levels, self._data, strict=True)]
        self._level_menu = menu(self._word, labels)
        self._nodes_slider = NamedSlider(
            label="nodes", value=float(self.nodes), min=1.0, max=float(MOST_NODES),
            steps=MOST_NODES - 1, digits=0,
        )  # fmt: skip
        self._sigma_slider = NamedSlider(
            label=f"σ, sd of the {of}", value=self.sigma, min=low, max=high, log=True
        )
        self._button = button("Back to the fit", "σ as estimated, and the nodes of the fit")
        lanes = {"sd": "σ", "neg2loglik": "−2 log L"}
        if self._coefficient is not None:
            name = "μ" if self._coefficient == "Intercept" else "slope"
            lanes = {"sd": "σ", self._coefficient: name, "neg2loglik": "−2 log L"}
        self.integrand = IntegrandPanel(self._axis)
        self.error, self.running = ErrorPanel(), RunningPanel(self._running, lanes)
        self._table.title = "Table of the nodes"
        self._table.columns = ["nodes", "log of the area", "error, %", *lanes.values()]
        self._lanes = list(lanes)
        self._assemble(
            (self._level_menu, self._nodes_slider, self._sigma_slider, self._button),
            (
                ipywidgets.HTML(integral_key()), self.integrand.figure,
                (self.error.figure, self.running.figure),
            ),
        )  # fmt: skip

    # --- what changes ---

    def _connect(self) -> None:
        self._bind("sigma", self._sigma_slider)
        follow_slider(self, "nodes", self._nodes_slider)
        self._level_menu.observe(lambda _: self._guarded(self._choose), names="index")
        self._button.on_click(lambda _: self._guarded(self._snap_and_draw))
        self._redraw_on(self._draw, *self.state_names)
        self._table.observe(lambda _: self._guarded(self._draw), names="is_open")
        for name in ("hw-error", "hw-running"):
            self._on_place(name, lambda x, y: self.set_trait("nodes", nodes_at(x)))

    def _choose(self) -> None:
        self.level = self._levels[self._level_menu.index]

    def _snap_and_draw(self) -> None:
        self.snap()
        self._draw()

    def _draw(self) -> None:
        """Bring every mark to the present state."""
        if self._quiet:
            return
        at = self._levels.index(self.level)
        self._level_menu.index = at
        fit = self._fit
        one = integrands(alone(fit.design, self._places[at]), fit.family, fit.beta, self.sigma)
        shown = lens(one, self.sigma, self.nodes)
        errors = np.expm1(shown.log_areas - shown.exact)
        self.integrand.show(shown)
        self.error.show(errors, self.nodes)
        self.running.show(self.nodes)
        self._report(at, shown, errors)

    def _whole(self) -> float:
        """By how much the log-likelihood of all levels is too high with so many nodes."""
        if self._every is None or self._every[0] != self.sigma:
            fit = self._fit
            every = integrands(fit.design, fit.family, fit.beta, self.sigma)
            self._every = self.sigma, every, every.by_strips()
        _, every, exact = self._every
        return float((every.by_nodes(self.nodes) - exact).sum())

    def _report(self, at: int, shown: Lens, errors: Array) -> None:
        if self._table.is_open or not self._table.rows:
            self._table.rows = words.table_rows(shown, errors, self._running[self._lanes])
        name, error = self._names[at], float(errors[self.nodes - 1])
        fitted = words.fitted_words(self._running, self.nodes, self._coefficient)
        where = name, self.sigma, self.nodes, shown, error
        self._say(
            words.about(
                name, self._data[at], self.sigma, self.nodes, shown, error, self._whole(), fitted,
                self._others,
            ),
            hw_integrand=words.picture_words(*where, self._axis),
            hw_error=words.errors_words(name, errors),
            hw_running=words.running_words(self._running, self._lanes, fitted),
        )  # fmt: skip
