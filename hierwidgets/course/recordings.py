"""The instruments of lectures and gallery, recorded for pages that have no kernel.

``python -m hierwidgets.course recordings --out DIR`` makes each instrument as its cell does, moves
it through its places, and writes what plays them: a file for each, ``index.json`` with what is in
them and how true they are, and the player with the front ends of Jupyter's widgets.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat

import hierwidgets
from hierwidgets.errors import DataError

from .needed import needed_code

__all__ = ["Shown", "instruments_of", "made_again", "main", "make"]

STILL = 'class="hw-still"'
PLAYER = Path(".book", "player")
RESTS_ON = ("numpy", "scipy", "pandas", "bqplot", "ipywidgets", "anywidget")
MOST_BYTES = 400_000  # of one recording, compressed
LONG = ("CompetitivenessEffect", "PoolingDial")  # to record: they come first


@dataclass(frozen=True, slots=True)
class Shown:
    """An instrument that a notebook shows.

    Attributes
    ----------
    page, index
        The notebook's name without suffix, and which of its instruments this is, from 0.
    code
        What makes it; see `needed_code`.
    text
        How the notebook's stored output writes it.
    """

    page: str
    index: int
    code: str
    text: str

    @property
    def name(self) -> str:
        """The name of its file, without suffix."""
        return f"{self.page}-{self.index}"

    @property
    def kind(self) -> str:
        """The name of its class."""
        return self.text.partition("(")[0]


def instruments_of(path: Path) -> list[Shown]:
    """The instruments that a notebook shows, in their order, by its stored outputs."""
    code: list[str] = []
    found: list[Shown] = []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type != "code":
            continue
        code.append(cell.source)
        stills = [
            one["data"]
            for one in cell.outputs
            if STILL in "".join(one.get("data", {}).get("text/html", ""))
        ]
        for still in stills:
            text = "".join(still["text/plain"])
            found.append(Shown(path.stem, len(found), needed_code(code), text))
    return found


def made_again(shown: Shown) -> Any:
    """The instrument, made by its code; it must be the one the notebook's output shows."""
    body, _, last = shown.code.rpartition("\n")
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(body, shown.name, "exec"), names)
    instrument = eval(compile(last, shown.name, "eval"), names)
    if repr(instrument) != shown.text:
        raise DataError(
            f"{shown.page}.ipynb: its code makes {instrument!r}, its stored output shows "
            f"{shown.text}. Run it afresh: python -m hierwidgets.course refresh {shown.page}.ipynb"
        )
    return instrument


def make(folder: Path, out: Path, kept: Path, workers: int) -> dict[str, Any]:
    """Record every instrument of a folder's notebooks into `out`.

    Parameters
    ----------
    folder
        Of notebooks with stored outputs.
    out
        Where files go.
    kept
        Where recordings are kept by what they rest on: their code, the package, its libraries.
    workers
        Processes at once.

    Returns
    -------
    dict
        The index: by name of a file what it holds.
    """
    from hierwidgets.widgets.recording import kinds

    every = [one for path in sorted(folder.glob("*.ipynb")) for one in instruments_of(path)]
    shown = [one for one in every if one.kind in kinds()]  # the others are not even made
    for place in (out, kept):
        place.mkdir(parents=True, exist_ok=True)
    stamp = _stamp()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        codes = list(dict.fromkeys(one.code for one in shown))
        first = [next(one for one in shown if one.code == code) for code in codes]
        keys = dict(zip(codes, pool.map(_key, first, [stamp] * len(codes)), strict=True))
        wanted = {keys[one.code]: one for one in first}
        for key in [key for key in wanted if (kept / f"{key}.json").exists()]:
            del wanted[key]
        heavy = sorted(wanted, key=lambda key: _turn(wanted[key]))
        for _ in pool.map(_keep, [wanted[key] for key in heavy], heavy, [kept] * len(heavy)):
            pass
    index = {}
    for one in shown:
        about = json.loads((kept / f"{keys[one.code]}.json").read_text(encoding="utf-8"))
        if "refused" in about:
            print(f"{one.name} keeps its still: {about['refused']}")
        elif about:
            shutil.copyfile(kept / f"{keys[one.code]}.bin", out / f"{one.name}.bin")
            index[one.name] = about
    text = json.dumps(index, indent=1, ensure_ascii=False)
    (out / "index.json").write_text(text + "\n", encoding="utf-8")
    return index


def _turn(shown: Shown) -> int:
    return LONG.index(shown.kind) if shown.kind in LONG else len(LONG)


def _key(shown: Shown, stamp: str) -> str:
    """What a recording is kept by: all it rests on, and the instrument as it stands."""
    from hierwidgets.widgets.recording import fingerprint

    instrument = made_again(shown)
    key = hashlib.sha256((stamp + fingerprint(instrument)).encode()).hexdigest()[:24]
    instrument.close()
    return key


def _keep(shown: Shown, key: str, kept: Path) -> None:
    """One recording, and what is in it; of an instrument that is not recorded an empty record."""
    from hierwidgets.widgets.recording import record

    began = time.process_time()
    instrument = made_again(shown)
    about: dict[str, Any] = {}
    try:
        recording = record(instrument)
        if recording is not None:
            data = _small_enough(recording.to_bytes())
            (kept / f"{key}.bin").write_bytes(data)
            seconds = round(time.process_time() - began, 1)
            about = recording.about() | {"bytes": len(data), "seconds": seconds}
    except DataError as error:  # its page keeps the still
        about = {"refused": str(error)}
    instrument.close()
    (kept / f"{key}.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")


def _small_enough(data: bytes) -> bytes:
    if len(data) > MOST_BYTES:
        raise DataError(
            f"the recording has {len(data):,} bytes; at most {MOST_BYTES:,} are allowed. Record "
            "fewer controls, or fewer of their positions"
        )
    return data


def _stamp() -> str:
    """What all recordings rest on: the package's files, and the libraries' versions."""
    found = hashlib.sha256("".join(f"{name} {version(name)};" for name in RESTS_ON).encode())
    root = Path(hierwidgets.__file__).parent
    for path in sorted(root.rglob("*")):
        if path.suffix in (".py", ".js", ".css", ".csv", ".npz"):
            found.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return found.hexdigest()


# --- the player ---


def build_player(source: Path, out: Path) -> None:
    """Bundle the player with the front ends of the widgets, which Python's packages bring."""
    from jupyter_core.paths import jupyter_path

    if shutil.which("npm") is None or shutil.which("node") is None:
        raise DataError(
            "the player of the recordings is bundled by Node.js: install node 18 or newer, with npm"
        )
    fronts = next(
        (p for p in map(Path, jupyter_path("nbextensions")) if (p / "bqplot/index.js").exists()),
        None,
    )
    if fronts is None:
        raise DataError("bqplot's front end is not installed: pip install 'hierwidgets[lab]'")
    if not (source / "node_modules" / "esbuild").exists():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=source, check=True)
    command = ["node", "build.mjs", str(out.resolve()), str(fronts)]
    subprocess.run(command, cwd=source, check=True)


def main(arguments: Sequence[str]) -> int:
    """The command ``recordings``."""
    parser = argparse.ArgumentParser(prog="python -m hierwidgets.course recordings")
    parser.add_argument("--out", type=Path, required=True, help="where files are written")
    parser.add_argument("--lectures", type=Path, default=Path("lectures"))
    parser.add_argument("--kept", type=Path, default=Path("build", "recordings"),
                        help="where recordings are kept from one run to the next")  # fmt: skip
    parser.add_argument("--only", choices=("player", "instruments"), help="make this half alone")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    given = parser.parse_args(arguments)
    began = time.perf_counter()
    try:
        if given.only != "instruments":
            build_player(given.lectures / PLAYER, given.out)
        if given.only == "player":
            return 0
        index = make(given.lectures, given.out, given.kept, given.workers)
    except DataError as error:
        print(error)
        return 1
    for name, about in index.items():
        print(
            f"{name}: {about['instrument']}, {' x '.join(map(str, about['positions']))} positions "
            f"of {', '.join(about['recorded'])}; {about['bytes'] / 1000:.0f} kB; at most "
            f"{about['pixels']:.2f} pixels off; {about['seconds']} s"
        )
    print(f"{len(index)} instruments recorded in {time.perf_counter() - began:.0f} s")
    return 0
