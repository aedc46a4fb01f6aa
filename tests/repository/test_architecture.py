"""The layers: every module imports only from lower ones, or from earlier ones in its own."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from support.paths import PACKAGE

# Lowest first; within a line, a module may import those to its left.
LAYERS = (
    ("errors", "families", "formula", "answers", "exercises", "datasets", "page"),
    ("covariance", "frames", "columns", "design"),
    ("density", "blocks", "priors"),
    ("marginal", "quadrature", "nested", "optimum", "gaussian", "estimate"),
    ("conditional", "logit_kernel", "kernels", "geometry", "sampler"),
    (
        "predict",
        "joint",
        "simulate",
        "profiles",
        "intervals",
        "diagnostics",
        "convergence",
        "loo",
        "predictive",
        "draw_files",
    ),
    ("tabular", "summary", "results", "posterior"),
    ("model",),
    (
        "pooling",
        "comparison",
        "side_by_side",
        "scores",
        "validation",
        "recovery",
        "contrasts",
        "drawn",
        "effects",
        "interop",
        "arviz_interop",
        "boundary",
        "hmc",
        "draws",
        "page_fits",
        "page_values",
        "quantities",
        "grid",
    ),
    (
        "figures",
        "integral_figures",
        "pooling_figures",
        "course_figures",
        "shrinkage_figures",
        "model_figures",
        "boundary_figures",
        "predictor_figures",
        "chain_figures",
        "recovery_figures",
        "tally_figures",
        "effect_figures",
        "validation_figures",
        "page_figures",
        "page_text",
        "page_traps",
        "questions",
        "widgets",
        "lectures",
        "assignments",
    ),
)
ORDER = {name: (i, j) for i, layer in enumerate(LAYERS) for j, name in enumerate(layer)}
NEEDS_A_SCREEN = {"ipywidgets", "bqplot", "anywidget", "traitlets"}


def modules() -> dict[str, list[Path]]:
    """The files of each top module, a package's together."""
    found: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        found.setdefault(name, []).append(path)
    found.pop("__init__")
    return found


def imports(path: Path) -> set[str]:
    """Top-level names of what a file imports; our own modules with a leading dot.

    Imports for type checking alone do not count: they are never carried out.
    """
    tree = ast.parse(path.read_text())
    depth = len(path.relative_to(PACKAGE).parts) - 1
    skipped = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
        for node in ast.walk(block)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {_top(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found |= {_top(f"{node.module}.{alias.name}") for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == depth + 1:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            found |= {"." + name.split(".")[0] for name in names}
    return found


def _top(name: str) -> str:
    """The first part of a dotted name; for our own package, a dot and the second."""
    first, *rest = name.split(".")
    return "." + rest[0] if first == PACKAGE.name and rest else first


@pytest.mark.parametrize("name", sorted(modules()))
def test_imports_only_from_below(name: str) -> None:
    assert name in ORDER, f"{name} has no layer; give it one in LAYERS"
    for path in modules()[name]:
        ours = {other[1:] for other in imports(path) if other.startswith(".")} - {name}
        above = {other for other in ours if ORDER.get(other, (99, 0)) >= ORDER[name]}
        assert not above, f"{path.name} imports {sorted(above)} from its own layer or above"


def test_layers_name_only_what_exists_or_may() -> None:
    assert len(ORDER) == sum(map(len, LAYERS)), "a module stands in two layers"


@pytest.mark.parametrize("name", sorted(set(modules()) - {"widgets", "assignments"}))
def test_only_widgets_import_the_screen(name: str) -> None:
    for path in modules()[name]:
        assert not imports(path) & NEEDS_A_SCREEN


def test_import_is_light() -> None:
    """`import hierwidgets` loads neither the front end, the sampler nor scipy.stats."""
    heavy = ["ipywidgets", "bqplot", "anywidget", "matplotlib", "nutpie", "numba", "arviz"]
    heavy += [
        "scipy.stats",
        "scipy.special",
        "scipy.sparse",
        "formulaic",
        "marginaleffects",
        "polars",
        "tqdm",
        "nbformat",
    ]
    code = f"import hierwidgets, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
