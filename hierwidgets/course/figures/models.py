"""Pictures of the several-countries model: its graph, its elections, one election step by step.

matplotlib is imported when a figure is drawn.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array, expit
from hierwidgets.base.palette import (
    FADED,
    INK,
    LIGHT_ORANGE,
    OBSERVED,
    ORANGE,
    PINK,
    PURPLE,
    RIM,
    RULES,
)
from hierwidgets.errors import DataError

from .base import blank_figure, require_columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "SEVERAL_COUNTRIES_GRAPH",
    "Graph",
    "Line",
    "Node",
    "Plate",
    "coding_panels",
    "election_panels",
    "generative_steps",
    "model_graph",
    "rate_histograms",
]


_FILL = {"data": OBSERVED, "effect": "white", "parameter": LIGHT_ORANGE}
_ELECTION = ORANGE  # of one election's own curve, always dotted


# --- the graph of a model -----------------------------------------------------------------


class Node(NamedTuple):
    """A quantity: its label, where it stands, and what it is.

    ``"data"`` was observed, ``"effect"`` is drawn from a distribution, ``"parameter"`` is
    estimated; shape and shade tell them apart.
    """

    label: str
    x: float
    y: float
    kind: Literal["data", "effect", "parameter"]
    width: float = 0.9


class Plate(NamedTuple):
    """A frame around what is there once for each unit: its label and its corners."""

    label: str
    left: float
    bottom: float
    right: float
    top: float


class Graph(NamedTuple):
    """Nodes by name, arrows from name to name, plates from the outside in."""

    nodes: Mapping[str, Node]
    arrows: Sequence[tuple[str, str]]
    plates: Sequence[Plate]


SEVERAL_COUNTRIES_GRAPH = Graph(
    nodes={
        "delta0": Node(r"$\delta_{00}, \delta_{01}$", 2.6, 5.9, "parameter", 1.35),
        "delta1": Node(r"$\delta_{10}, \delta_{11}$", 4.4, 5.9, "parameter", 1.35),
        "Sigma": Node(r"$\sigma_{\gamma_0}, \sigma_{\gamma_1}, \rho$", 7.5, 4.3, "parameter", 1.65),
        "rules": Node("PR$_k$", 1.3, 4.3, "data"),
        "gamma": Node(r"$\gamma_{0k}, \gamma_{1k}$", 3.5, 4.3, "effect", 1.35),
        "sigma": Node(r"$\sigma_\alpha$", 7.5, 2.85, "parameter"),
        "comp": Node("Comp$_j$", 1.6, 2.85, "data"),
        "alpha": Node(r"$\alpha_j$", 3.5, 2.85, "effect"),
        "y": Node("$y_i$", 3.5, 1.4, "data"),
    },
    arrows=(
        ("delta0", "gamma"), ("delta1", "gamma"), ("rules", "gamma"), ("Sigma", "gamma"),
        ("gamma", "alpha"), ("comp", "alpha"), ("sigma", "alpha"), ("alpha", "y"),
    ),
    plates=(
        Plate("elections k = 1, ..., 5", 0.2, 0.05, 6.4, 5.1),
        Plate("districts j = 1, ..., 567", 0.5, 0.4, 6.1, 3.5),
        Plate("people i = 1, ..., 5126", 0.8, 0.75, 5.8, 2.0),
    ),
)  # fmt: skip
"""The model of the course page; parameters outside the frames are shared by all elections."""


def model_graph(graph: Graph = SEVERAL_COUNTRIES_GRAPH) -> "Figure":
    """The graph of a hierarchical model: what is drawn from what, and how often.

    Parameters
    ----------
    graph
        Positions are in units of about an inch.

    Raises
    ------
    DataError
        An arrow names a node that is not there.

    Examples
    --------
    >>> from hierwidgets.course.figures.models import SEVERAL_COUNTRIES_GRAPH, model_graph
    >>> len(model_graph(SEVERAL_COUNTRIES_GRAPH).axes[0].patches)
    20
    """
    absent = [name for arrow in graph.arrows for name in arrow if name not in graph.nodes]
    if absent:
        raise DataError(f"an arrow names {absent[0]!r}; the nodes are {list(graph.nodes)}")
    width = max(max(node.x for node in graph.nodes.values()) + 0.9, 1.0)
    height = max(max(node.y for node in graph.nodes.values()) + 0.5, 1.0)
    figure = blank_figure(0.85 * width, 0.85 * height, layout=None)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(-0.1, height))
    axes.set_axis_off()
    for plate in graph.plates:
        _plate(axes, plate)
    boxes = {name: _node(axes, node) for name, node in graph.nodes.items()}
    for start, end in graph.arrows:
        _arrow(axes, graph.nodes[start], graph.nodes[end], boxes[start], boxes[end])
    return figure


def _plate(axes: "Axes", plate: Plate) -> None:
    from matplotlib.patches import FancyBboxPatch

    size = (plate.right - plate.left, plate.top - plate.bottom)
    style: dict[str, Any] = {"facecolor": "none", "edgecolor": FADED, "linewidth": 1.2}
    corner = (plate.left, plate.bottom)
    axes.add_patch(
        FancyBboxPatch(corner, *size, boxstyle="round,pad=0,rounding_size=0.12", **style)
    )
    axes.text(plate.right - 0.12, plate.bottom + 0.09, plate.label, ha="right", color=INK, size=9)


def _node(axes: "Axes", node: Node) -> Any:
    """A rectangle for data, an ellipse for what is not seen."""
    from matplotlib.patches import Ellipse, Rectangle

    style: dict[str, Any] = {"facecolor": _FILL[node.kind], "edgecolor": INK, "zorder": 3}
    if node.kind == "data":
        patch: Any = Rectangle((node.x - node.width / 2, node.y - 0.25), node.width, 0.5, **style)
    else:
        line = "--" if node.kind == "effect" else "-"
        patch = Ellipse((node.x, node.y), node.width, 0.62, linestyle=line, linewidth=1.2, **style)
    axes.add_patch(patch)
    axes.text(node.x, node.y, node.label, ha="center", va="center", size=12, zorder=4)
    return patch


def _arrow(axes: "Axes", start: Node, end: Node, tail: Any, head: Any) -> None:
    from matplotlib.patches import FancyArrowPatch

    axes.add_patch(
        FancyArrowPatch(
            (start.x, start.y), (end.x, end.y), patchA=tail, patchB=head,
            arrowstyle="-|>", mutation_scale=13, color=INK, linewidth=1.1, zorder=2,
        )
    )  # fmt: skip


# --- elections side by side ---------------------------------------------------------------


class Line(NamedTuple):
    """A curve for every election: the frame ``election_id``, x, ``estimate``, and its name.

    A curve `of_rule` has the colour and dashes of the election's rule, which is added to its name;
    any other is an election's own, dotted.
    """

    name: str
    frame: pd.DataFrame
    of_rule: bool = False


def election_panels(
    points: pd.DataFrame, lines: Sequence[Line] = (), *, x: str = "district_competitiveness"
) -> "Figure":
    """A panel per election: districts as circles whose area is the number of people asked.

    Parameters
    ----------
    points
        One row per district: ``election_id``, `x`, ``rate``, ``n``; ``electoral_rules``, if it
        is there, is written into the titles.
    lines
        An election's own curve and that of its rule, told apart by colour and dashes.

    Raises
    ------
    DataError
        A column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.models import election_panels
    >>> points = pd.DataFrame({"election_id": ["A", "B"], "district_competitiveness": [0.2, 0.9],
    ...                        "rate": [0.1, 0.4], "n": [3, 40]})
    >>> [axes.get_title() for axes in election_panels(points).axes]
    ['A', 'B']
    """
    require_columns(points, "election_id", x, "rate", "n")
    names = list(dict.fromkeys(points["election_id"].sort_values()))
    figure = blank_figure(1.9 * max(len(names), 3), 3.1)
    panels = figure.subplots(1, len(names), sharex=True, sharey=True, squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        mine = points[points["election_id"] == name]
        axes.scatter(
            mine[x], mine["rate"], s=5 + 0.9 * mine["n"], facecolors="none", edgecolors=RIM,
            alpha=0.55, linewidths=0.8,
        )  # fmt: skip
        for line in lines:
            _election_line(axes, line, mine, x)
        rules = f" ({mine['electoral_rules'].iloc[0]})" if "electoral_rules" in mine else ""
        axes.set_title(f"{name}{rules}", size=10)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].margins(x=0.1)
    panels[0].set(ylabel="share contacted", ylim=(-0.04, 1.04))
    figure.supxlabel(x.replace("_", " "), size=10)
    if lines:
        found = [axes.get_legend_handles_labels() for axes in panels]
        keys = {label: handle for pair in found for handle, label in zip(*pair, strict=True)}
        figure.legend(
            keys.values(), keys.keys(), loc="outside upper left", ncols=3, frameon=False,
            handlelength=3,
        )  # fmt: skip
    return figure


def _election_line(axes: "Axes", line: Line, mine: pd.DataFrame, x: str) -> None:
    part = line.frame[line.frame["election_id"] == mine["election_id"].iloc[0]]
    color, dashes, name = _ELECTION, ":", line.name
    if line.of_rule:
        require_columns(mine, "electoral_rules")
        rule = str(mine["electoral_rules"].iloc[0])
        color, dashes, name = RULES[rule].color, RULES[rule].linestyle, f"{name} {rule}"
    axes.plot(part[x], part["estimate"], dashes, color=color, lw=2.2, label=name)


# --- the same lines under two codings -----------------------------------------------------


def coding_panels(delta: Array, beta: Array, at: float = 0.0) -> "Figure":
    """The two rules' lines on the log-odds scale, and what each coding calls the four numbers.

    Parameters
    ----------
    delta
        (4,): delta_00, delta_01, delta_10, delta_11, with PR coded 1 and SMD 0.
    beta
        (4,): intercept, slope, change of the intercept, change of the slope, SMD coded 1.
    at
        Where the intercepts are read off.

    Examples
    --------
    >>> import numpy as np
    >>> from hierwidgets.course.figures.models import coding_panels
    >>> figure = coding_panels(np.array([-3.0, 1.0, 4.0, -3.0]), np.array([-2.0, 1.0, -1.0, 3.0]))
    >>> [axes.get_title(loc="left")[:12] for axes in figure.axes]
    ['PR coded 1: ', 'SMD coded 1:']
    """
    figure = blank_figure(8.4, 3.9)
    panels = figure.subplots(1, 2, sharey=True)
    delta_names = (r"$\delta_{00}$", r"$\delta_{01}$", r"$\delta_{10}$", r"$\delta_{11}$")
    beta_names = (r"$\beta_0$", r"$\beta_2$", r"$\beta_1$", r"$\beta_3$")
    smd, pr = (delta[0], delta[2]), (delta[0] + delta[1], delta[2] + delta[3])
    _coding(panels[0], smd, pr, ("SMD", "PR"), delta_names, at)
    _coding(panels[1], (beta[0], beta[1]), smd, ("PR", "SMD"), beta_names, at)
    panels[0].set_title("PR coded 1: the equations", loc="left", size=10)
    panels[1].set_title("SMD coded 1: R's dummy", loc="left", size=10)
    panels[0].set_ylabel("log-odds of being contacted")
    return figure


def _coding(
    axes: "Axes", zero: tuple[float, float], one: tuple[float, float], rules: tuple[str, str],
    names: tuple[str, str, str, str], at: float,
) -> None:  # fmt: skip
    """The line of the rule coded 0 and of the one coded 1, with what the names stand for."""
    x = np.array([0.0, 1.0])
    for (intercept, slope), rule in zip((zero, one), rules, strict=True):
        color, _, dashes = RULES[rule]
        axes.plot(x, intercept + slope * x, dashes, color=color, lw=2.2)
        axes.text(1.02, intercept + slope, rule, color=color, va="center", weight="bold")
    height0, height1 = zero[0] + zero[1] * at, one[0] + one[1] * at
    axes.plot([at], [height0], "o", color=INK, ms=7, zorder=4)
    arrow = {"arrowstyle": "-|>", "color": INK, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (at, height1), (at, height0), arrowprops=arrow)
    axes.text(at - 0.03, height0, names[0], ha="right", va="center", size=13)
    axes.text(at - 0.03, (height0 + height1) / 2, names[1], ha="right", va="center", size=13)
    for (intercept, slope), rule, label in zip(
        (zero, one), rules, (names[2], f"{names[2]} + {names[3]}"), strict=True
    ):
        x_label, shift = (0.62, 0.3) if rule == "SMD" else (0.99, -0.8)
        height = intercept + slope * x_label + shift
        axes.text(x_label, height, f"slope {label}", size=11, ha="right", va="center")
    axes.set(xlabel="district competitiveness", xlim=(-0.22, 1.18))
    axes.margins(y=0.1)
    axes.spines[["top", "right"]].set_visible(False)


# --- one election, step by step -----------------------------------------------------------


def generative_steps(
    election: pd.DataFrame,
    rule_line: tuple[float, float],
    election_line: tuple[float, float],
    rule: str = "SMD",
) -> "Figure":
    """One simulated election in four pictures: rule, election, districts, answers.

    Parameters
    ----------
    election
        One row per district: ``comp`` (competitiveness), ``alpha`` (log-odds), ``n``, ``y``.
    rule_line, election_line
        Intercept and slope of the rule's mean line and of this election's own.
    rule
        The rule's name, "SMD" or "PR".

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.models import generative_steps
    >>> made = pd.DataFrame({"comp": [0.4, 0.8], "alpha": [-1.0, 0.2], "n": [5, 5], "y": [1, 3]})
    >>> len(generative_steps(made, (-2.0, 2.0), (-2.2, 2.5)).axes)
    4
    """
    require_columns(election, "comp", "alpha", "n", "y")
    look = RULES[rule]
    figure = blank_figure(9.4, 3.0)
    panels = figure.subplots(1, 4, sharex=True, sharey=True)
    x = np.linspace(0, 1, 101)
    titles = ("1. the rule", "2. this election", "3. its districts", "4. the answers")
    for step, (axes, title) in enumerate(zip(panels, titles, strict=True)):
        typical = expit(rule_line[0] + rule_line[1] * x)
        axes.plot(x, typical, look.linestyle, color=look.color, lw=2)
        if step >= 1:
            curve = expit(election_line[0] + election_line[1] * x)
            axes.plot(x, curve, ":", color=_ELECTION, lw=2.4)
        if step == 2:
            axes.scatter(election["comp"], expit(election["alpha"].to_numpy()), s=22, c=PINK)
        if step == 3:
            axes.scatter(
                election["comp"], election["y"] / election["n"], s=22, marker="D",
                facecolors="none", edgecolors=INK,
            )  # fmt: skip
        axes.set_title(title, size=10, loc="left")
        axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set(ylabel="probability, share", ylim=(-0.04, 1.04))
    figure.supxlabel("district competitiveness", size=10)
    return figure


# --- prior predictions --------------------------------------------------------------------


def rate_histograms(rates: Mapping[str, Array], bins: int = 40) -> "Figure":
    """Histograms of rates between 0 and 1, one panel each, as shares of all.

    Examples
    --------
    >>> import numpy as np
    >>> from hierwidgets.course.figures.models import rate_histograms
    >>> figure = rate_histograms({"one": np.array([0.2, 0.4]), "two": np.array([0.0, 1.0])})
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['one', 'two']
    """
    if not rates:
        raise DataError("no rates were given; give arrays by name, {'a prior': rates}")
    figure = blank_figure(2.9 * len(rates), 2.9)
    panels = figure.subplots(1, len(rates), sharex=True, squeeze=False)[0]
    for axes, (name, values) in zip(panels, rates.items(), strict=True):
        weights = np.full(len(values), 1 / len(values))
        axes.hist(values, bins=np.linspace(0, 1, bins + 1), weights=weights, color=PURPLE)
        axes.set_title(name, size=10, loc="left")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("share of draws")
    figure.supxlabel("rate of a district", size=10)
    return figure
