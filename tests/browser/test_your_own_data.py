"""The page for data of one's own, walked through by keyboard alone, with three real files.

A CSV file, an Excel file with gaps, and an SPSS file whose values have labels; then what a student
does wrong. Set HIERWIDGETS_SHOTS to a folder to keep screenshots.
"""

import os
from pathlib import Path

import hands
import pyreadstat
import pytest
from hands import Open
from lab import Notebook
from playwright.sync_api import FileChooser, Locator, expect

import hierwidgets as hw

pytestmark = pytest.mark.browser


def write_files(folder: Path) -> dict[str, Path]:
    """Three shipped data sets as people send them round."""
    paths = {kind: folder / f"survey.{kind}" for kind in ("csv", "xlsx", "sav")}
    hw.load("finland").to_csv(paths["csv"], sep=";", encoding="cp1252", index=False)
    uk = hw.load("uk")
    uk.loc[:4, "contacted"] = None
    uk.to_excel(paths["xlsx"], index=False)
    people = hw.load("rainey2015_individual")[["Contacted", "Age", "Alpha.Polity"]]
    people.columns = ["contacted", "age", "election"]
    pyreadstat.write_sav(
        people, str(paths["sav"]), variable_value_labels={"contacted": {0: "no", 1: "yes"}},
        column_labels=["Did a party get in touch?", "", ""],
    )  # fmt: skip
    return paths


def choose_file(notebook: Notebook, own: Locator, path: Path) -> None:
    """Go to the button, press Enter, and pick the file in the window that opens."""
    button = own.get_by_role("button", name="Choose a file")
    opened: list[FileChooser] = []
    notebook.page.once("filechooser", lambda chooser: opened.append(chooser))  # it takes a while
    notebook.page.wait_for_timeout(1000)
    button.focus()
    expect(button).to_be_focused()
    with notebook.page.expect_file_chooser() as chooser:
        notebook.page.keyboard.press("Enter")
    chooser.value.set_files(str(path))


def choose(notebook: Notebook, own: Locator, name: str, value: str) -> None:
    """Go down a menu with the arrow key until it says so."""
    menu = hands.menu(own, name)
    expect(menu.get_by_role("option", name=value, exact=True)).to_be_attached()
    shown = menu.locator("option").all_text_contents()
    options = [text.replace("\xa0", " ") for text in shown]  # as ipywidgets writes them
    index = menu.evaluate("(node) => node.selectedIndex")
    step = options.index(value) - index
    hands.press(notebook, menu, *["ArrowDown" if step > 0 else "ArrowUp"] * abs(step))
    expect(menu.locator("option:checked")).to_have_text(value)
    notebook.python("0")  # the kernel has dealt with what was passed on the way, too


def fit(notebook: Notebook, own: Locator) -> None:
    hands.press(notebook, hands.button(own, "Fit the model"), "Enter")


def keep_shot(own: Locator, name: str) -> None:
    if folder := os.environ.get("HIERWIDGETS_SHOTS"):
        own.screenshot(path=f"{folder}/own-{name}.png")


def says(own: Locator, text: str) -> None:
    expect(own.locator(".hw-status").first).to_contain_text(text)


def test_three_files_by_keyboard(open_notebook: Open, tmp_path: Path) -> None:
    paths = write_files(tmp_path)
    notebook = open_notebook("your-own-data.ipynb")
    notebook.run_all()
    own = notebook.page.locator(".hw-instrument.hw-YourOwnData").last
    own.scroll_into_view_if_needed()
    says(own, "Choose a file: CSV, Excel, Stata or SPSS")

    choose_file(notebook, own, paths["csv"])
    says(own, "1,086 rows and 2 columns. Choose the outcome")
    choose(notebook, own, "Outcome", "contacted")
    says(own, "Choose the group")
    choose(notebook, own, "Group", "district_id")
    says(own, "Press 'Fit the model'")
    expect(hands.menu(own, "What counts").locator("option:checked")).to_have_text("Contacted")
    expect(own.locator("mjx-container, .MathJax").first).to_be_visible()
    keep_shot(own, "csv")
    fit(notebook, own)
    says(own, "1,086 rows in 14 districts: μ = -1.37, σ = 0.31")
    dial = own.locator(".hw-PoolingDial")
    hands.press(notebook, hands.slider(dial, "σ, spread"), "Home")
    hands.shows(dial, "σ = 0.01")
    code = own.get_by_role("textbox", name="Code to take away")
    expect(code).to_have_value(
        "import hierwidgets as hw\n\ndata = hw.read('survey.csv')\nfit = hw.glmer('contacted ~ 1 + "
        "(1 | district_id)', data, event='Contacted')\nfit.summary()\nhw.widgets.PoolingDial(fit)\n"
        "hw.widgets.PoolingComparison(fit)"
    )
    keep_shot(own, "dial")

    choose_file(notebook, own, paths["xlsx"])
    says(own, "756 rows and 3 columns")
    expect(own.locator(".hw-PoolingDial")).to_have_count(0)
    choose(notebook, own, "Outcome", "contacted")
    choose(notebook, own, "Group", "district_id")
    choose(notebook, own, "Predictor", "district_competitiveness")
    says(own, "5 of 756 rows miss a value (5 in contacted). Tick")
    box = own.get_by_role("checkbox", name="leave out rows with missing values")
    hands.press(notebook, box, "Space")
    says(own, "They are left out: the estimates speak for the 751 others")
    fit(notebook, own)
    says(own, "751 rows in")
    choose(notebook, own, "Picture", "the effect of the predictor")
    effect = own.locator(".hw-CompetitivenessEffect")
    hands.shows(effect, "A typical district, district competitiveness")
    keep_shot(own, "effect")
    choose(notebook, own, "Picture", "the comparison")
    hands.shows(own.locator(".hw-PoolingComparison"), "pairs of districts change places")
    expect(effect).to_have_count(0)

    choose_file(notebook, own, paths["sav"])
    says(own, "5,126 rows and 3 columns")
    choose(notebook, own, "Outcome", "contacted")
    choose(notebook, own, "Group", "election")
    choose(notebook, own, "Predictor", "age")
    says(own, "age differs within election: it is a predictor of rows")
    expect(hands.menu(own, "What counts").locator("option:checked")).to_have_text("yes")
    fit(notebook, own)
    says(own, "5,126 rows in 5 elections")
    assert notebook.complaints == []


def test_what_is_wrong_is_told(open_notebook: Open, tmp_path: Path) -> None:
    people = hw.load("rainey2015_individual")
    path = tmp_path / "votes.csv"
    people.assign(twice=people["Contacted"] * 2.5).to_csv(path, index=False)
    notebook = open_notebook(
        "own-wrong.ipynb", "import hierwidgets as hw\nown = hw.widgets.YourOwnData()\nown"
    )
    notebook.run_all()
    own = notebook.widget("YourOwnData")
    wrong = tmp_path / "report.pdf"
    wrong.write_bytes(b"%PDF-1.4")
    choose_file(notebook, own, wrong)
    says(own, "report.pdf ends in .pdf; what can be read ends in .csv")
    choose_file(notebook, own, path)
    says(own, "5,126 rows")
    choose(notebook, own, "Outcome", "Alpha.Polity")
    choose(notebook, own, "Group", "District.Country")
    says(own, "Alpha.Polity has 5 values")
    choose(notebook, own, "Outcome", "Contacted")
    choose(notebook, own, "Predictor", "twice")
    says(own, "twice differs within District.Country")
    fit(notebook, own)
    says(own, "There is no fit, by separation")
    expect(own.locator(".hw-status.hw-problem")).to_have_count(1)
    choose(notebook, own, "Predictor", "none")
    expect(own.locator(".hw-status").first).not_to_contain_text("within District.Country")
    fit(notebook, own)
    says(own, "5,126 rows in 567")
    hands.closes(notebook, "own", own)
    assert notebook.complaints == []
