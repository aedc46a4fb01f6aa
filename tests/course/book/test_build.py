"""The command: what it gathers, what it says when something is missing, what it leaves alone."""

import shutil
import sys
from pathlib import Path

import pytest
from support.paths import LECTURES

from hierwidgets.course.book import build, sources


def test_what_is_gathered(tmp_path: Path) -> None:
    pages = sources.gather(LECTURES, tmp_path)
    assert set(pages) == {path.stem for path in LECTURES.glob("*.ipynb")}
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert {
        "index.md", "students.md", "instructors.md", "r-users.md", "own-data.md", "about.md",
        "glossary.md", "reference/index.rst", "assignments/A1-the-309-problem.md",
        "assignments/student-guide.md", "images/pooling-dial.png", "_static/LICENSE",
        "_static/requirements.txt", "_static/notebooks/02-the-309-problem.ipynb",
    } <= files  # fmt: skip
    for path in tmp_path.rglob("*.md"):
        text = path.read_text(encoding="utf-8")
        assert "<!-- from:" not in text, path.name
        assert "](lectures/" not in text, path.name
    assert "glmer(cbind(s, n - s) ~ ...)" in (tmp_path / "r-users.md").read_text()
    assert '"outputs": []' in (tmp_path / "_static/notebooks/widgets.ipynb").read_text()
    glossary = (tmp_path / "glossary.md").read_text()
    assert ":::{glossary}\nBernoulli\n  The distribution of one answer" in glossary
    assert pages["02-the-309-problem"].instruments[0] == "Guess309"


def test_a_second_run_leaves_nothing_of_the_first(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "old.md").touch()
    sources.gather(LECTURES, tmp_path / "source")
    assert not (tmp_path / "source" / "old.md").exists()


def with_instruments(tmp_path: Path, monkeypatch, script: str) -> int:
    """The book of a page made by no Sphinx, with a command of that script for recordings."""
    lectures, work = tmp_path / "lectures", tmp_path / "work"
    monkeypatch.setattr(build, "gather", lambda lectures, source: None)
    monkeypatch.setattr(build, "fetched", lambda settings, static: static.mkdir(parents=True))

    def pages(options: list[str]) -> int:
        static = Path(options[-2]) / "_static" / "instruments"
        assert (static / "player").exists()
        shutil.copytree(static, Path(options[-1]) / "_static" / "instruments")
        return 0

    monkeypatch.setattr(build, "_sphinx", lambda: pages)
    command = [sys.executable, "-c", f"import sys; from pathlib import Path; {script}"]
    return build.build(lectures, tmp_path / "site", work, recordings=command)


def test_instruments_are_recorded_beside_the_pages(tmp_path: Path, monkeypatch) -> None:
    script = "p = Path(sys.argv[4]); p.mkdir(parents=True); (p / sys.argv[2]).touch()"
    assert with_instruments(tmp_path, monkeypatch, script) == 0
    made = tmp_path / "site" / "_static" / "instruments"
    assert sorted(path.name for path in made.iterdir()) == ["instruments", "player"]


def test_no_book_without_its_recordings(tmp_path: Path, monkeypatch) -> None:
    script = (
        "p = Path(sys.argv[4]); p.mkdir(parents=True); (p / sys.argv[2]).touch(); "
        "sys.exit(3 if sys.argv[2] == 'instruments' else 0)"
    )
    assert with_instruments(tmp_path, monkeypatch, script) == 3
    assert not (tmp_path / "site").exists()


def test_publishing_keeps_what_others_keep_there(tmp_path: Path) -> None:
    html, out = tmp_path / "html", tmp_path / "site"
    for name in ("lite/lab/index.html", "old.html", "_static/old.css"):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).touch()
    for name in ("index.html", "_static/new.css"):
        (html / name).parent.mkdir(parents=True, exist_ok=True)
        (html / name).touch()
    build.publish(html, out)
    files = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert files == {"lite/lab/index.html", "index.html", "_static/new.css", ".nojekyll"}


def test_elsewhere_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="start this in the folder of the project"):
        sources.gather(tmp_path, tmp_path / "work")
    with pytest.raises(FileNotFoundError, match="make site fetches it"):
        build.fetched(tmp_path, tmp_path / "static")
