"""What the gallery gives to try, at every instrument, is done by keyboard alone and comes true.

The gallery is opened once. Each test goes to an instrument by Tab, does what the text above it
says, and reads the outcome where a screen reader would: the status line, the text alternatives of
the pictures, the tables.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from keyboard import Keyboard, number
from lab import LabServer, Notebook
from playwright.sync_api import Browser, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

At = Callable[[str], Keyboard]


@pytest.fixture(scope="module")
def at(browser: Browser, lab: LabServer) -> Iterator[At]:
    """``at(name)`` brings the keyboard to the instrument of that class in the gallery."""
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    notebook = Notebook(page, lab, "widgets.ipynb")
    notebook.run_all(300)
    page.locator(".jp-Cell").first.focus()

    def come(name: str) -> Keyboard:
        keyboard = Keyboard(notebook, name)
        keyboard.enter()
        return keyboard

    yield come
    assert notebook.complaints == []
    notebook.shut_down()


def column(table: dict[str, list[str]], place: int) -> dict[str, float]:
    """The numbers of a table at one place, by row."""
    return {name: number(values[place]) for name, values in table.items()}


def test_two_tabs_after_running_a_cell_lead_into_its_instrument(at: At) -> None:
    """So the first cell says. Running goes first, and makes the instrument anew."""
    strip = at("DistrictStrip")
    prompt = strip.page.locator(".jp-Cell.jp-mod-active .jp-InputArea-prompt")
    before = prompt.inner_text()
    strip.page.keyboard.press("Control+Enter")
    expect(prompt).not_to_have_text(before)
    expect(prompt).to_have_text(re.compile(r"\d"))  # has run
    strip.says("90 % Wald intervals")
    strip.page.keyboard.press("Tab")
    strip.page.keyboard.press("Tab")
    first = strip.instrument.get_by_role("combobox", name="district")
    expect(first).to_be_focused()


def test_district_strip(at: At) -> None:
    strip = at("DistrictStrip")
    strip.choose("Sort by", "n")
    strip.sees("14 districts, sorted by n")
    before = strip.table()
    sizes, rates = column(before, 0), column(before, 2)
    assert sizes[max(rates, key=lambda d: rates[d])] == min(sizes.values())
    strip.choose("Interval", "95 %")
    strip.says("95 % Wald intervals")
    wide = strip.table()
    for district, (_, _, _, low, high) in wide.items():
        assert number(high) - number(low) > number(before[district][4]) - number(
            before[district][3]
        )
    strip.choose("Method", "Wilson")
    strip.says("95 % Wilson intervals")
    strip.comes_to(lambda table: table != wide)
    notice = {d: abs(number(v[3]) - number(wide[d][3])) for d, v in strip.table().items()}
    largest = sorted(sizes, key=lambda d: sizes[d])[-4:]
    assert max(notice[d] for d in largest) < max(notice.values()) / 3


def test_guess309(at: At) -> None:
    guess = at("Guess309")
    expect(guess.instrument.get_by_role("button", name="Reveal")).to_be_disabled()
    assert all(values == ["hidden"] for values in guess.table().values())
    assert "268" not in guess.instrument.aria_snapshot()
    guess.slide("your guess", *["PageUp"] * 3)
    guess.says("Your guess is 0.300.")
    guess.press("Reveal")
    guess.says("Your guess 0.300; raw rate 0.435, partial pooling 0.268, overall rate 0.207.")
    reasons = guess.instrument.get_by_role("group", name="Reasons").get_by_role("button")
    for place, says in enumerate(["23 answers", "is higher", "0.132 and 0.297", "30 %"]):
        guess.go(reasons.nth(place))
        guess.page.keyboard.press("Enter")
        expect(guess.instrument.locator(".hw-reason").nth(place)).to_contain_text(says)
        expect(reasons.nth(place)).to_have_attribute("aria-expanded", "true")


def test_prior_times_likelihood(at: At) -> None:
    voices = at("PriorTimesLikelihood")
    weight = re.compile(r"own data carry (\d+)% of the weight")

    def heard() -> int:
        found = weight.search(voices.says(weight))
        assert found is not None
        return int(found[1])

    as_fitted = heard()
    voices.slide("σ, prior spread", "Home")
    voices.says("own data carry 0% of the weight")
    voices.slide("σ, prior spread", "End")
    voices.says(re.compile("own data carry (9[5-9]|100)% of the weight"))
    voices.press("Back to data and fit")
    voices.says(f"own data carry {as_fitted}% of the weight")
    narrow = column({k: v for k, v in voices.table().items() if k == "posterior"}, 3)["posterior"]
    low = number(voices.table()["posterior"][2])
    voices.type("both times", "10")
    voices.says("y = 100, n = 230 (10 and 23, × 10), raw rate 0.435")
    assert heard() > 2 * as_fitted
    after = voices.table()["posterior"]
    assert number(after[3]) - number(after[2]) < 0.6 * (narrow - low)
    assert abs(number(after[0]) - number(voices.table()["likelihood"][0])) < 0.2


def test_integral_lens(at: At) -> None:
    lens = at("IntegralLens")

    def error() -> float:
        found = re.search(r"its area is ([\d.]+) % too", lens.says("its area is"))
        assert found is not None
        return float(found[1])

    lens.slide("nodes", "Home")
    lens.says("By 1 node")
    errors = [error()]
    for count in range(2, 10):
        lens.slide("nodes", "ArrowRight")
        lens.says(f"By {count} nodes")
        if count < 4:
            errors.append(error())
    lens.sees("right to 9 digits with 9 nodes")
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < errors[0] / 100  # two nodes more, two digits
    before = column(lens.table(), 1)
    lens.slide("σ, sd of the districts", "End")
    lens.comes_to(lambda table: column(table, 1) != before)
    after = column(lens.table(), 1)
    assert all(abs(after[k]) > 3 * abs(before[k]) for k in ("1", "3", "5"))
    estimates = lens.sees("The estimates from 1 node to 25")
    sigma, mu = (
        [number(v) for v in re.findall(rf"{name} from (\S+) to ([^\s;]+)", estimates)[0]]
        for name in ("sigma", "Intercept")
    )
    assert sigma[1] - sigma[0] > 0.05 > 2 * abs(mu[1] - mu[0])


def test_pooling_dial(at: At) -> None:
    dial = at("PoolingDial")
    dial.slide("σ, spread", "Home")
    dial.says("at σ = 0.01")
    dial.comes_to(lambda table: len(set(column(table, 2).values())) == 1)
    dial.slide("σ, spread", "End")
    dial.says("at σ = 5")
    dial.comes_to(
        lambda table: all(abs(number(v[1]) - number(v[2])) < 0.01 for v in table.values())
    )
    dial.press("Snap to the fit")
    dial.says("0.00 below the best possible")
    at_fit = column(dial.table(), 2)
    assert at_fit["308"] > at_fit["309"]
    dial.slide("σ, spread", *["ArrowRight"] * 5)
    dial.comes_to(lambda table: column(table, 2)["309"] > column(table, 2)["308"])


def test_pooling_comparison(at: At) -> None:
    lines = at("PoolingComparison")
    lines.choose("Highlight", "districts that change places")
    lines.says(re.compile("change places"))
    table = lines.table()
    swapped = [name for name, values in table.items() if values[-1] not in ("", "0")]
    assert {"308", "309"} <= set(swapped)
    lines.choose("district", "309")
    lines.says("It changes places with 308.")
    assert number(table["309"][0]) < number(table["308"][0])  # the fewer answers
    lines.choose("Model", "Britain")
    lines.says("of 31,878 pairs of districts change places")
    lines.choose("Highlight", "n in a range")
    lines.type("n to", "1")
    lines.says("Highlighted: 57 with n = 1; they move by")


def test_competitiveness_effect(at: At) -> None:
    effect = at("CompetitivenessEffect")
    effect.says("PR +0.05 [-0.01, 0.11]; SMD +0.30 [0.23, 0.38]")
    effect.slide("low value", *["ArrowRight"] * 5)
    effect.says("district competitiveness 0.535 to 0.8")
    effect.type("high value", "0.7")
    told = effect.says("district competitiveness 0.535 to 0.7: PR +0.0")
    assert re.search(r"SMD \+0\.1\d \[0\.\d\d, 0\.\d\d\]", told)
    before = column(effect.table(), 4)
    effect.tick("district competitiveness in the model")
    effect.says("Without district competitiveness")
    effect.comes_to(lambda table: column(table, 4) != before)
    moved = [abs(v - before[d]) for d, v in column(effect.table(), 4).items()]
    assert max(moved) > 0.1


def test_generative_ladder(at: At) -> None:
    ladder = at("GenerativeLadder")
    spread = "σγ1, elections' slopes"
    ladder.slide(spread, "Home")
    ladder.comes_to(lambda t: t["SMD at 0"][-1] == t["SMD at 1"][-1])  # the slope is shared
    ladder.slide(spread, "End")
    ladder.comes_to(lambda t: number(t["SMD at 1"][-1]) > 2)
    ladder.slide("ρ, intercepts with slopes", "Home")
    found = re.search(r"most alike at (0\.\d+)", ladder.says("Elections are most alike at 0."))
    assert found is not None
    ladder.sees(
        re.compile(rf"elections under PR.*their lines are most alike at {found[1]}, sd 0.00")
    )
    curves = [v[:4] for v in ladder.table().values()]
    deltas = "δ00, intercept of SMD"
    ladder.choose("Coding", "PR is 0")
    expect(ladder.instrument.get_by_role("slider", name=deltas)).to_have_count(0)
    assert [v[:4] for v in ladder.table().values()] == curves
    district = "One election under SMD"
    before = ladder.sees(district)
    ladder.press("Draw again")
    ladder.says("Draw 2 (seed 2)")
    assert ladder.sees(district) != before
    assert [v[:4] for v in ladder.table().values()] == curves


def test_recovery_lab(at: At) -> None:
    lab = at("RecoveryLab")

    def winner(sigma: str) -> str:
        lab.type("σ, spread", sigma)
        lab.press("Run")
        lab.says("200 repetitions", seconds=120)
        expect(lab.instrument.get_by_role("button", name="Stop")).to_be_disabled(timeout=120_000)
        rmse = [float(v.split()[0]) for v in lab.table()["RMSE"]]
        return ("no", "partial", "complete")[rmse.index(min(rmse))]

    lab.says("One draw of 14 groups")
    assert winner("0.31") == "partial"
    assert winner("0") == "complete"
    assert winner("2") in ("no", "partial")
    rmse = [float(v.split()[0]) for v in lab.table()["RMSE"]]
    assert rmse[2] > 3 * rmse[0]  # the one rate for all is far off


def test_slope_shrinkage(at: At) -> None:
    pairs = at("SlopeShrinkage")
    own, pooled = re.compile(r"own intercept (\S+) and"), re.compile(r"pooling intercept (\S+) and")
    for corr, way in (("-0.9", "downwards"), ("0.9", "upwards")):
        pairs.type("correlation", corr)
        pairs.says("so they line up along it")
        pairs.sees(re.compile(f"lean {way} to the right"))
    pairs.slide("sd of slopes", "Home")
    pairs.says("sd of slopes 0.00")
    pairs.comes_to(lambda t: len(set(column(t, 4).values())) == 1)
    pairs.press("Snap to the fit")
    told = pairs.says("At the fit")
    centre = re.search(r"Centre at (\S+) and", pairs.sees("Centre at"))
    assert centre is not None

    def away(text: str) -> float:
        ends = [number(found[1]) for found in (own.search(text), pooled.search(text)) if found]
        return abs(ends[1] - number(centre[1])) - abs(ends[0] - number(centre[1]))

    assert away(told) > 0
    tried = 0
    while away(told) > 0:
        pairs.slide("correlation", *["ArrowLeft"] * 10)
        told = pairs.says(re.compile("R016"))
        tried += 1
        assert tried < 30
    assert "At the fit" not in told


def test_boundary_explorer(at: At) -> None:
    map_ = at("BoundaryExplorer")

    def where(table: dict[str, list[str]]) -> tuple[float, ...]:
        return tuple(map(number, table["maximum under the penalty"][:2]))

    def at_strength(*keys: str) -> tuple[float, ...]:
        before = where(map_.table())
        map_.slide("strength of the penalty", *keys)
        map_.comes_to(lambda table: where(table) != before)
        return where(map_.table())

    weak = at_strength("Home")
    strong = at_strength("End")
    assert weak[1] > 0.9 > strong[1]
    edges = {}
    for penalty in ("LKJ", "gamma"):  # each keeps off one edge, Wishart off both
        map_.choose("Penalty", penalty)
        map_.comes_to(lambda t, old=strong: where(t) != old)
        edges[penalty] = where(map_.table())
    assert abs(edges["LKJ"][1]) < 0.5
    assert abs(edges["gamma"][1]) > 0.9
    assert edges["gamma"][0] > 2 * weak[0]
    for name, value in (
        ("true sd of the slopes", "0.5"),
        ("true correlation", "0"),
        ("true sd of the heights", "1"),
    ):
        map_.type(name, value)
    map_.says("an sd of 0.50 and a correlation of 0.00")
    map_.type("surveys of each size", "10")
    map_.press("Run")
    map_.says("Singular fits from it: ", seconds=180)
    shares = map_.sees("Share of singular fits")
    found = [float(v) for v in re.findall(r"(\d+) %", shares)]
    assert found
    assert found[0] > found[-1]


def test_chain_clinic(at: At) -> None:
    clinic = at("ChainClinic")
    for run, says in (
        ("as printed", "R-hat"), ("our draws", "R-hat"), ("made to fail", "stuck: R-hat 1.41"),
    ):  # fmt: skip
        clinic.choose("Run", run)
        clinic.says(says)
    clinic.tick("chain 4")
    clinic.comes_to(lambda t: number(t["stuck"][0]) < 1.01)
    table = clinic.table()
    assert table["stuck"][-1] == "passes" or "above" not in table["stuck"][-1]
    assert number(table["slow"][0]) > 1.01
    assert "above 1.01" in table["slow"][-1]


def test_prior_dial(at: At) -> None:
    dial = at("PriorDial")
    election, district = "sd Intercept | election_id", "sd Intercept | district_id"
    before = dial.table()
    dial.type("sds, scale", "0.5")
    dial.comes_to(lambda t: t[election][3] != before[election][3])
    after = dial.table()
    assert number(after[election][3]) < 0.9 * number(before[election][3])
    assert abs(number(after[district][3]) / number(before[district][3]) - 1) < 0.05
    dial.choose("Above", district)
    dial.says(f"{district}: mean")
    for shape in ("half-normal", "gamma, 0 at 0"):
        dial.choose("sds, prior", shape)
        dial.sees(re.compile(rf"^Curves of sd Intercept \| district_id.*of the sds: {shape}"))
    dial.choose("coefficients, prior", "normal")
    dial.choose("sds, prior", "half-t")
    name = "coefficients, scale"
    status = dial.instrument.get_by_role("status")
    for _ in range(20):
        dial.slide(name, "PageDown")
        dial.page.wait_for_timeout(1000)  # a student looks at what it says
        if "Too far from the draws" in status.inner_text():
            break
    dial.says(re.compile("Too far from the draws|Drawn anew"))
    dial.says("Drawn anew under these priors", seconds=240)


def test_poststrat(at: At) -> None:
    rates = at("Poststrat")
    census, modelled = (number(rates.table()[k][3]) for k in ("poststratified", "modelled"))
    rates.press("As the sample")
    rates.comes_to(lambda t: number(t["poststratified"][3]) > (census + modelled) / 2)
    rates.press("As the census")
    rates.says("to the census: 0.341")
    ends = []
    for key in ("Home", "End"):
        before = rates.table()["poststratified"][3]
        rates.slide("share of degree", key)
        rates.comes_to(lambda t, old=before: t["poststratified"][3] != old)
        ends.append(number(rates.table()["poststratified"][3]))
    assert ends[0] < 0.32 < 0.46 < ends[1]
    rates.press("As the census")
    rates.choose("Weights by", "age")
    rates.sees("Below, by age")
    ends = []
    for key in ("Home", "End"):
        before = rates.table()["poststratified"][3]
        rates.slide("share of 60+", key)
        rates.comes_to(lambda t, old=before: t["poststratified"][3] != old)
        ends.append(number(rates.table()["poststratified"][3]))
    assert ends[0] < 0.341 < ends[1]


def test_your_own_data(at: At) -> None:
    own = at("YourOwnData")
    own.press("Fit the model")
    own.says("756 rows in 253 districts: μ = -0.85, σ = 0.71.", seconds=60)
    own.sees("Profile log-likelihood of sigma")
    own.choose("Picture", "the comparison")
    own.sees("253 districts as lines over three rows")
    own.choose("Predictor", "district_competitiveness")
    own.press("Fit the model")
    picture = own.instrument.get_by_role("combobox", name="Picture")
    expect(picture).to_contain_text(re.compile(r"the\seffect"), timeout=60_000)
    own.choose("Picture", "the effect")
    own.sees(re.compile("probability against district competitiveness"))
    own.choose("Outcome", "district_id")
    own.says(re.compile("district_id"))
    own.press("Copy this state as code")
    line: Any = own.instrument.get_by_role("textbox", name="This state as code")
    expect(line).to_have_value(re.compile(r"^hw\.widgets\.YourOwnData\("))
