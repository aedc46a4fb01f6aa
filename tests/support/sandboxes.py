"""Tests that need walls are skipped where there are none, and fail where there must be some."""

import os

import pytest

from hierwidgets.grading.sandbox import why_not


def need_walls() -> None:
    """Skip the test without bubblewrap; fail it if HIERWIDGETS_REQUIRE_SANDBOX is set."""
    if missing := why_not():
        if os.environ.get("HIERWIDGETS_REQUIRE_SANDBOX"):
            pytest.fail(f"HIERWIDGETS_REQUIRE_SANDBOX is set, and {missing}")
        pytest.skip(missing)
