"""What Sphinx learns for the book: to fold what is optional, and to load what is there.

Sphinx loads it by ``extensions = ["hierwidgets.course.book.extension"]``.
"""

from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.transforms.post_transforms import SphinxPostTransform

__all__ = ["setup"]

_PLAYER = "instruments/player.js"


class folded(nodes.General, nodes.Element):  # type: ignore[misc]
    """All that follows in its section, behind a bar with a label."""


class Folded(Directive):  # type: ignore[misc]
    """``{folded} label``: what follows in this section opens at a click."""

    final_argument_whitespace = True
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        return [folded(label=self.arguments[0])]


class Fold(SphinxPostTransform):  # type: ignore[misc]
    """Put into each fold what follows it.

    This comes late, so that the headings inside are in the page's contents.
    """

    default_priority = 900

    def run(self, **_: Any) -> None:
        for fold in list(self.document.findall(folded)):
            section = fold.parent
            at = section.index(fold) + 1
            inside = section.children[at:]
            del section[at:]
            fold.extend(inside)
            section["classes"].append("optional")


def _open(translator: Any, node: folded) -> None:
    label = translator.encode(node["label"])
    translator.body.append(f'<details class="optional"><summary>{label}</summary>\n')


def _close(translator: Any, node: folded) -> None:
    translator.body.append("</details>\n")


def _text(translator: Any, node: folded) -> None:
    """Readers of plain text, such as the search, see all of it."""


def _gathered_files(app: Any, config: Any) -> None:
    """The static files of the sources, and the player of the instruments if it was built."""
    static = Path(app.srcdir) / "_static"
    config.html_static_path.append(str(static))
    if (static / _PLAYER).exists():
        config.html_js_files.append((_PLAYER, {"defer": "defer"}))


def _named_bars(app: Any, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """A bar over an answer is called what it shows, not "Toggle hidden content"."""
    if "body" in context:
        context["body"] = context["body"].replace(' aria-label="Toggle hidden content"', "")


def setup(app: Any) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_node(folded, html=(_open, _close), text=(_text, _text))
    app.add_directive("folded", Folded)
    app.add_post_transform(Fold)
    app.connect("config-inited", _gathered_files)
    app.connect("html-page-context", _named_bars)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
