# `make demo` tells the whole story, `make test` runs every test; both set everything up first.
FITTING := 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 $$(ls -rd ~/.pyenv/versions/3.1[123].*/bin/python); \
	do "$$p" -c $(FITTING) && echo "$$p" && break; done 2>/dev/null)
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: help demo test check bench soak fuzz lock clean

help:  ## show the targets
	@sed -n 's/^\([a-z]*\):.*##  *\(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

$(BIN)/.ready: requirements.lock pyproject.toml setup.py
	@$(PYTHON) -c $(FITTING) || { echo 'Python 3.11, 3.12 or 3.13 is needed: make PYTHON=/path/to/python'; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-virtualenv -r requirements.lock
	$(BIN)/python -m pip install --quiet --require-virtualenv --no-deps -e .
	touch $@

demo: $(BIN)/.ready  ## tell a whole charge between three roles; ARGS="--soap --keep-running"
	$(BIN)/clearinghouse demo $(ARGS)

test: $(BIN)/.ready  ## run every test; ARGS for pytest
	$(BIN)/pytest -q -n auto --dist worksteal $(ARGS)

check: $(BIN)/.ready  ## style, types, layers, published contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/clearinghouse wsdl check
	$(BIN)/pytest -q tests/contract

bench: $(BIN)/.ready  ## measure, next to what there is to compare with
	$(BIN)/python -m tests.benchmarks $(ARGS)

soak: $(BIN)/.ready  ## an hour of mixed calls, the role's memory watched; ARGS="--house 60"
	$(BIN)/python -m tests.benchmarks.soak $(ARGS)

SECONDS ?= 600

fuzz: $(BIN)/.ready  ## broken messages, then random worlds against a model; SECONDS for each, ARGS for pytest
	$(BIN)/python -m tests.soap.fuzz $(SECONDS)
	FUZZ_SECONDS=$(SECONDS) $(BIN)/pytest -s tests/services/test_visibility_model.py tests/services/test_cdr_visibility_model.py \
		tests/services/test_delta_race.py $(ARGS)

lock:  ## renew the exact versions of requirements.lock
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --quiet uv
	$(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --extra dev --no-emit-index-url \
		--no-header --no-annotate pyproject.toml -o requirements.lock

clean:  ## remove environments and what the demo left
	rm -rf $(VENV) $(VENV)-lock .demo
