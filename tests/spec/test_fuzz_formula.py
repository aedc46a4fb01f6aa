"""Random formulas by the thousand: each is read or refused in words, and none is ever run as code.

``pytest -s -m slow tests/spec/test_fuzz_formula.py`` prints how many were tried, and what became
of them. Three sources: random tokens of the language and of Python, valid formulas with a few
characters changed, and random text. A formula that is read must also make a model of real
columns, or be refused there by an error of ours. Nothing may take longer than five seconds.
"""

import builtins
import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.spec.formula import parse

TOKENS = (
    "y", "x", "z", "g", "h", "~", "+", "-", "*", ":", "/", "|", "||", "(", ")", "1", "0", "-1",
    "p(y,n)", "log(", "sqrt(", "exp(", "I(", "C(", "poly(", "np.", "np.log(", "**", "**", "2",
    "3", "99999", ".", "..", ",", "==", "<", ">", "=", "'", '"', '\\', "[", "]", "{", "}", ";",
    "@", "!", "#", "%", "^", "&", "lambda:", "__import__('os')", "open(", "eval(", "exec(",
    "__class__", "().__bases__", "for", "in", "if", "else", "while", "import", "os", "sys",
    "system", "rm", "x.values", "x.__class__", "`x", "y`", '"x"', "'g'", "Ü", "ß", "中", "1e400",
    "1e-400", "inf", "nan", "None", "True", "0x10", "1j", "07", "::", "~~", "++", "((((", "))))",
    "|g)", "(1|g)", "(x||g)", "(1|g/h)", "(1|g:h)", "offset(x)", "weights", "s(x)", "te(x,z)",
    "y~x",
)  # fmt: skip
VALID = (
    "y ~ x + (1 | g)", "y ~ x * z + (1 + x | g) + (1 | h)", "p(y, n) ~ C(h) + (x || g)",
    "y ~ 0 + log(x) + I(x**2) + (1 | g/h)", "y ~ np.exp(x) : z - 1 + (1 | g:h)",
)  # fmt: skip
ALPHABET = "yxzgh~+-*:/|()1 0.,'\"[]{}_=<>!@#%^&\\;?αÜ中\n\t"
ROWS = 40


def formulas(count: int, seed: int) -> list[str]:
    """That many random formulas, a third from each source."""
    rng = random.Random(seed)
    made = []
    for k in range(count):
        if k % 3 == 0:
            words = rng.choices(TOKENS, k=rng.randint(1, 14))
            made.append(rng.choice(["", " "]).join(words))
        elif k % 3 == 1:
            text = list(rng.choice(VALID))
            for _ in range(rng.randint(1, 5)):
                place = rng.randrange(len(text) + 1)
                text[place : place + rng.randint(0, 2)] = rng.choice(ALPHABET)
            made.append("".join(text))
        else:
            made.append("y ~ " + "".join(rng.choices(ALPHABET, k=rng.randint(0, 40))))
    return made


def data() -> pd.DataFrame:
    rng = np.random.default_rng(20)
    return pd.DataFrame(
        {
            "y": rng.permutation(np.repeat([0, 1], ROWS // 2)), "n": 2,
            "x": rng.normal(size=ROWS) ** 2 + 0.1, "z": rng.normal(size=ROWS),
            "g": np.repeat(list("abcd"), ROWS // 4), "h": np.tile(list("pq"), ROWS // 2),
        }
    )  # fmt: skip


class RanError(BaseException):
    """A formula reached what only running it as code can reach."""


@pytest.fixture
def traps(monkeypatch):
    """Whatever a formula could do to the machine raises, past every `except Exception`."""

    def trap(*args, **kwargs):
        raise RanError(args)

    for module, name in (
        (os, "system"), (os, "popen"), (os, "remove"), (os, "execv"), (subprocess, "Popen"),
        (builtins, "input"), (builtins, "breakpoint"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, trap)


def outcome(text: str, frame: pd.DataFrame) -> str:
    """What became of a formula, in a word."""
    if said := refusal(lambda: parse(text), hw.FormulaError):
        what = "refused"
    elif said := refusal(lambda: hw.Model(text, frame, "binomial"), hw.HierwidgetsError):
        what = "read, does not fit the columns"
    else:
        return "a model"
    assert 10 < len(said) < 900, text
    return what


def refusal(call: Callable[[], object], kind: type[Exception]) -> str:
    """The message with which a call is refused; empty if it is not."""
    try:
        call()
    except kind as error:
        return str(error) or "an error without words"
    return ""


def tried(count: int, seed: int) -> tuple[Counter, float]:
    frame, counts, slowest = data(), Counter(), 0.0
    before = frame.copy(deep=True)
    for text in formulas(count, seed):
        start = time.perf_counter()
        counts[outcome(text, frame)] += 1
        slowest = max(slowest, time.perf_counter() - start)
    assert frame.equals(before)
    return counts, slowest


@pytest.mark.filterwarnings("ignore")
def test_random_formulas_are_read_or_refused(traps):
    counts, _ = tried(1500, seed=9)
    assert counts["refused"] > 500
    assert counts["a model"] >= 5


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_many_random_formulas(traps):
    counts, slowest = tried(60_000, seed=2026)
    total = sum(counts.values())
    print(f"\n{total:,} formulas tried: {dict(counts)}; the slowest took {slowest:.2f} s")
    assert slowest < 5
