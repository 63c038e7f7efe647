# Whatever is made first also makes .venv, with everything in it. PYTHON names the interpreter to start from.
PYTHON ?= python3
BIN := .venv/bin
QUESTIONS := $(filter-out benchmarks/readme.py benchmarks/record.py, $(wildcard benchmarks/*.py))

.PHONY: demo test check bench

demo: .venv/ready
	$(BIN)/python -m tenfold.demo

test: .venv/ready
	OMP_NUM_THREADS=1 $(BIN)/pytest

check: .venv/ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/basedpyright
	OMP_NUM_THREADS=1 $(BIN)/pytest tests/unit/test_rules.py tests/cli/test_readme.py

bench: .venv/ready
	set -e; for question in $(QUESTIONS); do $(BIN)/python $$question; done
	$(BIN)/python benchmarks/readme.py

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -c constraints.txt -e ".[all]"
	touch $@
