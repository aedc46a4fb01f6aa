"""Group effects of draws: those that were integrated out are drawn when they are first wanted.

Much is said of a model without its group effects, and they are by far the most of what draws hold:
567 districts times 10,000 draws are 43 MiB. So they wait, and then stay in single precision, in
which they were drawn (`draws`).
"""

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family

from .conditional import draw_levels
from .draws import Draws, EffectsLike

__all__ = ["Effects", "kept_columns", "sampled", "single_effects"]

Single = NDArray[np.float32]


class Effects(Sequence[Array]):
    """What `conditional.draw_levels` gives, one array (C, D, J, k) per term, in the same digits.

    Parameters
    ----------
    effects :
        One per term; of the columns that were integrated out nothing is kept.
    cores :
        On which they are drawn; None: all there are.
    """

    def __init__(
        self,
        design: Design,
        family: Family,
        beta: Array,
        factors: tuple[Array, ...],
        sigma: Array,
        effects: Sequence[Array],
        integrated: tuple[int, ...] | None,
        seed: int,
        cores: int | None = None,
    ) -> None:
        self._model = design, family
        self._given = beta, factors, sigma
        self._integrated, self._seed, self._cores = integrated, seed, cores
        self._sampled: tuple[Single, ...] = tuple(
            b[..., kept_columns(t, b.shape[-1], integrated)].astype(np.float32)
            for t, b in enumerate(effects)
        )
        self._all: tuple[Single, ...] | None = None

    def __len__(self) -> int:
        return len(self._sampled)

    def __iter__(self) -> Iterator[Array]:
        return (self[t] for t in range(len(self)))

    @overload
    def __getitem__(self, which: int) -> Array: ...
    @overload
    def __getitem__(self, which: slice) -> Sequence[Array]: ...
    def __getitem__(self, which: int | slice) -> Array | Sequence[Array]:
        """A copy in double precision, so that sums of many keep their digits."""
        if isinstance(which, slice):
            return tuple(b.astype(np.float64) for b in self.single()[which])
        return self.single()[which].astype(np.float64)

    def __repr__(self) -> str:
        waiting = " (not drawn yet)" if self._all is None else ""
        return f"Effects({[self._shape(t) for t in range(len(self))]}{waiting})"

    def single(self) -> tuple[Single, ...]:
        """The effects as they are held."""
        if self._all is None:
            (design, family), (beta, factors, sigma) = self._model, self._given
            drawn = draw_levels(
                design, family, beta, factors, sigma, self.sampled(), self._integrated,
                self._seed, self._cores,
            )  # fmt: skip
            self._all = tuple(b.astype(np.float32) for b in drawn)
        return self._all

    def sampled(self) -> tuple[Array, ...]:
        """Those that were not integrated out, and 0 in place of the others."""
        wide = []
        for t, b in enumerate(self._sampled):
            whole = np.zeros(self._shape(t))
            if b.shape[-1]:
                whole[..., kept_columns(t, whole.shape[-1], self._integrated)] = b
            wide.append(whole)
        return tuple(wide)

    def _shape(self, t: int) -> tuple[int, ...]:
        term = self._model[0].terms[t]
        return (*self._given[2].shape, term.J, term.k)


def kept_columns(t: int, k: int, integrated: tuple[int, ...] | None) -> list[int]:
    """The columns of a term that were not integrated out."""
    done = integrated[1:] if integrated is not None and integrated[0] == t else ()
    return [i for i in range(k) if i not in done]


def sampled(draws: Draws) -> EffectsLike:
    """Effects of draws without drawing any; what was integrated out is not to be read there."""
    found = draws.effects
    return found.sampled() if isinstance(found, Effects) else found


def single_effects(effects: EffectsLike, t: int) -> Array | Single:
    """Effects of one term as they are held: no copy is made where they are multiplied at once."""
    return effects.single()[t] if isinstance(effects, Effects) else effects[t]
