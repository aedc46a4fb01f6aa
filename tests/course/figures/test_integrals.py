"""One district's integral: areas against scipy's adaptive integration, marks on the curve.

The tolerance of 25 nodes, 1e-9, is that of the integration they are compared with.
"""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import comb

import hierwidgets as hw
from hierwidgets.course.figures.integrals import DistrictIntegral, integrand_panels
from hierwidgets.errors import DataError

CASES = [(10, 23, -1.37, 0.31), (0, 4, -0.85, 0.8), (3, 3, 0.5, 1.0), (29, 179, -1.4, 0.3)]


@pytest.mark.parametrize("case", CASES)
def test_many_nodes_are_the_integral(case):
    district = DistrictIntegral(*case)
    top, m, s = district.log_h(district.mode), district.mode, district.sd
    area, _ = quad(lambda a: np.exp(district.log_h(a) - top), m - 14 * s, m + 14 * s, points=[m])
    assert district.log_area(40) == pytest.approx(np.log(area) + top, abs=1e-7)


@pytest.mark.parametrize("case", CASES)
def test_the_mode_is_the_top_and_the_sd_its_bend(case):
    district = DistrictIntegral(*case)
    m, step = district.mode, 1e-3
    left, top, right = district.log_h(m + step * np.array([-1.0, 0.0, 1.0]))
    assert top > max(left, right)
    assert district.sd == pytest.approx((step**2 / (2 * top - left - right)) ** 0.5, rel=1e-4)


def test_one_node_is_the_area_of_the_normal_curve():
    district = DistrictIntegral(*CASES[0])
    laplace = district.log_h(district.mode) + np.log(district.sd * np.sqrt(2 * np.pi))
    assert district.log_area(1) == pytest.approx(laplace, abs=1e-12)


def test_probabilities_of_all_results_add_up():
    areas = [np.exp(DistrictIntegral(y, 7, -0.6, 0.9).log_area(40)) for y in range(8)]
    assert np.dot(comb(7, np.arange(8)), areas) == pytest.approx(1, abs=1e-7)


@pytest.mark.parametrize("n_agq", [1, 7])
def test_districts_add_up_to_the_fit(n_agq):
    finland = hw.load("finland")
    fit = hw.glmer("contacted ~ 1 + (1 | district_id)", finland, event="Contacted", n_agq=n_agq)
    contacted = (finland["contacted"] == "Contacted").groupby(finland["district_id"])
    mu, sigma = fit.fixef["Intercept"], fit.theta[0]
    parts = [DistrictIntegral(v.sum(), len(v), mu, sigma).log_area(n_agq) for _, v in contacted]
    assert sum(parts) == pytest.approx(fit.loglik, abs=1e-8)


def test_nodes_stand_on_the_curve_and_share_the_area():
    district = DistrictIntegral(*CASES[1])
    at, share = district.nodes(5)
    assert share.sum() == pytest.approx(1)
    figure = integrand_panels({"a": district, "b": DistrictIntegral(*CASES[0])}, n_agq=5)
    assert [axes.get_title() for axes in figure.axes] == ["a", "b"]
    curve, normal, dots = figure.axes[0].lines
    np.testing.assert_allclose(dots.get_xdata(), at)
    height = np.exp(district.log_h(at) - district.log_h(district.mode))
    np.testing.assert_allclose(dots.get_ydata(), height)
    assert max(curve.get_ydata()) == pytest.approx(1)
    assert max(normal.get_ydata()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ((5, 4, 0, 1), "y must lie between 0 and n"),
        ((1, 4, 0, 0), "sigma=0; it must be above 0"),
        ((1, 4, np.nan, 1), "finite"),
    ],
)
def test_wrong_numbers_are_refused(case, words):
    with pytest.raises(DataError, match=words):
        DistrictIntegral(*case)
