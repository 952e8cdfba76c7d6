# Two commands from a fresh clone:  make quickstart  and  make test
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: quickstart test lint bench models model-figures fuzz docs notebook clean

quickstart: $(VENV)/quickstart.stamp
	$(BIN)/edge-seg quickstart

test: $(VENV)/test.stamp
	$(BIN)/pytest -n 2 --dist loadfile -m "not shared and not arm64 and not tools"

lint: $(VENV)/lint.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

bench: $(VENV)/quickstart.stamp
	$(BIN)/python -m edge_seg_bench.device

# The models that have a card, from finished runs (train/recipes/README.md says how those are made): converted, those that
# ship put into the package, with their failures, golden masks and cards.
RUNS ?= runs
DATA ?= data
CONVERTED ?= build/models
models: $(VENV)/test.stamp
	$(BIN)/python -m edge_seg_bench.cards.publish $(RUNS) --data $(DATA) --converted $(CONVERTED)
	$(BIN)/python tests/golden_masks.py $(CONVERTED)
	EDGE_SEG_CONVERTED=$(CONVERTED) $(BIN)/pytest -q tests/test_golden.py
	$(BIN)/python -m edge_seg_bench.cards

# What the cards say of speed: latency on this machine, which must be idle, and ARM instructions, which are the same anywhere.
SHIPPED := edge/edge_seg/models/*.tflite
OTHERS = $(CONVERTED)/fire/fire_int8.tflite $(CONVERTED)/water/flood_int8.tflite
RESULTS := benchmarks/results
model-figures: $(VENV)/test.stamp
	$(BIN)/edge-seg bench $(SHIPPED) $(OTHERS) --threads 1 --threads 2 --json > $(CONVERTED)/bench.json
	cp $(CONVERTED)/bench.json $(RESULTS)/models/bench.json
	$(BIN)/python -m edge_seg_bench.arm64 $(SHIPPED) --out $(RESULTS)/arm64.json
	$(BIN)/python -m edge_seg_bench.arm64 $(OTHERS) --out $(RESULTS)/models/arm64.json
	$(BIN)/python -m edge_seg_bench.cards

# Every importer gets an equal share of FUZZ_SECONDS; a finding is left as crash-* in the current folder.
FUZZ_SECONDS ?= 180
fuzz: $(VENV)/fuzz.stamp
	$(BIN)/python tests/fuzz/fuzz_all.py $(FUZZ_SECONDS)

# The documentation, into site/; NO_MKDOCS_2_WARNING: its theme's note on a successor, which is no warning of ours.
docs: $(VENV)/docs.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# The lab's notebook, executed anew with all it shows.
notebook: $(VENV)/test.stamp
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python examples/execute.py

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/quickstart.stamp: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --progress-bar on -e '.[quickstart]'
	touch $@

$(VENV)/test.stamp: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --progress-bar on -e '.[test]'
	touch $@

$(VENV)/docs.stamp: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --progress-bar on -e '.[docs]'
	touch $@

$(VENV)/fuzz.stamp: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --progress-bar on -e '.[fuzz]'
	touch $@

$(VENV)/lint.stamp: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --progress-bar on -e '.[test,lint]'
	touch $@

clean:
	rm -rf $(VENV) edge-seg-quickstart site
