"""A student without a mouse at one instrument: keys alone, and what a screen reader has to say.

Nothing here clicks or focuses: the way to a control is by Tab, as far as it takes.
"""

import re
import time
from collections.abc import Callable

from lab import Notebook
from playwright.sync_api import Locator, expect

FURTHEST = 40  # presses of Tab to a control, or of an arrow to an option


class Keyboard:
    """The instrument of a class, and the keys.

    Parameters
    ----------
    notebook
        With the instrument in it, run.
    name
        Of the instrument's class.
    """

    def __init__(self, notebook: Notebook, name: str) -> None:
        self.notebook, self.page = notebook, notebook.page
        self.instrument = notebook.widget(name).first
        self._name = name

    # --- going ---

    def enter(self) -> None:
        """From wherever the keyboard is to the instrument's cell, in command mode."""
        for _ in range(FURTHEST):  # out of another instrument, whose arrows are its own
            if self.page.evaluate("() => document.activeElement.matches('.jp-Cell')"):
                break
            self.page.keyboard.press("Shift+Tab")
        way = self.page.evaluate(WAY_TO_CELL, self._name)
        for _ in range(abs(way)):
            self.page.keyboard.press("ArrowDown" if way > 0 else "ArrowUp")
        assert self.page.evaluate(WAY_TO_CELL, self._name) == 0

    def go(self, control: Locator) -> Locator:
        """Tab to a control; back, where it is not ahead."""
        expect(control).to_be_enabled()
        for key in ("Tab", "Shift+Tab"):
            for _ in range(FURTHEST):
                if control.evaluate("(node) => node === document.activeElement"):
                    return control
                if key == "Tab" and not self._is_inside():
                    break
                self.page.keyboard.press(key)
        raise AssertionError(f"Tab does not reach {control}")

    def _is_inside(self) -> bool:
        return bool(self.page.evaluate(INSIDE, self._name))

    # --- doing ---

    def slide(self, name: str, *keys: str) -> None:
        """Move a slider by keys: arrows, Home and End, Page Up and Down."""
        self.go(self.instrument.get_by_role("slider", name=name, exact=True))
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, name: str, text: str) -> None:
        """Type a number into the box of a slider."""
        self.go(self.instrument.get_by_role("spinbutton", name=f"{name}, typed", exact=True))
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def choose(self, name: str, option: str) -> None:
        """Take an option of a menu by the arrow keys."""
        menu = self.go(self.instrument.get_by_role("combobox", name=name, exact=True))
        texts = [text.replace("\xa0", " ") for text in menu.locator("option").all_inner_texts()]
        exact = [i for i, text in enumerate(texts) if text == option]
        (place,) = exact or [i for i, text in enumerate(texts) if text.startswith(option)]
        now = menu.evaluate("(node) => node.selectedIndex")
        for _ in range(abs(place - now)):
            self.page.keyboard.press("ArrowDown" if place > now else "ArrowUp")
        assert menu.evaluate("(node) => node.selectedIndex") == place

    def press(self, name: str) -> None:
        """Press a button."""
        self.go(self.instrument.get_by_role("button", name=name, exact=True))
        self.page.keyboard.press("Enter")

    def tick(self, name: str) -> None:
        """Turn a switch."""
        self.go(self.instrument.get_by_role("checkbox", name=name))
        self.page.keyboard.press("Space")

    # --- reading ---

    def says(self, text: str | re.Pattern[str], seconds: float = 30) -> str:
        """The status, once that is in it."""
        status = self.instrument.get_by_role("status").first  # another picture's comes later
        expect(status).to_contain_text(text, timeout=1000 * seconds)
        return status.inner_text()

    def sees(self, text: str | re.Pattern[str]) -> str:
        """The text alternative of the one picture that has this in it."""
        picture = self.instrument.get_by_role("img", name=text)
        expect(picture).to_have_count(1)
        return picture.get_attribute("aria-label") or ""

    def table(self, place: int = 0) -> dict[str, list[str]]:
        """What stands in a table after the name of each row; it is opened by key."""
        details = self.instrument.get_by_role("group").filter(has=self.page.locator("summary"))
        one = details.nth(place)
        if not one.evaluate("(node) => node.open"):
            summary = one.locator("summary")
            self.go(summary)
            self.page.keyboard.press("Enter")
        expect(one.get_by_role("row").nth(1)).to_be_visible()
        texts = one.get_by_role("row").evaluate_all(CELLS)
        return {row[0]: row[1:] for row in texts[1:]}

    def comes_to(self, is_so: Callable[[dict[str, list[str]]], bool], place: int = 0) -> None:
        """Read the table until it is so."""
        deadline = time.monotonic() + 30
        while not is_so(found := self.table(place)):
            assert time.monotonic() < deadline, found
            self.page.wait_for_timeout(100)


def number(text: str) -> float:
    """A number as it is printed."""
    return float(text.replace("\N{MINUS SIGN}", "-").replace(",", "").rstrip("%").strip())


# The body has the keyboard when a button that was pressed is no longer to be pressed: Tab goes on
# from where the button is.
INSIDE = """(name) => {
  const here = document.activeElement;
  return here === document.body
    || Boolean(here.closest('.jp-Cell')?.querySelector(`.hw-${name}`));
}"""
CELLS = "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText))"
WAY_TO_CELL = """(name) => {
  const notebook = jupyterapp.shell.currentWidget.content;
  return notebook.widgets.findIndex((cell) => cell.node.querySelector(`.hw-${name}`))
    - notebook.activeCellIndex;
}"""
