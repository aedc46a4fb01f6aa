"""The pooling dial as a student uses it: in JupyterLab, by mouse and by keyboard.

Every gesture is checked at both ends: on the Python traits and on what the page shows.
"""

import re
from collections.abc import Callable

import pytest
from lab import Notebook
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

Open = Callable[..., Notebook]

DIAL = """
from ipywidgets.widgets.widget import _instances
dial = next(w for w in _instances.values() if type(w).__name__ == "PoolingDial")
"""
MAKE = """
import hierwidgets as hw
fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load({name!r}), event="Contacted")
dial = hw.widgets.PoolingDial(fit)
dial
"""


def shown_dial(notebook: Notebook) -> Locator:
    """The dial on the screen, once its picture and its text alternative are there."""
    dial = notebook.widget("PoolingDial")
    expect(dial.get_by_role("img", name=re.compile("levels of district_id"))).to_be_attached()
    expect(pooled_points(dial).first).to_be_attached()
    dial.scroll_into_view_if_needed()
    return dial


def pooled_points(dial: Locator) -> Locator:
    """The points of partial pooling: the last layer but the ring."""
    return dial.locator(".hw-estimates .scatter, .hw-estimates g.mark").nth(-2).locator("path.element")
