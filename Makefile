# make setup   the environment that capdesk runs in (.venv, from requirements.lock)
# make demo    set up what is missing, then replay a real day of markets and eleven of a treasury
# make test    every test
# make check   format, lint, types and the direction of imports
# make bench   the speed claims, side by side with their peers
#
# Another interpreter: make setup PYTHON=/path/to/python3

SHELL := /bin/sh
.DELETE_ON_ERROR:
.PHONY: setup demo test check bench

PYTHON ?=
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --only-binary apsw

demo: setup
	@$(BIN)/capdesk demo
	@$(BIN)/capdesk pools demo

setup: .venv/runtime.stamp

test: .venv/dev.stamp
	@$(BIN)/python -m pytest

check: .venv/dev.stamp
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/basedpyright
	@$(BIN)/lint-imports --no-logo

bench: .venv/bench.stamp
	@$(BIN)/python -m bench

# A stamp is written when everything before it has succeeded, so a set-up that was cut short is taken up again.
# An interpreter is tried, not only looked for: a launcher may stand on the path for a version that is not installed.
.venv/runtime.stamp: requirements.lock pyproject.toml src/capdesk/_version.py
	@rm -f $@
	@if ! $(BIN)/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    for candidate in $(or $(PYTHON),python3.13 python3.12 python3.11 python3); do \
	        if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found="$$candidate"; break; fi; \
	    done; \
	    if [ -z "$$found" ]; then echo "capdesk needs Python 3.11 or newer: make setup PYTHON=/path/to/python3" >&2; exit 1; fi; \
	    echo "Setting up .venv with $$found"; \
	    "$$found" -m venv --clear .venv; \
	fi
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/runtime.stamp
	@rm -f $@
	@echo "Installing the development tools"
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

.venv/bench.stamp: requirements-bench.lock .venv/runtime.stamp
	@rm -f $@
	@echo "Installing the libraries that the benchmarks measure against"
	@$(INSTALL) --require-hashes -r requirements-bench.lock
	@touch $@
