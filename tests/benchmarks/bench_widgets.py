"""Time from a slider step to the painted frame, in a browser with the real fit behind, per widget.

    make bench BENCH_ARGS="widgets [--only=WIDGET,WIDGET]"

It prints a row of a table for each widget as it is measured, then what was missed, and ends with 1
if a target was: the median step of every widget, and how far the picture is behind the mouse when a
drag of 60 moves ends, the median of three drags to one side and back. A widget takes three quarters
of a minute, all of them a quarter of an hour.

Milliseconds are a machine's own, so the first row is a peer: a slider of ipywidgets, a label and
253 points of bqplot, which a callback moves. Each other row says how many times that step it takes.

A step's clock starts at the time stamp of the browser's key event and stops after the paint of the
last frame in which anything inside the widget changed; of the chain clinic, inside the traces and
ranks, for the parameters that are not shown are judged anew when the slider rests. A drag moves
the mouse once in each of the browser's frames, which is as often as a page hears of it; its clock
starts with the last move. Of the prior dial a drag ends where its draws can still be weighed; in a
row of its own it ends beyond, and there the pictures alone are watched, for that new draws are
taken is told of when the slider has rested. Each drag begins when nothing is being computed.
What follows the page's own paint, the raster of its layers and the screen, is not in the figures.
"""

import os
import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from lab import LabServer, Notebook, chromium, lab_server, write_notebook
from playwright.sync_api import Locator, Page

STEP_MS = 45.0
LAG_MS = 120.0
STEPS = 60
MOVES = 60
DRAGS = 3
REST_MS = 700.0  # after a drag; what is computed at rest has begun by then
WARM_UP = 10  # steps, for both compilers


@dataclass(frozen=True)
class Case:
    """A widget on data: how it is made, and the name of the slider that is stepped.

    `redrawn` selects the parts whose redraw ends a step; `rest` is how long (ms) nothing must
    have changed there before the next one. `ends` are the shares of the slider's track between
    which it is dragged, and `note` what the table says of that; `busy` selects what is to be seen
    while the widget computes by itself.
    """

    widget: str
    made: str
    slider: str
    levels: int | None = None
    redrawn: str = ".hw-instrument"
    rest: float = 120.0
    ends: tuple[float, float] = (0.05, 0.95)
    note: str = ""
    busy: str = ""

    @property
    def name(self) -> str:
        """As a row of the table begins."""
        slider = self.slider + (f", {self.note}" if self.note else "")
        return f"{self.widget:22s} {slider:34s} {self.levels or 0:6d}"


SETUP = """
import hierwidgets as hw
finland, uk = hw.load("finland"), hw.load("uk")
one = hw.glmer("contacted ~ 1 + (1 | district_id)", finland, event="Contacted")
two = hw.glmer("contacted ~ 1 + (1 | district_id)", uk, event="Contacted")
"""
WITH_LINE = """
line = hw.glmer(
    "contacted ~ district_competitiveness + (1 | district_id)", {data}, event="Contacted")
"""
PAGE = """
pair = hw.glmer(
    "contacted ~ district_competitiveness * electoral_rules + (1 | district_id)"
    " + (1 + district_competitiveness | election_id)", hw.load("rainey2015"), event="Contacted")
"""
PAIR = PAGE + 'widget = hw.widgets.BoundaryExplorer(pair, penalty="Wishart")'
PAGE_EFFECT = (
    PAGE + 'widget = hw.widgets.CompetitivenessEffect(pair, "district_competitiveness", low=0.5)'
)
SLOPES = """
from hierwidgets.course.models import REGIONS
from hierwidgets.course.studies import regions
widget = hw.widgets.SlopeShrinkage(hw.glmer(REGIONS, regions.survey(regions=200)[0]))"""
EFFECT = WITH_LINE + 'widget = hw.widgets.CompetitivenessEffect(line, "district_competitiveness")'
POLLED = """
from hierwidgets.course.models import POLL
from hierwidgets.course.studies.poststratification import country, survey
cells = country()
widget = hw.widgets.Poststrat(hw.glmer(POLL, survey(cells, 1000, seed=1)), cells)"""
PAGE_PRIORS = 'widget = hw.widgets.PriorDial(hw.load_posterior("rainey2015"))'
STRIP = 'widget = hw.widgets.DistrictStrip({data}, "contacted", "district_id", "Contacted"{more})'
BY_HAND = Case(
    "by hand",
    """
import ipywidgets
import numpy as np
from bqplot import Axis, Figure, LinearScale, Scatter

n = np.arange(253.0)
scales = {"x": LinearScale(), "y": LinearScale(min=-3, max=3)}
points = Scatter(x=n, y=np.sin(n), scales=scales)
axes = [Axis(scale=scales["x"]), Axis(scale=scales["y"], orientation="vertical")]
shown = ipywidgets.VBox([ipywidgets.HTML("1"), Figure(marks=[points], axes=axes)])
slider = ipywidgets.FloatSlider(value=1.5, min=0, max=3, step=0.01, description="factor")

def move(change):
    shown.children[0].value = f"{change.new:.2f}"
    points.y = change.new * np.sin(n)

slider.observe(move, "value")
shown.add_class("hw-by-hand")
widget = ipywidgets.VBox([slider, shown]).add_class("hw-instrument")
""",
    "factor",
    253,
    ".hw-by-hand",
)
CASES = [
    Case("PoolingDial", "widget = hw.widgets.PoolingDial(one)", "σ, spread", 14),
    Case("PoolingDial", "widget = hw.widgets.PoolingDial(two)", "σ, spread", 253),
    Case("PriorTimesLikelihood", "widget = hw.widgets.PriorTimesLikelihood(one)",
         "σ, prior spread", 14),
    Case("PriorTimesLikelihood", "widget = hw.widgets.PriorTimesLikelihood(two)",
         "σ, prior spread", 253),
    Case("IntegralLens", "widget = hw.widgets.IntegralLens(one)", "σ, sd of the districts", 14),
    Case("IntegralLens", "widget = hw.widgets.IntegralLens(two)", "σ, sd of the districts", 253),
    Case("BoundaryExplorer", PAIR, "strength of the penalty", 567),
    Case("Poststrat", POLLED, "share of degree", 40),
    Case("PriorDial", 'widget = hw.widgets.PriorDial(hw.load_posterior("finland"))',
         "sds, scale", 14),
    Case("PriorDial", PAGE_PRIORS, "sds, scale", 567, ends=(0.15, 0.95)),
    Case("PriorDial", PAGE_PRIORS, "sds, scale", 567, ".hw-parameter, .hw-quantity",
         ends=(0.02, 0.95), note="beyond", busy=".hw-progress"),
    Case("PoolingComparison", 'widget = hw.widgets.PoolingComparison(one, highlight="n range")',
         "n from", 14),
    Case("PoolingComparison", 'widget = hw.widgets.PoolingComparison(two, highlight="n range")',
         "n from", 253),
    Case("CompetitivenessEffect", EFFECT.format(data="uk"), "σ, spread", 253),
    Case("CompetitivenessEffect", EFFECT.format(data="uk"), "low value", 253),
    Case("CompetitivenessEffect", PAGE_EFFECT, "low value", 567, ends=(0.05, 0.6)),
    Case("DistrictStrip", STRIP.format(data="uk", more=", shown=120"), "districts in view", 253),
    Case("GenerativeLadder", "widget = hw.widgets.GenerativeLadder()", "σγ1, elections", 40),
    Case("Guess309", "widget = hw.widgets.Guess309()", "your guess", 14),
    Case("RecoveryLab", "widget = hw.widgets.RecoveryLab()", "σ, spread", 14),
    Case("RecoveryLab", 'widget = hw.widgets.RecoveryLab(n="uk")', "σ, spread", 253),
    Case("SlopeShrinkage", SLOPES, "correlation", 200),
    Case("ChainClinic", 'widget = hw.widgets.ChainClinic(hw.load_posterior("finland"))',
         "thin, keep 1 in", 14, ".hw-traces, .hw-ranks", 600.0),
    Case("ChainClinic", 'widget = hw.widgets.ChainClinic(hw.load_posterior("rainey2015"))',
         "thin, keep 1 in", 567, ".hw-traces, .hw-ranks", 600.0),
]  # fmt: skip

# Before any script of the page, for d3 keeps the function it finds when it is loaded.
KNOW_FRAMES = """
  const frames = window.hwFrames = {
    drawing: false, nextFrame: window.requestAnimationFrame.bind(window),
  };
  window.requestAnimationFrame = (callback) => frames.nextFrame((time) => {
    frames.drawing = true;
    try { callback(time); } finally { queueMicrotask(() => { frames.drawing = false; }); }
  });
"""
WATCH = """(parts) => {
  const widget = document.querySelector('.hw-instrument');
  const clock = window.hwClock = {started: 0, changed: 0, painted: 0, moves: 0, redrawn: false};
  const soon = () => scheduler.postTask( // posted during a frame, it runs after its paint
    () => { clock.painted = performance.now(); }, {priority: 'user-blocking'});
  const {nextFrame} = window.hwFrames;
  const start = (event) => {
    Object.assign(clock, {started: event.timeStamp, changed: 0, painted: 0, redrawn: false});
  };
  widget.addEventListener('keydown', start, true);
  widget.addEventListener('input', (event) => { clock.moves += 1; start(event); }, true);
  const inside = (target, where) => (target.parentElement ?? target).closest(where);
  new MutationObserver((all) => {
    const changes = all.filter(({target}) => inside(target, parts));
    if (!changes.length) return;
    clock.changed = performance.now();
    clock.redrawn ||= changes.some(({target}) => !inside(target, '.hw-slider'));
    if (window.hwFrames.drawing) soon(); // painted at the end of this very frame
    else nextFrame(soon);
  }).observe(widget, {attributes: true, childList: true, characterData: true, subtree: true});
}"""
RANGE = """(slider) => {
  if (slider.type === 'range') {
    return [+slider.min, +slider.max, slider.valueAsNumber, +slider.step || 1];
  }
  const told = (name) => +slider.getAttribute('aria-value' + name);
  return [told('min'), told('max'), told('now'), 0.01];
}"""
# The slider's own thumb moves at once; the redraw is what changes outside the slider.
SETTLED = """(quiet) => {
  const {started, changed, painted, redrawn} = window.hwClock;
  return redrawn && painted > changed && performance.now() - Math.max(painted, started) > quiet;
}"""


def main(names: list[str] | None = None) -> int:
    """Measure, print, and say whether every target is met."""
    executable = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if executable is None:
        print("no Chromium on the path; install it with: apt-get install chromium")
        return 1
    asked = names or only(sys.argv)
    if unknown := set(asked) - {case.widget for case in CASES}:
        print(f"no widget called {sorted(unknown)}; there are {sorted({c.widget for c in CASES})}")
        return 2
    cases = [case for case in CASES if not asked or case.widget in asked]
    load = os.getloadavg()[0]
    columns = " ".join(f"{name:>8s}" for name in ("median", "by hand", "p95", "lag", "longest"))
    print(f"{'widget':22s} {'slider':34s} {'groups':>6s} {columns}")
    with tempfile.TemporaryDirectory() as folder:
        root, state = Path(folder, "notebooks"), Path(folder, "state")
        root.mkdir()
        state.mkdir()
        with lab_server(root, state) as server, chromium(executable) as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 1100})
            page.add_init_script(KNOW_FRAMES)
            hand = peer(page, server)
            missed = [
                text
                for i, case in enumerate(cases)
                for text in measure(page, server, case, i, hand)
            ]
    print(f"missed: {'; '.join(missed)}" if missed else "every target is met")
    print(
        f"targets: step {STEP_MS:g} ms, lag {LAG_MS:g} ms; load average {load:.1f} before, "
        f"{os.getloadavg()[0]:.1f} after, on {os.cpu_count()} cores: measure at rest"
    )
    return int(bool(missed))


def only(words: list[str]) -> list[str]:
    """The widgets that ``--only=`` names."""
    asked = [word.removeprefix("--only=") for word in words if word.startswith("--only=")]
    return [name for names in asked for name in names.split(",") if name]


def peer(page: Page, server: LabServer) -> float:
    """Print the row of the widget by hand, and give its median step (ms)."""
    notebook = opened(page, server, BY_HAND, "by-hand")
    median, p95 = spread(key_steps(page, slider_of(page, BY_HAND), BY_HAND.rest))
    notebook.leave()
    print(f"{BY_HAND.name} {median:5.1f} ms     1.0x {p95:5.1f} ms", flush=True)
    return median


def measure(page: Page, server: LabServer, case: Case, number: int, hand: float) -> list[str]:
    """Print one row of the table; what it misses of the targets, in words."""
    notebook = opened(page, server, case, f"case{number}")
    slider = slider_of(page, case)
    median, p95 = spread(key_steps(page, slider, case.rest))
    lags = [drag_lag(page, slider, case) for _ in range(DRAGS)]
    notebook.leave()
    lag = statistics.median(lags)
    shown = " ".join(f"{value:5.1f} ms" for value in (p95, lag, max(lags)))
    named = " ".join(case.name.split())
    missed = [
        f"{named}: {what} {value:.1f} ms ({most:g})"
        for what, value, most in (("step", median, STEP_MS), ("lag", lag, LAG_MS))
        if value > most
    ]
    verdict = "MISSED" if missed else "ok"
    print(f"{case.name} {median:5.1f} ms {median / hand:7.1f}x {shown}  {verdict}", flush=True)
    return missed


def opened(page: Page, server: LabServer, case: Case, name: str) -> Notebook:
    """The case's notebook after Run All, its slider in focus and its changes watched."""
    write_notebook(server.root / f"{name}.ipynb", SETUP + case.made + "\nwidget")
    notebook = Notebook(page, server, f"{name}.ipynb")
    notebook.run_all()
    slider_of(page, case).focus()
    page.wait_for_timeout(1500)  # the start-up of Lab, which is not what is measured
    page.evaluate(WATCH, case.redrawn)
    return notebook


def slider_of(page: Page, case: Case) -> Locator:
    """What is stepped; the one by hand has no name, for ipywidgets gives it none."""
    name = None if case is BY_HAND else case.slider
    return page.locator(".hw-instrument").get_by_role("slider", name=name)


def spread(times: list[float]) -> tuple[float, float]:
    """Median and 95 % quantile."""
    return statistics.median(times), sorted(times)[int(0.95 * len(times))]


def key_steps(page: Page, slider: Locator, quiet: float) -> list[float]:
    """Milliseconds from each arrow key press to the paint of the finished redraw."""
    times = []
    low, high, start, by = slider.evaluate(RANGE)
    ahead = start < 0.5 * (low + high)
    turn = min(10, round((high - start if ahead else start - low) / by))  # never past an end
    for step in range(STEPS + WARM_UP):
        forward = (step % (2 * turn) < turn) == ahead
        page.keyboard.press("ArrowRight" if forward else "ArrowLeft")
        page.wait_for_function(SETTLED, arg=quiet, polling=20)
        clock = page.evaluate("window.hwClock")
        times.append(clock["painted"] - clock["started"])
    return times[WARM_UP:]


def drag_lag(page: Page, slider: Locator, case: Case) -> float:
    """Milliseconds from the last of the moves of a drag to the paint that ends its redraws.

    It goes from where the slider is to the end that is farther away.
    """
    box = slider.bounding_box()
    assert box is not None
    low, high, start, _ = slider.evaluate(RANGE)
    now = (start - low) / (high - low)
    thumb, y = 16, box["y"] + box["height"] / 2
    track = box["width"] - thumb
    page.evaluate("() => { window.hwClock.moves = 0; }")
    page.mouse.move(box["x"] + thumb / 2 + now * track, y)
    page.mouse.down()
    end = max(case.ends, key=lambda share: abs(share - now))
    for move in range(1, MOVES + 1):
        share = now + (end - now) * move / MOVES
        page.mouse.move(box["x"] + thumb / 2 + share * track, y)
        page.evaluate("() => new Promise((go) => window.hwFrames.nextFrame(go))")
    page.mouse.up()
    page.wait_for_function(SETTLED, arg=400.0, polling=100)
    clock = page.evaluate("window.hwClock")
    assert clock["moves"] > 0.5 * min(MOVES, high - low) * abs(end - now), clock
    page.wait_for_timeout(REST_MS)
    if case.busy:
        page.locator(case.busy).wait_for(state="hidden", timeout=120_000)
    return float(clock["painted"] - clock["started"])


if __name__ == "__main__":
    sys.exit(main([word for word in sys.argv[1:] if not word.startswith("--")]))
