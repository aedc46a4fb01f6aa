"""Tables as aligned text and as Markdown, and the machine they were measured on."""

import datetime
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np

BEGIN, END = "<!-- benchmark: begin -->", "<!-- benchmark: end -->"


@dataclass(slots=True)
class Report:
    """What is printed, in Markdown too, and the targets judged on the way."""

    parts: list[str] = field(default_factory=list)
    verdicts: list[tuple[bool | None, str]] = field(default_factory=list)

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

    def close(self) -> bool:
        """Print the verdicts; whether none is a miss."""
        if hasattr(os, "getloadavg"):
            self.text(f"Load average at the end: {os.getloadavg()[0]:.1f}.")
        words = {True: "met", False: "MISSED", None: "not judged: a peer is not here"}
        self.table("Targets", [("target", "verdict"), *((t, words[ok]) for ok, t in self.verdicts)])
        return all(ok is not False for ok, _ in self.verdicts)

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
