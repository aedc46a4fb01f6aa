"""A lecture for the book: folds, answers, exercises, figures, tables, instruments."""

import re
from base64 import b64encode
from pathlib import Path
from typing import Any

import nbformat
import nbformat.v4 as v4
import pytest
from nbformat import write
from support.paths import LECTURES

from hierwidgets.course.book.notebook import Page, page
from hierwidgets.course.book.outputs import Shown, show

PNG = b64encode(b"a picture").decode()
STILL = (
    '<div class="hw-still"><style>.a { display: none; }</style><p>σ = 0.3</p>'
    f'<img alt="fourteen districts" width="564" src="data:image/png;base64,{PNG}">'
    "<details><summary>Table</summary><table><tr><td>1</td></tr></table></details>"
    "<p><em>A still picture: run the cell, and it moves.</em></p></div>"
)
LESSONS = sorted(LECTURES.glob("*.ipynb"))


def displayed(data: dict[str, Any], **metadata: Any) -> nbformat.NotebookNode:
    return v4.new_output("display_data", data=data, metadata=metadata)


def still(name: str = "PoolingDial") -> nbformat.NotebookNode:
    return displayed({"text/html": STILL, "image/png": PNG, "text/plain": f"{name}(sigma=0.3)"})


def marked(text: str, path: str) -> nbformat.NotebookNode:
    return v4.new_markdown_cell(text, metadata={"hierwidgets": {"path": path}})


def made(tmp_path: Path, *cells: nbformat.NotebookNode) -> Page:
    write(v4.new_notebook(cells=list(cells)), tmp_path / "01-made-up.ipynb")
    return page(tmp_path / "01-made-up.ipynb")


def test_a_picture_and_its_caption_are_one_figure() -> None:
    alt = 'Figure 1. "Raw" rates: 0.1 to $\\pi$ [low]'
    shown = Shown("01-page")
    outputs = [
        displayed({"image/png": PNG, "text/plain": alt}, **{"image/png": {"alt": alt, "width": 9}}),
        displayed({"text/markdown": "**Figure 1.** Raw rates.", "text/plain": "x"}),
        displayed({"text/markdown": "See [there](02.ipynb#A-·-core)."}),
    ]
    figure, words = show(outputs, shown)
    text = figure["data"]["text/markdown"]
    assert ':alt: "Figure 1. \\"Raw\\" rates: 0.1 to $\\\\pi$ [low]"' in text
    assert ":width: 9px" in text
    assert "\n\n**Figure 1.** Raw rates.\n" in text
    assert words["data"]["text/markdown"] == "See [there](02.ipynb#A)."
    assert [(one.name, one.content) for one in shown.pictures] == [
        ("pictures/01-page-0.png", b"a picture")
    ]


def test_an_instrument_is_a_figure_that_a_player_finds() -> None:
    shown = Shown("04-page")
    first, second = show([still(), still("hierwidgets.widgets.Guess309")], shown)
    html = first["data"]["text/html"]
    head = (
        '<figure class="recorded-instrument" data-instrument="PoolingDial" data-page="04-page" '
        'data-index="0"><p>σ = 0.3</p>'
    )
    assert html.startswith(head)
    assert (
        'data-instrument="Guess309" data-page="04-page" data-index="1"'
        in (second["data"]["text/html"])
    )
    assert shown.instruments == ["PoolingDial", "Guess309"]
    assert 'alt="fourteen districts"' in html
    assert 'src="_static/stills/04-page-0.png"' in html
    assert "base64" not in html
    assert "<style" not in html
    assert "run the cell" not in html
    assert re.search(
        r"<figcaption>.*Run this page</a>, and it moves\.</figcaption></figure>$", html
    )


def test_a_still_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="belongs to no instrument"):
        show([displayed({"text/html": STILL, "text/plain": "<object>"})], Shown("x"))


def test_a_table_scrolls_by_keyboard_and_has_a_name() -> None:
    table = (
        '<div><style scoped>x</style><table border="1"><caption>Fits & more</caption></table></div>'
    )
    (output,) = show([displayed({"text/html": table, "text/plain": "x"})], Shown("x"))
    html = output["data"]["text/html"]
    assert html.startswith('<div class="table-scroll" role="region" tabindex="0"')
    assert 'aria-label="Fits &amp; more"' in html
    assert "border=" not in html
    assert "<style" not in html


def test_streams_and_words_stay() -> None:
    stream = v4.new_output("stream", text="done")
    assert show([stream, displayed({"text/plain": "3"})], Shown("x")) == [
        stream,
        displayed({"text/plain": "3"}),
    ]


def test_what_is_optional_is_folded_after_its_heading(tmp_path: Path) -> None:
    words = "word " * 400
    prepared = made(
        tmp_path,
        v4.new_markdown_cell("# 1 · Title\n\n**The question.**"),
        marked("## One · core\n\nText", "core"),
        marked(f"## Two · optional\n\n{words}", "optional"),
        v4.new_markdown_cell("### Part\n\n" + words),
        v4.new_code_cell('hw.exercises.check("01-rates", 1)', metadata={"tags": ["exercise"]}),
        marked("## Three · core\n\n" + words, "core"),
    )
    texts = [cell.source for cell in prepared.notebook.cells]
    assert texts[0].startswith('# 1 · Title\n\n<p class="run-buttons">')
    assert texts[0].endswith("**The question.**")
    assert texts[1] == "## One\n\nText"
    assert texts[2].startswith(
        "## Two\n\n```{folded} Optional: 4 minutes of reading, 1 exercise\n```\n\nword"
    )
    assert "folded" not in texts[3] + texts[5]


def test_a_notebook_that_is_all_optional_stays_open(tmp_path: Path) -> None:
    prepared = made(
        tmp_path, v4.new_markdown_cell("# Title"), marked("## Two · optional\n\nText", "optional")
    )
    assert prepared.notebook.cells[1].source == "## Two\n\nText"


def test_folded_code_answers_and_exercises(tmp_path: Path) -> None:
    told = [displayed({"text/markdown": "Told."})]
    prepared = made(
        tmp_path,
        v4.new_markdown_cell("# Title"),
        v4.new_code_cell("a", metadata={"jupyter": {"source_hidden": True}}, outputs=told),
        v4.new_code_cell("b", metadata={"jupyter": {"outputs_hidden": True}}, outputs=told),
        v4.new_code_cell("c", metadata={"tags": ["exercise", "S1"]}, outputs=told),
        v4.new_code_cell("d", metadata={"tags": ["S1"]}, outputs=told),
    )
    a, b, c, d = prepared.notebook.cells[1:]
    assert a.metadata == {"tags": ["hide-input"]}
    assert b.metadata["tags"] == ["hide-output"]
    assert b.metadata["mystnb"]["code_prompt_show"] == "Show the answer"
    assert "try it, run this page" in c.outputs[0].data["text/html"]
    assert "Told." not in str(c.outputs)
    assert (d.metadata, d.outputs[0].data["text/markdown"]) == ({}, "Told.")


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_lecture_is_there_with_all_it_shows(path: Path) -> None:
    stored = nbformat.read(path, as_version=4)
    prepared = page(path)
    nbformat.validate(prepared.notebook)
    assert len(prepared.notebook.cells) == len(stored.cells)
    outputs = [one for cell in stored.cells for one in cell.get("outputs", ())]
    pictures = [one for one in outputs if "image/png" in one.get("data", {})]
    assert len(prepared.pictures) == len(pictures)
    assert len({one.name for one in prepared.pictures}) == len(pictures)
    stills = [one for one in outputs if "hw-still" in one.get("data", {}).get("text/html", "")]
    assert len(prepared.instruments) == len(stills)
    text = nbformat.writes(prepared.notebook)
    assert " · core\\n" not in text
    assert " · optional\\n" not in text
    assert "base64" not in text
    for one in pictures:
        assert one.metadata["image/png"]["alt"].strip()
