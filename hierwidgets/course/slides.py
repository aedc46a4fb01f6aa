"""A class outline of a lecture: what its core says, asks and draws, as slides.

``python -m hierwidgets.course slides LECTURE [...] [--to FOLDER]``
    Writes ``LECTURE.slides.html`` into FOLDER (``slides``, which git ignores), with nbconvert.
    ``LECTURE.outline.ipynb`` beside it is what it was made from: cells with slideshow metadata,
    which ``jupyter nbconvert --to slides`` reads, and which an instructor may edit.

A section begins a slide: its heading, its first paragraph, and its guess; a part of it goes below.
Each figure has a slide below that, so that the guess comes first. Sections marked optional are
left out; in a lecture without marks every section counts. The page needs a network: nbconvert has
it load reveal.js and MathJax.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from .path import OPTIONAL, sections_with_cells

__all__ = ["main", "outline", "write"]

DEFAULT = "slides"
_STYLE = """\
<style>
.reveal .slides { text-align: left; }
.reveal img { max-height: 470px; max-width: 100%; width: auto; }
.reveal .caption { font-size: 0.8em; }
</style>"""
_PNG = "image/png"
_LIST = re.compile(r"(?:[-*]|\d+\.) ")


def outline(path: Path) -> Any:
    """The slides of a lecture, as a notebook with slideshow metadata.

    Parameters
    ----------
    path : Path
        A lecture, with the outputs of its stored run.

    Returns
    -------
    nbformat.NotebookNode
        Cells of prose, ``slide`` or ``subslide``, and figures with their captions, ``subslide``;
        all are Markdown, for slides made of outputs would lose the words for those who cannot see.
    """
    import nbformat.v4 as v4

    notebook = v4.new_notebook()
    for section, cells in sections_with_cells(path):
        if section.path == OPTIONAL:
            continue
        level, text = _told(section.title, cells)
        if text:
            below = "slide" if level < 3 else "subslide"
            notebook.cells.append(_cell(v4.new_markdown_cell(text), below))
        for figure in chain.from_iterable(map(_figures, cells)):
            notebook.cells.append(_cell(v4.new_markdown_cell(**figure), "subslide"))
    if notebook.cells:
        notebook.cells[0].source += f"\n\n{_STYLE}"
    for number, cell in enumerate(notebook.cells, start=1):
        cell.id = f"slide-{number}"
    return notebook


def _cell(cell: Any, kind: str) -> Any:
    cell.metadata["slideshow"] = {"slide_type": kind}
    return cell


def _told(title: str, cells: Sequence[Any]) -> tuple[int, str]:
    """How deep a section lies, and its slide: heading, first paragraph, guess."""
    prose = [cell.source for cell in cells if cell.cell_type == "markdown"]
    blocks = [block for source in prose for block in _blocks(source)]
    heads = [block for block in blocks if block.startswith("#")]
    rest = [block for block in blocks if not block.startswith("#")]
    guesses = [block for block in rest if block.startswith("**Guess first")]
    level = len(heads[0]) - len(heads[0].lstrip("#")) if heads else 2
    told = [f"{'#' * level} {title}"] if title else []
    told += guesses if rest[:1] == guesses[:1] else [*_opening(rest), *guesses]
    return level, re.sub(r"\[([^\]]+)\]\([^)\s]*\.ipynb[^)]*\)", r"\1", "\n\n".join(told))


def _blocks(source: str) -> Iterator[str]:
    """Paragraphs of Markdown; headings stand alone, and what is folded is left out."""
    open_source = re.sub(r"<details>.*?</details>|```.*?```", "", source, flags=re.DOTALL)
    apart = re.sub(r"^(#+ .*)$", r"\n\1\n", open_source, flags=re.MULTILINE)
    yield from filter(None, (block.strip() for block in re.split(r"\n\s*\n", apart)))


def _opening(blocks: Sequence[str]) -> Iterator[str]:
    """The first paragraph, with the list or formula that it announces."""
    for i, block in enumerate(blocks):
        yield block
        following = blocks[i + 1] if i + 1 < len(blocks) else ""
        in_list = _LIST.match(block) and _LIST.match(following)
        announced = following.startswith("$$") or block.rstrip("*").endswith(":")
        if not (in_list or announced) or following.startswith("**Guess first"):
            return


def _figures(cell: Any) -> Iterator[dict[str, Any]]:
    """The figures a cell shows, each with its words for those who cannot see it and its caption."""
    pictures: list[list[Any]] = []
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        if _PNG in data:
            pictures.append([output])
        elif pictures and "text/markdown" in data:
            pictures[-1].append(output)
    for picture, *captions in pictures:
        alt = " ".join(re.sub(r"[\[\]]", "", picture.metadata.get(_PNG, {}).get("alt", "")).split())
        told = ["".join(output["data"]["text/markdown"]).strip() for output in captions]
        under = ['<div class="caption">', *told, "</div>"] if told else []
        yield {
            "source": "\n\n".join([f"![{alt}](attachment:figure.png)", *under]),
            "attachments": {"figure.png": {_PNG: "".join(picture["data"][_PNG])}},
        }


def write(path: Path, folder: Path) -> Path:
    """Write the slides of a lecture and the outline they are made from; returns the slides."""
    import nbformat
    from nbconvert import SlidesExporter

    notebook = outline(path)
    exporter: Any = SlidesExporter  # has no types
    named = {"metadata": {"name": path.stem}}
    page, _ = exporter(reveal_scroll=True).from_notebook_node(notebook, named)
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{path.stem}.outline.ipynb")
    slides = folder / f"{path.stem}.slides.html"
    slides.write_text(page, encoding="utf-8")
    return slides


def main(arguments: Sequence[str]) -> int:
    """The command line; returns the exit code."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m hierwidgets.course slides")
    parser.add_argument("lectures", nargs="+", type=Path)
    parser.add_argument("--to", dest="folder", type=Path, default=Path(DEFAULT))
    options = parser.parse_args(arguments)
    for path in options.lectures:
        if path.suffix != ".ipynb" or not path.is_file():
            print(f"'{path}' is no notebook; name one such as lectures/00-map-and-notation.ipynb")
            return 1
    try:
        for path in options.lectures:
            print(write(path, options.folder))
    except OSError as error:
        print(f"'{options.folder}' cannot be written ({error.strerror}): name another with --to")
        return 1
    return 0
