"""A lecture as the book shows it.

Headings lose their marks, and what is optional is folded; answers to a guess open at a click, as
in JupyterLab; code that is folded there is folded here; exercises say where they can be answered.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

from ..path import CORE, OPTIONAL, WORDS_A_MINUTE, Section, sections_with_cells
from .anchors import without_mark
from .links import binder, buttons, lite
from .outputs import Picture, Shown, show

__all__ = ["Page", "page"]

_TITLE = re.compile(r"\A(\s*#\s[^\n]*\n?)")
_FOLDS = {"source_hidden": "hide-input", "outputs_hidden": "hide-output"}
_ANSWER = {"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}


class Page(NamedTuple):
    """What the book needs of one notebook.

    Attributes
    ----------
    notebook : nbformat.NotebookNode
        For myst-nb, which shows its outputs and runs nothing.
    pictures : list of Picture
        The files that it shows.
    instruments : list of str
        The names of the instruments on the page, in order.
    """

    notebook: Any
    pictures: list[Picture]
    instruments: list[str]


def page(path: Path) -> Page:
    """Prepare a notebook for the book.

    Parameters
    ----------
    path : Path
        A lecture, the gallery, or any notebook with stored outputs.

    Returns
    -------
    Page
        The file itself is left as it is.
    """
    import nbformat.v4 as v4

    shown = Shown(path.stem)
    found = sections_with_cells(path)
    folds = any(section.path == CORE and section.title for section, _ in found[1:])
    language = {"name": "python", "pygments_lexer": "python"}
    notebook = v4.new_notebook(metadata={"language_info": language})
    for i, (section, cells) in enumerate(found):
        for j, cell in enumerate(cells):
            if cell.cell_type == "code":
                notebook.cells.append(_code(cell, shown))
                continue
            first = i == 0 and j == 0
            text = _prose(cell.source, path.stem if first else "")
            if j == 0 and folds and _begins_optional(section, cell):
                text = _folded(text, found[i:])
            notebook.cells.append(v4.new_markdown_cell(text))
    return Page(notebook, shown.pictures, shown.instruments)


def _begins_optional(section: Section, cell: Any) -> bool:
    """Whether this heading itself says that what follows is optional."""
    return section.path == OPTIONAL and cell.metadata.get("hierwidgets", {}).get("path") == OPTIONAL


def _prose(source: str, name: str) -> str:
    text = without_mark(source)
    if name and _TITLE.match(text):
        return _TITLE.sub(lambda title: f"{title[1].rstrip()}\n\n{buttons(name)}\n", text, count=1)
    return text


def _folded(text: str, following: list[tuple[Section, list[Any]]]) -> str:
    """The text with a fold after its heading, whose label says what it costs to read."""
    level = len(text) - len(text.lstrip("#"))
    words, exercises = 0, 0
    for i, (section, cells) in enumerate(following):
        source = cells[0].source if cells[0].cell_type == "markdown" else ""
        if i and len(source) - len(source.lstrip("#")) <= level:
            break
        words += section.words
        exercises += len(section.exercises)
    minutes = max(1, round(words / WORDS_A_MINUTE))
    label = f"Optional: {minutes} minute{'s' if minutes > 1 else ''} of reading"
    if exercises:
        label += f", {exercises} exercise{'s' if exercises > 1 else ''}"
    heading, _, rest = text.partition("\n")
    return f"{heading}\n\n```{{folded}} {label}\n```\n{rest}"


def _code(cell: Any, shown: Shown) -> Any:
    import nbformat.v4 as v4
    from nbformat.notebooknode import from_dict

    folds = cell.metadata.get("jupyter", {})
    tags = [tag for key, tag in _FOLDS.items() if folds.get(key)]
    metadata: dict[str, Any] = {"tags": tags} if tags else {}
    if "hide-output" in tags:
        metadata["mystnb"] = dict(_ANSWER)
    outputs = show(cell.outputs, shown)
    if "exercise" in cell.metadata.get("tags", []):
        outputs = [_where_to_answer(shown.page)]
    made = v4.new_code_cell(cell.source, metadata=metadata, execution_count=cell.execution_count)
    made.outputs = [from_dict(output) for output in outputs]
    return made


def _where_to_answer(name: str) -> dict[str, Any]:
    html = (
        f'<p class="to-answer">To try it, run this page: <a href="{lite(name)}">in this '
        f'browser</a> or <a href="{binder(name)}">on Binder</a>. The check answers in words.</p>'
    )
    return {"output_type": "display_data", "metadata": {}, "data": {"text/html": html}}
