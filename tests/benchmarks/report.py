"""Tables as aligned text and as Markdown, and the machine they were measured on."""

import datetime
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np

SLOWER = 1.25  # times: what runs on one machine differ by anyway is less
BEGIN, END = "<!-- benchmark: begin -->", "<!-- benchmark: end -->"


@dataclass(slots=True)
class Report:
    """What is printed, in Markdown too, and the targets judged on the way."""

    parts: list[str] = field(default_factory=list)
    verdicts: list[tuple[bool | None, str]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def text(self, line: str) -> None:
        """A paragraph."""
        print(line, flush=True)
        self.parts.append(line)

    def table(self, title: str, rows: Sequence[Sequence[str]]) -> None:
        """A table; the first row heads it, the first column is text, the others numbers."""
        print(f"\n{title}\n{aligned(rows)}\n", flush=True)
        self.parts.append(f"{title}\n\n{markdown(rows)}")

    def judge(self, reached: bool | None, target: str) -> None:
        """Note whether a target is reached; None where a peer is not here."""
        self.verdicts.append((reached, target))

    def took(self, what: str, seconds: float) -> None:
        """Note what took how long, for a later run to be held against."""
        self.seconds[what] = seconds

    def save(self, path: Path) -> None:
        """Write the seconds of everything measured, with machine and date, as JSON."""
        path.write_text(json.dumps({"machine": machine(), "seconds": self.seconds}, indent=1))

    def against(self, path: Path) -> None:
        """Say what has become slower, or faster, by a quarter since the run stored in a file."""
        old = json.loads(path.read_text())
        both = {name: (old["seconds"][name], s) for name, s in self.seconds.items()
                if name in old["seconds"]}  # fmt: skip
        for title, changed in (
            ("Slower", {n: new / was for n, (was, new) in both.items() if new > SLOWER * was}),
            ("Faster", {n: was / new for n, (was, new) in both.items() if was > SLOWER * new}),
        ):
            rows = [
                (name, f"{both[name][0]:.3g} s", f"{both[name][1]:.3g} s", f"{ratio:.2f}x")
                for name, ratio in sorted(changed.items(), key=lambda item: -item[1])
            ]
            head = f"{title} than in {path.name}, of {len(both)} measurements: {len(rows)}"
            print(f"\n{head}")
            if rows:
                print(aligned([("what", "then", "now", "ratio"), *rows]))
        print(f"Then: {old['machine']}")

    def close(self) -> bool:
        """Print the verdicts, the misses in the report's first line; whether none is a miss."""
        if hasattr(os, "getloadavg"):
            self.text(f"Load average at the end: {os.getloadavg()[0]:.1f}.")
        words = {True: "met", False: "MISSED", None: "not judged: a peer is not here"}
        self.table("Targets", [("target", "verdict"), *((t, words[ok]) for ok, t in self.verdicts)])
        missed = [target for ok, target in self.verdicts if ok is False]
        judged = sum(ok is not None for ok, _ in self.verdicts)
        first = f"**Missed: {'; '.join(missed)}.**" if missed else f"All {judged} targets met."
        self.parts.insert(0, first)
        print(first)
        return not missed

    def write(self, path: Path) -> None:
        """Put the Markdown into `path`, between its two marker lines if it has them."""
        body = f"{BEGIN}\n" + "\n\n".join(self.parts) + f"\n{END}\n"
        old = path.read_text("utf-8") if path.exists() else ""
        if BEGIN in old:
            before, rest = old.split(BEGIN, 1)
            body = before + body.rstrip("\n") + rest.split(END, 1)[1]
        path.write_text(body, "utf-8")


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns side by side: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(w) if i else cell.ljust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """The same as a Markdown table."""
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|---" + "|---:" * (len(rows[0]) - 1) + "|", *body])


def machine() -> str:
    """The machine, the load, the versions and the BLAS, in a sentence or two."""
    names = ("numpy", "scipy", "pandas", "formulaic")
    load = f", load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{datetime.date.today():%d %B %Y}; {_processor()}, {os.cpu_count()} cores{_memory()}, "
        f"{platform.system()}{load} at the start. Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in names)
        + f"; {_blas()}."
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _memory() -> str:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return ""
    return f", {os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB"


def _blas() -> str:
    """The BLAS numpy runs on, its kernel and threads."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]  # type: ignore[index]
        return f"BLAS {blas['name']} {blas['version']}"
    found = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return "; ".join(
        f"BLAS {p['internal_api']} {p['version']}, kernel {p.get('architecture', '?')}, "
        f"{p['num_threads']} threads"
        for p in found[:1]
    )
