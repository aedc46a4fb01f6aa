"""What one student costs a shared machine: import, memory of kernels, first widget, leaks.

Run it with ``PYTHONPATH=tests python -m benchmarks.bench_classroom``. It prints a table with the
targets and ends with 1 if one is missed. Forty students need forty times the memory of a kernel.
Kernels are those of ``make lab``: forks of one process, whose own memory is counted once. With
``--open`` it measures one thing alone: the memory of a student who opens all lectures and closes
none; with ``--first-widget``, how long the first instrument is waited for.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient

from hierwidgets.course.kernels import provisioner

LECTURES = Path(__file__).parents[2] / "lectures"
FIRST = "00-map-and-notation.ipynb"
LECTURE, TIMES = "04-three-kinds-of-pooling.ipynb", 20
IMPORT_S, KERNEL_MIB, FIRST_WIDGET_S, GROWTH_MIB = 0.5, 350.0, 3.0, 1.0
# Kernels of the lectures that are open at once, and the GiB they may take together.
OPEN = {"lectures 00 to 07": ("0[0-7]-*.ipynb", 1.3), "all lectures": ("[0-9A]*-*.ipynb", 2.0)}

GIVE_BACK = """import ctypes, gc
gc.collect()
getattr(ctypes.CDLL(None), "malloc_trim", int)(0)"""  # glibc's; elsewhere nothing
EVERYTHING = "import hierwidgets as hw; [getattr(hw, name) for name in hw.__all__]"


def import_seconds(code: str) -> float:
    """Median of ten runs in new processes, less that of a process that does nothing."""

    def median(code: str) -> float:
        spans = []
        for _ in range(10):
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            spans.append(time.perf_counter() - begun)
        return statistics.median(spans)

    return median(code) - median("pass")


def resident(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 2**20


def proportional(process: psutil.Process) -> float:
    """MiB of a process, a page that n processes share counted as an n-th (Linux's PSS)."""
    rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:")) / 1024


def run_cells(client: NotebookClient, notebook: nbformat.NotebookNode) -> psutil.Process:
    """Run all cells in the kernel of a client that is set up; the kernel's process."""
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            cell.metadata["cellId"] = cell.id
            client.execute_cell(cell, index)
    assert client.km is not None
    return psutil.Process(client.km.provisioner.pid)  # type: ignore[attr-defined]


def kept_open(paths: Iterable[Path]) -> dict[str, float]:
    """MiB of each kernel when every notebook has been run once and none was shut down."""
    kernels = {}
    with ExitStack() as open_kernels:
        for path in paths:
            notebook = nbformat.read(path, as_version=4)
            client = NotebookClient(
                notebook, timeout=600, resources={"metadata": {"path": LECTURES}}
            )
            open_kernels.enter_context(client.setup_kernel())
            kernels[path.stem] = run_cells(client, notebook)
            print(f"  {path.stem}", end="\r", flush=True)
        print(" " * 40, end="\r")
        for k, mother in enumerate(provisioner._mothers):
            kernels[f"what they share, {k + 1}"] = psutil.Process(mother.process.pid)
        return {name: proportional(process) for name, process in kernels.items()}


def as_make_lab_does() -> None:
    """Take the course's kernels, which share what they import, as ``make lab`` and Binder do."""
    for name in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH"):
        os.environ[name] = str(LECTURES / ".lab")


def open_rows() -> list[tuple[str, float, float, str]]:
    """The sum for each of `OPEN` with its target, after a line for each kernel."""
    if not Path("/proc/self/smaps_rollup").exists():
        print("memory of open kernels: not judged, for only Linux tells shared pages apart")
        return []
    rows = []
    for what, (pattern, most) in OPEN.items():
        kernels = kept_open(sorted(LECTURES.glob(pattern)))
        for name, mib in kernels.items():
            print(f"  {name:38} {mib:8.0f} MiB")
        rows.append((f"{what}, none closed", sum(kernels.values()) / 1024, most, "GiB"))
    return rows


def kernel_memory(notebook: nbformat.NotebookNode, times: int) -> tuple[list[float], list[float]]:
    """MiB of one kernel after each of several complete runs of a notebook, and what it holds.

    The second figure is taken after unused memory was given back (GIVE_BACK): what a run leaves
    behind for good. The first one rises and falls by tens of MiB with the allocator's stock.
    """
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": LECTURES}})
    resting, held = [], []
    with client.setup_kernel():
        assert client.km is not None
        process = psutil.Process(client.km.provisioner.pid)  # type: ignore[attr-defined]
        for k in range(times):
            run_cells(client, notebook)
            resting.append(resident(process))
            client.execute_cell(nbformat.v4.new_code_cell(GIVE_BACK), 0, store_history=False)
            held.append(resident(process))
            print(f"  run {k + 1} of {times}: {held[-1]:.0f} MiB", end="\r", flush=True)
    print(" " * 40, end="\r")
    return resting, held


def of_empty_cells(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """As many cells that do nothing: what Jupyter's own records of a run take."""
    cells = [nbformat.v4.new_code_cell("None") for c in notebook.cells if c.cell_type == "code"]
    return nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)


def growth(held: list[float]) -> float:
    """MiB a run in the second half of the runs, when everything has been loaded."""
    half = held[len(held) // 2 :]
    return statistics.linear_regression(range(len(half)), half).slope


def widget_rows() -> list[tuple[str, float, float, str]]:
    """How long the first instrument is waited for, with its target; what has none is printed."""
    from benchmarks import first_widget

    rows = []
    for what, seconds, name in (
        ("Run All to the first widget, gallery", first_widget.from_run_all, "widgets.ipynb"),
        ("Run All to the first widget, lecture 00", first_widget.from_run_all, FIRST),
        ("its cell to the first widget, lecture 00", first_widget.from_its_cell, FIRST),
    ):
        spans = seconds(name)
        print(f"{what}: {min(spans):.2f} to {max(spans):.2f} s, {len(spans)} browsers")
        rows.append((what, statistics.median(spans), FIRST_WIDGET_S, "s"))
    ready, shown = map(statistics.median, first_widget.from_opening(FIRST))
    print(f"lecture 00's address, on a new server, to its kernel: {ready:.2f} s")
    print(f"the same to the first widget, Run All at once: {shown:.2f} s")
    return rows


def judge(rows: Iterable[tuple[str, float, float, str]]) -> int:
    """Print each value beside its target; 1 if one is missed."""
    missed = 0
    for name, value, target, unit in rows:
        verdict = "met" if value <= target else "MISSED"
        missed += verdict != "met"
        print(f"{name:42} {value:8.2f} {unit:4} target {target:g}: {verdict}")
    return int(missed > 0)


def main() -> int:
    as_make_lab_does()
    if "--open" in sys.argv:
        return judge(open_rows())
    if "--first-widget" in sys.argv:
        return judge(widget_rows())
    rows = [("import", import_seconds("import hierwidgets"), IMPORT_S, "s"), *open_rows()]
    everything = import_seconds(EVERYTHING)
    lecture = nbformat.read(LECTURES / LECTURE, as_version=4)
    resting, held = kernel_memory(lecture, TIMES)
    _, empty = kernel_memory(of_empty_cells(lecture), TIMES)
    rows.append(("a kernel after one run of lecture 04", resting[0], KERNEL_MIB, "MiB"))
    rows.append((f"the largest of {TIMES} runs", max(resting), KERNEL_MIB, "MiB"))
    slope, half = growth(held), TIMES // 2 + 1
    rows.append((f"kept for good by each of runs {half} to {TIMES}", slope, GROWTH_MIB, "MiB"))
    missed = judge([*rows, *widget_rows()])
    print(f"import, every public name fetched, pandas and the widgets too: {everything:.2f} s")
    print(f"kept by a notebook of as many empty cells: {growth(empty):.2f} MiB a run")
    print(f"forty students: {40 * resting[0] / 1024:.1f} GiB; load {os.getloadavg()[0]:.1f}")
    return missed


if __name__ == "__main__":
    sys.exit(main())
