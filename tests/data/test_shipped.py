"""The stored draws: each name has its file, and their coefficients are those of the posterior."""

import pytest

import hierwidgets as hw
from hierwidgets.data.shipped import SHIPPED, shipped_coefficients, shipped_file


@pytest.mark.parametrize("name", SHIPPED)
def test_each_name_has_a_file(name):
    assert shipped_file(name).is_file()


def test_every_file_has_a_name():
    assert {path.stem for path in shipped_file("finland").parent.glob("*.npz")} == set(SHIPPED)


def test_coefficients_are_those_of_the_posterior():
    post = hw.load_posterior("uk_competitiveness", effects=False)
    assert (shipped_coefficients("uk_competitiveness") == post.draws.beta).all()
