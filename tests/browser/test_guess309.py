"""Guess first as a student plays it: the guess by mouse, keys or typing, then the reveal.

Set HIERWIDGETS_PICTURES=1 to renew its picture in lectures/images.
"""

import re

import hands
import pytest
from hands import Open
from lab import LabServer, Notebook
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

GUESS, RAW, POOLED, OVERALL = (
    f"rgb({rgb})" for rgb in ("231, 41, 138", "27, 158, 119", "217, 95, 2", "117, 112, 179")
)
TEXTS_OF_THE_GAME = (
    ".hw-status", ".axislabel", ".tick text", ".hw-question", ".hw-reason", "summary",
    ".hw-chips button",
)  # fmt: skip
FINLAND = """
import hierwidgets as hw
game = hw.widgets.Guess309()
game
"""
UK = """
import hierwidgets as hw
game = hw.widgets.Guess309(
    hw.load("uk"), outcome="contacted", group="district_id", event="Contacted")
game
"""


def shown(notebook: Notebook) -> Locator:
    """The game on the screen, once its picture has its text alternative."""
    game = notebook.widget("Guess309")
    expect(game.locator('.hw-guess[role="img"]')).to_be_visible()
    game.scroll_into_view_if_needed()
    return game


def points(game: Locator, colour: str) -> Locator:
    return game.locator(f'.hw-guess path.dot[style*="stroke: {colour}"]')


def across(point: Locator) -> float:
    box = point.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2


def test_the_guess_comes_first_and_the_mouse_is_enough(open_notebook: Open) -> None:
    notebook = open_notebook("guess-finland.ipynb", FINLAND)
    notebook.run_all()
    game = shown(notebook)
    expect(game).to_match_aria_snapshot(
        """
        - text: /District 309, one of 14 districts/
        - slider "your guess"
        - spinbutton "your guess, typed": "0.00"
        - button "Reveal" [disabled]
        - button "Start again" [disabled]
        - status: /Move the slider or type a number. your guess comes first/
        - img /your guess comes first/
        - group: Table of the numbers
        """
    )
    assert "0.268" not in game.inner_html()
    assert [points(game, c).count() for c in (GUESS, RAW, POOLED, OVERALL)] == [0, 0, 0, 0]

    hands.drag(notebook, hands.slider(game, "your guess"), share=0.3)
    guess = float(game.get_by_role("spinbutton", name="your guess, typed").input_value())
    hands.shows(game, f"Your guess is {guess:.3f}")
    notebook.settles("game.guess", guess)
    assert guess == pytest.approx(0.3, abs=0.02)
    expect(points(game, GUESS)).to_have_count(1)
    assert "0.268" not in game.inner_html()
    hands.button(game, "Reveal").click()
    hands.shows(
        game, f"Your guess {guess:.3f}; raw rate 0.435, partial pooling 0.268, overall rate 0.207"
    )
    assert notebook.python("game.revealed") is True
    for colour in (RAW, POOLED, OVERALL):
        expect(points(game, colour)).to_have_count(1)
    places = [across(points(game, colour)) for colour in (OVERALL, POOLED, RAW)]
    assert places == sorted(places)
    assert across(points(game, POOLED)) < across(points(game, GUESS)) < across(points(game, RAW))
    expect(hands.slider(game, "your guess")).to_be_hidden()

    game.get_by_role("button", name="How many answers?").click()
    expect(game.locator(".hw-reason")).to_contain_text("District 309 has 23 answers")
    notebook.settles("list(game.opened)", [0])
    hands.button(game, "Start again").click()
    hands.shows(game, "your guess comes first")
    expect(points(game, RAW)).to_have_count(0)
    expect(game.get_by_role("group", name="Reasons")).to_be_hidden()
    assert notebook.python("game.guess") is None
    assert notebook.complaints == []


def test_the_keyboard_is_enough_in_a_narrow_pane(open_notebook: Open) -> None:
    notebook = open_notebook("guess-uk.ipynb", UK, width=700)
    notebook.run_all()
    game = shown(notebook)
    assert hands.overflow(notebook) <= 0
    assert hands.cut_off(game) == []
    expect(game.locator(".hw-question")).to_contain_text("one of 253 districts")
    hands.press(notebook, hands.slider(game, "your guess"), "PageUp", "PageUp", "ArrowRight")
    notebook.settles("game.guess > 0.1", True)
    box = game.get_by_role("spinbutton", name="your guess, typed")
    box.fill("1.5")
    box.press("Enter")
    expect(game.get_by_role("alert")).to_have_text("your guess: a number from 0 to 1, please")
    box.fill("0.5")
    box.press("Enter")
    hands.shows(game, "Your guess is 0.500")
    hands.button(game, "Reveal").focus()
    notebook.page.keyboard.press("Enter")
    hands.shows(game, "Your guess 0.500; raw rate 1.000, partial pooling 0.3")
    expect(hands.button(game, "Reveal")).to_be_disabled()

    chip = game.get_by_role("button", name="Where among the others?")
    expect(chip).to_have_attribute("aria-expanded", "false")
    chip.focus()
    notebook.page.keyboard.press("Enter")
    expect(chip).to_have_attribute("aria-expanded", "true")
    expect(game.locator(".hw-reason")).to_contain_text("None of the 253 raw rates is higher")
    picture = game.locator('.hw-guess[role="img"]')
    expect(picture).to_have_attribute("aria-label", re.compile("luck helped it to the top"))
    notebook.page.keyboard.press("Enter")
    expect(game.locator(".hw-reason")).to_have_count(0)
    game.locator("summary").focus()
    notebook.page.keyboard.press("Enter")
    expect(game.get_by_role("row", name="raw rate")).to_have_text("raw rate1.000")
    check_errors_and_the_end(notebook, game)
    assert notebook.complaints == []


def check_errors_and_the_end(notebook: Notebook, game: Locator) -> None:
    with hands.broken(notebook, "game", "_values"):
        hands.button(game, "Start again").click()
        hands.shows(game, "This could not be drawn: no luck")
    hands.closes(notebook, "game", game)


@pytest.mark.slow
@pytest.mark.parametrize("theme", hands.THEMES)
def test_texts_stand_out_in_both_themes(open_notebook: Open, lab: LabServer, theme: str) -> None:
    with hands.in_theme(lab, theme):
        code = FINLAND.replace("Guess309()", "Guess309(guess=0.3, revealed=True, opened=[0, 3])")
        notebook = open_notebook("guess-theme.ipynb", code)
        notebook.run_all()
        game = shown(notebook)
        marks = [points(game, colour) for colour in (GUESS, RAW, POOLED, OVERALL)]
        hands.stands_out(game, marks, TEXTS_OF_THE_GAME)
        hands.keep_picture("guess309", theme, notebook.portrait(game))
