"""Prior times likelihood as a student uses it: drag, click, type, and by keyboard alone.

Set HIERWIDGETS_PICTURES=1 to renew its picture in lectures/images.
"""

import re

import hands
import pytest
from hands import Open
from lab import LabServer, Notebook
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

PRIOR, DATA, POSTERIOR, PLUG_IN = (
    f"rgb({rgb})" for rgb in ("117, 112, 179", "27, 158, 119", "217, 95, 2", "166, 118, 29")
)
FINLAND = """
import hierwidgets as hw
fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")
shown = hw.widgets.PriorTimesLikelihood(fit)
shown
"""
UK = """
import hierwidgets as hw
fit = hw.glmer("contacted ~ district_competitiveness + (1 | district_id)", hw.load("uk"),
               event="Contacted")
shown = hw.widgets.PriorTimesLikelihood(fit)
shown
"""


@pytest.fixture
def finland(run_again: Open) -> Notebook:
    return run_again("prior-finland.ipynb", FINLAND)


def shown(notebook: Notebook) -> Locator:
    return hands.on_screen(notebook, "PriorTimesLikelihood", "Curves of", ".hw-curves path.line")


def curve(found: Locator, colour: str) -> Locator:
    return found.locator(f'.hw-curves path.line[style*="stroke: {colour}"]')


def mode(found: Locator, colour: str) -> float:
    """Where a curve's filled diamond is, in pixels from the left."""
    middle = "path => (r => r.left + r.width / 2)(path.getBoundingClientRect())"
    dots = found.locator(f'.hw-curves path.dot[style*="fill: {colour}"]')
    return float(dots.first.evaluate(middle))


def typed(found: Locator, name: str, value: str) -> None:
    box = found.get_by_role("spinbutton", name=f"{name}, typed")
    box.fill(value)
    box.press("Enter")


def test_prior_and_data_pull_the_posterior(finland: Notebook) -> None:
    found = shown(finland)
    expect(found).to_match_aria_snapshot(
        """
        - combobox "district"
        - combobox "Scale"
        - 'checkbox "full Bayes: average over μ, σ"'
        - slider "σ, prior spread"
        - spinbutton "σ, prior spread, typed": "0.310"
        - slider "μ, prior centre"
        - spinbutton "μ, prior centre, typed": "-1.372"
        - slider "n, respondents"
        - spinbutton "n, respondents, typed": "23"
        - slider "y, contacted"
        - spinbutton "y, contacted, typed": "10"
        - slider "both times"
        - spinbutton "both times, typed": "1.000"
        - button "Back to data and fit"
        - status: /District 309. y = 10, n = 23, raw rate 0.435. Posterior. mode 0.262/
        - img /Curves of District 309 on the probability scale/
        - group: Table of the curves
        """
    )
    assert mode(found, PRIOR) < mode(found, POSTERIOR) < mode(found, DATA)
    before, data = mode(found, POSTERIOR), mode(found, DATA)
    hands.drag(finland, hands.slider(found, "both times"), share=1.0)
    hands.shows(found, "(10 and 23, × 16)")
    finland.settles("shown.multiplier", 16)
    assert before + 20 < mode(found, POSTERIOR) < data
    assert abs(mode(found, DATA) - data) < 1  # the rate is the same
    hands.press(finland, hands.slider(found, "σ, prior spread"), "Home")
    finland.settles("shown.sigma", 0.01)
    hands.shows(found, "own data carry 1% of the weight")
    assert mode(found, POSTERIOR) - mode(found, PRIOR) < 10
    found.get_by_role("button", name="Back to data and fit").focus()
    finland.page.keyboard.press("Enter")
    hands.shows(found, "Posterior: mode 0.262, mean 0.270, 90 % interval 0.192 to 0.358")
    assert finland.python("shown.multiplier") == 1

    typed(found, "n, respondents", "5")
    hands.shows(found, "y = 5, n = 5, raw rate 1.000")
    assert finland.python("[shown.y, shown.n]") == [5, 5]
    hands.press(finland, hands.slider(found, "y, contacted"), "Home", "ArrowRight")
    hands.shows(found, "y = 1, n = 5, raw rate 0.200")
    typed(found, "y, contacted", "6")
    expect(found.get_by_role("alert")).to_have_text("y, contacted: a number from 0 to 5, please")
    assert finland.python("shown.y") == 1
    check_errors_and_the_end(finland, found)
    assert finland.complaints == []


def check_errors_and_the_end(notebook: Notebook, found: Locator) -> None:
    with hands.broken(notebook, "hw.widgets.prior_times_likelihood", "shrinkage"):
        hands.press(notebook, hands.slider(found, "σ, prior spread"), "ArrowRight")
        hands.shows(found, "This could not be drawn: no luck")
    hands.press(notebook, hands.slider(found, "σ, prior spread"), "ArrowRight")
    hands.shows(found, "y = 1, n = 5")
    hands.closes(notebook, "shown", found)


def test_full_bayes_and_the_other_scale_by_keyboard(finland: Notebook) -> None:
    found = shown(finland)
    expect(curve(found, PLUG_IN)).to_be_hidden()
    switch = found.get_by_role("checkbox", name="full Bayes: average over μ, σ")
    switch.focus()
    finland.page.keyboard.press("Space")
    hands.shows(found, "Full Bayes posterior: mode 0.247, mean 0.291")
    hands.shows(found, "Plug-in posterior: mode 0.262, mean 0.270, 90 % interval 0.192 to 0.358")
    finland.settles("shown.full_bayes", True)
    rows = found.locator(".hw-curves .tick text")
    expect(rows.filter(has_text="plug-in")).to_have_count(1)
    hands.press(finland, found.get_by_role("combobox", name="Scale"), "ArrowDown")
    expect(found.locator(".hw-curves")).to_contain_text("logit of share contacted")
    expect(found.get_by_role("img", name=re.compile("on the logit scale"))).to_be_visible()
    assert finland.python("shown.scale") == "logit"
    hands.press(finland, found.get_by_role("combobox", name="district"), "ArrowDown")
    hands.shows(found, "District 304: y = 35, n = 153")
    found.locator("summary").focus()
    finland.page.keyboard.press("Enter")
    expect(found.get_by_role("row")).to_have_count(5)
    switch.focus()
    finland.page.keyboard.press("Space")
    expect(found.get_by_role("row")).to_have_count(4)
    expect(rows.filter(has_text="plug-in")).to_have_count(0)
    assert finland.complaints == []


def test_a_model_with_a_predictor_in_a_narrow_pane(open_notebook: Open) -> None:
    notebook = open_notebook("prior-uk.ipynb", UK, width=700)
    notebook.run_all()
    found = shown(notebook)
    assert hands.overflow(notebook) <= 0
    assert hands.cut_off(found) == []
    level = notebook.python("shown.level")
    hands.shows(found, f"{level}: y = ")
    assert found.get_by_role("combobox", name="district").locator("option").count() == 253
    before, said = mode(found, POSTERIOR), found.locator(".hw-status").inner_text()
    hands.press(notebook, hands.slider(found, "μ, intercept"), "PageUp")
    expect(found.locator(".hw-status")).not_to_have_text(said)
    notebook.settles("bool(shown.mu > fit.fixef['Intercept'])", True)
    assert mode(found, POSTERIOR) > before + 3
    assert notebook.complaints == []


@pytest.mark.slow
@pytest.mark.parametrize("theme", hands.THEMES)
def test_texts_stand_out_in_both_themes(open_notebook: Open, lab: LabServer, theme: str) -> None:
    with hands.in_theme(lab, theme):
        notebook = open_notebook("prior-theme.ipynb", FINLAND)
        notebook.run_all()
        found = shown(notebook)
        hands.stands_out(found, [curve(found, colour) for colour in (PRIOR, DATA, POSTERIOR)])
        hands.keep_picture("prior-times-likelihood", theme, notebook.portrait(found))
