"""What differs where Python runs inside a browser page: no threads, and nothing to install."""

import os
import sys

__all__ = ["IN_BROWSER", "how_to_get", "thread_count"]

IN_BROWSER = sys.platform == "emscripten"
WITHOUT_NUMBA = (3, 15)  # the first Python that numba has no wheels for, as in pyproject.toml


def how_to_get(requirement: str) -> str:
    """What a reader does to get a package that is missing here: the end of an error's sentence.

    Parameters
    ----------
    requirement : str
        What pip would be told, such as ``hierwidgets[lab]``.

    Examples
    --------
    >>> how_to_get("hierwidgets[bayes]")
    'install with: pip install "hierwidgets[bayes]"'
    """
    if IN_BROWSER:
        return "the browser has none: open this lecture in JupyterLab or on Binder"
    if requirement == "hierwidgets[bayes]" and sys.version_info >= WITHOUT_NUMBA:
        newest = ".".join(map(str, (WITHOUT_NUMBA[0], WITHOUT_NUMBA[1] - 1)))
        return f"they have no version for this Python yet: take Python {newest} or older"
    return f'install with: pip install "{requirement}"'


def thread_count(cores: int | None) -> int:
    """Threads to start where `cores` were asked for; None stands for as many as there are.

    Examples
    --------
    >>> thread_count(3)
    3
    """
    return 1 if IN_BROWSER else cores or os.cpu_count() or 1
