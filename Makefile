# The verbs. `demo` and `test` do all their set-up; the others build on the same .venv.
# uv is used where it is found; plain python3 -m venv and pip are enough.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-unprivileged check bench fuzz soak clean help

help:
	@echo "make demo    set up, then run two tasks without a key or a server"
	@echo "make test    set up, then run the tests"
	@echo "make check   ruff, mypy --strict, import floors"
	@echo "make test-unprivileged   the tests of the wall, as a user and without user namespaces"
	@echo "make bench   the benchmarks, each beside its peers"
	@echo "make fuzz    the whole fuzzing campaign; make test runs a slice of it"
	@echo "make soak    ten thousand kills of guests; make test runs a slice of it"

$(READY): pyproject.toml Makefile tools/setup.sh
	@bash tools/setup.sh "$(PYTHON)" "$(VENV)"
	@touch $(READY)

demo: $(READY)
	@bash tools/demo.sh $(BIN)/recode

test: $(READY)
	@$(BIN)/pytest

check: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

test-unprivileged: $(READY)
	@bash tools/unprivileged.sh $(VENV)

bench: $(READY)
	@bash tools/setup.sh "$(PYTHON)" "$(VENV)" bench
	@$(BIN)/python benchmarks/statement.py
	@$(BIN)/python benchmarks/grammar.py
	@$(BIN)/python benchmarks/sandbox.py
	@$(BIN)/python benchmarks/many_tasks.py

fuzz: $(READY)
	@RECODE_FUZZ=whole $(BIN)/pytest -m fuzz

soak: $(READY)
	@RECODE_SOAK=whole $(BIN)/pytest -m soak

clean:
	@rm -rf $(VENV)
