"""The integrals of the lens: scipy's quad of the integrand, lme4's stored objective, laws.

Tolerances
- strips against scipy's quad, which is asked for 1e-12: 1e-11 in the logarithm.
- lme4's objective at its own parameters 1e-9, both sides the same finite sum.
- the lecture's integral (course.figures.integrals), another code for the same nodes: 1e-10, what
  two searches for the mode leave.
- one level against all of them 1e-7: the search for all modes at once ends 4e-8 from each; the
  areas feel that less, by four nodes 1e-8, by strips 1e-11.
- by 200,000 strips of equal width 1e-8; the curve of the nodes 1e-9, what a grid leaves.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate
from support.core_cases import LINKS, frame, log_density, mean, model
from support.stored_fits import EVERY, STORED, fitted, n_agq, parameters
from support.stored_fits import model as stored_model

import hierwidgets as hw
from hierwidgets.course.figures.integrals import DistrictIntegral
from hierwidgets.widgets import integral_frame
from hierwidgets.widgets.numbers import integral as numbers

SCALAR = [name for name in EVERY if "agq" in name]


def brute(log_h, middle, sigma):
    """The log of the area under exp(log_h) by scipy, around the highest of many places."""
    grid = middle + sigma * np.linspace(-9, 9, 721)
    values = [log_h(b) for b in grid]
    top, at = max(values), grid[int(np.argmax(values))]
    area, _ = integrate.quad(
        lambda b: np.exp(log_h(b) - top), middle - 9.5 * sigma, middle + 9.5 * sigma,
        points=[at - sigma, at, at + sigma], epsabs=0, epsrel=1e-12, limit=500,
    )  # fmt: skip
    return np.log(area) + top


def normal(b, sigma):
    return -0.5 * (b / sigma) ** 2 - np.log(sigma * np.sqrt(2 * np.pi))


@pytest.mark.parametrize(("family", "link"), LINKS)
@pytest.mark.parametrize("sigma", [0.05, 0.6, 2.0])
def test_strips_are_the_integral_for_every_family_and_link(family, link, sigma):
    design = model(family, link, "scalar").design
    beta = np.array([0.2, -0.5])
    every = numbers.integrands(design, model(family, link, "scalar").family, beta, sigma)
    found = dict(zip(design.terms[0].levels, every.by_strips(), strict=True))
    counting = model(family, link, "scalar").family.counting
    for level, rows in frame().groupby("g"):
        eta = (beta[0] + beta[1] * rows["x"]).to_numpy()

        def log_h(b, rows=rows, eta=eta):
            densities = log_density(family, rows, mean(link, eta + b)[0])
            return densities.sum() + normal(b, sigma)

        y = rows["s"] if family == "binomial" else rows["count"]
        n = rows["n"] if family == "binomial" else np.ones(len(rows))
        ways = counting(y.to_numpy(float), np.asarray(n, float)).sum()
        assert found[level] + ways == pytest.approx(brute(log_h, 0.0, sigma), abs=1e-10)


@pytest.mark.parametrize("sigma", [0.31, 3.0])
@pytest.mark.parametrize("level", ["District 309", "District 310"])
def test_a_district_s_area_is_that_of_its_integrand(level, sigma):
    fit = fitted("finland")
    data = hw.load("finland")
    answers = data.loc[data["district_id"] == level, "contacted"] == "Contacted"
    y, n, mu = answers.sum(), len(answers), fit.fixef["Intercept"]

    def log_h(b):
        return y * (mu + b) - n * np.logaddexp(0, mu + b) + normal(b, sigma)

    found = integral_frame(fit, level, sigma)
    assert found["exact"].iloc[0] == pytest.approx(brute(log_h, 0.0, sigma), abs=1e-11)
    lecture = DistrictIntegral(y, n, mu, sigma)
    for count in (1, 2, 5, 25):
        area = found["log_area"][count - 1]
        assert area == pytest.approx(lecture.log_area(count), abs=1e-10)
        assert found["error"][count - 1] == pytest.approx(
            np.expm1(area - found["exact"][0]), abs=1e-15
        )


@pytest.mark.parametrize("name", SCALAR)
def test_the_levels_add_up_to_lme4_s_objective(name):
    m = stored_model(name)
    (sigma,), beta = parameters(name)
    every = numbers.integrands(m.design, m.family, beta, sigma)
    whole = every.by_nodes(n_agq(name)).sum() + m.design.constant
    assert -2 * whole == pytest.approx(STORED[name]["m2ll"], rel=1e-9)


def test_a_level_alone_is_that_level():
    fit = fitted("uk1")
    every = numbers.integrands(fit.design, fit.family, fit.beta, 0.9)
    for place in (0, 17, 252):
        one = numbers.integrands(numbers.alone(fit.design, place), fit.family, fit.beta, 0.9)
        assert one.by_nodes(4)[0] == pytest.approx(every.by_nodes(4)[place], abs=1e-8)
        assert one.by_strips()[0] == pytest.approx(every.by_strips()[place], abs=1e-11)
        assert one.mode[0] == pytest.approx(every.mode[place], abs=1e-7)
        assert one.tau[0] == pytest.approx(every.tau[place], abs=1e-7)


@pytest.mark.parametrize("count", [1, 2, 3, 8, 25])
def test_the_curve_of_the_nodes_goes_through_them_and_has_their_area(count):
    fit = fitted("uk0")
    place = numbers.worst_first(fit)[0]
    one = numbers.integrands(numbers.alone(fit.design, place), fit.family, fit.beta, 1.5)
    x, log_weight = numbers.rule(count)
    height = np.exp(one.log_height(one.mode[0] + one.tau[0] * np.sqrt(2) * x[None])[0] - one.top[0])
    off = np.linspace(-16, 16, 6401)
    curve = numbers._through(np.sqrt(2) * x, log_weight, height, off)
    area = np.log(np.trapezoid(curve, off) * one.tau[0] / np.sqrt(2 * np.pi)) + one.top[0]
    assert area == pytest.approx(one.by_nodes(count)[0], abs=1e-9)
    at_nodes = numbers._through(np.sqrt(2) * x, log_weight, height, np.sqrt(2) * x)
    np.testing.assert_allclose(at_nodes, height, atol=1e-9)


def test_what_is_shown_of_a_level():
    fit = fitted("finland")
    place = list(fit.design.terms[0].levels).index("District 309")
    sigma = float(fit.theta[0])
    one = numbers.integrands(numbers.alone(fit.design, place), fit.family, fit.beta, sigma)
    shown = numbers.lens(one, sigma, 5)
    lecture = DistrictIntegral(10, 23, fit.fixef["Intercept"], sigma)
    top = np.log(shown.integrand)
    np.testing.assert_allclose(
        top, lecture.log_h(shown.at) - lecture.log_h(lecture.mode), atol=1e-9
    )
    np.testing.assert_allclose(shown.node_at, lecture.nodes(5)[0], atol=1e-8)
    np.testing.assert_allclose(
        shown.laplace, np.exp(-0.5 * ((shown.at - lecture.mode) / lecture.sd) ** 2), atol=1e-7
    )
    assert shown.at[0] <= lecture.mode - 4.2 * lecture.sd
    assert shown.integrand[[0, -1]].max() < 2e-4  # nothing of it is beyond the picture
    one_node = numbers.lens(one, sigma, 1)
    np.testing.assert_allclose(one_node.quadrature, one_node.laplace, atol=1e-12)


def test_a_predictor_that_varies_within_a_level_and_a_slope():
    data = frame().assign(z=lambda rows: rows["x"])
    slope = hw.glmer("p(s, n) ~ x + (0 + x | g)", data)
    design, sigma = slope.design, float(slope.theta[0])
    one = numbers.integrands(numbers.alone(design, 2), slope.family, slope.beta, sigma)
    rows = data[data["g"] == design.terms[0].levels[2]]
    eta = (slope.beta[0] + slope.beta[1] * rows["x"]).to_numpy()

    def log_h(b):
        each = eta + b * rows["x"].to_numpy()
        return float((rows["s"] * each - rows["n"] * np.logaddexp(0, each)).sum()) + normal(
            b, sigma
        )

    assert one.by_strips()[0] == pytest.approx(brute(log_h, 0.0, sigma), abs=1e-11)
    assert numbers.middle(one) == 0
    shown = numbers.lens(one, sigma, 3)
    peak = shown.at[shown.integrand.argmax()]
    assert log_h(peak) >= max(log_h(peak - sigma / 10), log_h(peak + sigma / 10))


def test_the_district_where_laplace_errs_most_comes_first():
    fit = fitted("uk0")
    order = numbers.worst_first(fit)
    assert sorted(order) == list(range(253))
    levels = fit.design.terms[0].levels
    errors = [abs(integral_frame(fit, levels[p])["error"][0]) for p in (*order[:3], order[-1])]
    assert errors == sorted(errors, reverse=True)
    frame_of_first = integral_frame(fit)
    assert abs(frame_of_first["error"][0]) == errors[0]
    assert (frame_of_first["nodes"] == np.arange(1, 26)).all()


def test_many_answers_and_a_wide_prior_do_not_hurt():
    """A peak far narrower than the prior, and one at the end of the data's reach."""
    counts = pd.DataFrame({"g": list("abcd"), "y": [5_000, 12_000, 0, 4], "n": [20_000] * 3 + [4]})
    fit = hw.glmer("p(y, n) ~ 1 + (1 | g)", counts)
    for sigma in (0.01, 5.0):
        for level, y, n in counts.itertuples(index=False):

            def log_h(b, y=y, n=n, sigma=sigma):
                alpha = fit.beta[0] + b
                return y * alpha - n * np.logaddexp(0, alpha) + normal(b, sigma)

            found = integral_frame(fit, level, sigma)["exact"].iloc[0]
            grid = np.linspace(-1, 1, 200_001) * max(10 * sigma, 15)
            values = np.array(log_h(grid))
            by_hand = values.max() + np.log(
                np.exp(values - values.max()).sum() * (grid[1] - grid[0])
            )
            assert found == pytest.approx(by_hand, abs=1e-8)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: hw.load("uk"), "a DataFrame was given"),
        (lambda: hw.lmer("x ~ 1 + (1 | g)", frame()), "this fit is gaussian, and its integral has"),
        (lambda: hw.glmer("p(s, n) ~ x + (1 + x | g)", frame()), "fit vary Intercept, x by g"),
        (lambda: hw.glmer("p(s, n) ~ x + (1 | g) + (1 | h)", frame()), "vary Intercept by"),
    ],
)
def test_other_fits_are_refused_in_words(make, says):
    with pytest.raises(hw.DataError, match=says):
        integral_frame(make())


def test_wrong_values_are_refused_in_words():
    fit = fitted("finland")
    with pytest.raises(hw.DataError, match="level must be one of the 14 levels of district_id"):
        integral_frame(fit, "District 1")
    with pytest.raises(hw.DataError, match="sigma must be a finite number above 0; 0 was given"):
        integral_frame(fit, sigma=0)
