"""Instruments to drag, click and type in: one Jupyter widget per idea.

They need ipywidgets, bqplot and anywidget: ``pip install "hierwidgets[lab]"``.
"""

from importlib.util import find_spec

from hierwidgets.base.platform import how_to_get
from hierwidgets.errors import MissingExtraError

_missing = [name for name in ("ipywidgets", "bqplot", "anywidget") if find_spec(name) is None]
if _missing:
    raise MissingExtraError(
        f"the widgets need {', '.join(_missing)}; {how_to_get('hierwidgets[lab]')}"
    )

from hierwidgets.widgets.numbers.averaged import averaged_prior  # noqa: E402
from hierwidgets.widgets.numbers.chains import judged_table  # noqa: E402
from hierwidgets.widgets.numbers.comparison import comparison_frame, crossing_pairs  # noqa: E402
from hierwidgets.widgets.numbers.guess import guess_frame  # noqa: E402
from hierwidgets.widgets.numbers.integral import integral_frame  # noqa: E402
from hierwidgets.widgets.numbers.pairs.pooled import slope_frame  # noqa: E402
from hierwidgets.widgets.numbers.pooling import (  # noqa: E402
    half_weight_size,
    imagined_frame,
    loglik_at,
    pooling_frame,
    profile_frame,
    weight_curve,
)
from hierwidgets.widgets.numbers.poststrat import poststrat_frame  # noqa: E402
from hierwidgets.widgets.numbers.prior_dial.look import reweighted_frame  # noqa: E402
from hierwidgets.widgets.numbers.recovery import judged_frame, truth_frame  # noqa: E402
from hierwidgets.widgets.numbers.running import running_frame  # noqa: E402
from hierwidgets.widgets.numbers.shrinkage import shrinkage_curves, shrinkage_frame  # noqa: E402
from hierwidgets.widgets.numbers.strip import people_frame, strip_frame  # noqa: E402
from hierwidgets.widgets.numbers.stuck_chains import printed_summary, stuck_chains  # noqa: E402
from hierwidgets.widgets.numbers.words import Words  # noqa: E402

from .boundary_explorer import BoundaryExplorer  # noqa: E402
from .chain_clinic import ChainClinic  # noqa: E402
from .competitiveness_effect import CompetitivenessEffect  # noqa: E402
from .district_strip import DistrictStrip  # noqa: E402
from .generative_ladder import GenerativeLadder  # noqa: E402
from .guess309 import Guess309  # noqa: E402
from .integral_lens import IntegralLens  # noqa: E402
from .pooling_comparison import PoolingComparison  # noqa: E402
from .pooling_dial import PoolingDial  # noqa: E402
from .poststrat import Poststrat  # noqa: E402
from .prior_dial import PriorDial  # noqa: E402
from .prior_times_likelihood import PriorTimesLikelihood  # noqa: E402
from .recovery_lab import RecoveryLab  # noqa: E402
from .slope_shrinkage import SlopeShrinkage  # noqa: E402
from .your_own_data import YourOwnData  # noqa: E402

__all__ = [
    "BoundaryExplorer",
    "ChainClinic",
    "CompetitivenessEffect",
    "DistrictStrip",
    "GenerativeLadder",
    "Guess309",
    "IntegralLens",
    "PoolingComparison",
    "PoolingDial",
    "Poststrat",
    "PriorDial",
    "PriorTimesLikelihood",
    "RecoveryLab",
    "SlopeShrinkage",
    "Words",
    "YourOwnData",
    "averaged_prior",
    "comparison_frame",
    "crossing_pairs",
    "guess_frame",
    "half_weight_size",
    "imagined_frame",
    "integral_frame",
    "judged_frame",
    "judged_table",
    "loglik_at",
    "people_frame",
    "pooling_frame",
    "poststrat_frame",
    "printed_summary",
    "profile_frame",
    "reweighted_frame",
    "running_frame",
    "shrinkage_curves",
    "shrinkage_frame",
    "slope_frame",
    "strip_frame",
    "stuck_chains",
    "truth_frame",
    "weight_curve",
]
