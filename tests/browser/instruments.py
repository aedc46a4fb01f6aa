"""Every instrument in one notebook, at 14 and at 253 districts where the data matter."""

from lab import Notebook
from playwright.sync_api import Locator

ALL = """
import hierwidgets as hw
from hierwidgets.course.models import REGIONS
from hierwidgets.course.studies import regions
finland, uk = hw.load("finland"), hw.load("uk")
one = hw.glmer("contacted ~ 1 + (1 | district_id)", finland, event="Contacted")
two = hw.glmer("contacted ~ 1 + (1 | district_id)", uk, event="Contacted")
pair = hw.glmer(
    "contacted ~ district_competitiveness * electoral_rules + (1 | district_id)"
    " + (1 + district_competitiveness | election_id)", hw.load("rainey2015"), event="Contacted")
slopes = hw.glmer(REGIONS, regions.survey()[0])
line = hw.glmer("contacted ~ district_competitiveness + (1 | district_id)", uk, event="Contacted")
from hierwidgets.course.models import POLL
from hierwidgets.course.studies.poststratification import country, survey
cells = country()
poll = hw.glmer(POLL, survey(cells, 1000, seed=1))
"""
SHOWN = {
    "BoundaryExplorer": "hw.widgets.BoundaryExplorer(pair, penalty='Wishart')",
    "ChainClinic": "hw.widgets.ChainClinic(hw.widgets.stuck_chains())",
    "CompetitivenessEffect": 'hw.widgets.CompetitivenessEffect(line, "district_competitiveness")',
    "DistrictStrip": 'hw.widgets.DistrictStrip(uk, "contacted", "district_id", "Contacted")',
    "GenerativeLadder": "hw.widgets.GenerativeLadder(corr=-0.6, sd_intercept=0.5, sd_slope=1.0)",
    "Guess309": "hw.widgets.Guess309(guess=0.3, revealed=True, opened=[0])",
    "IntegralLens": "hw.widgets.IntegralLens(two, nodes=3)",
    "PoolingComparison": 'hw.widgets.PoolingComparison({"Finland": one, "UK": two})',
    "PoolingDial": "hw.widgets.PoolingDial(one, imagined=(5, 9))",
    "Poststrat": "hw.widgets.Poststrat(poll, cells)",
    "PriorDial": 'hw.widgets.PriorDial(hw.load_posterior("rainey2015"))',
    "PriorTimesLikelihood": "hw.widgets.PriorTimesLikelihood(one, full_bayes=True)",
    "RecoveryLab": "hw.widgets.RecoveryLab()",
    "YourOwnData": 'hw.widgets.YourOwnData(uk, outcome="contacted", group="district_id",'
    ' predictor="district_competitiveness")',
    "SlopeShrinkage": "hw.widgets.SlopeShrinkage(slopes, corr=-0.9, selected='R016')",
}


def ready(notebook: Notebook, name: str) -> Locator:
    """An instrument in view, once all its figures have their names."""
    instrument = notebook.widget(name)
    instrument.scroll_into_view_if_needed()
    named = f'() => {{ const i = document.querySelector(".hw-{name}");' + (
        "const f = [...i.querySelectorAll('.bqplot')].filter((e) => e.offsetParent);"
        "return f.length > 0 && f.every((e) => e.ariaLabel && e.role === 'img'); }"
    )
    notebook.page.wait_for_function(named)
    return instrument
