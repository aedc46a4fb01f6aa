"""The texts and captions of the lectures that hold computed numbers, one module a lecture.

A function takes what a cell computed and returns `IPython.display.Markdown`, so that a reader of
the notebook sees the sentence under the cell and not its numbers in the code before the
guess.
"""
