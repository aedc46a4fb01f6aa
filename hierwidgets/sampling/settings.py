"""How a sampler is told to run where it runs many times: for every fold, for every repetition."""

from collections.abc import Mapping
from typing import Any

from hierwidgets.errors import DataError

__all__ = ["settings"]

_DEFAULTS = {"chains": 4, "tune": 500, "draws": 500, "method": "auto"}
_OTHERS = ("cores", "target_accept")


def settings(asked: Mapping[str, Any] | None, taken: str, **own: Any) -> dict[str, Any]:
    """Arguments of `sampler.sample`; `taken` says where those not among them come from.

    Examples
    --------
    >>> settings({"draws": 100}, "the seed is that of the call", chains=2)["draws"]
    100
    """
    able = (*_DEFAULTS, *_OTHERS)
    if asked is not None and (not isinstance(asked, Mapping) or set(asked) - set(able)):
        raise DataError(
            f"sampling={asked!r}; give a dictionary with some of {list(able)}, such as "
            f"{{'draws': 500}}; {taken}"
        )
    return _DEFAULTS | dict.fromkeys(_OTHERS) | own | dict(asked or {})
