# Two commands matter: `make demo` and `make test`. Each does all the set-up itself, inside .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Processes that share the tests, each with one thread and up to two gigabytes.
WORKERS ?= 2

.PHONY: demo test test-slow bench ablation install format clean

demo: $(INSTALLED)
	$(BIN)/shopglot run recipes/demo.yaml --out runs/demo
	@echo "open its pages in a browser: $(BIN)/shopglot demo"

test: $(INSTALLED)
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n $(WORKERS) --dist loadfile

test-slow: $(INSTALLED)
	$(BIN)/pytest -q -m slow

# One run per recipe and seed; of another seed are the folds and all that is fitted, never the simulated pairs.
ABLATION := base path-augmentation query-split original-only
SEEDS := 1 2 3
RUNS := $(foreach recipe,$(ABLATION),$(foreach seed,$(SEEDS),runs/ablation/$(recipe)-$(seed)))

ablation: $(INSTALLED)
	for recipe in $(ABLATION); do for seed in $(SEEDS); do \
		$(BIN)/shopglot run recipes/ablation/$$recipe.yaml --out runs/ablation/$$recipe-$$seed \
			--set seed=$$seed --set learn.1.seed=$$seed || exit; \
	done; done
	$(BIN)/shopglot compare $(RUNS) --out runs/ablation/compared

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks

install: $(INSTALLED)

format: $(INSTALLED)
	$(BIN)/ruff format src tests benchmarks
	$(BIN)/ruff check --fix src tests benchmarks

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[train,embedded,llm,translate,engines,pack,serve,scale,dev]'
	touch $@

clean:
	rm -rf $(VENV) runs
