"""The reference: every public name stands on one page, once."""

import re
from collections import Counter

from support.paths import ROOT

import hierwidgets as hw
from hierwidgets.course.book import reference

MODULES = {"exercises", "priors", "widgets"}


def test_every_public_name_has_one_place() -> None:
    counted = Counter(name for part in reference.PARTS for name in reference.names(part))
    every = set(hw.__all__) - MODULES
    for module in MODULES:
        every |= {f"{module}.{name}" for name in getattr(hw, module).__all__} - {"priors.Priors"}
    assert set(counted) == every
    assert set(counted.values()) == {1}


def test_pages_name_what_they_document() -> None:
    pages = reference.pages()
    assert set(pages) == {f"reference/{p.name}.rst" for p in reference.PARTS} | {
        "reference/index.rst"
    }
    fit = pages["reference/fit.rst"]
    assert ".. autoclass:: hierwidgets.Fit\n   :members:\n" in fit
    assert ".. autofunction:: hierwidgets.compare" in fit
    errors = pages["reference/errors.rst"]
    assert ".. autoexception:: hierwidgets.FormulaError" in errors
    assert set(re.findall(r":doc:`.*? <(\w+)>`", pages["reference/index.rst"])) == {
        part.name for part in reference.PARTS
    }


def test_names_lead_to_their_code() -> None:
    def of(name: str, module: str = "hierwidgets") -> str | None:
        return reference.source("py", {"module": module, "fullname": name})

    for name, file in (("glmer", "model.py"), ("Fit.confint", "fit/fit.py"), ("Fit", "fit/fit.py")):
        address = of(name)
        assert address is not None
        found = re.fullmatch(r"https://.*/blob/main/(hierwidgets/.*)#L(\d+)-L(\d+)", address)
        assert found is not None
        assert found[1] == f"hierwidgets/{file}"
        lines = (ROOT / found[1]).read_text().splitlines()[int(found[2]) - 1 : int(found[3])]
        assert any(re.match(rf"\s*(def|class) {name.split('.')[-1]}\b", line) for line in lines)
    assert of("Fit.fixef")
    assert of("__version__") is None
    assert of("array", "numpy") is None
    assert reference.source("c", {"module": "hierwidgets", "fullname": "glmer"}) is None
