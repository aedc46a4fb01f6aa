"""Draw the package from its own code: folders in their layers, their size, who imports whom.

    python tests/tools/architecture.py [PICTURE]

The layers are the contracts in pyproject.toml, the arrows the imports that stand in the files:
those that no chain of others stands for, and none to the folders at the bottom, which all may use.
Without a path the picture goes to lectures/images/architecture.png.
"""

import sys
import tomllib
from dataclasses import dataclass, field
from itertools import combinations, permutations, product
from pathlib import Path

import grimp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.path import Path as Curve

ROOT = Path(__file__).parents[2]
OUT = ROOT / "lectures" / "images" / "architecture.png"
# Bands from the bottom, each with its colour and the part of the width that it takes.
BANDS = {
    "ground": ("#e9e0c8", 0.0, 1.0),
    "library": ("#f4efe1", 0.0, 1.0),
    "widgets": ("#e4f1e6", 0.0, 0.42),
    "course": ("#e2edf6", 0.42, 1.0),
    "grading": ("#f2e5ef", 0.0, 1.0),
}
GROUND = {"errors", "base", "data"}
WIDTH, BOX, HIGH, ROW, EDGE = 12.4, 1.42, 0.42, 0.78, 0.32  # inches


Point = tuple[float, float]  # inches from the lower left


@dataclass
class Box:
    """A folder, or the files that stand in one layer without a folder."""

    label: str
    band: str
    modules: list[str]  # dotted names, each with all that is below it
    files: int = 0
    lines: int = 0
    uses: "set[int]" = field(default_factory=set)  # places of boxes in the list of all


def layers_of(contract: str) -> list[list[str]]:
    """The layers of a contract of import-linter, lowest first."""
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (found,) = [one["layers"] for one in linter["contracts"] if one["id"] == contract]
    names = [layer.replace("|", ":").split(":") for layer in reversed(found)]
    return [[name.strip() for name in layer] for layer in names]


def layers() -> list[list[Box]]:
    """Boxes in their layers, lowest first; widgets and course are opened."""
    found = []
    for names in layers_of("layers"):
        band = names[0] if names[0] in BANDS else "ground" if names[0] in GROUND else "library"
        band = "grading" if names[0] == "exam" else band
        if band in ("widgets", "course"):
            found += [boxes_of(f"hierwidgets.{band}", one, band) for one in layers_of(band)]
        else:
            found.append(boxes_of("hierwidgets", names, band))
    return [layer for layer in found if layer]


def boxes_of(inside: str, names: list[str], band: str) -> list[Box]:
    folder = ROOT / inside.replace(".", "/")
    files = [n for n in names if (folder / f"{n}.py").is_file() and n != "__main__"]
    folders = [n for n in names if len(list((folder / n).glob("*.py"))) > 1]
    found = [Box(n, band, [f"{inside}.{n}"]) for n in folders]
    if files:
        many = "the instruments" if band == "widgets" else "the commands"
        label = ", ".join(files) if len(files) < 3 else many
        found.append(Box(label, band, [f"{inside}.{n}" for n in files]))
    return found


def fill(boxes: list[Box]) -> None:
    """Count the files and lines of each box, and find what it imports."""
    graph = grimp.build_graph("hierwidgets", cache_dir=None)
    home = {}
    for place, box in enumerate(boxes):
        for module in box.modules:
            home |= dict.fromkeys({module, *graph.find_descendants(module)}, place)
    for module, place in home.items():
        path = ROOT / module.replace(".", "/")
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        boxes[place].files += 1
        boxes[place].lines += len(path.read_text(encoding="utf-8").splitlines())
        used = {home.get(other) for other in graph.find_modules_directly_imported_by(module)}
        boxes[place].uses |= {
            other for other in used if other not in (None, place) and boxes[other].band != "ground"
        }


def rows_of(found: list[list[Box]], boxes: list[Box]) -> list[tuple[int, list[int]]]:
    """Rows with their heights; two layers share one where neither imports from the other."""
    rows: list[tuple[int, list[int]]] = []
    for layer in found:
        here, band = [boxes.index(box) for box in layer], layer[0].band
        height, below = rows[-1] if rows else (-1, [])
        most = (len(slots(band)) + 1) // 2
        beside = below and boxes[below[0]].band == band and len(below) + len(here) <= most
        if beside and not any(boxes[i].uses & set(below) for i in here):
            below += here
        elif band == "course" and below and boxes[below[0]].band == "widgets":
            first = next(k for k, row in rows if boxes[row[0]].band == "widgets")
            rows.append((first, here))
        else:
            rows.append((1 + (max(k for k, _ in rows) if band == "grading" else height), here))
    return rows


def needed(boxes: list[Box]) -> set[tuple[int, int]]:
    """The imports that no chain of other imports stands for."""
    below: dict[int, set[int]] = {}

    def reached(i: int) -> set[int]:
        if i not in below:
            below[i] = set()  # a circle ends here
            below[i] = boxes[i].uses.union(*(reached(j) for j in boxes[i].uses))
        return below[i]

    return {
        (i, j)
        for i, box in enumerate(boxes)
        for j in box.uses
        if not any(j in reached(k) for k in box.uses - {j})
    }


def slots(band: str) -> list[float]:
    """Where the middle of a box may be: places beside each other, and half-way between two."""
    _, left, right = BANDS[band]
    low, high = left * WIDTH + EDGE * (left == 0), right * WIDTH - EDGE * (band == "course")
    count = min(4, int((high - low) / BOX))
    return [low + (high - low) * (k + 1) / (2 * count) for k in range(2 * count - 1)]


def orders(band: str, count: int) -> list[tuple[float, ...]]:
    """Every way to put so many boxes into a row of a band, the most even ones first."""
    free = slots(band)
    even = np.linspace(free[0], free[-1], 2 * count + 1)[1::2]
    ways = [
        xs
        for xs in permutations(free, count)
        if all(abs(a - b) > BOX for a, b in combinations(xs, 2))
    ]
    return sorted(ways, key=lambda xs: float(np.abs(np.sort(xs) - even).sum()))


def middles(boxes: list[Box], rows: list[tuple[int, list[int]]]) -> dict[int, Point]:
    """The middle of each box: in every row the places that keep arrows upright and clear."""
    arrows = needed(boxes)
    at = {}
    for height, row in rows:
        xs = orders(boxes[row[0]].band, len(row))[0]
        at |= {i: (x, ROW * (height + 0.5)) for i, x in zip(row, xs, strict=True)}

    def moved(row: list[int], xs: tuple[float, ...]) -> dict[int, Point]:
        return at | {i: (x, at[i][1]) for i, x in zip(row, xs, strict=True)}

    def cost(new: dict[int, Point], moving: list[int]) -> float:
        slant = sum(abs(new[i][0] - new[j][0]) for i, j in arrows)
        free = slots(boxes[moving[0]].band)
        aside = abs(np.mean([new[i][0] for i in moving]) - (free[0] + free[-1]) / 2)
        blocked = [passes(curve(new[i], new[j]), without(new, i, j)) for i, j in arrows]
        return slant + 1.5 * float(aside) + 4.0 * blocked.count(False)

    for _ in range(3):
        for _, row in rows:
            ways = [moved(row, xs) for xs in orders(boxes[row[0]].band, len(row))]
            at = min(ways, key=lambda new, row=row: cost(new, row))
    return at


def without(at: dict[int, Point], *left_out: int) -> list[Point]:
    return [point for i, point in at.items() if i not in left_out]


def curve(start: Point, end: Point, aside: Point = (0, 0)) -> Curve:
    """From one box down to another, leaving and arriving so far aside."""
    (x0, y0), (x1, y1) = start, end
    if y0 == y1:  # neighbours
        side = BOX / 2 if x1 > x0 else -BOX / 2
        return Curve([(x0 + side, y0), (x1 - side, y1)])
    y0, y1 = y0 - HIGH / 2, y1 + HIGH / 2
    fall = 0.45 * (y0 - y1)
    turns = [(x0 + aside[0], y0 - fall), (x1 + aside[1], y1 + fall)]
    return Curve([(x0, y0), *turns, (x1, y1)], [1, 4, 4, 4])


def arrow(axes: Axes, start: Point, end: Point, others: list[Point]) -> None:
    """From a box's lower edge to another's upper one, around the boxes between the two."""
    steps, edge = np.arange(-3, 3.1, 0.2), (-0.5, 0, 0.5)  # aside on the way; along the edges
    tried = sorted(product(steps, steps, edge, edge), key=lambda one: sum(map(abs, one)))
    ways = (curve((start[0] + c, start[1]), (end[0] + d, end[1]), (a, b)) for a, b, c, d in tried)
    path = next((way for way in ways if passes(way, others)), curve(start, end))
    axes.add_patch(FancyArrowPatch(path=path, zorder=2, color="#2f4b6e", linewidth=1.2,
                                   arrowstyle="-|>,head_width=2.6,head_length=4.6"))  # fmt: skip


def passes(path: Curve, others: list[Point]) -> bool:
    """Whether a curve stays in the picture and goes by all these boxes."""
    corners, t = np.asarray(path.vertices), np.linspace(0, 1, 80)[:, None]
    weights = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
    line = (weights if len(corners) == 4 else np.hstack([1 - t, t])) @ corners
    away = np.abs(line[:, None] - np.array(others)[None])
    hit = (away < (BOX / 2 + 0.05, HIGH / 2 + 0.05)).all(axis=-1).any()
    return not hit and line[:, 0].min() > EDGE and line[:, 0].max() < WIDTH - EDGE


def draw(target: Path) -> None:
    found = layers()
    boxes = [box for layer in found for box in layer]
    fill(boxes)
    rows = rows_of(found, boxes)
    at = middles(boxes, rows)
    top = ROW * (1 + max(k for k, _ in rows))
    figure = Figure(figsize=(WIDTH, top))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(0, top))
    axes.axis("off")
    ground(axes, boxes, at)
    for i, j in needed(boxes):
        arrow(axes, at[i], at[j], without(at, i, j))
    for (x, y), box in ((at[i], box) for i, box in enumerate(boxes)):
        axes.add_patch(FancyBboxPatch((x - BOX / 2, y - HIGH / 2), BOX, HIGH, zorder=3,
                                      boxstyle="round,pad=0,rounding_size=0.06",
                                      facecolor="white", edgecolor="#2f4b6e"))  # fmt: skip
        size = f"{box.files} files, " if box.files > 1 else ""
        axes.text(x, y + 0.08, box.label, ha="center", va="center", fontsize=10.5, zorder=4)
        axes.text(x, y - 0.12, f"{size}{box.lines:,} lines", ha="center", va="center",
                  fontsize=8, color="#555555", zorder=4)  # fmt: skip
    figure.savefig(target, dpi=200)


def ground(axes: Axes, boxes: list[Box], at: dict[int, Point]) -> None:
    """The bands behind the boxes, with their names; beside each other they are equally high."""
    tops = {b: max(at[i][1] for i, x in enumerate(boxes) if x.band == b) + ROW / 2 for b in BANDS}
    tops["widgets"] = tops["course"] = max(tops["widgets"], tops["course"])
    low = 0.0
    for band, (colour, left, right) in BANDS.items():
        low = {"library": tops["ground"], "widgets": tops["library"], "course": tops["library"],
               "grading": tops["course"]}.get(band, 0.0)  # fmt: skip
        x, width = left * WIDTH, (right - left) * WIDTH
        axes.add_patch(Rectangle((x, low), width, tops[band] - low, color=colour, zorder=0))
        beside = right * WIDTH - EDGE / 2 if band == "course" else x + EDGE / 2
        axes.text(beside, (low + tops[band]) / 2, band, rotation=90, ha="center", va="center",
                  fontsize=10.5, color="#555555")  # fmt: skip


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
