"""An instructor at nbgrader's formgrader: opens it, marks an answer, writes a comment.

The mark scheme and our notes stand beside the answer, no name does; mark and comment come back in
the report and on the student's page, and the mark scheme does not.
"""

import html
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from lab import LabServer, lab_server
from playwright.sync_api import Browser, FrameLocator, Page, expect
from support import graded_course as graded

from hierwidgets.grading import Course, grade
from hierwidgets.grading.__main__ import main

pytestmark = pytest.mark.browser

COMMENT = "Say *how much* more they vary."


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Two students; one has a file with a name in its name, so there is a note on it."""
    made = graded.released(tmp_path_factory.mktemp("course"))
    graded.hand_in(made, "ann", graded.RIGHT)
    graded.hand_in(made, "smith", graded.WRONG, "Zoe Smith.ipynb")
    with pytest.MonkeyPatch.context() as patch:
        graded.pretended(patch)
        grade(made, "T1", progress=False)
    return made


@pytest.fixture(scope="module")
def server(
    browser: Browser, course: Course, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LabServer]:
    """JupyterLab started in the course, as the instructor's guide says."""
    state = tmp_path_factory.mktemp("state")
    with lab_server(course.root, state, start_in=course.root) as running:
        yield running


def formgrader(page: Page, server: LabServer) -> FrameLocator:
    """Lab's menu Nbgrader > Formgrader."""
    page.goto(f"http://127.0.0.1:{server.port}/lab?token={server.token}")
    page.get_by_role("menuitem", name="Nbgrader").click(timeout=120_000)
    page.get_by_role("menuitem", name="Formgrader", exact=True).first.click()
    return page.frame_locator("iframe").first


def test_an_instructor_marks(browser: Browser, server: LabServer, course: Course) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 1500})
    frame = formgrader(page, server)
    frame.get_by_role("link", name="Manual Grading").click()
    frame.get_by_role("link", name="T1", exact=True).click()
    frame.get_by_role("link", name="T1-small", exact=True).click()
    frame.get_by_role("link", name="Submission #1", exact=True).click()
    sees_scheme_and_notes_but_no_name(frame)
    marks_the_answer(frame)
    keep_screenshot(page)
    page.close()
    sees_it_in_report_and_feedback(course)


def sees_scheme_and_notes_but_no_name(frame: FrameLocator) -> None:
    """On the page of either student, which come in an order that tells nothing."""
    notebook = frame.get_by_role("main")
    expect(notebook).to_contain_text("Mark scheme of q3-why")
    expect(notebook).to_contain_text("says why")
    first = frame.locator("body").inner_text()
    frame.get_by_role("link", name="Next").click()
    expect(frame.locator("body")).to_contain_text("Submission #2")
    second = frame.locator("body").inner_text()
    noted = [text for text in (first, second) if "Flag: ok" in text]
    assert len(noted) == 1
    assert "[a file's name]" in noted[0]
    for text in (first, second):
        assert not re.search(r"smith|zoe|\bann\b", text, re.IGNORECASE)


def marks_the_answer(frame: FrameLocator) -> None:
    score, comment = frame.locator("input#q3-why"), frame.locator("#q3-why-comment")
    expect(score).to_be_visible()
    score.fill("1.5")
    score.press("Tab")
    expect(frame.locator(".score-saved:visible")).to_have_count(0)
    comment.fill(COMMENT)
    comment.press("Tab")
    expect(frame.locator(".comment-saved:visible")).to_have_count(0)
    expect(frame.locator("input.needs_manual_grade#q3-why")).to_have_count(0)


def keep_screenshot(page: Page) -> None:
    if folder := os.environ.get("HIERWIDGETS_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "formgrader.png")


def sees_it_in_report_and_feedback(course: Course) -> None:
    assert main(["--course", str(course.root), "report", "T1", "--feedback"]) == 0
    table = pd.read_csv(course.root / "reports" / "T1.csv").set_index("student")
    (student,) = table.index[table["waiting"] == 0]
    assert float(table.loc[student, "Q3"]) == 1.5
    other = ({"ann", "smith"} - {student}).pop()
    assert table.loc[other, ["Q3", "score"]].tolist() == ["waiting", "waiting"]
    pages = {
        name: course.notebook("feedback", "T1", name).with_suffix(".html").read_text()
        for name in ("ann", "smith")
    }
    words = {name: html.unescape(re.sub(r"<[^>]+>", "", text)) for name, text in pages.items()}
    assert "Say how much more they vary." in words[student]
    assert "Not marked yet" not in words[student]
    assert "Not marked yet: Q3." in words[other]
    for text in words.values():
        assert "Mark scheme" not in text
        assert "says why" not in text
        assert "Flag:" not in text
