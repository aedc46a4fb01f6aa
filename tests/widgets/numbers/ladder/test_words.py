"""What the ladder says, word for word; every number is read off the frame beside it."""

import re

import numpy as np

from hierwidgets.widgets.numbers.ladder import words
from hierwidgets.widgets.numbers.ladder.draws import Election
from hierwidgets.widgets.numbers.ladder.parameters import Parameters, ladder_frame, share_below

SOME = Parameters(-3.1, 0.7, 4.3, -3.1, 0.5, 1.2, -0.7, 0.4)
RULES, ENDS = ("SMD", "PR"), ((0.24, 0.89), (0.54, 0.93))


def test_the_status_has_the_frames_numbers():
    said = words.implied_text(SOME, RULES, ENDS)
    frame = ladder_frame(SOME, RULES, [0.0, 1.0])
    ends = frame[["election_low", "election_high"]].to_numpy().reshape(2, 4)
    for second, rule in enumerate(RULES):
        low0, high0, low1, high1 = ends[second]
        below = share_below(SOME, bool(second), ENDS[second])
        assert (
            f"{rule}: 90 % of elections have rates of {low0:.2f} to {high0:.2f} at "
            f"competitiveness 0 and {low1:.2f} to {high1:.2f} at 1; {100 * below:.0f} % of "
            "districts lie below 0.2."
        ) in said
    assert said.endswith("Elections are most alike at 0.29.")
    assert "alike" not in words.implied_text(SOME._replace(corr=0.1), RULES, ENDS)


def test_no_column_is_named():
    found = Election(np.array([0.5, 0.6]), np.array([0.2, 0.31]), np.array([0.0, 0.5]))
    texts = [
        words.implied_text(SOME, RULES, ENDS),
        words.elections_words(SOME, "SMD", False, 20),
        words.election_words("SMD", found, 8),
        *words.coefficient_names(RULES, False),
        *words.COLUMNS,
    ]
    assert not [text for text in texts if re.search(r"[a-z]_[a-z]|None|nan", text)]
    assert "districts lie between 0.20 and 0.31; the shares of 8 respondents" in texts[2]
    assert "their lines are most alike at 0.29, sd 0.36" in texts[1]


def test_rows_and_columns_agree():
    rows = words.rows(SOME, RULES)
    assert {len(row) for row in rows} == {len(words.COLUMNS)}
    assert rows[0][0] == "SMD at 0"
    assert rows[0][4] == "0.500"


def test_a_long_name_of_a_rule_is_cut_beside_a_slider():
    names = words.coefficient_names(("proportional representation", "x"), False)
    assert names[0] == "δ00, intercept of proportiona…"
    assert names[1] == "δ01, what x adds to it"


def test_minus_zero_is_zero():
    assert "β0\N{NO-BREAK SPACE}0.00" in words.coding_text((-0.0, 0.0, 0, 0), RULES, False)
