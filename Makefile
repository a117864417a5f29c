# Two environments: the server needs other versions than the project.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN = .venv/bin

.PHONY: setup demo docs test check slow-kills slow-servers slow-builds slow-others lint types bench clean requirements

setup: .venv/.ready .venv-studio/.ready

.venv/.ready: requirements.txt requirements-uv.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

.venv-studio/.ready: requirements-studio.txt .venv/.ready
	$(PYTHON) -m venv .venv-studio
	$(BIN)/uv pip sync --quiet --python .venv-studio/bin/python --require-hashes requirements-studio.txt
	touch $@

demo: setup
	$(BIN)/stance demo

# The reference pages, from the code.
docs: .venv/.ready
	$(BIN)/python docs/generate.py

# All but the tests marked slow, in two processes, each with a Label Studio of its own where its tests need one. What
# needs Chromium or STANCE_TEST_DATA skips, and says so, where it is missing. Property tests try a third of the examples
# that they try elsewhere.
test: export HYPOTHESIS_PROFILE ?= few
test: setup
	$(BIN)/pytest -m "not slow" -n 2 --dist loadfile

# What CI runs; a skipped test counts as a failure here. The slow tests run as four jobs side by side, so divided that
# they take about as long: the first kills Label Studio, the second shares one, the third starts Spark, and the last
# installs the wheel.
check: export STANCE_NO_SKIPS = 1
check: export HYPOTHESIS_PROFILE ?= same
check: lint types
	$(MAKE) test
	$(MAKE) --jobs=4 --output-sync slow-kills slow-servers slow-builds slow-others

KILLS = $(addprefix tests/test_,kills.py scale.py tutorial.py)
SERVERS = $(addprefix tests/test_,archive_round.py assign.py faults.py hub.py labeling.py long_training.py \
	machine_model.py migration.py openers.py pages.py people.py publish.py qualification.py serve.py studio.py withdraw.py)
BUILDS = $(addprefix tests/test_,archive.py duplicates.py rebuild.py scale_error.py spark.py)

slow-kills: setup
	$(BIN)/pytest -m slow -p no:cacheprovider $(KILLS)

slow-servers: setup
	$(BIN)/pytest -m slow -p no:cacheprovider $(SERVERS)

slow-builds: setup
	$(BIN)/pytest -m slow -p no:cacheprovider $(BUILDS)

slow-others: setup
	$(BIN)/pytest -m slow -p no:cacheprovider $(addprefix --ignore=,$(KILLS) $(SERVERS) $(BUILDS))

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.ready
	$(BIN)/mypy

bench: setup
	for file in benchmarks/[a-z]*.py; do $(BIN)/python -m benchmarks.$$(basename $$file .py) || exit 1; done

# The pinned, hashed requirements, from pyproject.toml; uv writes no host names into them.
requirements:
	$(BIN)/uv pip compile --quiet pyproject.toml --extra test --universal --python-version 3.11 \
		--generate-hashes --no-header --output-file requirements.txt
	echo label-studio==1.23.2 | $(BIN)/uv pip compile --quiet - --universal --python-version 3.11 \
		--generate-hashes --no-header --output-file requirements-studio.txt
	grep '^uv==' requirements.txt | cut -d' ' -f1 | $(BIN)/uv pip compile --quiet - --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --output-file requirements-uv.txt
	echo 'datasets>=4,<5' | $(BIN)/uv pip compile --quiet - --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --output-file requirements-datasets4.txt

# The demo's results and the caches; the environments and the demo's server data stay.
clean:
	rm -rf work .mypy_cache .pytest_cache .ruff_cache .hypothesis dist
