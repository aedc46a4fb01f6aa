"""A notebook from the bytes of a file, of any version, encoding and wrapping."""

import base64
import gzip
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, unquote

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from hierwidgets.errors import DataError

from .sources import tidy

__all__ = ["LARGEST", "File", "attach_pictures", "kind_of", "read_notebook", "unpack"]

LARGEST = 400_000_000  # bytes of a file, packed or not, that is read
MOST_FILES = 2_000  # in an archive
DEEPEST = 3  # archives in archives
ENCODINGS = (  # by what a file begins with, the longer ones first
    (b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
    (b"{\x00", "utf-16-le"), (b"\x00{", "utf-16-be"),
)  # fmt: skip
KINDS = (
    (b"%PDF", "a PDF document"), (b"Rar!", "a RAR archive"), (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x89PNG", "a picture"), (b"\xff\xd8\xff", "a picture"), (b"GIF8", "a picture"),
    (b"\xd0\xcf\x11\xe0", "an Office document"),
)  # fmt: skip
PICTURES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
LOCAL = re.compile(r"(!\[[^\]]*\]\()(?!attachment:|data:|https?:)([^)\s]+)")
AGAIN = "ask the student to open the notebook in JupyterLab, save it and hand in the .ipynb file"


@dataclass(frozen=True, slots=True)
class File:
    """A file of a submission: its name within it, when it was changed, and what is in it."""

    name: str
    changed: float
    data: bytes


def unpack(file: File, depth: int = 0) -> Iterator[File]:
    """The file, or what is in it if it is an archive.

    Raises
    ------
    DataError
        If an archive is damaged, locked or holds too much.
    """
    reader = next((r for r, fits in _ARCHIVES if fits(file.data)), None)
    if reader is None or depth >= DEEPEST:
        yield file
        return
    try:
        for inner in reader(file):
            yield from unpack(inner, depth + 1)
    except (zipfile.BadZipFile, tarfile.TarError, RuntimeError, OSError, EOFError, ValueError,
            NotImplementedError) as problem:  # fmt: skip
        raise DataError(
            f"{file.name} is an archive that cannot be opened ({problem}); unpack it by hand into "
            "this folder, or ask the student for the notebook itself"
        ) from None


def _is_zip(data: bytes) -> bool:
    """Whether it is a zip archive; an Office document, which is one too, stays a file."""
    if not data.startswith(b"PK\x03\x04"):
        return False
    return b"[Content_Types].xml" not in data[:4000] and b"mimetypeapplication" not in data[:100]


def _unzip(file: File) -> Iterator[File]:
    with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
        members = [m for m in archive.infolist() if not m.is_dir()]
        _check_size(len(members), sum(m.file_size for m in members))
        for member in members:
            with archive.open(member) as opened:
                data = opened.read(LARGEST)
            yield File(f"{file.name}/{member.filename}", _stamp(member, file.changed), data)


def _stamp(member: zipfile.ZipInfo, otherwise: float) -> float:
    try:
        return datetime(*member.date_time).timestamp()
    except (ValueError, OverflowError, OSError):
        return otherwise


def _untar(file: File) -> Iterator[File]:
    with tarfile.open(fileobj=io.BytesIO(file.data)) as archive:
        members = [m for m in archive.getmembers() if m.isfile()]
        _check_size(len(members), sum(m.size for m in members))
        for member in members:
            opened = archive.extractfile(member)
            if opened is not None:
                yield File(f"{file.name}/{member.name}", float(member.mtime), opened.read())


def _gunzip(file: File) -> Iterator[File]:
    with gzip.open(io.BytesIO(file.data)) as opened:
        data = opened.read(LARGEST + 1)
    _check_size(1, len(data))
    inner = File(file.name, file.changed, data)
    yield from _untar(inner) if _is_tar(data) else [inner]


def _is_tar(data: bytes) -> bool:
    return data[257:262] == b"ustar"


_ARCHIVES = (
    (_unzip, _is_zip), (_untar, _is_tar), (_gunzip, lambda data: data.startswith(b"\x1f\x8b")),
)  # fmt: skip


def _check_size(files: int, size: int) -> None:
    if files > MOST_FILES or size > LARGEST:
        raise ValueError(f"{files} files with {size / 1e6:.0f} MB are too much")


# --- notebooks ---


def kind_of(data: bytes) -> str:
    """What a file is, in words; "" for what may be a notebook, if a damaged one."""
    if not data.strip():
        return "an empty file"
    for begin, words in KINDS:
        if data.startswith(begin):
            return words
    if data.startswith(b"PK\x03\x04"):
        return "an Office document"
    if _encoding(data) == "utf-8" and b"\x00" in data[:1000]:
        return "a binary file"
    start = data[:2000].lower()
    if b"<html" in start or b"<!doctype" in start:
        return "a web page"
    named = any(word in data for word in (b'"cells"', b'"worksheets"', b'"cell_type"'))
    return "" if named or _encoding(data).startswith(("utf-16", "utf-32")) else "a text"


def _encoding(data: bytes) -> str:
    return next((name for begin, name in ENCODINGS if data.startswith(begin)), "utf-8")


def read_notebook(file: File) -> tuple[Any, list[str]]:
    """The notebook in a file, without outputs, in the present format; and what is odd about it.

    Raises
    ------
    DataError
        If there is none that can be read: it says what is wrong and what to do.
    """
    stored, notes = _stored(file)
    cells = _cells(stored)
    if cells is None:
        raise DataError(f"{file.name} has no cells, so it is no notebook; {AGAIN}")
    version = stored.get("nbformat", 4)
    if version not in (3, 4):
        notes.append(f"{file.name} is of format {version}, which is read as far as it is known")
    metadata = stored.get("metadata")
    notebook = new_notebook()
    notebook.metadata = nbformat.from_dict(metadata if isinstance(metadata, dict) else {})
    notebook.cells = [_plain(cell) for cell in cells if isinstance(cell, dict)]
    return notebook, notes


def _stored(file: File) -> tuple[dict[str, Any], list[str]]:
    encoding, notes = _encoding(file.data), list[str]()
    try:
        text = file.data.decode(encoding)
    except UnicodeDecodeError:
        text = file.data.decode("cp1252", errors="replace")
        notes.append(f"{file.name} is not in UTF-8; it was read as a Windows text")
    try:
        stored = json.loads(text)
    except (ValueError, RecursionError) as problem:
        merged = re.search("^<{7} ", text, re.MULTILINE)
        why = "has marks of an unfinished merge" if merged else f"is damaged ({problem})"
        raise DataError(
            f"{file.name} is not a notebook that can be read: it {why}; {AGAIN}"
        ) from None
    if not isinstance(stored, dict):
        raise DataError(f"{file.name} is no notebook; {AGAIN}")
    return stored, notes


def _cells(stored: dict[str, Any]) -> list[Any] | None:
    """The cells of a notebook of any version."""
    if isinstance(stored.get("cells"), list):
        return list(stored["cells"])
    sheets = stored.get("worksheets")
    if not isinstance(sheets, list):
        return None
    return [c for s in sheets if isinstance(s, dict) for c in s.get("cells") or ()]


def _plain(stored: dict[str, Any]) -> Any:
    """A cell with its text, its pasted pictures and its metadata, and nothing else."""
    kind, metadata = stored.get("cell_type"), stored.get("metadata")
    text = stored.get("source", stored.get("input", stored.get("text", "")))
    source = tidy("".join(map(str, text)) if isinstance(text, list) else str(text or ""))
    if kind == "heading":
        source = f"{'#' * int(stored.get('level') or 1)} {source}"
    makers = {"code": new_code_cell, "markdown": new_markdown_cell, "heading": new_markdown_cell}
    cell = makers.get(str(kind), new_raw_cell)(source)
    role = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    if isinstance(role, dict):
        cell.metadata["nbgrader"] = nbformat.from_dict(role)
    pasted = stored.get("attachments")
    if isinstance(pasted, dict):
        cell.attachments = {
            name: {kind: "".join(map(str, data)) if isinstance(data, list) else data
                   for kind, data in kinds.items()}
            for name, kinds in pasted.items() if isinstance(kinds, dict)
        }  # fmt: skip
    if isinstance(stored.get("id"), str):
        cell["id"] = stored["id"]
    else:
        del cell["id"]
    return cell


def attach_pictures(notebook: Any, files: Mapping[str, bytes]) -> list[str]:
    """Put pictures that lie beside a notebook into the texts that name them.

    Returns
    -------
    list of str
        The names of pictures that are named and not there.
    """
    missing = []
    for cell in notebook.cells:
        for _, path in LOCAL.findall(cell.source) if cell.cell_type == "markdown" else ():
            name = PurePosixPath(unquote(path).replace("\\", "/")).name
            data = files.get(name, b"")
            kind = next((kind for begin, kind in PICTURES.items() if data.startswith(begin)), "")
            if not kind:
                missing.append(path)
                continue
            cell.source = cell.source.replace(f"({path}", f"(attachment:{quote(name)}")
            stored = {name: {kind: base64.b64encode(data).decode()}}
            cell["attachments"] = {**cell.get("attachments", {}), **stored}
    return missing
