"""The whole book: built with warnings as errors, then read as a browser reads it.

Links, anchors and alternative texts are checked in the files; axe-core looks at every page in both
themes; at three widths nothing runs over the edge. Needs what ``make site`` installs.
"""

import functools
import http.server
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest
from support.paths import LECTURES, ROOT

from hierwidgets.course.path import sections_with_cells

if TYPE_CHECKING:
    from bs4 import BeautifulSoup
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.slow, pytest.mark.browser]

AXE = LECTURES / ".book" / "node_modules" / "axe-core" / "axe.min.js"
THEMES = ("light", "dark")
WIDTHS = (400, 900, 1366)
BESIDE = ("lite/",)  # made by another command
CUT_OFF = """() => {
  const scrolls = (one) => {
    for (let e = one.parentElement; e; e = e.parentElement) {
      if (/auto|scroll/.test(getComputedStyle(e).overflowX)) return true;
    }
    return false;
  };
  const found = [];
  for (const one of document.querySelectorAll(".bd-article *")) {
    const box = one.getBoundingClientRect();
    if (!box.width || !box.height || one.closest(".katex-mathml, svg, .headerlink")) continue;
    if ((box.right > innerWidth + 1 || box.left < -1) && !scrolls(one)) {
      const ends = `${Math.round(box.left)} to ${Math.round(box.right)}`;
      found.push(`${one.tagName}.${one.className}: ${ends}`);
    }
    const style = getComputedStyle(one);
    if (/auto|scroll/.test(style.overflowX) && one.scrollWidth > one.clientWidth + 1
        && one.tabIndex < 0 && !one.querySelector("a[href], button, [tabindex='0']")) {
      found.push(`${one.tagName}.${one.className} scrolls, but not by keyboard`);
    }
  }
  if (document.documentElement.scrollWidth > innerWidth) {
    found.push(`the page is ${document.documentElement.scrollWidth} wide`);
  }
  return [...new Set(found)].slice(0, 5);
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book, built from the lectures as they are."""
    folder = tmp_path_factory.mktemp("book")
    command = [sys.executable, "-m", "hierwidgets.course", "book", "--lectures", str(LECTURES)]
    command += ["--out", str(folder / "site"), "--work", str(folder / "work")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def names(site: Path) -> list[str]:
    """The pages, from the top of the book."""
    found = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    pages = [name for name in found if not name.startswith("_")]
    assert len(pages) > 40
    return pages


@pytest.fixture(scope="module")
def soups(site: Path, names: list[str]) -> "dict[str, BeautifulSoup]":
    from bs4 import BeautifulSoup

    return {name: BeautifulSoup((site / name).read_bytes(), "html.parser") for name in names}


@pytest.fixture(scope="module")
def served(site: Path) -> Iterator[str]:
    """The address of the book, served as any file server would."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_every_link_leads_somewhere(site: Path, soups: "dict[str, BeautifulSoup]") -> None:
    ids = {name: {tag["id"] for tag in soup.find_all(id=True)} for name, soup in soups.items()}
    broken, counted = [], 0
    for name, soup in soups.items():
        for tag, key in (("a", "href"), ("img", "src"), ("script", "src"), ("link", "href")):
            for one in soup.find_all(tag, attrs={key: True}):
                address = urlsplit(str(one[key]))
                if address.scheme in ("http", "https", "mailto", "data"):
                    continue
                target = (Path(name).parent / unquote(address.path)).as_posix()
                target = _plain(target) if address.path else name
                if target.startswith(BESIDE):
                    continue
                counted += 1
                if not (site / target).is_file():
                    broken.append(f"{name}: {one[key]}")
                elif unquote(address.fragment) not in {"", *ids.get(target, ())}:
                    broken.append(f"{name}: no anchor {one[key]}")
    assert broken == []
    assert counted > 3000


def _plain(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def test_nothing_comes_from_elsewhere(site: Path, soups: "dict[str, BeautifulSoup]") -> None:
    for name, soup in soups.items():
        for tag, key in (("img", "src"), ("script", "src"), ("iframe", "src")):
            for one in soup.find_all(tag, attrs={key: True}):
                assert not str(one[key]).startswith(("http:", "https:", "//")), (name, one[key])
        for one in soup.find_all("link", rel="stylesheet"):
            assert not str(one["href"]).startswith(("http:", "https:", "//")), (name, one["href"])
    for path in site.rglob("*.css"):
        text = path.read_text(encoding="utf-8", errors="replace")
        assert "url(http" not in text, path.name
        assert "@import url(//" not in text, path.name


def test_every_picture_has_words_for_those_who_do_not_see_it(
    soups: "dict[str, BeautifulSoup]",
) -> None:
    counted = 0
    for name, soup in soups.items():
        for one in soup.select(".bd-article img"):
            counted += 1
            alt = str(one.get("alt", "")).strip()
            assert len(alt) > 20, (name, one.get("src"))
            assert not alt.endswith((".png", ".svg")), (name, alt)
    assert counted > 150


def test_formulas_are_set_and_none_failed(soups: "dict[str, BeautifulSoup]") -> None:
    for name, soup in soups.items():
        assert soup.select(".katex-error") == [], name
        for formula in soup.select(".math"):
            assert formula.select(".katex"), (name, formula.text[:60])
        for tag in soup.select(".bd-article script, .bd-article .katex-html, .bd-article pre"):
            tag.extract()
    assert len(soups["02-the-309-problem.html"].select(".katex")) > 20


def test_every_instrument_is_a_figure_and_what_is_optional_is_folded(
    soups: "dict[str, BeautifulSoup]",
) -> None:
    figures = soups["04-three-kinds-of-pooling.html"].select("figure.recorded-instrument")
    assert [(one["data-instrument"], one["data-index"]) for one in figures] == [
        ("PoolingDial", "0"),
        ("PoolingComparison", "1"),
    ]
    every = [one for soup in soups.values() for one in soup.select("figure.recorded-instrument")]
    assert len(every) > 40
    for one in every:
        assert one.find("img") is None or one.find("img")["alt"]
        assert one.find("figcaption")
    folds = soups["01-finland-no-pooling.html"].select("section > details.optional")
    lecture = sections_with_cells(LECTURES / "01-finland-no-pooling.ipynb")
    told = [cells[0].metadata.get("hierwidgets", {}).get("path") for _, cells in lecture]
    assert len(folds) == told.count("optional") > 0
    assert all(one.find_previous_sibling(["h2", "h3"]) for one in folds)


@pytest.fixture
def opened(browser: "Browser", served: str) -> "Iterator[Any]":
    """``opened(name, theme, width)`` opens a page with all its folds open."""
    contexts = []

    def open_one(name: str, theme: str, width: int) -> "Page":
        context = browser.new_context(viewport={"width": width, "height": 900})
        contexts.append(context)
        context.add_init_script(f"localStorage.mode = localStorage.theme = '{theme}'")
        page = context.new_page()
        turn(page, name)
        return page

    def turn(page: "Page", name: str) -> None:
        page.goto(served + name)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        page.evaluate("Promise.all(document.getAnimations().map(one => one.finished))")

    open_one.turn = turn  # type: ignore[attr-defined]
    yield open_one
    for context in contexts:
        context.close()


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_no_serious_fault(opened: Any, names: list[str], theme: str) -> None:
    axe = AXE.read_text(encoding="utf-8")
    found: list[str] = []
    page = opened(names[0], theme, 1366)
    for name in names:
        opened.turn(page, name)
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        page.evaluate(axe)
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        for fault in result["violations"]:
            if fault["impact"] in ("serious", "critical"):
                places = [one["html"][:160] for one in fault["nodes"][:3]]
                found.append(f"{name}: {fault['id']}, {fault['help']}: {places}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut_off(opened: Any, names: list[str], width: int) -> None:
    page = opened(names[0], "light", width)
    found = []
    for name in names:
        opened.turn(page, name)
        if faults := page.evaluate(CUT_OFF):
            found.append(f"{name}: {faults}")
    assert not found, "\n".join(found)


SIZES = """() => [...new Set(
  [...document.querySelectorAll(".bd-article :is(section, details) > p:not([class])")]
    .map((one) => getComputedStyle(one).fontSize))]"""


def test_what_is_optional_is_not_written_larger(opened: Any, names: list[str]) -> None:
    page = opened(names[0], "light", 1366)
    found = {}
    for name in names:
        opened.turn(page, name)
        found[name] = page.evaluate(SIZES)
    assert {name: sizes for name, sizes in found.items() if len(sizes) > 1} == {}


def test_the_order_of_reading_makes_sense(soups: "dict[str, BeautifulSoup]") -> None:
    """One title a page, and no heading skips a level on the way down."""
    for name, soup in soups.items():
        every = soup.select_one("#main-content").find_all(re.compile("^h[1-6]$"))
        headings = [one for one in every if not one.find_parent(id="jb-print-docs-body")]
        levels = [int(one.name[1]) for one in headings]
        assert levels[:1] == [1], name
        assert levels.count(1) == 1, name
        assert all(b <= a + 1 for a, b in pairwise(levels)), (name, levels)


def test_a_link_into_a_fold_opens_it(opened: Any, soups: "dict[str, BeautifulSoup]") -> None:
    name = "01-finland-no-pooling.html"
    inside = soups[name].select_one("details.optional section[id]")
    assert inside is not None
    page = opened("index.html", "light", 1366)
    page.goto(page.url.replace("index.html", f"{name}#{inside['id']}"))
    page.wait_for_function(
        "id => document.getElementById(id).closest('details').open", arg=inside["id"]
    )
    heading = page.locator(f"#{inside['id']} > h3")
    heading.wait_for(state="visible")


def test_the_search_finds_a_word_of_the_glossary(opened: Any) -> None:
    page = opened("index.html", "light", 1366)
    page.goto(page.url.replace("index.html", "search.html?q=exchangeable"))
    page.locator("ul.search li a", has_text="309").first.wait_for()
