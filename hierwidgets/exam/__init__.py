"""What runs inside the walls while an assignment is graded: answers here, tests there.

The two speak through frames of plain data (`wire`, `plain`). Nothing here knows nbgrader, a
gradebook or a course; `hierwidgets.grading.engine` starts both and carries their messages.
"""
