"""Tables in text and HTML."""

from hierwidgets.base.tables import html_table, text_table


def test_cells_are_aligned_and_escaped():
    lines = text_table(["a", "b"], [["long name", "1"], ["x", "-10.5"]])
    assert lines == ["a              b", "long name      1", "x          -10.5"]
    assert "<b>" not in html_table("<b>", ["<b>"], [["<b>", "<b>"]])
