"""What is true in a simulation: sizes, shapes, and what may be given.

The laws of the shapes by their moments to 1e-4, and by Kolmogorov and Smirnov's test at 1e-4.
"""

import numpy as np
import pytest
from scipy import stats
from support.recoveries import LINEAR, SMALL, recover

import hierwidgets as hw
from hierwidgets.errors import DataError
from hierwidgets.recovery import SHAPES, Setup


@pytest.mark.parametrize(("name", "J"), [("finland", 14), ("uk", 253)])
def test_patterns_are_those_of_the_data(name, J):
    counts = hw.load(name)["district_id"].value_counts().to_numpy()
    assert Setup(n=name).sizes == Setup(n=name, J=J).sizes == tuple(sorted(counts))
    few = Setup(n=name, J=7).sizes
    assert set(few) <= set(counts)
    assert abs(np.median(few) - np.median(counts)) <= 0.25 * np.median(counts)


def test_sizes_and_labels():
    assert Setup(n=3, J=4).sizes == (3, 3, 3, 3)
    assert Setup(n=np.array([2, 9])).sizes == (2, 9)
    assert Setup(n=[2, 9]) == Setup(n=(2, 9), J=2).__class__(n=(2, 9))
    assert Setup(n=[2, 9], mu=1).label == "n=2 to 9, 2 groups, mu=1, sigma=1"
    assert Setup(n=3, J=4, shape="t").label == "n=3, 4 groups, mu=0, sigma=1, t"
    assert Setup(n=3, J=4, name="mine").label == "mine"
    label = "n=3, 4 groups, mu=0, sigma=1, beta=2, residual_sd=1"
    assert Setup(n=3, J=4, beta=2, family="gaussian").label == label


def clusters(x):
    sd = np.sqrt(1 - 0.81)
    return 0.5 * stats.norm.cdf(x, -0.9, sd) + 0.5 * stats.norm.cdf(x, 0.9, sd)


@pytest.mark.parametrize(
    ("shape", "cdf"),
    [
        ("normal", stats.norm.cdf),
        ("t", stats.t(4, scale=np.sqrt(0.5)).cdf),
        ("two clusters", clusters),
        ("skewed", stats.expon(loc=-1).cdf),
    ],
)
def test_shapes_are_what_they_are_called(shape, cdf):
    drawn = SHAPES[shape](np.random.default_rng(3), 20_000)
    assert stats.kstest(drawn, cdf).pvalue > 1e-4
    grid = np.linspace(-400, 400, 800_001)  # the law itself: mean 0, sd 1
    density = np.diff(cdf(grid))
    middle = (grid[1:] + grid[:-1]) / 2
    assert middle @ density == pytest.approx(0, abs=1e-4)
    assert middle**2 @ density == pytest.approx(1, abs=1e-4)


def test_every_shape_is_tested():
    assert set(SHAPES) == {"normal", "t", "two clusters", "skewed"}


def test_designs_come_in_several_forms():
    plain = {"n": 12, "J": 8, "mu": -0.5, "sigma": 0.6, "beta": 0.8}
    one = recover(SMALL, reps=2).estimates["mu"]
    for designs in (plain, [plain], {"a": plain}, {"a": SMALL}, [SMALL], (SMALL,)):
        assert (recover(designs, reps=2).estimates["mu"] == one).all()
    assert list(recover({"a": plain, "b": LINEAR}, reps=2).setups) == ["a", "b"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n": "sweden"}, r"n='sweden' is not a pattern.*\['finland', 'uk'\]"),
        ({"n": 0, "J": 3}, "n=0; give a whole number of observations"),
        ({"n": 2.5, "J": 3}, "n=2.5; give a whole"),
        ({"n": True, "J": 3}, "n=True; give a whole"),
        ({"n": 5}, "n=5 is the size of every group; say how many there are with J"),
        ({"n": None}, "n=None; give a whole number, a sequence"),
        ({"n": [5]}, "n holds 1 sizes; a design needs two"),
        ({"n": [5, 0]}, r"n\[1\]=0; give a whole"),
        ({"n": [5, 4], "J": 3}, "n holds 2 sizes and J=3"),
        ({"n": 5, "J": 1}, "J=1; give a whole number of groups, 2 or larger"),
        ({"n": 5, "J": 2.0}, "J=2.0; give a whole number of groups"),
        ({"n": 5, "J": 3, "sigma": -1}, "sigma=-1; it must be 0 or above 0"),
        ({"n": 5, "J": 3, "sigma": np.nan}, "sigma=nan is not a number"),
        ({"n": 5, "J": 3, "mu": "0"}, "mu='0' is not a number"),
        ({"n": 5, "J": 3, "beta": np.inf}, "beta=inf is not a number"),
        ({"n": 5, "J": 3, "residual_sd": 0}, "residual_sd=0; it must be above 0"),
        ({"n": 5, "J": 3, "family": "poisson"}, r"family='poisson'.*\['binomial', 'gaussian'\]"),
        ({"n": 5, "J": 3, "shape": "uniform"}, "shape='uniform' is not known; choose one of"),
        ({"n": 5, "J": 3, "name": 3}, "name=3; a design's name is text"),
        ({"n": 1, "J": 3, "family": "gaussian"}, "3 observations in 3 groups leave none"),
    ],
)
def test_bad_setup(given, message):
    with pytest.raises(DataError, match=message):
        Setup(**given)


@pytest.mark.parametrize(
    ("designs", "message"),
    [
        ([], r"designs=\[\]; give a Setup, a list of them, or a dict"),
        ("finland", "designs='finland'; give a Setup"),
        ({}, "a design needs n"),
        ({"J": 3}, "a design needs n"),
        ({"n": 5, "J": 3, "sd": 1}, "a design has no 'sd'; it has"),
        ([SMALL, 3], "3 is not a design; give a Setup, or a dict"),
        ([SMALL, SMALL], "several designs are labelled 'small'; tell them apart by name"),
        ({3: SMALL}, "a design is named 3; names are text"),
    ],
)
def test_bad_designs(designs, message):
    with pytest.raises(DataError, match=message):
        recover(designs)
