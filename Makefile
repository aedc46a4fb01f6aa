# make lab     make your own copy of the lectures (COPY, my-lectures) and open it in JupyterLab
# make lite    make the lectures that run in a browser, without a server, in site/lite
# make test    prove that everything works (about a quarter of an hour)
# make quick   the same of what you have changed, and a little of everything (under 90 seconds)
# make site    make the web book in site (python -m http.server -d site shows it)
# The rest: test-slow (needs npm), test-long (what takes hours by nature), bench, notebooks,
# constraints, clean. PYTHON chooses the interpreter.

PYTHON ?= python3
LAB_ARGS ?=
COPY ?= my-lectures
VENV := .venv
BIN := $(VENV)/bin
# uv installs the same pins faster, where it is there; pip does where it is not, or cannot.
UV := $(shell command -v uv 2>/dev/null)
EXTRAS ?= lab,dev,bayes,grading
# One stamp for each version of Python: a second run installs nothing, another version all.
VERSION := $(shell $(PYTHON) -c "import sys; print('%d.%d' % sys.version_info[:2])")
STAMP := $(VENV)/.installed-$(VERSION)
# The book needs more: Sphinx, and from npm what its pages load.
SITE ?= site
BOOK := lectures/.book
SITE_STAMP := $(VENV)/.site-$(VERSION)
comma := ,
PINNED := --constraint constraints.txt --editable
installed = $(if $(UV),"$(UV)" pip install --quiet --python $(BIN)/python $(PINNED) $(1) ||) \
  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile $(PINNED) $(1)
WORKERS ?= 2

# Tests start hundreds of processes: without bytecode each would compile pandas and SciPy anew, which
# takes three seconds a time, whatever the shell has been told.
export PYTHONDONTWRITEBYTECODE :=

# Several processes that each keep one thread busy: BLAS's own would only wait for each other.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
PYTEST := $(ONE_THREAD) $(BIN)/python -m pytest -q
# What stands on the screen is waited for: let it go first.
YIELDING := nice -n 5
SYNC := $(if $(filter output-sync,$(.FEATURES)),--output-sync=line)

.PHONY: lab site lite test quick test-slow test-long bench notebooks constraints install clean lint types kernels \
  unit lectures browser texts numbers screens

lab: install
	$(BIN)/python -m hierwidgets.course lab "$(COPY)" $(LAB_ARGS)

site: $(SITE_STAMP)
	$(BIN)/python -m hierwidgets.course book --out "$(SITE)"

# Pyodide comes from npm, its wheels from LITE_WHEELS (a folder or an address; see binaries.py).
lite: $(SITE_STAMP)
	$(BIN)/python -m hierwidgets.course lite --out "$(SITE)/lite"

# Three at once: a browser waits much of its time, and leaves the cores to the others meanwhile.
test: install
	@echo "texts, numbers and screens are tested side by side; each tells at its end"
	@$(MAKE) --no-print-directory --jobs 3 $(SYNC) numbers screens texts

texts:
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory types

numbers:
	@$(MAKE) --no-print-directory kernels
	@$(MAKE) --no-print-directory unit

screens:
	@$(MAKE) --no-print-directory lectures
	@$(MAKE) --no-print-directory browser

quick: install
	@$(ONE_THREAD) $(BIN)/python tests/tools/quick.py --workers $(WORKERS)

test-slow: install $(SITE_STAMP)
	$(PYTEST) -m "slow and not long" --durations=10 -n $(WORKERS) --dist loadfile || test $$? -eq 5

test-long: install
	$(PYTEST) -m long --durations=10 -n $(WORKERS) --dist loadfile || test $$? -eq 5

bench: install
	PYTHONPATH=tests $(BIN)/python -m benchmarks $(BENCH_ARGS)

notebooks: install
	$(BIN)/python -m hierwidgets.course refresh lectures

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache --no-logo

types:
	$(YIELDING) $(BIN)/mypy hierwidgets

kernels:
	$(YIELDING) $(BIN)/python tests/tools/compile_kernels.py

unit:
	$(YIELDING) env $(PYTEST) -m "not slow and not browser and not long" --doctest-modules hierwidgets \
	  tests --ignore=tests/browser --ignore=hierwidgets/course/book/extension.py -n $(WORKERS) --dist loadfile

# In kernels as a student's copy has them: forks of one process that has imported everything.
lectures:
	$(BIN)/python -m hierwidgets.course check lectures
	JUPYTER_PATH="$(CURDIR)/lectures/.lab" $(PYTEST) --nbval --nbval-sanitize-with tests/sanitize.cfg \
	  --nbval-cell-timeout=120 -n $(WORKERS) --dist loadscope lectures/*.ipynb

# What a page waits for may come too late beside so much other work: such a test is tried again, alone.
BROWSER := $(PYTEST) -m "browser and not slow and not long" -o cache_dir=.pytest_cache/browser tests/browser
browser:
	$(BROWSER) -n $(WORKERS) --dist loadfile || { echo "what failed is tried once more, by itself"; \
	  $(BROWSER) --last-failed --last-failed-no-failures none; }

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
	@$(call installed,".[$(EXTRAS)]")
	@touch $(STAMP)

$(SITE_STAMP): $(STAMP) $(BOOK)/package.json
	@command -v npm >/dev/null || { echo "npm is missing, which fetches what the book's pages load:" \
	  "apt-get install nodejs npm"; exit 1; }
	@echo "installing what the web book needs"
	@$(call installed,".[$(EXTRAS)$(comma)site]")
	@# Lab would load, and complain of, the extension that is for pages without a server.
	@cd $(VENV)/share/jupyter && mkdir -p lite && if [ -d labextensions/@jupyterlite ]; then \
	  rm -rf lite/@jupyterlite && mv labextensions/@jupyterlite lite/; fi
	@cd $(BOOK) && npm install --silent
	@touch $(SITE_STAMP)

# Resolve anew on each interpreter named, and write the pins with markers where they differ.
constraints:
	$(PYTHON) tests/tools/constraints.py $(PYTHONS)

clean:
	rm -rf $(VENV) .venv-* build dist $(SITE) $(BOOK)/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
