"""The web book: the lectures, the assignments and the reference as pages that need no kernel.

``python -m hierwidgets.course book [--out FOLDER] [--work FOLDER]``
    Writes the book into FOLDER, ``site`` if none is named (`build`).

It is made from the stored outputs of the lectures; nothing runs. `notebook` turns a lecture into
what the page shows of it, `sources` gathers everything that Sphinx reads, `extension` teaches
Sphinx to fold what is optional, and `build` is the command. How it looks, and the pages that are
not notebooks, stand in ``lectures/.book``.
"""
