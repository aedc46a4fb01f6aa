"""Nothing goes into the site that is not the file it should be."""

import hashlib
import re
import zipfile

import pytest

from hierwidgets.course.lite import binaries, image
from hierwidgets.errors import DataError


def wheel(path, name="small", **files):
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(f"{name}/{file}", text)
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Name: {name}\nVersion: 1.0\n")
    return path


def test_the_right_file_stays(tmp_path):
    file = tmp_path / "a.whl"
    file.write_bytes(b"as tested")
    binaries.check(file, hashlib.sha256(b"as tested").hexdigest())
    assert file.exists()


def test_a_wrong_file_is_refused_and_removed(tmp_path):
    file = tmp_path / "a.whl"
    file.write_bytes(b"something else")
    with pytest.raises(DataError, match=r"a\.whl has the SHA-256 .* it must be 00"):
        binaries.check(file, "00")
    assert not file.exists()


def test_a_tarball_of_pyodide_that_is_not_the_tested_one_is_refused(tmp_path):
    (tmp_path / f"pyodide-{binaries.PYODIDE}.tgz").write_bytes(b"something else")
    with pytest.raises(DataError, match="it is not the file that was tested"):
        binaries.fetch(tmp_path)
    assert not list(tmp_path.glob("*.tgz"))


def test_a_folder_without_the_wheels_is_said_so(tmp_path, monkeypatch):
    monkeypatch.setenv("LITE_WHEELS", str(tmp_path))
    with pytest.raises(binaries.Unavailable, match=r"there is no numpy\.whl in"):
        binaries._compiled(tmp_path, [{"file_name": "numpy.whl"}])


def test_wheels_of_plain_python_are_the_tested_versions(root):
    tested = re.findall(r"^([\w.-]+)==([^\s;]+)", (root / "constraints.txt").read_text(), re.M)
    named = re.findall(
        r"^([\w.-]+)==(\S+) --hash=sha256:[0-9a-f]{64}$", binaries.PURE.read_text(), re.M
    )
    assert len(named) == 18
    assert set(named) <= set(tested)


def test_what_is_not_run_is_left_out(tmp_path):
    found = wheel(tmp_path / "small-1.0-py3-none-any.whl", **{
        "core.py": "x = 1", "tests/test_core.py": "", "core.pxd": "", "core.pyi": "",
        "data.csv": "a"})  # fmt: skip
    assert image.lay_out(tmp_path / "root", [found], {"home/more.json": b"{}"}) == ["small"]
    files = {p.relative_to(tmp_path / "root").as_posix() for p in (tmp_path / "root").rglob("*.*")}
    site = image.SITE
    assert {f"{site}/small/core.py", f"{site}/small/data.csv", "home/more.json"} <= files
    assert not any("test" in file or file.endswith((".pxd", ".pyi")) for file in files)
