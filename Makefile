# The commands to remember: make run, make test, make lint, make bench.
# Everything they install goes into .venv and node_modules.

PYTHON ?= python3
PORT ?= 8082
HOST ?= 127.0.0.1
DEMO ?= 1
export PORT HOST DEMO

BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
LOCK := requirements.lock

.DEFAULT_GOAL := help
.PHONY: help run test test-clip test-browser test-services check-image lint format bench check-tools messages lock clean

help:
	@echo "make run     install what is missing, then serve on http://$(HOST):$(PORT)"
	@echo "make test    run the tests"
	@echo "make lint    check style, types, imports, templates, migrations"
	@echo "make bench   measure speed and quality (see bench/README.md)"

run: .venv/run.stamp static/dist/.stamp
	@exec $(MANAGE) serve

check-tools:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "STL Catalog needs Python 3.11 or newer; '$(PYTHON)' is not. Try: make run PYTHON=python3.12"; exit 1; }
	@node -e 'process.exit(+(process.versions.node.split(".")[0] < 20))' 2>/dev/null || \
	  { echo "STL Catalog needs Node 20 or newer to build its pages; 'node' is missing or older."; exit 1; }

.venv/bin/python:
	@$(MAKE) --no-print-directory check-tools
	$(PYTHON) -m venv .venv

.venv/run.stamp: .venv/bin/python pyproject.toml $(LOCK)
	@echo "Installing the Python packages ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(LOCK) -e .
	@touch $@

.venv/dev.stamp: .venv/run.stamp
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(LOCK) -e '.[dev]'
	@touch $@

.venv/clip.stamp: .venv/dev.stamp
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(LOCK) -e '.[clip,clip-test]'
	@touch $@

static/dist/.stamp: package.json package-lock.json $(shell find static/src -type f 2>/dev/null)
	@$(MAKE) --no-print-directory check-tools
	@echo "Building the pages' assets ..."
	@npm ci --silent --no-audit --no-fund
	@npm run --silent build
	@touch $@

test: .venv/dev.stamp static/dist/.stamp
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not clip and not services and not browser"

test-browser: .venv/dev.stamp static/dist/.stamp
	$(BIN)/python -m pytest -m browser

test-services: .venv/dev.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(LOCK) -e '.[redis,postgres,s3]'
	tests/services/run tests/services tests/walks tests/workers tests/search tests/catalog -m 'not slow and not browser and not clip' --ignore tests/search/engine

check-image: .venv/dev.stamp
	$(BIN)/python -m tests.image.build

test-clip: .venv/clip.stamp static/dist/.stamp
	$(BIN)/python -m pytest -n 2 --dist loadfile -m clip

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --quiet --lint templates
	$(MANAGE) makemigrations --check --dry-run
	$(MANAGE) check

format: .venv/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: .venv/dev.stamp
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url \
	  --extra dev --extra step --extra redis --extra postgres --extra s3 --extra clip --extra clip-test \
	  -o $(LOCK) pyproject.toml

messages: .venv/dev.stamp
	$(MANAGE) makemessages -l en -l zh_Hant --no-location --no-wrap -i node_modules -i .venv -i var \
	  -i 'static/*' -i 'bench/*' -i 'training/*' -i 'tests/*'
	$(MANAGE) compilemessages -l en -l zh_Hant

clean:
	rm -rf .venv node_modules static/dist

# Benchmarks: figures, not tests ------------------------------------------------------------------

.PHONY: bench-render bench-ingest bench-search bench-index bench-icons bench-shape bench-mesh bench-photos bench-classify bench-words bench-fusion bench-engines-fusion bench-feedback bench-index-peers bench-duplicates bench-remote bench-encoders bench-explain

bench: bench-ingest bench-search bench-index bench-icons bench-shape bench-mesh

bench-render: .venv/bench.stamp
	$(BIN)/python -m bench.render

bench-ingest: .venv/dev.stamp
	$(BIN)/python -m bench.ingest

bench-search: .venv/dev.stamp
	$(BIN)/python -m bench.search_http

bench-log: .venv/dev.stamp
	$(BIN)/python -m bench.search_log

bench-index: .venv/dev.stamp
	$(BIN)/python -m bench.index

bench-index-peers: .venv/bench.stamp
	$(BIN)/python -m bench.index_peers

bench-icons: .venv/dev.stamp
	$(BIN)/python -m bench.quality_icons

bench-shape: .venv/dev.stamp
	$(BIN)/python -m bench.quality_shape

.PHONY: bench-switch
bench-switch: .venv/dev.stamp
	$(BIN)/python -m bench.switch

bench-encoders: .venv/clip.stamp
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check openvino
	$(BIN)/python -m bench.encoders

bench-mesh: .venv/dev.stamp
	$(BIN)/python -m bench.quality_mesh

bench-duplicates: .venv/dev.stamp
	$(BIN)/python -m bench.duplicates

.PHONY: screenshots
screenshots: .venv/bench.stamp
	$(BIN)/python -m bench.screenshots http://$(HOST):$(PORT) "$(PASSWORD)"

.PHONY: bench-qc
bench-qc: .venv/bench.stamp
	$(BIN)/python -m bench.qc

.PHONY: bench-verify
bench-verify: .venv/bench.stamp
	$(BIN)/python -m bench.verify

bench-photos: .venv/bench.stamp
	$(BIN)/python -m bench.quality_photos

bench-classify: .venv/dev.stamp
	$(BIN)/python -m bench.quality_classify

bench-words: .venv/dev.stamp
	$(BIN)/python -m bench.quality_words

bench-remote: .venv/dev.stamp
	$(BIN)/python -m bench.remote

bench-fusion: .venv/dev.stamp
	$(BIN)/python -m bench.quality_fusion

bench-engines-fusion: .venv/bench.stamp
	$(BIN)/python -m bench.quality_engines

bench-feedback: .venv/bench.stamp
	$(BIN)/python -m bench.feedback

bench-explain: .venv/dev.stamp
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m bench.explain

# Training: makes models/ again from raw data; training/README.md says what it needs first ---------

.PHONY: mini

mini: .venv/training.stamp
	OMP_NUM_THREADS=1 $(BIN)/python -m training.mini

# The network that looks closer at a piece: about five hours of one core.
.PHONY: piece-net
piece-net: .venv/training.stamp
	OMP_NUM_THREADS=1 $(BIN)/python -m training.piece_windows
	OMP_NUM_THREADS=1 $(BIN)/python -m training.piece_net

.venv/training.stamp: .venv/bench.stamp
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(LOCK) -e '.[training]'
	@touch $@

.venv/bench.stamp: .venv/dev.stamp
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	@touch $@
