"""The site: JupyterLite, the lectures as students get them, and Python that starts quickly.

``python -m hierwidgets.course lite [--out FOLDER]``
    Writes the site to ``site/lite``; what is fetched for it is kept in ``build/lite``.
"""

import argparse
import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_path

from ...errors import DataError
from .. import student
from . import binaries, image, stored

__all__ = ["build", "main"]

_STATIC = Path(__file__).with_name("static")
_KERNEL = "@jupyterlite/pyodide-kernel-extension"
_EXTENSIONS = ("@jupyter-widgets/jupyterlab-manager", "anywidget", "bqplot", "bqscales", _KERNEL)
"""What JupyterLab needs beside itself: the front ends of the instruments, and the kernel."""
_KERNEL_WHEELS = ("ipykernel-", "piplite-", "pyodide_kernel-", "widgetsnbextension-4")
_KERNEL_PACKAGES = ("micropip", "piplite", "ssl", "sqlite3", "ipykernel", "comm", "pyodide_kernel")
_PYODIDE = "static/pyodide"
_STARTUP = "home/pyodide/.ipython/profile_default/startup/lectures.py"
_START = """\
from hierwidgets.course.lite.kernel import start
start(get_ipython())
del start
"""
_IMPORTS = (
    ("numpy", ["numpy"]),
    ("pandas", ["pandas"]),
    ("scipy", ["scipy.linalg", "scipy.optimize", "scipy.special", "scipy.sparse"]),
    ("the notebook's kernel", ["pyodide_kernel"]),
    ("matplotlib", ["matplotlib.figure", "matplotlib.backends.backend_agg"]),
    ("the widgets", ["ipywidgets", "bqplot", "anywidget"]),
    ("hierwidgets", ["hierwidgets.widgets", "hierwidgets.model", "hierwidgets.course.figures"]),
)
"""What is imported before the first cell, and what the page calls it.

The kernel comes before matplotlib, for it chooses where figures are drawn.
"""


def extension(name: str) -> Path:
    """The folder of an extension, wherever this environment keeps it.

    `make site` puts those that only a page without a server can load where JupyterLab, which would
    complain of them, does not look: in ``share/jupyter/lite``.
    """
    for folder in (*jupyter_path("lite"), *jupyter_path("labextensions")):
        if (found := Path(folder, name)).is_dir():
            return found
    raise binaries.Unavailable(
        f"JupyterLab's extension {name} is not installed: make install EXTRAS=lab,site"
    )


def settings(made: image.Image, packages: list[str]) -> dict[str, Any]:
    """``jupyter-lite.json``: where Python is, and what the worker finds in the image."""
    lectures = {
        "image": made.file.name,
        "size": made.size,
        "packages": packages,
        "libraries": ["/usr/lib/libopenblas.so"],
        "imports": _IMPORTS,
    }
    kernel = {
        "pyodideUrl": f"./{_PYODIDE}/start.js",
        "loadPyodideOptions": {
            "packages": [*_KERNEL_PACKAGES, "jedi", "ipython"],
            "lectures": lectures,
        },
    }
    return {
        "jupyter-lite-schema-version": 0,
        "jupyter-config-data": {
            "appName": "Hierarchical models",
            "exposeAppInBrowser": True,
            "litePluginSettings": {f"{_KERNEL}:kernel": kernel},
            "showLoadingIndicator": True,
        },
    }


def lock(found: binaries.Binaries, made: image.Image) -> dict[str, Any]:
    """Pyodide's list of packages, reduced to those of the image.

    Cells that import one of them find it there already; an import of anything else is told so by
    Python.
    """
    official = found.lock["packages"]
    packages = {name: official[name] for name in binaries.COMPILED}
    for name in made.packages:
        normal = re.sub(r"[-_.]+", "-", name).lower()
        if normal not in packages and name not in packages:
            packages[normal] = {
                "depends": [], "file_name": made.file.name, "imports": [], "install_dir": "site",
                "name": name, "package_type": "package", "sha256": "", "unvendored_tests": False,
                "version": "0",
            }  # fmt: skip
    return {**found.lock, "packages": packages}


def _contents(folder: Path, lectures: Path) -> None:
    for name, content in student.contents(lectures):
        if not name.startswith(student.SETTINGS):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def _jupyterlite(out: Path, lectures: Path, wanted: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        here = Path(scratch)
        _contents(here / "contents", lectures)
        (here / "jupyter-lite.json").write_text(json.dumps(wanted))
        overrides = lectures / student.SETTINGS / "labconfig" / "default_setting_overrides.json"
        shutil.copy(overrides, here / "overrides.json")
        config = {
            "LiteBuildConfig": {
                "apps": ["lab"],
                "contents": ["contents"],
                "federated_extensions": [str(extension(name)) for name in _EXTENSIONS],
                "ignore_sys_prefix": True,
                "no_sourcemaps": True,
                "output_dir": str(out.resolve()),
            }
        }
        (here / "jupyter_lite_config.json").write_text(json.dumps(config))
        command = [sys.executable, "-m", "jupyterlite_core", "build", "--no-libarchive"]
        done = subprocess.run(command, cwd=here, capture_output=True, text=True)
        if done.returncode:
            said = (done.stdout + done.stderr)[-3000:]
            raise DataError(f"JupyterLite could not be built: {said}")


def _with_news(out: Path) -> None:
    """Let the page say what it waits for."""
    page = out / "lab" / "index.html"
    text = page.read_text()
    shutil.copy(_STATIC / "waiting.js", out / "waiting.js")
    title = html.escape("Hierarchical models: the lectures in the browser")
    text = text.replace("<title>JupyterLite</title>", f"<title>{title}</title>")
    page.write_text(text.replace("</head>", '<script src="../waiting.js" defer></script></head>'))


def build(out: Path, lectures: Path, project: Path, cache: Path) -> None:
    """Write the site to `out`, which is replaced.

    Raises
    ------
    Unavailable
        If something the site is made of cannot be had.
    DataError
        If a file is not the one it should be, or JupyterLite cannot be built.
    """
    found = binaries.fetch(cache)
    wheels = extension(_KERNEL) / "static" / "pypi"
    kernel = sorted(p for p in wheels.glob("*.whl") if p.name.startswith(_KERNEL_WHEELS))
    more = {
        _STARTUP: _START.encode(),
        stored.PLACE: stored.made_elsewhere(lectures),
    }
    fresh = cache / "pyodide"
    shutil.rmtree(fresh, ignore_errors=True)
    made = image.make(found, project, kernel, more, fresh)
    listed = lock(found, made)
    (fresh / "pyodide-lock.json").write_text(json.dumps(listed))
    shutil.copy(_STATIC / "start.js", fresh)
    shutil.rmtree(out, ignore_errors=True)
    names = sorted(package["name"] for package in listed["packages"].values())
    _jupyterlite(out, lectures, settings(made, names))
    shutil.copytree(fresh, out / _PYODIDE)
    _with_news(out)


def main(arguments: Sequence[str]) -> int:
    """The command line; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m hierwidgets.course lite")
    parser.add_argument("--out", type=Path, default=Path("site/lite"))
    parser.add_argument("--from", dest="lectures", type=Path, default=Path("lectures"))
    asked = parser.parse_args(arguments)
    try:
        build(asked.out, asked.lectures, Path(), Path("build/lite"))
    except (binaries.Unavailable, DataError) as error:
        print(error, file=sys.stderr)
        return 1
    size = sum(p.stat().st_size for p in asked.out.rglob("*") if p.is_file())
    print(f"{asked.out}: {size / 1e6:.0f} MB; python -m http.server shows it")
    return 0
