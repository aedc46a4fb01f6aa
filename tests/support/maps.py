"""Maps of the likelihood for tests that make the same explorer again and again."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest

hill = importlib.import_module("hierwidgets.widgets.numbers.boundary.hill")


@contextmanager
def each_map_once() -> Iterator[None]:
    """A fit's map, which takes seconds, is computed the first time alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hill, "spread_profile", cache(hill.spread_profile))
        yield
