"""Time from a slider step to the painted frame, in a browser with the real fit behind, per widget.

Run it with ``python tests/benchmarks/bench_widgets.py [WIDGET ...]``; it prints a table and ends
with 1 if a target is missed: the median step of every widget, and how far the picture is behind
the mouse when a drag of 60 moves ends.

A step's clock starts at the time stamp of the browser's key event and stops after the paint of the
last frame in which anything inside the widget changed; of the chain clinic, inside the traces and
ranks, for the parameters that are not shown are judged anew when the slider rests. A drag moves
the mouse once in each of the browser's frames, which is as often as a page hears of it; its clock
starts with the last move.
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
from playwright.sync_api import Browser, Locator, Page

STEP_MS = 60.0
LAG_MS = 150.0
STEPS = 60
MOVES = 60
WARM_UP = 10  # steps, for both compilers


@dataclass(frozen=True)
class Case:
    """A widget on data: how it is made, and the name of the slider that is stepped.

    `redrawn` selects the parts whose redraw ends a step; `rest` is how long (ms) nothing must
    have changed there before the next one.
    """

    widget: str
    made: str
    slider: str
    levels: int | None = None
    redrawn: str = ".hw-instrument"
    rest: float = 120.0


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
PAIR = """
pair = hw.glmer(
    "contacted ~ district_competitiveness * electoral_rules + (1 | district_id)"
    " + (1 + district_competitiveness | election_id)", hw.load("rainey2015"), event="Contacted")
widget = hw.widgets.BoundaryExplorer(pair, penalty="Wishart")"""
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
STRIP = 'widget = hw.widgets.DistrictStrip({data}, "contacted", "district_id", "Contacted"{more})'
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
    Case("PriorDial", 'widget = hw.widgets.PriorDial(hw.load_posterior("rainey2015"))',
         "sds, scale", 567),
    Case("PoolingComparison", 'widget = hw.widgets.PoolingComparison(one, highlight="n range")',
         "n from", 14),
    Case("PoolingComparison", 'widget = hw.widgets.PoolingComparison(two, highlight="n range")',
         "n from", 253),
    Case("CompetitivenessEffect", EFFECT.format(data="uk"), "σ, spread", 253),
    Case("CompetitivenessEffect", EFFECT.format(data="uk"), "low value", 253),
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
    cases = [case for case in CASES if not names or case.widget in names]
    print(f"{'widget':22s} {'slider':18s} {'groups':>6s} {'median':>8s} {'p95':>8s} {'lag':>8s}")
    with tempfile.TemporaryDirectory() as folder:
        root, state = Path(folder, "notebooks"), Path(folder, "state")
        root.mkdir()
        state.mkdir()
        with lab_server(root, state) as server, chromium(executable) as browser:
            missed = [not measure(browser, server, case) for case in cases]
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores: measure at rest")
    return int(any(missed))


def measure(browser: Browser, server: LabServer, case: Case) -> bool:
    """Print one row of the table; whether it meets both targets."""
    write_notebook(server.root / "case.ipynb", SETUP + case.made + "\nwidget")
    page = browser.new_page(viewport={"width": 1280, "height": 1100})
    page.add_init_script(KNOW_FRAMES)
    notebook = Notebook(page, server, "case.ipynb")
    notebook.run_all()
    slider = page.locator(".hw-instrument").get_by_role("slider", name=case.slider)
    slider.focus()
    page.wait_for_timeout(1500)  # the start-up of Lab, which is not what is measured
    page.evaluate(WATCH, case.redrawn)
    times = key_steps(page, slider, case.rest)
    lag = drag_lag(page, slider)
    notebook.shut_down()
    median, p95 = statistics.median(times), sorted(times)[int(0.95 * len(times))]
    verdict = []
    if median > STEP_MS:
        verdict.append(f"step over {STEP_MS:g} ms")
    if lag > LAG_MS:
        verdict.append(f"lag over {LAG_MS:g} ms")
    print(
        f"{case.widget:22s} {case.slider:18s} {case.levels:6d} {median:5.1f} ms {p95:5.1f} ms "
        f"{lag:5.1f} ms  {', '.join(verdict) or 'ok'}", flush=True,
    )  # fmt: skip
    return not verdict


def key_steps(page: Page, slider: Locator, quiet: float) -> list[float]:
    """Milliseconds from each arrow key press to the paint of the finished redraw."""
    times = []
    start = float(slider.input_value())
    low, high = float(slider.get_attribute("min") or 0), float(slider.get_attribute("max") or 1)
    by = float(slider.get_attribute("step") or 1)
    ahead = start < 0.5 * (low + high)
    turn = min(10, round((high - start if ahead else start - low) / by))  # never past an end
    for step in range(STEPS + WARM_UP):
        forward = (step % (2 * turn) < turn) == ahead
        page.keyboard.press("ArrowRight" if forward else "ArrowLeft")
        page.wait_for_function(SETTLED, arg=quiet, polling=100)
        clock = page.evaluate("window.hwClock")
        times.append(clock["painted"] - clock["started"])
    return times[WARM_UP:]


def drag_lag(page: Page, slider: Locator) -> float:
    """Milliseconds from the last of the moves of a drag to the paint that ends its redraws."""
    box = slider.bounding_box()
    assert box is not None
    low, high = float(slider.get_attribute("min") or 0), float(slider.get_attribute("max") or 1)
    now = (float(slider.input_value()) - low) / (high - low)
    thumb, y = 16, box["y"] + box["height"] / 2
    track = box["width"] - thumb
    page.evaluate("() => { window.hwClock.moves = 0; }")
    page.mouse.move(box["x"] + thumb / 2 + now * track, y)
    page.mouse.down()
    end = 0.95 if now < 0.5 else 0.05
    for move in range(1, MOVES + 1):
        share = now + (end - now) * move / MOVES
        page.mouse.move(box["x"] + thumb / 2 + share * track, y)
        page.evaluate("() => new Promise((go) => window.hwFrames.nextFrame(go))")
    page.mouse.up()
    page.wait_for_function(SETTLED, arg=400.0, polling=100)
    clock = page.evaluate("window.hwClock")
    assert clock["moves"] > 0.5 * min(MOVES, high - low) * abs(end - now), clock
    return float(clock["painted"] - clock["started"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
