"""The pooling dial as a student uses it: in JupyterLab, by mouse and by keyboard.

Every gesture is checked at both ends: on the Python traits and on what the page shows.
Set HIERWIDGETS_PICTURES=1 to renew the picture of the dial in lectures/images.
"""

import re

import hands
import pytest
from hands import Open
from lab import LabServer, Notebook
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

RAW, POOLED = "rgb(27, 158, 119)", "rgb(217, 95, 2)"
LECTURE_DIAL = """
from ipywidgets.widgets.widget import _instances
dial = next(w for w in _instances.values() if type(w).__name__ == "PoolingDial")
"""
MAKE = """
import hierwidgets as hw
fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load({name!r}), event="Contacted")
dial = hw.widgets.PoolingDial(fit)
dial
"""


@pytest.fixture
def finland(run_again: Open) -> Notebook:
    return run_again("dial-finland.ipynb", MAKE.format(name="finland"))


def shown_dial(notebook: Notebook) -> Locator:
    """The dial on the screen, once its picture and its text alternative are there."""
    dial = notebook.widget("PoolingDial")
    expect(dial.get_by_role("img", name=re.compile("districts"))).to_be_visible()
    dial.page.wait_for_function(f"({MIDDLES})().length > 0")
    dial.scroll_into_view_if_needed()
    return dial


def points(dial: Locator) -> Locator:
    """The raw rates, a point each."""
    return dial.locator(f'.hw-estimates path.dot[style*="stroke: {RAW}"]')


def raw_heights(dial: Locator) -> list[float]:
    """Where the raw rates are on the screen, in pixels from the top."""
    middle = "paths => paths.map(p => (r => r.top + r.height / 2)(p.getBoundingClientRect()))"
    return list(points(dial).evaluate_all(middle))


def pooled_heights(dial: Locator) -> list[float]:
    """Where the partial pooling estimates are: the diamonds of one path."""
    return [middle["y"] for middle in dial.page.evaluate(f"({MIDDLES})()")]


# The path of the diamonds goes round each: its first corner is at the height of the middle.
MIDDLES = """() => {
  const path = [...document.querySelectorAll('.hw-estimates path.line')]
    .find((each) => each.style.fill === 'POOLED');
  const place = path.getScreenCTM();
  return path.getAttribute('d').split('M').slice(1).map((part) => {
    const corners = part.replace('Z', '').split('L').map((pair) => pair.split(',').map(Number));
    const x = (corners[0][0] + corners[2][0]) / 2;
    return {x: place.a * x + place.e, y: place.d * corners[0][1] + place.f};
  });
}""".replace("POOLED", POOLED)


def diamonds(dial: Locator) -> Locator:
    return dial.locator(f'.hw-estimates path.line[style*="fill: {POOLED}"]')


def test_the_lecture_runs_and_its_dial_answers_mouse_and_keys(open_notebook: Open) -> None:
    notebook = open_notebook("00-map-and-notation.ipynb")
    notebook.run_all()
    notebook.execute(LECTURE_DIAL)
    dial = shown_dial(notebook)
    best = notebook.python("dial.sigma")
    assert round(best, 2) == 0.31

    hands.drag(notebook, hands.slider(dial, "σ, spread"), share=0.9)
    hands.shows(dial, "σ = 2.")
    dragged = float(dial.get_by_role("spinbutton", name="σ, spread, typed").input_value())
    assert 2 < dragged < 4
    notebook.settles("round(dial.sigma, 3)", dragged)  # the last of the drag's moves
    assert max(gaps(dial)) < 8  # near no pooling

    hands.press(notebook, hands.slider(dial, "σ, spread"), "Home")
    hands.shows(dial, "σ = 0.01,")
    assert notebook.python("dial.sigma") == 0.01
    pooled = pooled_heights(dial)
    assert max(pooled) - min(pooled) < 1.5  # complete pooling: one height for all

    dial.get_by_role("button", name="Snap to the fit").focus()
    notebook.page.keyboard.press("Enter")
    hands.shows(dial, "σ = 0.31,")
    assert notebook.python("dial.sigma") == best

    points(dial).last.click()
    hands.shows(dial, "309: n = 23, raw 0.435, pooled 0.268")
    assert "309" in notebook.python("str(dial.selected)")
    assert notebook.complaints == []


def gaps(dial: Locator) -> list[float]:
    pairs = zip(raw_heights(dial), pooled_heights(dial), strict=True)
    return [abs(raw - pooled) for raw, pooled in pairs]


def test_every_control_has_a_name_and_its_keys(finland: Notebook) -> None:
    dial = shown_dial(finland)
    expect(dial).to_match_aria_snapshot(
        """
        - combobox "district"
        - combobox "Scale"
        - slider "σ, spread"
        - spinbutton "σ, spread, typed": "0.310"
        - slider "μ, centre"
        - spinbutton "μ, centre, typed": "-1.372"
        - button "Snap to the fit"
        - 'spinbutton "imagine one more district: y contacted"'
        - spinbutton "of n respondents"
        - status: /σ = 0.31, μ = -1.37. Own data carry/
        - img /14 districts. raw rates 0.09 to 0.43/
        - img /Profile log-likelihood of sigma. highest, -552.26, at sigma 0.31/
        - img /Weight of each district's own data, 0.30 to 0.72, against its n, 23 to 179/
        - button "Copy this state as code"
        - group: Table of the 14 estimates
        """
    )
    hands.press(finland, hands.slider(dial, "σ, spread"), "ArrowRight", "ArrowUp", "ArrowLeft")
    hands.shows(dial, "σ = 0.312,")
    finland.settles("dial.sigma", 0.312)
    hands.press(finland, hands.slider(dial, "μ, centre"), "PageUp")
    finland.settles("dial.mu > -1.37", True)
    hands.press(finland, dial.get_by_role("combobox", name="district"), "ArrowDown", "ArrowDown")
    hands.shows(dial, "District 305: n = 40")
    finland.settles("dial.selected", "District 305")
    hands.press(finland, dial.get_by_role("combobox", name="Scale"), "ArrowDown")
    expect(dial.locator(".hw-estimates")).to_contain_text("logit of share contacted")
    assert finland.python("dial.scale") == "logit"
    assert finland.complaints == []


def test_typed_numbers_are_taken_or_refused_in_place(finland: Notebook) -> None:
    dial = shown_dial(finland)
    box = dial.get_by_role("spinbutton", name="σ, spread, typed")
    box.fill("1.25")
    box.press("Enter")
    hands.shows(dial, "σ = 1.25,")
    box.fill("70")
    box.press("Enter")
    refusal = dial.get_by_role("alert")
    expect(refusal).to_have_text("σ, spread: a number from 0.01 to 5, please")
    assert finland.python("dial.sigma") == 1.25
    box.fill("1")
    box.press("Enter")
    hands.shows(dial, "σ = 1,")
    expect(refusal).to_have_count(0)


@pytest.mark.parametrize("name", ["finland", "uk"])
def test_an_imagined_level_is_typed_and_shrinks_by_its_size(run_again: Open, name: str) -> None:
    notebook = run_again(f"dial-{name}.ipynb", MAKE.format(name=name))
    dial = shown_dial(notebook)
    events = dial.get_by_role("spinbutton", name="imagine one more district: y contacted")
    trials = dial.get_by_role("spinbutton", name="of n respondents")
    events.focus()
    notebook.page.keyboard.type("6")
    notebook.page.keyboard.press("Tab")
    expect(trials).to_be_focused()
    notebook.page.keyboard.type("9")
    notebook.page.keyboard.press("Enter")
    hands.shows(dial, "imagined: n = 9, raw 0.667")
    notebook.settles("dial.imagined", [6, 9])
    weight = notebook.python("float(dial.weights.extra.y[0])")
    small = squares(dial)
    assert len(small) == 3  # raw and pooled above, the weight below
    trials.fill("90")
    trials.press("Enter")
    hands.shows(dial, "imagined: n = 90, raw 0.067")
    assert notebook.python("float(dial.weights.extra.y[0])") > weight
    assert squares(dial)[2] < small[2]  # more weight: higher in the picture of weights
    trials.fill("4")
    trials.press("Enter")
    hands.shows(dial, "6 contacted of 4 respondents cannot be: y is at most n")
    assert notebook.python("dial.imagined") is None
    expect(dial.locator(SQUARES).first).not_to_be_visible()
    assert notebook.complaints == []


SQUARES = 'path.dot[style*="stroke: rgb(231, 41, 138)"]'


def squares(dial: Locator) -> list[float]:
    """Heights of what stands for the imagined level, from the top of the page."""
    middle = "paths => paths.map(p => (r => r.top + r.height / 2)(p.getBoundingClientRect()))"
    return list(dial.locator(SQUARES).evaluate_all(middle))


@pytest.mark.parametrize("name", ["finland", "uk"])
def test_a_click_in_the_weights_picks_a_level(run_again: Open, name: str) -> None:
    notebook = run_again(f"dial-{name}.ipynb", MAKE.format(name=name))
    dial = shown_dial(notebook)
    x, y = notebook.page.evaluate(WEIGHT_POINT)
    notebook.page.mouse.click(x, y)
    hands.shows(dial, "its own data carry")
    n, weight = (notebook.python(f"float(dial.weights.ring.{axis}[0])") for axis in ("x", "y"))
    hands.shows(dial, f"n = {n:g}, raw")
    hands.shows(dial, f"carry {weight:.0%} of the weight")
    expect(dial.get_by_role("combobox", name="district")).not_to_have_value("none")
    assert notebook.python("dial.selected in dial.estimates.names")
    assert notebook.complaints == []


# The middle of the last diamond of the picture of weights: a level with many trials.
WEIGHT_POINT = """() => {
  const path = [...document.querySelectorAll('.hw-weights path.line')]
    .find((each) => each.style.fill === 'POOLED');
  const corners = path.getAttribute('d').split('M').at(-1).replace('Z', '').split('L')
    .map((pair) => pair.split(',').map(Number));
  const at = path.getScreenCTM();
  const [x, y] = [(corners[0][0] + corners[2][0]) / 2, corners[0][1]];
  return [at.a * x + at.e, at.d * y + at.f];
}""".replace("POOLED", POOLED)


def test_a_click_on_a_diamond_picks_its_level(finland: Notebook) -> None:
    dial = shown_dial(finland)
    at = finland.page.evaluate(f"({MIDDLES})()")[3]
    finland.page.mouse.click(at["x"], at["y"])
    finland.settles("dial.selected == dial.estimates.names[3]", True)
    hands.shows(dial, "District 305: n = 40")


def test_the_table_opens_by_key_and_follows(finland: Notebook) -> None:
    dial = shown_dial(finland)
    dial.locator("summary").focus()
    finland.page.keyboard.press("Enter")
    row = dial.get_by_role("row", name="District 309")
    expect(row).to_have_text("District 309230.4350.2680.2020.303")
    finland.execute("dial.sigma = 0.01")
    expect(row).to_have_text("District 309230.4350.2020.2020.000")
    expect(dial.get_by_role("row")).to_have_count(15)


def test_an_error_shows_in_the_widget_and_closing_removes_it(finland: Notebook) -> None:
    dial = shown_dial(finland)
    with hands.broken(finland, "hw.widgets.pooling_dial", "pooling_columns"):
        hands.press(finland, hands.slider(dial, "σ, spread"), "ArrowRight")
        hands.shows(dial, "This could not be drawn: no luck")
    hands.press(finland, hands.slider(dial, "σ, spread"), "ArrowRight")
    hands.shows(dial, "σ = 0.315,")
    hands.closes(finland, "dial", dial)


def test_253_districts_work_and_fit_a_1280_pixel_window(run_again: Open) -> None:
    notebook = run_again("dial-uk.ipynb", MAKE.format(name="uk"))
    dial = shown_dial(notebook)
    assert len(pooled_heights(dial)) == points(dial).count() == 253
    assert hands.overflow(notebook) <= 0
    before = max(gaps(dial))
    hands.press(notebook, hands.slider(dial, "σ, spread"), "PageUp", "PageUp")
    hands.shows(dial, "σ = 2.")
    assert max(gaps(dial)) < before
    dial.get_by_role("combobox", name="Scale").select_option("logit")
    expect(dial.locator(".hw-estimates")).to_contain_text("logit of share contacted")
    triangles = notebook.python("[len(dial.estimates.below.x), len(dial.estimates.above.x)]")
    assert min(triangles) > 0
    assert points(dial).count() == 253
    points(dial).last.click()
    hands.shows(dial, "raw 1.000")
    assert notebook.python("dial.selected in dial.estimates.above.names.tolist()")
    assert notebook.complaints == []


@pytest.mark.slow
@pytest.mark.parametrize("theme", hands.THEMES)
def test_texts_stand_out_in_both_themes(open_notebook: Open, lab: LabServer, theme: str) -> None:
    with hands.in_theme(lab, theme):
        notebook = open_notebook("dial-theme.ipynb", MAKE.format(name="finland"))
        notebook.run_all()
        dial = shown_dial(notebook)
        hands.stands_out(dial, [points(dial), diamonds(dial)])
        hands.keep_picture("pooling-dial", theme, dial.screenshot())
