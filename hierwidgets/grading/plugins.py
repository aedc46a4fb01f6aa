"""Two classes that nbgrader loads by name from the course's ``nbgrader_config.py``."""

from typing import Any

from nbconvert.preprocessors import Preprocessor
from nbgrader.plugins import LateSubmissionPlugin
from traitlets import Bool, Dict, Enum, Float, Unicode

from .late import days_late, penalty
from .marking import for_students

__all__ = ["LatePolicy", "LeaveOutMarkersCells"]


class LatePolicy(LateSubmissionPlugin):  # type: ignore[misc]
    """What lateness costs: points or percent for each day that has begun, after a grace, to a cap.

    Set in ``nbgrader_config.py``::

        c.AssignLatePenalties.plugin_class = "hierwidgets.grading.plugins.LatePolicy"
        c.LatePolicy.timezone = "Europe/Helsinki"
        c.LatePolicy.due = {"A1": "2026-10-09 23:59"}
        c.LatePolicy.per_day = 10
    """

    per_day = Float(0.0, min=0, help="lost for each day that has begun").tag(config=True)
    unit = Enum(("points", "percent"), "percent", help="percent of the score").tag(config=True)
    most = Float(None, allow_none=True, help="never more than this, in the same unit").tag(
        config=True
    )
    grace_minutes = Float(0.0, min=0, help="so late costs nothing").tag(config=True)
    due = Dict(help="due dates by assignment, such as '2026-10-09 23:59'").tag(config=True)
    timezone = Unicode("", help="of the due dates, such as Europe/Helsinki").tag(config=True)
    file_times = Bool(
        False, help="without timestamp.txt, the newest file's time is the time of handing in"
    ).tag(config=True)

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float:
        """Points off, as nbgrader asks for them."""
        days = days_late(total_seconds_late, self.grace_minutes)
        return penalty(score, days, per_day=self.per_day, unit=self.unit, most=self.most)


class LeaveOutMarkersCells(Preprocessor):
    """Keeps what `marking` writes for the person who marks out of the pages that students get."""

    enabled = Bool(True).tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """The notebook without the marker's cells."""
        nb.cells = for_students(nb.cells)
        return nb, resources
