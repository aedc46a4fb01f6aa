"""The integral lens without a browser: its traits, its marks, its words, the end."""

import time

import numpy as np
import pytest
import traitlets
from ipywidgets.widgets.widget import _instances
from support.core_cases import frame
from support.stored_fits import fitted

import hierwidgets as hw
from hierwidgets.widgets import IntegralLens, integral_frame, integral_lens, running_frame
from hierwidgets.widgets.parts.instrument import owned_widgets


@pytest.fixture
def lens():
    instrument = IntegralLens(fitted("finland"), "District 309", nodes=3)
    yield instrument
    instrument.close()


@pytest.fixture
def uk():
    instrument = IntegralLens(fitted("uk0"))
    yield instrument
    instrument.close()


# --- what is refused ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keywords", "error", "says"),
    [
        ({"sigm": 1.0}, TypeError, "does not know 'sigm'; its keywords are level, nodes, sigma"),
        ({"sigma": 0.0}, traitlets.TraitError, "sigma must be from 0.01 to 5; 0 was given"),
        ({"sigma": float("nan")}, traitlets.TraitError, "nan was given"),
        ({"nodes": 26}, traitlets.TraitError, "whole number from 1 to 25; 26 was given"),
        ({"nodes": 2.5}, traitlets.TraitError, "nodes must be"),
        ({"level": "District 1"}, traitlets.TraitError, "one of the 14 levels of district_id"),
    ],
)
def test_wrong_keywords_and_values_are_refused(keywords, error, says):
    before = set(_instances)
    with pytest.raises(error, match=says):
        IntegralLens(fitted("finland"), **keywords)
    assert set(_instances) == before


def test_other_fits_are_refused():
    with pytest.raises(hw.DataError, match="with one group term of one coefficient"):
        IntegralLens(hw.load("finland"))
    with pytest.raises(hw.DataError, match="in this fit vary Intercept by district_id; Intercept"):
        IntegralLens(fitted("rainey"))


# --- the traits and the marks -------------------------------------------------------------


def test_it_starts_at_the_fit_and_at_the_worst_district(uk):
    fit = fitted("uk0")
    assert uk.sigma == pytest.approx(fit.theta[0])
    assert uk.nodes == 1
    errors = [abs(integral_frame(fit, one)["error"][0]) for one in uk._levels[:2]]
    assert errors[0] >= errors[1]
    assert uk.controls["district"].index == 0
    assert uk.controls["district"].options[0] == f"{uk.level}: {uk._data[0]}"


def test_it_takes_the_nodes_of_the_fit():
    shown = IntegralLens(fitted("uk0_agq9"))
    assert shown.nodes == 9
    shown.close()


def test_the_picture_is_that_of_the_numbers(lens):
    errors = integral_frame(fitted("finland"), "District 309")["error"].to_numpy()
    told = np.abs(errors) >= 1e-12
    shown = np.concatenate([lens.error.small.x, lens.error.large.x])
    assert sorted(shown) == (np.flatnonzero(told) + 1).tolist()
    small = np.asarray(lens.error.small.x, int) - 1
    assert (errors[small] < 0).all()
    np.testing.assert_allclose(10**lens.error.small.y, -100 * errors[small], rtol=1e-9)
    np.testing.assert_allclose(lens.integrand.nodes.y[1], 1.0)  # the middle one is at the peak
    assert len(lens.integrand.nodes.x) == 3
    running = running_frame(fitted("finland"))
    assert lens.running.values.x.tolist() == [3.0, 3.0, 3.0]
    assert lens.running.words.text.tolist()[0] == "0.310 to 0.312"
    heights = lens.running.line.y[:25]
    order = running["sd"].to_numpy()
    assert np.corrcoef(heights, order)[0, 1] == pytest.approx(1.0)


def test_controls_and_traits_move_each_other_and_the_picture(lens):
    before = lens.integrand.lines["integrand"].x
    lens.controls["σ, sd of the districts"].value = 1.0
    assert lens.sigma == 1.0
    assert np.ptp(lens.integrand.lines["integrand"].x) > np.ptp(before)
    lens.controls["nodes"].value = 7.4
    assert lens.nodes == lens.controls["nodes"].value == 7
    assert len(lens.running.values.x) == 3
    lens.controls["district"].index = 3
    assert lens.level == lens._levels[3]
    assert lens.status.startswith(f"{lens.level}: ")
    lens.level = "District 309"
    assert lens.controls["district"].value == "District 309: 10 of 23 contacted"
    lens.controls["Back to the fit"].click()
    assert (lens.nodes, lens.level) == (1, "District 309")
    assert lens.sigma == pytest.approx(fitted("finland").theta[0])
    assert "By 1 node (Laplace) at σ = 0.310" in lens.status


def test_one_node_is_the_normal_curve_and_more_come_nearer(lens):
    lens.sigma, lens.nodes = 3.0, 1
    curves = lens.integrand.lines
    assert not curves["quadrature"].visible
    off = {}
    for count in (2, 5, 9):
        lens.nodes = count
        assert curves["quadrature"].visible
        assert lens.integrand.differences["quadrature"].visible
        off[count] = np.abs(curves["quadrature"].y - curves["integrand"].y).max()
    assert off[9] < off[5] < off[2]


def test_differences_are_magnified_as_their_label_says(lens):
    text = str(lens.integrand._factor.text[0])
    factor = float(text.split("×")[1])
    laplace = lens.integrand.lines["laplace"].y - lens.integrand.lines["integrand"].y
    drawn = lens.integrand.differences["laplace"].y
    zero = drawn[0] - factor * laplace[0]
    np.testing.assert_allclose(drawn - zero, factor * laplace, atol=1e-9)


def test_a_click_chooses_the_nodes(lens):
    for name in ("hw-error", "hw-running"):
        assert name in lens._status.clickable
        lens._status._handle_custom_msg({"place": name, "x": 1.0, "y": 0.5}, [])
        assert lens.nodes == 25
        lens._status._handle_custom_msg({"place": name, "x": 0.0, "y": 0.5}, [])
        assert lens.nodes == 1


def test_words_have_the_whole_likelihood(uk):
    """By how much the fit's own log-likelihood, of Laplace, lies below that of all strips."""
    lost = float(uk.status.split("log-likelihood is ")[1].split(" too low")[0])
    fit = fitted("uk0")
    exact = fit.design.constant + sum(
        integral_frame(fit, one)["exact"][0] for one in fit.design.terms[0].levels
    )
    assert lost == pytest.approx(exact - fit.loglik, abs=0.006)
    uk.nodes = 25
    assert "its area is right to 12 digits or more" in uk.status
    assert "Over all 253 districts the log-likelihood is right to six decimals." in uk.status
    assert "Fitted with 25 nodes: σ = 0.804" in uk.status
    assert "district_id" not in uk.status


def test_other_models_work():
    data = frame()
    for fit, word in (
        (hw.glmer("count ~ x + (1 | g)", data, "poisson"), "counted"),
        (hw.glmer("p(s, n) ~ x + (1 | g)", data, link="cloglog"), " of "),
        (hw.glmer("p(s, n) ~ x + (0 + x | g)", data), " of "),
        (hw.glmer("p(s, n) ~ 0 + x + (1 | g)", data), " of "),
    ):
        shown = IntegralLens(fit, nodes=4)
        assert word in shown.status
        shown.sigma = 1.5
        shown.nodes = 9
        assert "By 9 nodes at σ = 1.500" in shown.status
        shown.close()


def test_where_sigma_is_0_it_starts_at_the_least():
    data = frame().assign(y=lambda rows: np.arange(len(rows)) % 2)
    fit = hw.glmer("y ~ 1 + (1 | g)", data)
    assert fit.singular
    shown = IntegralLens(fit)
    assert shown.sigma == 0.01
    assert "σ = 0.000" in shown.status.split("Fitted")[1]
    assert shown.running.words.text[0] == "0.000 throughout"
    shown.close()


# --- what it says, and the end ------------------------------------------------------------


def test_the_table_is_filled_when_it_is_opened(lens):
    at_first = lens.table.rows
    assert len(at_first) == 25
    assert at_first[0][3:] == ["0.3100", "−1.3717", "1104.5266"]
    lens.sigma = 2.0
    assert lens.table.rows == at_first
    lens.table.is_open = True
    assert lens.table.rows[0][1] != at_first[0][1]
    assert lens.table.rows[0][3:] == at_first[0][3:]


def test_pictures_have_a_text_that_follows(lens):
    assert set(lens.text_alternatives) == {"hw-integrand", "hw-error", "hw-running"}
    lens.sigma = 2.0
    assert "The integrand of District 309 at sigma 2.000" in lens.text_alternatives["hw-integrand"]
    assert "sigma from 0.310 to 0.312" in lens.text_alternatives["hw-running"]


def test_the_still_has_three_pictures(lens):
    assert len(lens.picture().axes) == 4  # and the key
    assert "10 of 23 contacted" in lens.still()


def test_an_error_while_drawing_shows_in_the_status(lens, monkeypatch):
    def fail(*_):
        raise ValueError("no luck")

    with monkeypatch.context() as patch:
        patch.setattr(integral_lens, "integrands", fail)
        lens.sigma = 1.0
    assert lens.status == "This could not be drawn: no luck"
    lens.sigma = 1.1
    assert lens.status.startswith("District 309: 10 of 23 contacted.")


def test_a_step_is_quick(uk):
    start = time.process_time()
    for sigma in np.geomspace(0.3, 2.0, 30):
        uk.sigma = sigma
    assert (time.process_time() - start) / 30 < 0.030  # 5 ms on an idle machine


def test_the_text_is_short_and_the_same_each_time(lens):
    assert repr(lens) == "IntegralLens(level='District 309', nodes=3, sigma=0.31)"
    assert lens.as_code().startswith("hw.widgets.IntegralLens(fit, level='District 309', nodes=3")


def test_nothing_is_rebuilt_and_closing_frees_everything():
    before = set(_instances)
    lens = IntegralLens(fitted("finland"))
    widgets = {id(widget) for widget in owned_widgets(lens)}
    lens.sigma, lens.level, lens.nodes = 1.0, "District 304", 9
    assert {id(widget) for widget in owned_widgets(lens)} == widgets
    slider = lens.controls["nodes"]
    lens.close()
    assert set(_instances) == before
    slider.value = 2.0
    assert lens.nodes == 9
