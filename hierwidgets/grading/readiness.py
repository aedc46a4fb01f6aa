"""What processes behind walls find ready, because nothing that they make themselves is kept.

They cannot write bytecode beside the packages, so that each would compile what it imports anew,
and have no home, so that each would search the system for fonts before its first picture. Both
are done here, once for all submissions that a command grades.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock

__all__ = ["FONTS", "ready"]

FONTS = "matplotlib"  # the folder with the list of fonts, beside the one where cells run
_IMPORTS = """
import hierwidgets.exam.answers, hierwidgets.exam.judge
from hierwidgets.course.kernels import mother
mother.prepare()
"""  # all that lectures use, and a picture
_LONGEST = 120  # seconds
_ONE_AT_A_TIME = Lock()


def ready() -> Path:
    """A folder with what is made in advance; bytecode is written where it belongs.

    Returns
    -------
    Path
        With `FONTS`, a folder for ``MPLCONFIGDIR``. It is removed when Python ends. Where something
        could not be made, processes make it themselves, as slowly as without.
    """
    with _ONE_AT_A_TIME:
        return _made()


@cache
def _made() -> Path:
    root = Path(tempfile.mkdtemp(prefix="ready-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    (root / FONTS).mkdir()
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    own = {
        "HOME": str(root), "IPYTHONDIR": str(root / "ipython"), "MPLCONFIGDIR": str(root / FONTS),
        "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }  # fmt: skip
    with suppress(subprocess.TimeoutExpired, OSError):
        subprocess.run(
            [sys.executable, "-c", _IMPORTS], env=kept | own, cwd=root, timeout=_LONGEST,
            capture_output=True, check=False,
        )  # fmt: skip
    return root
