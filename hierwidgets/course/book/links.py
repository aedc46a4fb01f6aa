"""Where the reader of a page can run it: in the browser, on Binder, or at home."""

from html import escape
from urllib.parse import quote

__all__ = ["REPOSITORY", "binder", "buttons", "lite"]

REPOSITORY = "https://github.com/hierwidgets/hierwidgets"
_BINDER = "https://mybinder.org/v2/gh/hierwidgets/hierwidgets/HEAD?urlpath="
_COPY = "my-lectures"


def lite(name: str) -> str:
    """The address, from the book's first page, of a notebook that runs in the browser.

    Examples
    --------
    >>> lite("02-the-309-problem")
    'lite/lab/index.html?path=02-the-309-problem.ipynb'
    """
    return f"lite/lab/index.html?path={quote(name)}.ipynb"


def binder(name: str) -> str:
    """The address of a notebook on Binder.

    Examples
    --------
    >>> binder("widgets").removeprefix(_BINDER)
    'lab%2Ftree%2Fmy-lectures%2Fwidgets.ipynb'
    """
    return _BINDER + quote(f"lab/tree/{_COPY}/{name}.ipynb", safe="")


def buttons(name: str) -> str:
    """The line below a lecture's title that says where it runs, as HTML."""
    links = [
        (lite(name), "Run in this browser", "JupyterLite: nothing to install, no account"),
        (
            binder(name),
            "Run on Binder",
            "JupyterLab at mybinder.org; may take some minutes",
        ),
    ]
    anchors = [
        f'<a class="run-button" href="{escape(to)}" title="{escape(why)}">{text}</a>'
        for to, text, why in links
    ]
    file = f"_static/notebooks/{quote(name)}.ipynb"
    anchors.append(f'<a class="run-button" href="{file}" download>Download the notebook</a>')
    return f'<p class="run-buttons">{" ".join(anchors)}</p>'
