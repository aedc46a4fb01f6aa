"""A sampler at work in JupyterLab: the bar moves, and the stop button keeps the draws so far."""

from collections.abc import Callable

import pytest
from lab import Notebook

pytestmark = pytest.mark.browser
pytest.importorskip("nutpie")

SETUP = """
import hierwidgets as hw
model = hw.Model("contacted ~ (1 | district_id)", hw.load("finland"), "binomial",
                 event="Contacted")
first = model.sample(chains=1, tune=50, draws=50, seed=1, method='nuts', progress=False)  # compiles
post = model.sample(chains=2, tune=500, draws=400_000, seed=1, method='nuts')
"""
TUNED = 0.5  # percent: four times the tuning of both chains, before which no draws are kept
BAR = "document.querySelector('.jp-OutputArea .widget-hprogress [role=progressbar], .progress-bar')"
SHARE = f"""() => {{
  const bar = {BAR};
  return bar ? parseFloat(bar.style.width) || 0 : 0;
}}"""


def test_bar_moves_and_stop_keeps_the_draws(open_notebook: Callable[..., Notebook]) -> None:
    notebook = open_notebook("sampling.ipynb", SETUP)
    page = notebook.page
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(f"({SHARE})() > {TUNED}", timeout=180_000)
    early = page.evaluate(SHARE)
    page.wait_for_function(f"({SHARE})() > {early}", timeout=60_000)
    assert page.evaluate(SHARE) < 100
    page.evaluate("void jupyterapp.commands.execute('notebook:interrupt-kernel')")
    page.wait_for_function(
        "jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.status === 'idle'",
        timeout=60_000,
    )
    kept = notebook.python("post.draws.beta.shape[1]")
    assert 0 < kept < 400_000
    assert notebook.python("post.draws.interrupted") is True
    low, high = sorted([notebook.python("float(post.fixef.iloc[0])"), -1.37])
    assert high - low < 0.2
    assert notebook.python("1 + 1") == 2
