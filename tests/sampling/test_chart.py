"""The coordinates of a model: what is drawn in `kernels.problem`, and what is integrated."""

import numpy as np
import pytest
from support.sampled_models import STRUCTURES, model

from hierwidgets.sampling.pieces import pieces

pytest.importorskip("nutpie")

from support.charts import charted


def test_places_are_those_of_the_drawing() -> None:
    c = charted(model("(1 | g) + (1 + x | h)"))
    q = c.problem
    assert c.integrated is not None
    assert (c.integrated.term, c.integrated.columns, c.integrated.levels) == (0, (0,), 12)
    assert [piece.columns for piece in c.pieces] == [(0, 1)]
    assert len(c.start) == 14
    assert q.bends.at.tolist() == [0, 1, 2, 3]
    assert q.whitening.slot.tolist() == [2, 4, 6, 8]
    assert q.whitening.block.tolist() == [0, 10]
    apart = charted(model("(1 | g) + (1 + x | h)"), joint_limit=0).problem.whitening
    assert apart.block.tolist() == [0, 2, 4, 6, 8, 10]
    assert apart.slot_at.tolist() == [0, 0, 1, 2, 3, 4]
    assert apart.H_at.tolist() == [0, 4, 8, 12, 16, 20]


def test_a_gaussian_model_has_the_residual_sd_besides() -> None:
    bars = "(1 | g) + (1 + x | h)"
    assert len(charted(model(bars, "gaussian")).start) == len(charted(model(bars)).start) + 1


@pytest.mark.parametrize("bars", STRUCTURES.values(), ids=STRUCTURES.keys())
def test_rows_are_sorted_by_the_integrated_level(bars) -> None:
    m = model(bars)
    c = charted(m)
    q, lead = c.problem, c.integrated
    assert np.array_equal(q.data.y, m.design.y[c.order])
    if lead is None:
        assert q.integrated.coordinates == 0
        return
    codes = m.design.terms[lead.term].codes[c.order]
    for j, (a, b) in enumerate(zip(q.integrated.starts[:-1], q.integrated.starts[1:], strict=True)):
        assert (codes[a:b] == j).all()


def test_the_scalar_piece_with_the_most_levels_is_integrated() -> None:
    design = model("(1 + x | g) + (1 | h)").design
    lead, others = pieces(design)
    assert lead is not None
    assert (lead.term, lead.levels) == (1, 4)
    assert [piece.coordinates for piece in others] == [3]
    assert pieces(design, integrate=False)[0] is None
