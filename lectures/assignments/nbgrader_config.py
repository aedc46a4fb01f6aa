"""The course directory's settings. nbgrader reads this file; so does hierwidgets.grading."""

from pathlib import Path

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "hierarchical-models"
c.CourseDirectory.root = str(Path(__file__).parent)
c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("your answer goes here")'}
c.ClearSolutions.text_stub = "*Your answer goes here.*"
c.Execute.timeout = 60
c.Execute.interrupt_on_timeout = True
