r"""Draws in one small file.

A NumPy ``.npz`` archive (compressed) with

    header      JSON text: format version, formula, family, link, event, priors, kind, names of
                the columns, what was integrated, seed, seconds
    data/NAME   the columns of the data in use: numbers; or codes of text, with the levels in
                the header
    weights, offset
                prior weights of observations; the offset unless it is a column
    beta, sigma, factors/T, effects/T
                draws in single precision, which is all `Draws` holds; effects that were
                integrated out are left out and drawn again from the seed
    divergent, depth, energy
                the sampler's own report
    weight      shares of the pool, of draws by importance sampling (the header has the rest)
"""

import datetime
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.data.shipped import SHIPPED, shipped_file
from hierwidgets.errors import DataError
from hierwidgets.sampling.draws import Draws, Pool
from hierwidgets.sampling.effects import Effects, kept_columns, sampled
from hierwidgets.sampling.priors import Prior, Priors
from hierwidgets.spec import design as designs
from hierwidgets.spec import families, formula
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family

__all__ = ["load", "save"]

VERSION = 1


def save(
    path: str | Path, design: Design, family: Family, priors: Priors, draws: Draws, kind: str
) -> None:
    """Write a posterior to `path`."""
    arrays: dict[str, NDArray[Any]] = {}
    columns = {name: _encode(design.data[name], f"data/{name}", arrays) for name in design.data}
    if not (design.weights == 1).all():
        arrays["weights"] = design.weights
    offset = design.offset[design.rows]
    if design.offset_column is None and offset.any():
        arrays["offset"] = offset
    for name in ("beta", "sigma", "energy"):
        arrays[name] = getattr(draws, name).astype(np.float32)
    arrays["divergent"], arrays["depth"] = draws.divergent, draws.depth.astype(np.uint8)
    for t, (F, b) in enumerate(zip(draws.factors, sampled(draws), strict=True)):
        arrays[f"factors/{t}"] = F.astype(np.float32)
        kept = kept_columns(t, b.shape[-1], draws.integrated)
        arrays[f"effects/{t}"] = b[..., kept].astype(np.float32)
    event = design.event.item() if isinstance(design.event, np.generic) else design.event
    header = {
        "version": VERSION, "kind": kind, "formula": design.formula.text,
        "family": family.name, "link": family.link.name, "event": event,
        "offset_column": design.offset_column, "collinear": design.collinear,
        "weights_column": design.weights_column,
        "columns": columns, "priors": _plain(priors),
        "integrated": draws.integrated, "seed": draws.seed, "seconds": draws.seconds,
        "interrupted": draws.interrupted, "reason": draws.reason,
    }  # fmt: skip
    if draws.pool is not None:
        header["pool"] = {n: getattr(draws.pool, n) for n in ("size", "effective", "k", "largest")}
        arrays["weight"] = draws.pool.weight.astype(np.float32)
    arrays["header"] = np.array(json.dumps(header))
    with open(path, "wb") as handle:
        np.savez_compressed(handle, **arrays)  # type: ignore[arg-type]


def load(path: str | Path, effects: bool = True) -> tuple[Design, Family, Priors, Draws, str]:
    """What `save` wrote; the parts of a `Posterior`."""
    if not isinstance(path, str | Path):
        raise DataError(f"a path or a name is needed; {path!r} was given")
    where = shipped_file(path) if isinstance(path, str) and path in SHIPPED else Path(path)
    if not where.exists():
        raise DataError(
            f"there is no file {str(path)!r}; give a file that post.save wrote, or one of "
            f"{list(SHIPPED)}"
        )
    try:
        with np.load(where, allow_pickle=False) as archive:
            a = dict(archive)
        header = json.loads(str(a["header"]))
    except (ValueError, KeyError, OSError) as error:
        raise DataError(f"{str(path)!r} is not a file of draws: {error}") from None
    if header["version"] != VERSION:
        raise DataError(f"{str(path)!r} has version {header['version']}; this is {VERSION}")
    design, family = _model(header, a)
    return (
        design,
        family,
        _priors(header["priors"]),
        _draws(header, a, design, family, effects),
        header["kind"],
    )


def _model(header: dict[str, Any], a: dict[str, NDArray[Any]]) -> tuple[Design, Family]:
    family = families.family(header["family"], header["link"])
    columns = {name: _decode(kept, a[f"data/{name}"]) for name, kept in header["columns"].items()}
    weights: Any = header.get("weights_column") or a.get("weights")
    offset = header["offset_column"]
    if offset is None and "offset" in a:
        offset = a["offset"]
    built = designs.build(
        formula.parse(header["formula"]), pd.DataFrame(columns), family,
        event=header["event"], weights=weights, offset=offset,
        collinear=header.get("collinear", "raise"),
    )  # fmt: skip
    return built, family


def _draws(
    header: dict[str, Any],
    a: dict[str, NDArray[Any]],
    design: Design,
    family: Family,
    again: bool,
) -> Draws:
    def wide(name: str) -> NDArray[np.float64]:
        return a[name].astype(np.float64)

    integrated = None if header["integrated"] is None else tuple(header["integrated"])
    effects = []
    for t, term in enumerate(design.terms):
        kept, shape = kept_columns(t, term.k, integrated), (*a["sigma"].shape, term.J, term.k)
        b = np.zeros(shape) if again else np.broadcast_to(np.nan, shape)
        if kept:
            b = b.copy()
            b[..., kept] = a[f"effects/{t}"]
        effects.append(b)
    draws = Draws(
        wide("beta"), tuple(wide(f"factors/{t}") for t in range(len(design.terms))),
        wide("sigma"), tuple(effects), integrated, header["seed"], a["divergent"],
        a["depth"].astype(np.int64), wide("energy"), header["seconds"], header["interrupted"],
        Pool(**header["pool"], weight=wide("weight")) if "pool" in header else None,
        header.get("reason", ""),
    )  # fmt: skip
    if not again:
        return draws
    drawn = Effects(
        design, family, draws.beta, draws.factors, draws.sigma, draws.effects, integrated,
        draws.seed, cores=None,
    )  # fmt: skip
    return replace(draws, effects=drawn)


# --- columns and priors as plain values ---------------------------------------------------


def _encode(values: pd.Series, key: str, arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """Put a column into `arrays`; what is needed to read it again."""
    categorical = isinstance(values.dtype, pd.CategoricalDtype)
    if not categorical and pd.api.types.is_numeric_dtype(values):
        arrays[key] = _plain_numbers(values)
        return {"levels": None}
    codes, levels = (
        (values.cat.codes.to_numpy(), list(values.cat.categories))
        if categorical
        else pd.factorize(values, sort=True)
    )
    kinds, texts = zip(*(_level(level, str(values.name)) for level in levels), strict=True)
    arrays[key] = np.asarray(codes).astype(np.int32 if len(texts) > 127 else np.int8)
    kept = {"levels": list(texts), "categorical": categorical}
    return kept if set(kinds) == {"plain"} else kept | {"kinds": list(kinds)}


def _plain_numbers(values: pd.Series) -> NDArray[Any]:
    """Numbers in a dtype of numpy's own; nullable and Arrow columns have no missing values here."""
    if isinstance(values.dtype, np.dtype):
        return values.to_numpy()
    types = pd.api.types
    whole = np.int64 if types.is_integer_dtype(values) else np.float64
    return values.to_numpy(dtype=np.bool_ if types.is_bool_dtype(values) else whole)


def _level(value: Any, name: str) -> tuple[str, Any]:
    """The kind of a level, and the level as JSON holds it."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str | int | float | bool):
        return "plain", value
    if isinstance(value, pd.Timestamp):
        return "timestamp", [value.isoformat(), None if value.tz is None else str(value.tz)]
    if isinstance(value, pd.Period):
        return "period", [value.ordinal, value.freqstr]
    if isinstance(value, pd.Interval):
        ends = [_level(end, name) for end in (value.left, value.right)]
        return "interval", [*ends, value.closed]
    if isinstance(value, datetime.datetime):
        return _level(pd.Timestamp(value), name)
    if isinstance(value, datetime.date):
        return "date", value.isoformat()
    raise DataError(
        f"the column {name!r} holds {type(value).__name__}, which cannot be saved: make it text"
    )


def _again(kind: str, kept: Any) -> Any:
    """The level that `_level` took apart."""
    if kind == "timestamp":
        moment = pd.Timestamp(kept[0])
        return moment if kept[1] is None else moment.tz_convert(kept[1])
    if kind == "period":
        return pd.Period(ordinal=kept[0], freq=kept[1])
    if kind == "interval":
        return pd.Interval(_again(*kept[0]), _again(*kept[1]), closed=kept[2])
    return datetime.date.fromisoformat(kept) if kind == "date" else kept


def _decode(kept: dict[str, Any], stored: NDArray[Any]) -> Any:
    if kept["levels"] is None:
        return stored
    kinds = kept.get("kinds", ["plain"] * len(kept["levels"]))
    levels = np.empty(len(kinds), dtype=object)
    levels[:] = [_again(*pair) for pair in zip(kinds, kept["levels"], strict=True)]
    if kept["categorical"]:
        return pd.Categorical.from_codes(stored.astype(np.intp), pd.Index(list(levels)))
    return pd.Series(levels[stored], dtype=object)


def _plain(priors: Priors) -> dict[str, Any]:
    def one(prior: Prior | None) -> Any:
        return None if prior is None else [prior.kind, list(prior.parameters)]

    classes = ("intercept", "coefficients", "sd", "corr", "sigma")
    return {
        **{name: one(getattr(priors, name)) for name in classes},
        "by_name": {name: one(prior) for name, prior in priors.by_name.items()},
        "centred": priors.centred,
    }


def _priors(kept: dict[str, Any]) -> Priors:
    def one(value: Any) -> Prior | None:
        return None if value is None else Prior(value[0], tuple(value[1]))

    classes = ("intercept", "coefficients", "sd", "corr", "sigma")
    return Priors(
        **{name: one(kept[name]) for name in classes},
        by_name={name: one(value) for name, value in kept["by_name"].items()},
        centred=kept["centred"],
    )
