"""The lectures in the browser: how long a visitor waits, and what the tab takes.

``PYTHONPATH=tests python -m benchmarks lite`` opens lecture 00 of ``site/lite`` (made by ``make
lite``) in a new Chromium, runs all of it, and takes the time from the address to the first
instrument on the screen; then a second page of the same browser, whose cache is filled. Memory is
that of the page's process when every cell has run (Linux's PSS). The server is this machine, so
there is no network in it; the size of what is fetched is printed beside.
"""

import os
import shutil
import statistics
import sys
import time
from pathlib import Path

import psutil
from playwright.sync_api import BrowserContext

from benchmarks.bench_classroom import judge, proportional

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "browser"))
LECTURE = "00-map-and-notation.ipynb"
FIRST_S, SECOND_S, TAB_MIB = 25.0, 12.0, 900.0
TIMES = 3
READY = "() => window.jupyterapp?.shell.currentWidget?.context?.sessionContext?.session?.kernel"
RUN = """window.hwRan = false; void jupyterapp.commands.execute('notebook:run-all-cells')
  .then(() => { window.hwRan = true })"""
INSTRUMENT = ".hw-instrument .bqplot svg, .hw-instrument input"


def visit(context: BrowserContext, url: str) -> tuple[float, float]:
    """Seconds from the address to the first instrument, and MiB of the page when all has run."""
    page = context.new_page()
    begun = time.perf_counter()
    page.goto(url)
    page.wait_for_function(READY, timeout=120_000)
    page.evaluate(RUN)
    # Run All leaves the last cell on the screen: the instrument is drawn above it, unseen.
    page.locator(INSTRUMENT).first.wait_for(state="attached", timeout=300_000)
    seconds = time.perf_counter() - begun
    page.wait_for_function("window.hwRan", timeout=300_000)
    mib = largest_page()
    page.close()
    return seconds, mib


def largest_page() -> float:
    """MiB of the largest of this process's pages: Chromium has one process for each."""
    children = psutil.Process().children(recursive=True)
    pages = [child for child in children if "--type=renderer" in child.cmdline()]
    return max(proportional(page) for page in pages)


def main() -> int:
    from lab import chromium
    from lite import served

    site, browser_path = ROOT / "site" / "lite", shutil.which("chromium")
    if not (site / "lab" / "index.html").exists():
        raise SystemExit("there is no site/lite: make lite")
    if browser_path is None:
        raise SystemExit("no Chromium on the path; install it with: apt-get install chromium")
    visits = []
    with served(site) as serving:
        for _ in range(TIMES):
            with chromium(browser_path) as browser:
                context = browser.new_context(viewport={"width": 1280, "height": 900})
                url = serving.url(LECTURE)
                visits.append([visit(context, url), visit(context, url)])
    first = statistics.median(both[0][0] for both in visits)
    second = statistics.median(both[1][0] for both in visits)
    missed = judge(
        [
            (f"first widget, of {TIMES} browsers", first, FIRST_S, "s"),
            ("the same at a second visit", second, SECOND_S, "s"),
            ("the tab when all has run", max(m for b in visits for _, m in b), TAB_MIB, "MiB"),
        ]
    )
    packages = next((site / "static" / "pyodide").glob("packages-*.bin")).stat().st_size
    print(f"packages fetched at the first visit: {packages / 1e6:.1f} MB")
    print(f"load average at the end: {os.getloadavg()[0]:.1f}")
    return missed


if __name__ == "__main__":
    sys.exit(main())
