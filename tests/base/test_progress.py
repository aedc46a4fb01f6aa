"""Progress: nothing without it, a bar with it, and what is told in its place."""

from hierwidgets.base.progress import count_up, with_progress


def test_without_progress_items_pass_through():
    assert list(with_progress(iter([1, 2]), 2, "fits", progress=False)) == [1, 2]


def test_a_function_is_told_in_the_place_of_a_bar():
    told = []
    with count_up(0, "sampling", lambda done, more: told.append((done, more))) as show:
        show(0, 10)
        show(4, 0)
    assert told == [(0, 10), (4, 0)]


def test_without_a_bar_counting_does_nothing(capsys):
    with count_up(0, "sampling", False) as show:
        show(1, 2)
    assert capsys.readouterr() == ("", "")
