"""The course directory's settings. nbgrader reads this file; so does hierwidgets.grading."""

from pathlib import Path

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "hierarchical-models"
c.CourseDirectory.root = str(Path(__file__).parent)
c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("your answer goes here")'}
c.ClearSolutions.text_stub = "*Your answer goes here.*"
c.Execute.timeout = 60
c.Execute.interrupt_on_timeout = True

# Mark schemes and notes for whoever marks stay off the students' pages.
c.GenerateFeedback.preprocessors = [
    "hierwidgets.grading.plugins.LeaveOutMarkersCells",
    "nbgrader.preprocessors.GetGrades",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]

# What lateness costs: nothing, until a due date and a number per day stand here.
c.AssignLatePenalties.plugin_class = "hierwidgets.grading.plugins.LatePolicy"
c.LatePolicy.timezone = "Europe/Helsinki"
c.LatePolicy.due = {}  # such as {"A1": "2026-10-09 23:59"}
c.LatePolicy.per_day = 0  # for each day that has begun
c.LatePolicy.unit = "percent"  # of the score; or "points"
c.LatePolicy.most = None  # never more than this
c.LatePolicy.grace_minutes = 15
c.LatePolicy.file_times = False  # True: without timestamp.txt, the newest file's time counts
