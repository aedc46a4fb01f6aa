"""Models that the tests of several rooms of the widgets ask for; each is fitted once."""

import pytest
from support import effect_models


@pytest.fixture(scope="session")
def uk():
    return effect_models.uk()


@pytest.fixture(scope="session")
def plain():
    return effect_models.plain()


@pytest.fixture(scope="session")
def several():
    return effect_models.several()


@pytest.fixture(scope="session")
def draws():
    return effect_models.draws()
