# The five verbs. `demo` and `test` do all their set-up; the others build on the same .venv.
# uv is used where it is found; plain python3 -m venv and pip are enough.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check bench fuzz clean help

help:
	@echo "make demo    set up, then run two tasks without a key or a server"
	@echo "make test    set up, then run the tests"
	@echo "make check   ruff, mypy --strict, import floors"
	@echo "make bench   the benchmarks, each beside its peers"
	@echo "make fuzz    the whole fuzzing campaign; make test runs a slice of it"

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

bench: $(READY)
	@bash tools/setup.sh "$(PYTHON)" "$(VENV)" bench
	@$(BIN)/python benchmarks/statement.py
	@$(BIN)/python benchmarks/grammar.py

fuzz: $(READY)
	@RECODE_FUZZ=whole $(BIN)/pytest -m fuzz

clean:
	@rm -rf $(VENV)
