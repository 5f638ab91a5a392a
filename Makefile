# Two commands matter: `make demo` and `make test`. Each does all the set-up itself, inside .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test test-slow bench install format clean

demo: $(INSTALLED)
	$(BIN)/shopglot run recipes/demo.yaml --out runs/demo

test: $(INSTALLED)
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q

test-slow: $(INSTALLED)
	$(BIN)/pytest -q -m slow

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks

install: $(INSTALLED)

format: $(INSTALLED)
	$(BIN)/ruff format src tests benchmarks
	$(BIN)/ruff check --fix src tests benchmarks

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[train,embedded,llm,translate,dev]'
	touch $@

clean:
	rm -rf $(VENV) runs
