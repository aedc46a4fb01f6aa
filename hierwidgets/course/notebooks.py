"""Keep the committed lectures what a fresh run gives.

``python -m hierwidgets.course refresh [PATH ...]``
    Runs every notebook from top to bottom in a fresh kernel and stores its outputs.
``python -m hierwidgets.course check [PATH ...]``
    Says which notebooks do not hold one complete run in order. It runs nothing.
``python -m hierwidgets.course clean [PATH ...]``
    Removes metadata that differs from run to run, and folds answers; outputs stay.
``python -m hierwidgets.course path``
    Prints what the core of each class costs (`path`).
``python -m hierwidgets.course student [FOLDER]``
    Makes the student's copy of the lectures, without outputs (`student`).
``python -m hierwidgets.course lab [FOLDER] [OPTION ...]``
    Makes that copy, and opens it in a quiet JupyterLab (`room`).
``python -m hierwidgets.course slides LECTURE [--to FOLDER]``
    Makes a class outline of a lecture's core (`slides`).
``python -m hierwidgets.course book [--out FOLDER]``
    Makes the web book (`book`); ``make site`` installs what it needs first.

A path is a notebook or a folder of them; without one, ``lectures``.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

__all__ = ["clean", "main", "problems", "refresh"]

_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_VOLATILE = ("execution", "collapsed", "scrolled", "ExecuteTime")
_VIEW = "application/vnd.jupyter.widget-view+json"
_STILL = 'class="hw-still"'
_GUESS = "**Guess first"


def clean(notebook: Any) -> Any:
    """Remove from a notebook, in place, what differs from run to run; outputs stay.

    A widget that has a still (HTML) beside its view or in the output before it keeps the still
    alone, for a page without a kernel would show an error in place of the view. Other views get
    model ids counted from 1, so that a second run gives the same file. Answers are folded (`fold`).

    Examples
    --------
    >>> import nbformat.v4 as v4
    >>> notebook = v4.new_notebook(metadata={"widgets": {}}, cells=[v4.new_code_cell("1")])
    >>> sorted(clean(notebook).metadata)
    ['kernelspec', 'language_info']
    """
    notebook.metadata = type(notebook.metadata)(
        kernelspec=dict(_KERNEL), language_info={"name": "python"}
    )
    ids: dict[str, str] = {}
    for cell in notebook.cells:
        for key in _VOLATILE:
            cell.metadata.pop(key, None)
        if "outputs" in cell:
            cell.outputs = list(_without_living(cell.outputs))
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if _VIEW in data and "text/html" in data:
                del data[_VIEW]
            if view := data.get(_VIEW):
                view["model_id"] = ids.setdefault(view["model_id"], f"{len(ids) + 1:032x}")
    return fold(notebook)


def fold(notebook: Any) -> Any:
    """Fold, in place, the outputs that answer a guess: they open at a click behind their question.

    An answer is what the code right after a **Guess first** displays, down to the next prose; an
    instrument is none, nor a text that itself asks. A cell's metadata ``{"hierwidgets":
    {"answer": true}}``, or ``false``, says otherwise.

    Examples
    --------
    >>> import nbformat.v4 as v4
    >>> asked = v4.new_markdown_cell("**Guess first.** How many?")
    >>> told = v4.new_code_cell("4", outputs=[v4.new_output("stream", text="4")])
    >>> fold(v4.new_notebook(cells=[asked, told])).cells[1].metadata
    {'jupyter': {'outputs_hidden': True}}
    """
    asked = False
    for cell in notebook.cells:
        if cell.cell_type != "code":
            asked = _GUESS in cell.source
            continue
        data = [output.get("data", {}) for output in cell.outputs]
        asks = any(_GUESS in "".join(one.get("text/markdown", "")) for one in data)
        still = any(_STILL in "".join(one.get("text/html", "")) or _VIEW in one for one in data)
        answer = asked and bool(cell.outputs) and not (asks or still)
        shown = cell.metadata.get("jupyter", {})
        if cell.metadata.get("hierwidgets", {}).get("answer", answer):
            cell.metadata["jupyter"] = {**shown, "outputs_hidden": True}
        elif shown.pop("outputs_hidden", None) and not shown:
            del cell.metadata["jupyter"]
        asked = asked or asks
    return notebook


def _without_living(outputs: list[Any]) -> Iterator[Any]:
    """The outputs but for a bare view right after a still, which stands for it."""
    still = False
    for output in outputs:
        data = output.get("data", {})
        if not (still and set(data) == {_VIEW}):
            yield output
        still = _STILL in "".join(data.get("text/html", ""))


def refresh(path: Path) -> None:
    """Run the notebook at `path` in a fresh kernel, in its own folder, and store its outputs."""
    import nbformat
    from nbclient import NotebookClient

    notebook: Any = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=300,
        record_timing=False,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    write(path, clean(notebook))


def write(path: Path, notebook: Any) -> None:
    """Write a notebook as `refresh` does: one space of indent, a newline at the end."""
    import nbformat

    nbformat.write(notebook, path)


def problems(notebook: Any) -> list[str]:
    """Why a notebook is not the stored result of one complete run in order; empty if it is.

    Examples
    --------
    >>> import nbformat.v4 as v4
    >>> problems(v4.new_notebook(cells=[v4.new_code_cell("1")]))
    ['cell 1 was not run in order (its count is None)']
    """
    found = []
    code = [c for c in notebook.cells if c.cell_type == "code" and c.source.strip()]
    for i, cell in enumerate(code, start=1):
        if cell.execution_count != i:
            found.append(f"cell {i} was not run in order (its count is {cell.execution_count})")
        errors = [o for o in cell.outputs if o.output_type == "error"]
        if errors and "raises-exception" not in cell.metadata.get("tags", []):
            found.append(f"cell {i} stores the error {errors[0].ename}")
    if "widgets" in notebook.metadata:
        found.append("it stores widget state, which differs from run to run")
    volatile = [k for c in notebook.cells for k in _VOLATILE if k in c.metadata]
    if volatile:
        found.append(f"it stores metadata that differ from run to run: {sorted(set(volatile))}")
    return found


def notebooks(paths: Sequence[str]) -> Iterator[Path]:
    """The notebooks that command-line paths name."""
    for name in paths or ["lectures"]:
        path = Path(name)
        if path.is_dir():
            yield from sorted(path.glob("*.ipynb"))
        elif path.suffix == ".ipynb" and path.exists():
            yield path
        else:
            raise SystemExit(f"{name} is neither a notebook nor a folder of notebooks")


def main(arguments: Sequence[str]) -> int:
    """The command line; returns the exit code."""
    import nbformat

    command, *paths = arguments or ["help"]
    if command not in ("refresh", "check", "clean"):
        print(__doc__)
        return 2
    bad = 0
    for path in notebooks(paths):
        if command == "refresh":
            print(f"running {path} ...", flush=True)
            start = time.perf_counter()
            refresh(path)
            print(f"  {time.perf_counter() - start:.0f} s", flush=True)
            continue
        notebook: Any = nbformat.read(path, as_version=4)
        if command == "clean":
            before = nbformat.writes(notebook)
            if nbformat.writes(clean(notebook)) != before:
                write(path, notebook)
                bad += 1
            continue
        for problem in problems(notebook):
            print(f"{path}: {problem}")
            bad += 1
    if command == "check" and bad:
        print("run 'make notebooks' to store the outputs of a fresh run")
    return int(bad > 0)
