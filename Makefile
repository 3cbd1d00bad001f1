# Everything installs into .venv in this folder; nothing on the machine changes.
#
#   make demo    set up, invent case records, make a release of them
#   make test    set up, run every check
#   make bench   measure accuracy, time and memory beside other methods (long)
#   make bench-links   the same for linked tables (long)
#   make assurance   attack releases from the side: leaks, kills, fuzzed input, noise; writes docs/assurance.md (long)
#   make docs    build the documentation into site/
#   make web     build the explorer's page and the application from web/ (needs Node 18 or newer; `caseveil app` serves it)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO ?= caseveil-demo

ENGINE_VENV := .venv-engine
ENGINE_TESTS := $(wildcard tests/schema tests/privacy tests/measurement tests/synthesis tests/claims tests/evaluation \
	tests/records/test_prepare.py tests/records/test_encoding.py tests/records/test_counting.py \
	tests/architecture/test_engine_purity.py)

.PHONY: setup demo test lint types contracts docs test-engine test-main web bench bench-links assurance clean

setup: $(VENV)/.stamp-dev

$(VENV)/.stamp: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Caseveil needs Python 3.11 or newer, and '$(PYTHON)' is older or missing."; \
		echo "Install one from python.org, then run: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@echo "Setting up in $(VENV) (a few minutes the first time) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --upgrade pip
	@$(BIN)/python -m pip install -qq -e .
	@touch $@

# What only developers need: linters, types, test and documentation tools.
$(VENV)/.stamp-dev: $(VENV)/.stamp
	@echo "Adding the tools for development ..."
	@$(BIN)/python -m pip install -qq -e '.[dev]'
	@touch $@

# The folder of an earlier demo is removed, and only if it carries the mark of one.
demo: $(VENV)/.stamp
	@if [ -e "$(DEMO)" ]; then \
		if [ -e "$(DEMO)/release.toml" ] && [ -e "$(DEMO)/victims.csv" ]; then rm -rf "$(DEMO)"; \
		else echo "$(DEMO) exists and is not a demo; choose another folder: make demo DEMO=other"; exit 2; fi; fi
	@$(BIN)/caseveil demo "$(DEMO)"

test: setup
	@$(MAKE) --no-print-directory -j 2 lint types contracts docs
	@$(MAKE) --no-print-directory test-engine
	@$(MAKE) --no-print-directory test-main

lint: setup
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

contracts: setup
	$(BIN)/lint-imports

docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# The engine on the oldest numpy and another Python, with no other library in reach.
test-engine: setup
	@bash tools/test_engine.sh $(ENGINE_VENV) $(ENGINE_TESTS)

# Beside each other, but for those that measure (tools/run_tests.py).
test-main: setup
	$(BIN)/python tools/run_tests.py

# The explorer's page is kept in the package, so that nobody needs Node to install or use it (tests/browser/test_build.py).
# The application is made here and not kept: Pyodide and numpy are fetched and checked by hash (tools/pyodide_files.py).
web: $(VENV)/.stamp
	@cd web/explorer && npm install --no-save --no-fund --no-audit --loglevel=error && npm run --silent build
	@cd web/app && npm install --no-save --no-fund --no-audit --loglevel=error && npm run --silent build
	@$(BIN)/python tools/make_site.py

bench: setup
	$(BIN)/python -m pip install -qq -r benchmarks/requirements.txt
	$(BIN)/python -m benchmarks.run
	$(BIN)/python -m benchmarks.report

bench-links: setup
	$(BIN)/python -m pip install -qq -r benchmarks/requirements.txt
	$(BIN)/python -m benchmarks.link_run
	$(BIN)/python -m benchmarks.report

assurance: setup
	$(BIN)/python tools/assurance.py

clean:
	rm -rf $(VENV) $(ENGINE_VENV) site build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
