"""The exercises of the lectures, one module per lecture, each with a tuple ``EXERCISES``.

`hierwidgets.exercises` finds these modules by itself. What an exercise expects is computed here
from the data with a few lines of NumPy, apart from the estimators the package offers.
"""
