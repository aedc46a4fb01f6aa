"""Arguments of a sampler that runs many times: some are given, the others have defaults."""

import pytest

from hierwidgets.errors import DataError
from hierwidgets.sampling.settings import settings


def test_settings_of_the_sampler_are_checked() -> None:
    assert settings({"draws": 70}, "")["draws"] == 70
    assert settings(None, "") | {"draws": 70} == settings({"draws": 70}, "")
    assert settings(None, "", cores=1)["cores"] == 1
    assert settings({"cores": 2}, "", cores=1)["cores"] == 2
    for wrong in ({"seed": 1}, 70):
        with pytest.raises(DataError, match=r"sampling=.*'method'.*; the seed is yours"):
            settings(wrong, "the seed is yours")
