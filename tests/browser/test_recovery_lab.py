"""The recovery lab as a student uses it: in JupyterLab, by mouse and by keyboard.

Set HIERWIDGETS_PICTURES=1 to renew the picture of the lab in lectures/images.
"""

import re

import hands
import pytest
from hands import Open
from lab import LabServer, Notebook
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

COLOURS = {
    "no": "rgb(27, 158, 119)",
    "partial": "rgb(217, 95, 2)",
    "complete": "rgb(117, 112, 179)",
}
MAKE = """
import hierwidgets as hw
lab = hw.widgets.RecoveryLab({arguments})
lab
"""
SAME = """
import warnings
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    expected = hw.simulate_and_recover(
        lab.design, reps={reps}, seed=lab.seed, progress=False
    ).table
"""


@pytest.fixture
def finland(run_again: Open) -> Notebook:
    return run_again("recovery-finland.ipynb", MAKE.format(arguments=""))


def shown_lab(notebook: Notebook) -> Locator:
    return hands.on_screen(
        notebook, "RecoveryLab", "Truth and estimates of", ".hw-arrows path.line"
    )


def arrows(lab: Locator, estimator: str) -> Locator:
    """The paths of an estimator's arrows; of many groups the last has all of them, with heads."""
    return lab.locator(f'.hw-arrows path.line[style*="stroke: {COLOURS[estimator]}"]')


def heads(lab: Locator, estimator: str, figure: str = "hw-arrows") -> Locator:
    return lab.locator(f'.{figure} path.dot[style*="stroke: {COLOURS[estimator]}"]')


def places(
    lab: Locator, estimator: str, side: str = "top", figure: str = "hw-arrows"
) -> list[float]:
    """Where the heads of an estimator's arrows are on the screen, in pixels."""
    middle = f"paths => paths.map(p => p.getBoundingClientRect().{side})"
    return list(heads(lab, estimator, figure).evaluate_all(middle))


def test_mouse_and_keys_change_the_draw(finland: Notebook) -> None:
    lab = shown_lab(finland)
    hands.shows(lab, "One draw of 14 groups, seed 1.")
    assert [heads(lab, name).count() for name in COLOURS] == [14, 14, 14]
    complete = places(lab, "complete")
    assert max(complete) - min(complete) < 1  # one estimate for all

    hands.drag(finland, hands.slider(lab, "σ, spread"), share=0.5)
    finland.settles("1.3 < lab.sigma < 1.7", True)
    raw, partial = places(lab, "no"), places(lab, "partial")
    assert max(partial) - min(partial) > 60  # much spread, little pooling
    assert max(raw) - min(raw) > max(partial) - min(partial)

    hands.press(finland, hands.slider(lab, "groups, J"), "ArrowRight", "ArrowRight")
    finland.settles("lab.J", 16)
    expect(heads(lab, "no")).to_have_count(16)
    hands.button(lab, "New seed").focus()
    finland.page.keyboard.press("Enter")
    hands.shows(lab, "seed 2.")
    finland.settles("lab.seed", 2)
    lab.get_by_role("combobox", name="Arrows").select_option("partial pooling")
    expect(heads(lab, "no").first).to_be_hidden()
    expect(heads(lab, "partial").first).to_be_visible()
    assert finland.python("lab.show") == "partial_pooling"
    lab.get_by_role("combobox", name="Shape of effects").select_option("two clusters")
    finland.settles("lab.shape", "two clusters")
    assert finland.complaints == []


def test_every_control_has_a_name_and_typed_numbers_are_taken_or_refused(
    finland: Notebook,
) -> None:
    lab = shown_lab(finland)
    expect(lab).to_match_aria_snapshot(
        """
        - combobox "Arrows"
        - combobox "Shape of effects"
        - combobox "Group sizes"
        - slider "groups, J"
        - spinbutton "groups, J, typed": "14"
        - slider "σ, spread"
        - spinbutton "σ, spread, typed": "0.31"
        - slider "μ, mean log-odds"
        - spinbutton "μ, mean log-odds, typed": "-1.37"
        - slider "repetitions"
        - spinbutton "repetitions, typed": "200"
        - slider "seed"
        - spinbutton "seed, typed": "1"
        - button "Run"
        - button "Stop" [disabled]
        - button "New seed"
        - progressbar "repetitions done"
        - status: /One draw of 14 groups/
        - img /Truth and estimates of 14 groups. true probabilities 0.15 to 0.27/
        - img /RMSE over 1 repetition. no pooling 0.049/
        - img /bias over 1 repetition/
        - img /coverage of 90% intervals over 1 repetition/
        - img /bias of the largest raw rate over 1 repetition/
        - group: Table of the measures, Monte Carlo errors in brackets
        """
    )
    expect(lab.get_by_role("slider", name="n per group")).to_have_count(0)
    lab.get_by_role("combobox", name="Group sizes").select_option("all equal")
    hands.press(finland, hands.slider(lab, "n per group"), "ArrowRight")
    finland.settles("lab.n", 31)
    box = lab.get_by_role("spinbutton", name="groups, J, typed")
    box.fill("9.6")
    box.press("Enter")
    finland.settles("lab.J", 10)
    expect(box).to_have_value("10")
    for typed in ("4000", "1.234", "1,234", "12,5"):  # the middle two may be a thousand and more
        box.fill(typed)
        box.press("Enter")
        expect(lab.get_by_role("alert")).to_have_text("groups, J: a number from 2 to 300, please")
    assert finland.python("lab.J") == 10
    assert finland.complaints == []


def test_a_late_answer_to_one_number_leaves_the_refusal_of_the_next(finland: Notebook) -> None:
    lab = shown_lab(finland)
    finland.execute("import time; lab.observe(lambda change: time.sleep(2), 'J')")
    box = lab.get_by_role("spinbutton", name="groups, J, typed")
    for typed in ("9.6", "4000"):
        box.fill(typed)
        box.press("Enter")
    finland.settles("lab.J", 10)
    finland.page.wait_for_timeout(1000)
    expect(lab.get_by_role("alert")).to_have_text("groups, J: a number from 2 to 300, please")
    expect(box).to_have_value("4000")


def test_a_run_gives_the_figures_of_simulate_and_recover(finland: Notebook) -> None:
    lab = shown_lab(finland)
    box = lab.get_by_role("spinbutton", name="repetitions, typed")
    box.fill("40")
    box.press("Enter")
    finland.settles("lab.reps", 40)
    hands.button(lab, "Run").focus()
    finland.page.keyboard.press("Space")
    hands.shows(lab, "The figures rest on 40 of 40 repetitions.", seconds=30)
    expect(hands.button(lab, "Stop")).to_be_disabled()
    expect(lab.get_by_role("progressbar")).to_have_attribute("value", "40")
    finland.execute(SAME.format(reps=40))
    assert finland.python("bool(lab.result.table.equals(expected))")
    lab.locator("summary").focus()
    finland.page.keyboard.press("Enter")
    row = lab.get_by_role("row", name="RMSE")
    cells = finland.python(
        "[f'{e:.3f} ({m:.4f})' for e, m in expected[expected['measure'].eq('rmse')]"
        "[['estimate', 'mc_error']].to_numpy()]"
    )
    expect(row).to_have_text("RMSE" + "".join(cells))
    order = [places(lab, name, "left", "hw-rmse")[0] for name in COLOURS]
    rmse = finland.python("expected[expected['measure'].eq('rmse')]['estimate'].round(9).to_list()")
    assert sorted(range(3), key=order.__getitem__) == sorted(range(3), key=rmse.__getitem__)
    assert finland.complaints == []


def test_a_long_run_moves_leaves_the_page_awake_and_stops(open_notebook: Open) -> None:
    notebook = open_notebook(
        "recovery-long.ipynb", MAKE.format(arguments="n='uk', reps=2000, seed=3")
    )
    notebook.run_all()
    lab = shown_lab(notebook)
    assert hands.overflow(notebook) <= 0
    assert [heads(lab, name).count() for name in COLOURS] == [0, 0, 0]
    for name in COLOURS:  # a shaft and a head for each of the 253 groups
        pieces = arrows(lab, name).last.evaluate("path => path.getAttribute('d').split('M').length")
        assert pieces - 1 == 2 * 253, name
    bar = lab.get_by_role("progressbar")
    hands.button(lab, "Run").click()
    expect(hands.button(lab, "Stop")).to_be_enabled()
    notebook.page.wait_for_function(DONE_ABOVE, arg=20, timeout=60_000)
    early = int(bar.get_attribute("value") or 0)
    rmse = lab.locator(".hw-rmse")
    first = rmse.get_attribute("aria-label")
    assert notebook.python("6 * 7") == 42  # the kernel answers
    lab.get_by_role("combobox", name="Arrows").select_option("no pooling")  # and so do controls
    expect(arrows(lab, "complete").last).to_be_hidden()
    expect(arrows(lab, "no").last).to_be_visible()
    assert notebook.python("lab.running")
    notebook.page.wait_for_function(DONE_ABOVE, arg=early + 20, timeout=60_000)
    assert rmse.get_attribute("aria-label") != first  # figures move while it runs

    hands.button(lab, "Stop").focus()
    notebook.page.keyboard.press("Enter")
    hands.shows(lab, re.compile(r"Stopped\. The figures rest on \d+ of 2000 repetitions\."))
    done = notebook.python("int(lab.result.reps_done.sum())")
    hands.shows(lab, f"rest on {done} of 2000")
    assert 40 < done < 2000
    assert notebook.python("lab.running") is False
    expect(bar).to_have_attribute("value", str(done))
    notebook.execute(SAME.format(reps=done))
    assert notebook.python("bool(lab.result.table.equals(expected))")
    assert notebook.complaints == []


DONE_ABOVE = """(least) => {
  const bar = document.querySelector('.hw-RecoveryLab progress');
  return bar && bar.value > least;
}"""


def test_a_slider_moved_in_a_run_begins_it_again(finland: Notebook) -> None:
    lab = shown_lab(finland)
    finland.execute("lab.reps = 300")
    hands.button(lab, "Run").click()
    finland.page.wait_for_function(DONE_ABOVE, arg=5, timeout=30_000)
    hands.press(finland, hands.slider(lab, "σ, spread"), "Home")
    finland.settles("lab.sigma", 0)
    assert finland.python("lab.running")
    hands.shows(lab, "The figures rest on 300 of 300 repetitions.", seconds=60)
    finland.execute(SAME.format(reps=300))
    assert finland.python("bool(lab.result.table.equals(expected))")
    assert finland.python("lab.result.setups == {lab.design.label: lab.design}")
    assert finland.complaints == []


def test_errors_show_in_the_widget_and_closing_ends_a_run(finland: Notebook) -> None:
    lab = shown_lab(finland)
    with hands.broken(finland, "hw.widgets.recovery_lab", "run"):
        hands.button(lab, "Run").click()
        hands.shows(lab, "This could not be drawn: no luck")
        assert finland.python("lab.running") is False
    finland.execute("lab.reps = 2000; lab.run()")
    finland.page.wait_for_function(DONE_ABOVE, arg=5, timeout=30_000)
    hands.closes(finland, "lab", lab)
    assert finland.python("lab.running") is False
    assert finland.complaints == []


@pytest.mark.slow
@pytest.mark.parametrize("theme", hands.THEMES)
def test_texts_stand_out_in_both_themes(open_notebook: Open, lab: LabServer, theme: str) -> None:
    with hands.in_theme(lab, theme):
        notebook = open_notebook("recovery-theme.ipynb", MAKE.format(arguments="reps=300"))
        notebook.run_all()
        shown = shown_lab(notebook)
        hands.button(shown, "Run").click()
        hands.shows(shown, "The figures rest on 300 of 300 repetitions.", seconds=60)
        marks = [heads(shown, name) for name in COLOURS]
        hands.stands_out(shown, marks, (*hands.TEXTS, ".hw-progress span"))
        hands.keep_picture("recovery-lab", theme, notebook.portrait(shown))
