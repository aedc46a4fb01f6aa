"""How Sphinx makes the book from the sources that ``hierwidgets.course.book`` gathers."""

import hierwidgets
from hierwidgets.course.book.reference import source

project = "hierwidgets"
author = "The hierwidgets developers"
copyright = "the hierwidgets developers, under the MIT licence"
release = version = hierwidgets.__version__
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.linkcode",
    "numpydoc",
    "sphinxcontrib.katex",
    "hierwidgets.course.book.extension",
]
exclude_patterns = ["_static"]

# Lectures: what is stored is shown, and nothing runs.
nb_execution_mode = "off"
nb_render_markdown_format = "myst"
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
myst_heading_slug_func = "hierwidgets.course.book.anchors.slug"
myst_links_external_new_tab = False

# Formulas are set while the book is made: no script on the page, and all of it works offline.
html_math_renderer = "katex"
katex_prerender = True
katex_css_path = "katex/katex.min.css"

# The reference: docstrings in numpy's form; a word in single backticks is a name.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_preserve_defaults = True
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
add_module_names = False
linkcode_resolve = source
toc_object_entries = False

html_theme = "sphinx_book_theme"
html_title = "Hierarchical models, by hand and by dragging"
html_short_title = "hierwidgets"
html_baseurl = "https://hierwidgets.github.io/hierwidgets/"
html_copy_source = False
html_show_sourcelink = False
html_css_files = ["book.css"]
html_js_files = [("book.js", {"defer": "defer"})]
html_static_path: list[str] = []
html_theme_options = {
    "repository_url": "https://github.com/hierwidgets/hierwidgets",
    "use_repository_button": True,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "home_page_in_toc": False,
    "navbar_persistent": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
