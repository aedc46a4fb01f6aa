"""The effect of a group-level predictor as a student uses it: by mouse, by keyboard, typing.

Great Britain with one predictor and 253 districts, and several countries from a fit and from the
shipped draws. Every gesture is checked at both ends: on the Python traits and on the page. Set
HIERWIDGETS_PICTURES=1 to renew the picture in lectures/images.
"""

import re

import hands
import pytest
from hands import Open
from lab import LabServer, Notebook
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

RAW, POINTS = "rgb(27, 158, 119)", "rgb(217, 95, 2)"
X = "district_competitiveness"
UK = f"""
import hierwidgets as hw
fit = hw.glmer("contacted ~ {X} + (1 | district_id)", hw.load("uk"), event="Contacted")
effect = hw.widgets.CompetitivenessEffect(fit, "{X}", low=0.5, high=0.8)
effect
"""
FIT = f"""
import hierwidgets as hw
model = hw.glmer(
    "contacted ~ {X} * electoral_rules + (1 | district_id) + (1 + {X} | election_id)",
    hw.load("rainey2015"), event="Contacted")
effect = hw.widgets.CompetitivenessEffect(model, "{X}", low=0.3, high=0.8)
effect
"""
DRAWS = f"""
import hierwidgets as hw
model = hw.load_posterior("rainey2015")
effect = hw.widgets.CompetitivenessEffect(model, "{X}", low=0.3, high=0.8)
effect
"""


@pytest.fixture
def uk(run_again: Open) -> Notebook:
    return run_again("effect-uk.ipynb", UK)


def shown(notebook: Notebook) -> Locator:
    """The instrument on the screen, once its points and its text alternative are there."""
    effect = notebook.widget("CompetitivenessEffect")
    expect(effect.get_by_role("img", name=re.compile("districts"))).to_be_visible()
    effect.page.wait_for_function(f"({HEIGHTS})().length > 0")
    effect.scroll_into_view_if_needed()
    return effect


def points(effect: Locator, colour: str) -> Locator:
    return effect.locator(f'.hw-facets-0 path.dot[style*="stroke: {colour}"]')


def heights(effect: Locator) -> list[float]:
    """Where the pooled points are on the screen, in pixels from the top."""
    return list(effect.page.evaluate(f"({HEIGHTS})()"))


# Beside raw rates the pooled points are one path that goes round each diamond, from a corner at
# the height of its middle; in facets they are points.
HEIGHTS = """() => {
  const all = (kind) => [...document.querySelectorAll(`.hw-facets-0 path.${kind}`)];
  const dots = all('dot').filter((each) => each.style.stroke === 'POINTS');
  if (dots.length) return dots.map((dot) => dot.getBoundingClientRect())
    .map((box) => box.top + box.height / 2);
  const path = all('line').find((each) => each.style.fill === 'POINTS');
  if (!path?.getAttribute('d')) return [];
  const place = path.getScreenCTM();
  return path.getAttribute('d').split('M').slice(1)
    .map((part) => place.f + place.d * Number(part.split('L')[0].split(',')[1]));
}""".replace("POINTS", POINTS)


def spread(effect: Locator) -> float:
    return max(heights(effect)) - min(heights(effect))


def rows(effect: Locator, title: str) -> Locator:
    effect.locator("summary", has_text=title).click()
    return effect.get_by_role("region", name=title).get_by_role("row")


def arrived(notebook: Notebook, effect: Locator) -> float:
    """The low value on the screen, once the kernel has it too."""
    box = effect.get_by_role("spinbutton", name="low value, typed")
    value = float(box.input_value())
    notebook.settles("effect.low", value)
    return value


def test_every_control_has_a_name(uk: Notebook) -> None:
    effect = shown(uk)
    expect(effect).to_match_aria_snapshot(
        """
        - combobox "district"
        - combobox "Show"
        - combobox "Target"
        - combobox "Interval"
        - checkbox "district competitiveness in the model" [checked]
        - slider "σ, spread"
        - spinbutton "σ, spread, typed": "0.598"
        - slider "γ₁, slope"
        - spinbutton "γ₁, slope, typed": "3.87"
        - slider "low value"
        - spinbutton "low value, typed": "0.500"
        - slider "high value"
        - spinbutton "high value, typed": "0.800"
        - button "Snap to the fit"
        - status: /one-step 0.789/
        - img /253 districts against district competitiveness. estimates 0.10 to 0.56/
        - img /probability against district competitiveness, typical. all 0.187 at 0.5/
        - group: Table of the 253 estimates
        - group: Table of the quantities of interest
        """
    )
    assert hands.overflow(uk) <= 0
    assert len(heights(effect)) == points(effect, RAW).count() == 253
    assert uk.complaints == []


def test_the_switch_and_sigma_show_how_points_shrink(uk: Notebook) -> None:
    effect = shown(uk)
    hands.shows(effect, "σ of district = 0.60")
    switch = effect.get_by_role("checkbox", name="district competitiveness")
    switch.focus()
    uk.page.keyboard.press("Space")
    hands.shows(effect, "Without district competitiveness: σ of district = 0.71")
    hands.shows(effect, "shown estimates has slope 0.175")
    uk.settles("effect.with_predictor", False)
    expect(effect.get_by_role("slider", name="γ₁, slope")).to_be_hidden()
    hands.press(uk, hands.slider(effect, "σ, spread"), "Home")
    hands.shows(effect, "σ of district = 0.01")
    uk.settles("effect.sigma", 0.01)
    assert spread(effect) < 2  # complete pooling: all at the mean
    switch.check()
    hands.shows(effect, "With district competitiveness: σ of district = 0.01")  # as it was set
    effect.get_by_role("button", name="Snap to the fit").click()
    hands.shows(effect, "With district competitiveness: σ of district = 0.60")
    assert spread(effect) > 30
    hands.drag(uk, hands.slider(effect, "σ, spread"), share=0.0)
    hands.shows(effect, "σ of district = 0.01")
    uk.settles("effect.sigma", 0.01)  # the last of the drag's moves
    flat = heights(effect)
    line = uk.python("[float(v) for v in effect.facets[0].heights]")
    assert len({round(a + b * 0, 1) for a, b in zip(flat, line, strict=True)}) > 20  # on the curve
    effect.get_by_role("button", name="Snap to the fit").focus()
    uk.page.keyboard.press("Enter")
    hands.shows(effect, "σ of district = 0.60")
    uk.settles("effect.moved", False)
    assert uk.complaints == []


def test_low_takes_high_along(uk: Notebook) -> None:
    effect = shown(uk)
    hands.drag(uk, hands.slider(effect, "low value"), share=0.95)
    uk.settles("0.85 < effect.low < effect.high", True)
    high = f"{uk.python('effect.high'):.3f}"
    expect(effect.get_by_role("spinbutton", name="high value, typed")).to_have_value(high)
    expect(effect.locator(".hw-problem")).to_have_count(0)
    assert uk.complaints == []


def test_the_slope_turns_the_curve(uk: Notebook) -> None:
    effect = shown(uk)
    hands.press(uk, hands.slider(effect, "γ₁, slope"), "PageUp", "PageUp")
    uk.settles("effect.slope > 4", True)
    hands.shows(effect, "below the fit's")
    box = effect.get_by_role("spinbutton", name="γ₁, slope, typed")
    box.fill("0")
    box.press("Enter")
    uk.settles("effect.slope", 0)
    for line in ("facets[0].line", "curves.curves[0]"):  # both pictures follow
        uk.settles(f"round(float(effect.{line}.y.max() - effect.{line}.y.min()), 9)", 0)
    hands.shows(effect, ": +0.00. Slopes")
    box.fill("1000")
    box.press("Enter")
    expect(effect.get_by_role("alert")).to_contain_text("γ₁, slope: a number from")


def test_low_and_high_by_mouse_keys_and_typing(uk: Notebook) -> None:
    effect = shown(uk)
    hands.drag(uk, hands.slider(effect, "low value"), share=0.1)
    dragged = arrived(uk, effect)
    assert 0.38 < dragged < 0.43
    hands.shows(effect, f"{dragged:g} to 0.8")
    exact = uk.python(
        f"hw.comparisons(fit, {{'{X}': [effect.low, 0.8]}}, hw.load('uk').head(1), "
        "re_formula='~0')['estimate'].item()"
    )
    hands.shows(effect, f"+{exact:.2f} [")
    hands.press(uk, hands.slider(effect, "high value"), "ArrowRight")
    uk.settles("effect.high > 0.8", True)
    box = effect.get_by_role("spinbutton", name="low value, typed")
    box.fill("0.5")
    box.press("Enter")
    box = effect.get_by_role("spinbutton", name="high value, typed")
    box.fill("0.8")
    box.press("Enter")
    hands.shows(
        effect, "0.5 to 0.8: +0.24 [0.15, 0.33]. Slopes: raw 0.625, two-step 0.175, one-step"
    )
    found = rows(effect, "Table of the quantities of interest")
    expect(found).to_have_count(9)
    expect(found.filter(has_text="change")).to_have_text("change0.5 to 0.80.2370.145 to 0.328")
    expect(found.filter(has_text="slope, two-step")).to_have_text("slope, two-stepall0.175")


def test_a_point_is_picked_by_click_and_by_key(uk: Notebook) -> None:
    effect = shown(uk)
    points(effect, RAW).first.click()
    hands.shows(
        effect, "District 318: district competitiveness 0.659, n = 3, raw 0.333, pooled 0.305"
    )
    assert uk.python("[effect.selected, effect.setting.levels[0]]") == ["District 318"] * 2
    hands.press(uk, effect.get_by_role("combobox", name="district"), "ArrowDown")
    hands.shows(effect, "District 319: district competitiveness 0.584, n = 1, raw 0.000")
    uk.settles("effect.selected", "District 319")
    row = rows(effect, "Table of the 253 estimates").filter(has_text="District 319")
    expect(row).to_contain_text("0.584")


def test_an_error_shows_in_the_widget_and_closing_removes_it(uk: Notebook) -> None:
    effect = shown(uk)
    box = effect.get_by_role("spinbutton", name="low value, typed")
    with hands.broken(uk, "effect.curves", "draw_marks"):
        box.fill("0.7")
        box.press("Enter")
        hands.shows(effect, "This could not be drawn: no luck")
    box.fill("0.6")
    box.press("Enter")
    hands.shows(effect, "0.6 to 0.8: +")
    hands.closes(uk, "effect", effect)


@pytest.mark.parametrize(
    "code", [pytest.param(FIT, id="fit"), pytest.param(DRAWS, id="draws", marks=pytest.mark.slow)]
)
def test_several_countries_in_facets(open_notebook: Open, code: str) -> None:
    notebook = open_notebook("effect-several.ipynb", code)
    notebook.run_all()
    effect = shown(notebook)
    facets = effect.locator(".hw-facets-0")
    for title in ("Canada (SMD)", "Finland (PR)", "Great Britain (SMD)", "Portugal 2005 (PR)"):
        expect(facets).to_contain_text(title)
    assert points(effect, POINTS).count() == 567
    assert hands.overflow(notebook) <= 0
    expect(effect.get_by_role("slider")).to_have_count(2)

    hands.press(notebook, effect.get_by_role("combobox", name="Show"), "End")
    expect(effect.locator(".hw-effect")).to_contain_text("difference of ME")
    notebook.settles("effect.quantity", "difference of marginal effects")
    effect.get_by_role("combobox", name="Interval").select_option("95%")
    notebook.settles("effect.level", 0.95)
    hands.drag(notebook, hands.slider(effect, "low value"), share=0.5)
    low = arrived(notebook, effect)
    hands.shows(effect, f"{low:g} to 0.8: PR +")
    found = rows(effect, "Table of the quantities of interest")
    row = found.filter(has_text="difference of marginal effects").first
    exact = notebook.python(
        f"hw.slopes(model, '{X}', hw.load('rainey2015').head(1).assign({X}=effect.low), "
        "across={'electoral_rules': ['PR', 'SMD']}, re_formula='~0', interval=0.95)"
        "[['estimate', 'conf_low', 'conf_high']].iloc[0].tolist()"
    )
    expect(row).to_contain_text("{:.3f}{:.3f} to {:.3f}".format(*exact))

    effect.get_by_role("combobox", name="Target").select_option("average over 567 districts")
    expect(effect.locator(".hw-status")).to_contain_text("The average district", timeout=20_000)
    if code == DRAWS:
        hands.shows(effect, "From 500 of 10,000 draws.")
    before = spread(effect)
    effect.get_by_role("checkbox", name="district competitiveness").uncheck()
    hands.shows(effect, "Without district competitiveness")
    hands.shows(effect, "In the model with it: The average")
    assert spread(effect) != before
    points(effect, POINTS).last.click()
    hands.shows(effect, "in Portugal 2005: district competitiveness")
    assert "Portugal 2005" in notebook.python("effect.selected")
    assert notebook.complaints == []


@pytest.mark.slow
@pytest.mark.parametrize("theme", hands.THEMES)
def test_texts_stand_out_in_both_themes(open_notebook: Open, lab: LabServer, theme: str) -> None:
    with hands.in_theme(lab, theme):
        notebook = open_notebook("effect-theme.ipynb", UK)
        notebook.run_all()
        effect = shown(notebook)
        pooled = effect.locator(f'.hw-facets-0 path.line[style*="fill: {POINTS}"]')
        hands.stands_out(effect, [points(effect, RAW), pooled])
        lines = effect.locator(".hw-facets-0 path.line:visible, .hw-effect path.line:visible")
        for line in lines.all():
            if line.evaluate("node => parseFloat(getComputedStyle(node).strokeWidth) >= 2"):
                assert line.evaluate(hands.CONTRAST) >= 3, line.get_attribute("style")
        hands.keep_picture("competitiveness-effect", theme, notebook.portrait(effect))
