"""Pieces: the correlated effects of a model, taken apart, and which is integrated out."""

from dataclasses import dataclass

from hierwidgets.spec.design import Design

__all__ = ["Piece", "pieces"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Correlated effects over one group: a block of a term.

    Attributes
    ----------
    term, block : int
    columns : tuple of int
        Its columns of that term.
    levels : int
        J, the levels of its group.
    """

    term: int
    block: int
    columns: tuple[int, ...]
    levels: int

    @property
    def size(self) -> int:
        """k, its effects of one level."""
        return len(self.columns)

    @property
    def coordinates(self) -> int:
        """Its log sds and partial correlations."""
        return self.size * (self.size + 1) // 2


def pieces(
    design: Design, integrate: bool = True, widest: int = 1
) -> tuple[Piece | None, list[Piece]]:
    """The piece to integrate out, that of up to `widest` effects with the most levels, and the
    others."""
    every = [
        Piece(t, b, columns, term.J)
        for t, term in enumerate(design.terms)
        for b, columns in enumerate(term.blocks)
    ]
    able = [piece for piece in every if piece.size <= widest]
    if not able or not integrate:
        return None, every
    most = max(able, key=lambda piece: piece.levels * piece.size)
    return most, [piece for piece in every if piece is not most]
