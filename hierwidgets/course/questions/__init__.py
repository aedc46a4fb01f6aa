"""The exercises of the lectures, one module for a lecture, each with a tuple ``EXERCISES``.

What an exercise expects is computed here from the data with a few lines of NumPy, apart from the
estimators the package offers. `hierwidgets.exercises` finds them by an entry point.
"""

from .lecture_00 import EXERCISES as OF_00
from .lecture_01 import EXERCISES as OF_01
from .lecture_02 import EXERCISES as OF_02
from .lecture_03 import EXERCISES as OF_03
from .lecture_04 import EXERCISES as OF_04
from .lecture_05 import EXERCISES as OF_05
from .lecture_06 import EXERCISES as OF_06
from .lecture_07 import EXERCISES as OF_07
from .lecture_07b import EXERCISES as OF_07B
from .lecture_08 import EXERCISES as OF_08
from .lecture_09 import EXERCISES as OF_09
from .lecture_10 import EXERCISES as OF_10
from .lecture_11 import EXERCISES as OF_11
from .lecture_12 import EXERCISES as OF_12
from .lecture_12b import EXERCISES as OF_12B
from .lecture_13 import EXERCISES as OF_13
from .lecture_a import EXERCISES as OF_A

__all__ = ["EXERCISES"]

EXERCISES = (
    *OF_00, *OF_01, *OF_02, *OF_03, *OF_04, *OF_05, *OF_06, *OF_07, *OF_08, *OF_09, *OF_10, *OF_11,
    *OF_07B, *OF_12, *OF_12B, *OF_13, *OF_A,
)  # fmt: skip
