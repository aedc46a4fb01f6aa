# make lab     make your own copy of the lectures (COPY, my-lectures) and open it in JupyterLab
# make lite    make the lectures that run in a browser, without a server, in site/lite
# make test    prove that everything works (under 15 minutes)
# The rest: test-slow, test-long (what takes hours by nature), bench, notebooks, constraints,
# clean. PYTHON chooses the interpreter.

PYTHON ?= python3
LAB_ARGS ?=
COPY ?= my-lectures
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
EXTRAS ?= lab,dev,bayes,grading
# One stamp for each version of Python: a second run installs nothing, another version all.
VERSION := $(shell $(PYTHON) -c "import sys; print('%d.%d' % sys.version_info[:2])")
STAMP := $(VENV)/.installed-$(VERSION)
SITE_STAMP := $(VENV)/.site-$(VERSION)
WORKERS ?= 2

.PHONY: lab lite test test-slow test-long bench notebooks constraints install clean lint types kernels unit \
  lectures browser

lab: install
	$(BIN)/python -m hierwidgets.course lab "$(COPY)" $(LAB_ARGS)

# Pyodide comes from npm, its wheels from LITE_WHEELS (a folder or an address; see binaries.py).
lite: $(SITE_STAMP)
	$(BIN)/python -m hierwidgets.course lite --out site/lite

# Types and kernels keep one core busy each.
test: install
	@$(MAKE) --no-print-directory -j 2 lint types kernels
	@$(MAKE) --no-print-directory unit lectures browser

test-slow: install
	$(BIN)/python -m pytest -m "slow and not long" -q --durations=10 -n $(WORKERS) --dist loadfile || test $$? -eq 5

test-long: install
	$(BIN)/python -m pytest -m long -q --durations=10 -n $(WORKERS) --dist loadfile || test $$? -eq 5

bench: install
	PYTHONPATH=tests $(BIN)/python -m benchmarks $(BENCH_ARGS)

notebooks: install
	$(BIN)/python -m hierwidgets.course refresh lectures

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache --no-logo

types:
	$(BIN)/mypy hierwidgets

kernels:
	$(BIN)/python tests/tools/compile_kernels.py

unit:
	$(BIN)/python -m pytest -q -m "not slow and not browser and not long" --doctest-modules hierwidgets tests \
	  --ignore=tests/browser -n $(WORKERS) --dist loadfile

lectures:
	$(BIN)/python -m hierwidgets.course check lectures
	$(BIN)/python -m pytest -q --nbval --nbval-current-env --nbval-sanitize-with tests/sanitize.cfg \
	  --nbval-cell-timeout=120 -n $(WORKERS) --dist loadscope lectures/*.ipynb

browser:
	$(BIN)/python -m pytest -q -m "browser and not slow and not long" tests/browser -n $(WORKERS) \
	  --dist loadfile

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c "" || { echo "$(PYTHON) cannot be run here; name another: make $(MAKECMDGOALS)" \
	  "PYTHON=/usr/bin/python3"; exit 1; }
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" \
	  || { echo "hierwidgets needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c "import venv, ensurepip" \
	  || { echo "Python's venv module is missing: apt-get install python3-venv"; exit 1; }
	@mkdir -p "$(VENV)" 2>/dev/null && test -w "$(VENV)" \
	  || { echo "the environment $(VENV) cannot be written in $(CURDIR): copy the repository to a" \
	  "folder of your own, or choose another place: make VENV=~/hierwidgets-venv"; exit 1; }
	@echo "installing into $(VENV) (a few minutes the first time)"
	@# Not compiled: a third of the time goes into modules nobody imports.
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --no-compile --constraint constraints.txt --editable ".[$(EXTRAS)]"
	@touch $(STAMP)

$(SITE_STAMP): $(STAMP)
	@$(PIP) install --no-compile --constraint constraints.txt --editable ".[$(EXTRAS),site]"
	@touch $(SITE_STAMP)

# Resolve anew on each interpreter named, and write the pins with markers where they differ.
constraints:
	$(PYTHON) tests/tools/constraints.py $(PYTHONS)

clean:
	rm -rf $(VENV) .venv-* build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
