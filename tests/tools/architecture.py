"""Draw the package from its own code: layers, modules by size, and who imports whom.

    python tests/tools/architecture.py [PICTURE]

The layers are those that `test_architecture` enforces; the lines are the imports that stand in the
files. Without a path the picture goes to lectures/images/architecture.png.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from test_architecture import LAYERS, imports, modules

OUT = Path(__file__).parents[2] / "lectures" / "images" / "architecture.png"
WORDS = (
    "words, formulas, data", "designs", "the joint density", "its integral, maximised", "its draws",
    "predictions, intervals, checks", "fits and posteriors", "models", "comparisons and simulation",
    "figures, widgets, grading",
)  # fmt: skip
MOST, WIDE, HIGH = 8, 1.55, 0.62  # boxes in a row; the size of a box


def places(found: dict[str, list[Path]]) -> tuple[dict[str, tuple[float, float]], list[float]]:
    """The lower left corner of each module's box, and the bottom of each layer."""
    spot, bottoms, y = {}, [], 0.0
    for layer in LAYERS:
        names = [name for name in layer if name in found]
        bottoms.append(y)
        for k, name in enumerate(names):
            spot[name] = (k % MOST * (WIDE + 0.12), y + k // MOST * (HIGH + 0.1))
        y += (1 + (len(names) - 1) // MOST) * (HIGH + 0.1) + 0.42
    return spot, [*bottoms, y]


def lines(paths: list[Path]) -> int:
    return sum(len(path.read_text().splitlines()) for path in paths)


def draw(target: Path) -> None:
    found = modules()
    spot, bottoms = places(found)
    figure = Figure(figsize=(14, 0.95 * bottoms[-1]))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.01, 0.01, 0.98, 0.95))
    for name, (x, y) in spot.items():
        used = {one[1:] for path in found[name] for one in imports(path) if one.startswith(".")}
        for other in sorted((used & spot.keys()) - {name}):
            to_x, to_y = spot[other]
            axes.plot([x + WIDE / 2, to_x + WIDE / 2], [y, to_y + HIGH], color="#7570b3",
                      alpha=0.16, linewidth=0.8, zorder=1)  # fmt: skip
        size = lines(found[name])
        shade = "#ffffff" if size < 250 else "#e8eef5" if size < 600 else "#cbd9e8"
        axes.add_patch(FancyBboxPatch((x, y), WIDE, HIGH, boxstyle="round,pad=0.02", zorder=2,
                                      facecolor=shade, edgecolor="#1f4e79"))  # fmt: skip
        axes.text(x + WIDE / 2, y + 0.36, name, ha="center", va="center", fontsize=9.5, zorder=3)
        axes.text(x + WIDE / 2, y + 0.14, f"{size} lines", ha="center", va="center", fontsize=7.5,
                  color="#444444", zorder=3)  # fmt: skip
    edge = MOST * (WIDE + 0.12)
    for number, (words, y) in enumerate(zip(WORDS, bottoms, strict=False)):
        axes.text(edge + 0.05, y + HIGH / 2, f"{number}  {words}", va="center", fontsize=11)
    axes.set(xlim=(-0.1, edge + 3.4), ylim=(-0.15, bottoms[-1] - 0.2))
    axes.set_title("hierwidgets: every module imports only from layers below it, or to its left",
                   loc="left", fontsize=13)  # fmt: skip
    axes.axis("off")
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=90)


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
