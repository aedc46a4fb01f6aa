"""The course: its plan, its figures, the page it mirrors, its questions and studies."""
