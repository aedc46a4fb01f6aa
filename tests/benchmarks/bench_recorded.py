"""A recorded instrument on a static page: its size, how soon it can be used, how long a step takes.

Run it with ``PYTHONPATH=tests python -m benchmarks recorded``; it prints a table and ends with 1 if
a target is missed. The page is served by a plain web server on this machine. It is opened twice,
and the second time counts: the browser has compiled the player before. A step's clock starts with
the slider's event and stops after the paint of the last frame in which anything inside the
instrument changed, as in `bench_widgets`.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from lab import chromium
from playwright.sync_api import Page
from support.paths import LECTURES
from support.static_pages import served, write_page

import hierwidgets as hw
from hierwidgets.course.recordings import MOST_BYTES, PLAYER, build_player
from hierwidgets.widgets.recording import record

STEP_MS = 40.0
USABLE_S = 1.0
PLAYS = 'figure[data-recorded="plays"]'
STEPS = """async (slider, count) => {
  const instrument = slider.closest(".hw-instrument"), times = [];
  for (let i = 0; i < count; i += 1) {
    let last = performance.now();
    const began = last, watch = new MutationObserver(() => requestAnimationFrame(() => {
      setTimeout(() => { last = performance.now(); });
    }));
    watch.observe(instrument, {subtree: true, childList: true, attributes: true});
    slider.value = Number(slider.value) + 1;
    slider.dispatchEvent(new Event("input", {bubbles: true}));
    await new Promise((go) => setTimeout(go, 120));
    watch.disconnect();
    times.push(last - began);
  }
  return times;
}"""


def _recorded(out: Path) -> tuple[int, float]:
    """The dial of Finland, recorded into a folder: bytes, and seconds of the processor."""
    fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")
    began = time.process_time()
    made = record(hw.widgets.PoolingDial(fit))
    assert made is not None
    (out / "dial-0.bin").write_bytes(made.to_bytes())
    (out / "index.json").write_text('{"dial-0": {}}', encoding="utf-8")
    return len(made.to_bytes()), time.process_time() - began


def _opened(page: Page, address: str) -> float:
    began = time.perf_counter()
    page.goto(address + "index.html")
    page.wait_for_selector(PLAYS, timeout=60_000)
    return time.perf_counter() - began


def main() -> int:
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if executable is None:
        print("no chromium found")
        return 1
    with tempfile.TemporaryDirectory() as folder, chromium(executable) as browser:
        out = Path(folder, "instruments")
        out.mkdir()
        build_player(LECTURES / PLAYER, out)
        size, seconds = _recorded(out)
        write_page(Path(folder, "index.html"), [("dial-0", "PoolingDial")])
        with served(Path(folder)) as address:
            page = browser.new_page(viewport={"width": 1000, "height": 900})
            first, again = _opened(page, address), _opened(page, address)
            slider = page.get_by_role("slider", name="σ, spread")
            slider.evaluate(STEPS, 10)
            step = statistics.median(slider.evaluate(STEPS, 60))
    print(f"recorded in {seconds:.0f} s of one processor; first opening {first:.2f} s")
    rows = (
        ("size, kB", size / 1000, MOST_BYTES / 1000),
        ("usable, s", again, USABLE_S),
        ("step, ms", step, STEP_MS),
    )
    for name, found, target in rows:
        print(f"{name:12} {found:8.2f}  target {target:g}  {'' if found <= target else 'MISSED'}")
    return int(any(found > target for _, found, target in rows))


if __name__ == "__main__":
    sys.exit(main())
