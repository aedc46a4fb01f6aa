"""The prior dial: turn the priors of a posterior, and see the posterior answer.

The numbers come from `numbers.prior_dial`, the pictures from `panels.belief`.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets
import traitlets as t

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError, HierwidgetsError
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.sampling.pareto import Weights
from hierwidgets.sampling.priors import Priors
from hierwidgets.widgets.numbers.prior_dial import words
from hierwidgets.widgets.numbers.prior_dial.anew import drawn_anew
from hierwidgets.widgets.numbers.prior_dial.look import FEWEST, Base, Look, look, sound, weights_to
from hierwidgets.widgets.numbers.prior_dial.quantities import (
    Quantity,
    changes,
    first_level,
    in_level,
    of_parameters,
    outcome_name,
)
from hierwidgets.widgets.numbers.prior_dial.shapes import (
    ETAS,
    OWN,
    SCALES,
    SHAPES,
    Turned,
    has_slopes,
    priors_of,
    start,
)
from hierwidgets.widgets.panels.belief import BeliefPanel, belief_key
from hierwidgets.widgets.parts.aside import Aside
from hierwidgets.widgets.parts.choices import known_level, one_of, within
from hierwidgets.widgets.parts.controls import NamedSlider, ProgressBar, button, menu
from hierwidgets.widgets.parts.instrument import Instrument
from hierwidgets.widgets.parts.still import draw, legends

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["PriorDial"]

REST = 0.4  # seconds without a move, before new draws are taken
NAME_ABOVE = 1.3  # of the highest curve, which ends below the name
FIXED = ("flat", OWN)  # shapes without a scale


class PriorDial(Instrument):
    """Prior and posterior of a model, with the priors to turn.

    The posterior under the priors on the dial is that of the draws, weighted. Where they do not
    reach so far, the model is drawn from anew as soon as the dial rests.

    Parameters
    ----------
    post
        A posterior, as ``Model.sample`` or `hw.load_posterior` gives.
    sd_shape, sd_scale
        The prior of the standard deviations: ``"half-t, 3 df"``, ``"half-normal"``,
        ``"half-Cauchy"``, ``"exponential"``, ``"gamma, 0 at 0"`` or ``"flat"``, and its scale.
    coefficient_shape, coefficient_scale
        The prior of the coefficients but the intercept, or of the intercept where there is no
        other: ``"flat"``, ``"normal"``, ``"t, 3 df"`` or ``"Cauchy"``, and its scale.
    eta
        Of the LKJ prior of the correlations: 1 for all alike, more for small ones.
    parameter
        The parameter in the upper picture.
    quantity
        What the lower one shows: another parameter, the probability in one group, or by how much
        it changes with a predictor.
    level
        The group.

    Attributes
    ----------
    sd_shape, sd_scale, coefficient_shape, coefficient_scale, eta, parameter, quantity, level
        The state, to read, set or observe.
    drawing
        Whether new draws are being taken.
    status
        What the status line says.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> dial = PriorDial(hw.load_posterior("finland"), level="District 309")
    >>> dial.sd_shape, dial.sd_scale
    ('half-t, 3 df', 2.5)
    >>> dial.sd_shape, dial.sd_scale = "half-normal", 0.2
    >>> dial.status[:48]
    'sd Intercept | district_id: mean 0.238, 90 % int'
    >>> dial.close()
    """

    state_names = (
        "sd_shape", "sd_scale", "coefficient_shape", "coefficient_scale", "eta", "parameter",
        "quantity", "level",
    )  # fmt: skip

    sd_shape = t.Unicode()
    sd_scale = t.Float()
    coefficient_shape = t.Unicode()
    coefficient_scale = t.Float()
    eta = t.Float(1.0)
    parameter = t.Unicode()
    quantity = t.Unicode()
    level = t.Any(None, allow_none=True)
    drawing = t.Bool(False)

    _fresh: Base | None = None
    _failed: Turned | None = None
    _under_way: Turned | None = None
    _quiet = False

    def __init__(
        self,
        post: Posterior,
        *,
        sd_shape: str | None = None,
        sd_scale: float | None = None,
        coefficient_shape: str | None = None,
        coefficient_scale: float | None = None,
        eta: float | None = None,
        parameter: str | None = None,
        quantity: str | None = None,
        level: object = None,
        **unknown: object,
    ) -> None:
        _check(post)
        super().__init__(**unknown)
        self._drawn = Base(post)
        self._prepare(post)
        self.snap()
        self._start_at(
            sd_shape=sd_shape, sd_scale=sd_scale, coefficient_shape=coefficient_shape,
            coefficient_scale=coefficient_scale, eta=eta, parameter=parameter, quantity=quantity,
            level=level,
        )  # fmt: skip
        self._anew = self._at_rest(self._draw_anew, REST)
        self._aside: Aside[Posterior] = Aside(self._take, self._count)
        self._build()
        self._connect()
        self._guarded(self._draw)

    def snap(self) -> None:
        """Back to the priors under which the draws were made."""
        self._quiet = True
        for name, value in self._start._asdict().items():
            setattr(self, name, value)
        self._quiet = False

    def close(self) -> None:
        """Give up what is being drawn, and free the front end's and the kernel's memory."""
        if hasattr(self, "_aside"):
            self._aside.stop()
        super().close()

    def picture(self) -> "Figure":
        """Both pictures, one under the other, each with its name in the place of its caption."""
        whole = draw([[self.upper.figure], [self.lower.figure]], legends(self))
        for ax, name in zip(whole.axes[1:], (self.parameter, self._shown().name), strict=True):
            ax.set_ylim(top=NAME_ABOVE)
            ax.text(
                0.99, 0.97, name, transform=ax.transAxes, fontsize=8, va="top", ha="right",
                zorder=99, bbox={"color": "white", "alpha": 0.8, "linewidth": 0},
            )  # fmt: skip
        return whole

    # --- what never changes ---

    def _prepare(self, post: Posterior) -> None:
        self._start = start(post)
        self._parameters = {one.name: one for one in of_parameters(post)}
        self._shapes = {
            key: (*shapes, OWN) if getattr(self._start, f"{key}_shape") == OWN else shapes
            for key, shapes in SHAPES.items()
        }
        term = post.design.terms[0]
        self._group, first = term.group, first_level(post)
        self._levels = sorted(term.levels, key=lambda level: level != first)
        self._in_one = f"{outcome_name(post)} in one {self._group}"
        others = {one.name: one for one in changes(post)}
        self._quantities: dict[str, Quantity | None] = {
            **others, **({} if first is None else {self._in_one: None}), **self._parameters,
        }  # fmt: skip
        kinds = {one.parameter.kind for one in self._parameters.values() if one.parameter}
        slopes = "coefficients" if has_slopes(post.design) else "intercept"
        self._classes = {"sd": "sds"}
        if "coefficient" in kinds:
            self._classes["coefficient"] = slopes
        if "corr" in kinds:
            self._classes["corr"] = "correlation"
        sds = [name for name in self._parameters if name.startswith("sd ")]
        self.parameter, self.quantity = sds[0], next(iter(self._quantities))
        self.level = self._levels[0]

    @t.validate("sd_shape", "coefficient_shape")  # type: ignore[untyped-decorator]
    def _known_shape(self, proposal: dict[str, Any]) -> str:
        name = proposal["trait"].name
        return str(one_of(name, proposal["value"], self._shapes[name.removesuffix("_shape")]))

    @t.validate("sd_scale", "coefficient_scale", "eta")  # type: ignore[untyped-decorator]
    def _within(self, proposal: dict[str, Any]) -> float:
        name = proposal["trait"].name
        return within(name, float(proposal["value"]), *(ETAS if name == "eta" else SCALES))

    @t.validate("parameter", "quantity")  # type: ignore[untyped-decorator]
    def _known(self, proposal: dict[str, Any]) -> str:
        name = proposal["trait"].name
        allowed = self._parameters if name == "parameter" else self._quantities
        return str(one_of(name, proposal["value"], list(allowed)))

    @t.validate("level")  # type: ignore[untyped-decorator]
    def _known_level(self, proposal: dict[str, Any]) -> object:
        return known_level("level", proposal["value"], self._levels, self._group, optional=False)

    # --- the parts, built once ---

    def _build(self) -> None:
        self._build_controls()
        self.upper, self.lower = BeliefPanel("hw-parameter"), BeliefPanel("hw-quantity")
        self._table.title = "Table of the parameters"
        self._table.columns = [
            "", "prior, 90 %", "as drawn, mean", "90 %", "under this prior, mean", "90 %",
        ]  # fmt: skip
        turned = [self._shape_menus["sd"], self._sliders["sd_scale"]]
        if "coefficient" in self._classes:
            turned += [self._shape_menus["coefficient"], self._sliders["coefficient_scale"]]
        if "corr" in self._classes:
            turned.append(self._sliders["eta"])
        looks = [self._parameter_menu, self._quantity_menu, self._level_menu]
        self._assemble(
            (*turned, *looks, self._button, self._bar),
            (
                ipywidgets.HTML(belief_key()),
                self.upper.caption,
                self.upper.figure,
                self.lower.caption,
                self.lower.figure,
            ),
        )

    def _build_controls(self) -> None:
        names = self._classes
        coefficients = names.get("coefficient", "coefficients")
        self._shape_menus = {
            key: menu(f"{name}, prior", self._shapes[key], value)
            for key, name, value in (
                ("sd", "sds", self.sd_shape),
                ("coefficient", coefficients, self.coefficient_shape),
            )
        }
        labels = {
            "sd_scale": "sds, scale", "coefficient_scale": f"{coefficients}, scale",
            "eta": "correlation, η",
        }  # fmt: skip
        self._sliders = {
            name: NamedSlider(
                label=label, value=getattr(self, name), log=True,
                **dict(zip(("min", "max"), ETAS if name == "eta" else SCALES, strict=True)),
            )
            for name, label in labels.items()
        }  # fmt: skip
        known = {name: one.short for name, one in self._parameters.items()}
        shown = {
            name: f"in one {self._group}" if one is None else one.short
            for name, one in self._quantities.items()
        }
        self._parameter_menu = menu("Above", _named_shortly(known), self.parameter)
        self._quantity_menu = menu("Below", _named_shortly(shown), self.quantity)
        self._level_menu = menu(self._group, list(map(str, self._levels)))
        self._button = button(
            "Back to the priors as drawn", "The priors under which the draws were made"
        )
        self._bar = ProgressBar(label="new draws", unit="proposals")
        self._bar.layout.visibility = "hidden"

    # --- what changes ---

    def _connect(self) -> None:
        for key, one in self._shape_menus.items():
            self._bind(f"{key}_shape", one)
        for name, slider in self._sliders.items():
            self._bind(name, slider)
        self._bind("parameter", self._parameter_menu)
        self._bind("quantity", self._quantity_menu)
        self._level_menu.observe(lambda _: self._guarded(self._choose), names="index")
        self._button.on_click(lambda _: self._guarded(self._snap_and_draw))
        self._redraw_on(self._draw, *self.state_names)
        self._redraw_on(self._show_drawing, "drawing")
        self._table.observe(lambda _: self._guarded(self._draw), names="is_open")

    def _choose(self) -> None:
        self.level = self._levels[self._level_menu.index]

    def _snap_and_draw(self) -> None:
        self.snap()
        self._draw()

    def _turned(self) -> Turned:
        return Turned(*(getattr(self, name) for name in Turned._fields))

    def _show_drawing(self) -> None:
        self._bar.layout.visibility = "visible" if self.drawing else "hidden"
        if self.drawing:
            self._draw()

    def _draw(self) -> None:
        """Bring every mark to the present state; ask for new draws where weights do not do."""
        if self._quiet:
            return
        turned = self._turned()
        priors = priors_of(self._drawn.post, turned, self._start)
        base, weights = self._weighed(priors)
        weighed = (base, weights.share) if sound(weights) else None
        self._level_menu.index = self._levels.index(self.level)
        one = self.quantity == self._in_one
        self._level_menu.layout.visibility = "visible" if one else "hidden"
        for key in self._shape_menus:
            fixed = getattr(self, f"{key}_shape") in FIXED
            self._sliders[f"{key}_scale"].layout.visibility = "hidden" if fixed else "visible"
        if weighed is not None and weights.effective >= FEWEST:
            self._stop()
        elif turned not in (self._under_way, self._failed):
            self._stop()
            self._anew.ask()
            if not self._anew.waiting:
                return  # outside a notebook the new draws are there, and shown
        looks = self._looks(priors, weighed)
        self._report(turned, looks, base, weights)
        if self._table.is_open or not self._table.rows:
            every = (look(q, self._drawn, weighed, priors) for q in self._parameters.values())
            named = zip(self._parameters, every, strict=True)
            self._table.rows = [words.row(name, found.summary) for name, found in named]

    def _weighed(self, priors: Priors) -> tuple[Base, Weights]:
        """The draws to weigh and their weights: those there were at first, if these reach."""
        bases = [self._drawn] if self._fresh is None else [self._drawn, self._fresh]
        found = [(base, weights_to(base.post, priors)) for base in bases]
        for base, weights in found:
            if sound(weights) and weights.effective >= FEWEST:
                return base, weights
        return max(found, key=lambda one: (sound(one[1]), -one[1].k))

    def _shown(self) -> Quantity:
        """The quantity below; each level's is made when it is asked for."""
        return self._quantities[self.quantity] or in_level(self._drawn.post, self.level)

    def _looks(self, priors: Priors, weighed: tuple[Base, Array] | None) -> list[tuple[str, Look]]:
        looks = []
        pairs = ((self.upper, self._parameters[self.parameter]), (self.lower, self._shown()))
        for panel, quantity in pairs:
            found = look(quantity, self._drawn, weighed, priors)
            panel.show(found, quantity.name)
            looks.append((quantity.name, found))
        return looks

    def _report(
        self, turned: Turned, looks: list[tuple[str, Look]], base: Base, weights: Weights
    ) -> None:
        said = [words.about(name, found.summary) for name, found in looks]
        if sound(weights):
            how = words.weights_words(weights, base is not self._drawn)
        elif turned == self._failed:
            how = "Under these priors no sound draws can be taken at once: turn them back a little."
        else:
            how = words.beyond_words(weights, self.drawing)
        priors = words.turned_words(turned, self._classes)
        pictures = {
            key: f"{words.picture_words(name, found)} {priors}"
            for key, (name, found) in zip(("hw_parameter", "hw_quantity"), looks, strict=True)
        }
        self._say(
            " ".join([*dict.fromkeys(said), how]),
            **pictures,
        )

    # --- new draws ---

    def _draw_anew(self) -> None:
        """Take draws under the priors on the dial."""
        turned = self._turned()
        priors = priors_of(self._drawn.post, turned, self._start)
        self._under_way = turned
        self._count(0, 1)
        self._aside.start(partial(drawn_anew, self._drawn.post, priors))
        if self._aside.running:
            self.drawing = True  # which draws

    def _count(self, done: int, total: int) -> None:
        with self._bar.hold_sync():
            self._bar.done, self._bar.total = done, total

    def _take(self, found: Posterior | HierwidgetsError) -> None:
        if isinstance(found, HierwidgetsError):
            self._failed = self._under_way
        else:
            self._fresh = Base(found)
        self._stop()
        self._guarded(self._draw)

    def _stop(self) -> None:
        """What is waited for or under way is of no use any more."""
        self._anew.forget()
        self._aside.stop()
        self._under_way, self.drawing = None, False


def _check(post: object) -> None:
    if not isinstance(post, Posterior):
        raise DataError(
            "this widget takes a posterior, as Model.sample or hw.load_posterior gives; "
            f"a {type(post).__name__} was given"
        )
    if post.kind == "prior":
        raise DataError("this widget takes draws from a posterior; these are from the prior")


def _named_shortly(names: dict[str, str]) -> list[tuple[str, str]]:
    """Options of a menu that is narrower than some names; the picture has the whole name."""
    distinct = len(set(names.values())) == len(names)
    return [(short if distinct else name, name) for name, short in names.items()]
