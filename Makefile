# Everything a developer runs. Needs GNU make, a Python 3.10 or newer with its headers, and a C
# compiler; what else is needed is installed into .venv, in the versions of .ci/constraints.txt.

PYTHON ?= python3
VENV ?= .venv
PYTEST_ARGS ?=
BENCH_ARGS ?=
GATE_ARGS ?=
ASV_ARGS ?=
ASV_BASE ?= HEAD~1
CONFORMANCE_ARGS ?=
FUZZ_SECONDS ?= 600
FUZZ_ARGS ?=
JOBS ?= 2
KILLS ?= 100
PROGRAMS ?= 2000
AGENTS ?= 1000
FIRST_SEED ?= 20000
SOAK_ARGS ?= --steps 1000000 --keep
MUTATION_ARGS ?=
STEADY_ARGS ?=
MATRIX_ARGS ?=
UPSTREAM_ARGS ?=

BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# A file's tests stay on one worker, where they share what the file builds once.
PYTEST = $(BIN)/python -m pytest -n $(JOBS) --dist loadfile
CONSTRAINTS := .ci/constraints.txt
# BrainyFlow runs on Python 3.13 alone.
PYTHON313 ?= $(shell .ci/find-python 3.13)
ON_BRAINYFLOW := $(VENV)-brainyflow/bin/python
ON_NUMBA := FASTGRAPH_NO_EXTENSIONS=1 FASTGRAPH_KERNELS=numba
# Those that choose their kernels themselves are left out.
NUMBA_TESTS := tests/kernels tests/pytest_plugin $(wildcard tests/adapters/test_*numba*.py) \
	$(filter-out %/test_api.py %/test_kernel_choice.py, $(wildcard tests/patching/test_*.py))
EXTENSION_SOURCES := setup.py fastgraph/kernels/tally.py \
	$(shell find fastgraph -name '*.pyx' -o -name '*.pxd')

# How the package is switched is what the recipes below say, whatever the caller's shell says.
unexport FASTGRAPH FASTGRAPH_KERNELS FASTGRAPH_NO_EXTENSIONS FASTGRAPH_REQUIRE_EXTENSIONS FASTGRAPH_BUILD

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo build venv test lint types pytest sanitize test-debug test-numba \
	test-brainyflow kills fuzz faults matrix upstream conformance conformance-ag-ui \
	differential ag-ui-differential flows flow-mutations soak mutations docs bench bench-quick \
	superstep codec ag-ui brainyflow perf-gate perf-baseline asv-run asv-continuous asv-publish dist \
	fingerprints fingerprints-check tables constraints clean distclean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.with-cli build ## time a tool-calling agent, stock against patched
	$(BIN)/python -m fastgraph demo

venv: $(VENV)/.with-test ## set up .venv without compiling anything

build: $(VENV)/.built ## compile the extensions in place

test: lint types pytest ## lint, type-check and run all tests on the compiled extensions

lint: $(VENV)/.with-test ## ruff and cython-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PATH="$(abspath $(BIN)):$$PATH" cython-lint fastgraph

types: $(VENV)/.with-test ## mypy --strict over the package and the uses of its public names
	$(BIN)/mypy

pytest: $(VENV)/.with-test build ## only the tests; PYTEST_ARGS="-k name" for some of them
	FASTGRAPH_REQUIRE_EXTENSIONS=1 $(PYTEST) $(PYTEST_ARGS)

sanitize: $(VENV)/.with-test ## the tests on extensions with AddressSanitizer and UBSan; needs gcc
	$(BIN)/python -m tools.checked sanitized --jobs $(JOBS) -- -n $(JOBS) --dist loadfile $(PYTEST_ARGS)

test-debug: $(VENV)/.with-test ## the tests on a debug build: bounds, overflow, None, references, assertions
	$(BIN)/python -m tools.checked debug --jobs $(JOBS) -- -n $(JOBS) --dist loadfile $(PYTEST_ARGS)

kills: $(VENV)/.with-test build ## kill -9 in the middle of runs, resumed by the other engine, KILLS times each
	FASTGRAPH_TEST_KILLS=$(KILLS) $(PYTEST) tests/savers/test_savers_killed.py $(PYTEST_ARGS)

differential: $(VENV)/.with-test build ## compare PROGRAMS generated programs, stock against patched
	$(BIN)/python -m tools.differential compare --first $(FIRST_SEED) --programs $(PROGRAMS) --jobs $(JOBS)

ag-ui-differential: $(VENV)/.with-test build ## compare the streams of AGENTS generated AG-UI agents
	FASTGRAPH_TEST_AGENTS=$(AGENTS) $(PYTEST) --dist load tests/ag_ui/test_ag_ui_generated.py $(PYTEST_ARGS)

soak: $(VENV)/.with-test build ## compare programs for long; SOAK_ARGS="--first 7000 --minutes 60"
	$(BIN)/python -m tools.differential compare --jobs $(JOBS) $(SOAK_ARGS)
	$(BIN)/python -m tools.differential steady $(STEADY_ARGS)

faults: $(VENV)/.with-test build ## every fault at every call, and at every turn of a loop
	FASTGRAPH_TEST_FAULTS=all $(PYTEST) tests/faults $(PYTEST_ARGS)

matrix: $(VENV)/.with-dev build ## each Python and release of LangGraph; hours, but it goes on where it was
	$(BIN)/python -m tools.matrix --workers $(JOBS) $(MATRIX_ARGS)

upstream: $(VENV)/.with-dev build ## what a new LangGraph changes; make upstream RELEASE=1.2.23
	$(BIN)/python -m tools.upstream_changes $(RELEASE) --workers $(JOBS) $(UPSTREAM_ARGS)

mutations: $(VENV)/.with-test build ## compile deliberate mistakes, one by one, which programs have to notice
	$(BIN)/python -m tools.differential mutations $(MUTATION_ARGS)

test-brainyflow: $(VENV)-brainyflow/.built ## the tests of BrainyFlow's adapter, on Python 3.13
	FASTGRAPH_REQUIRE_EXTENSIONS=1 $(ON_BRAINYFLOW) -m fastgraph status --strict --frameworks brainyflow
	FASTGRAPH_REQUIRE_EXTENSIONS=1 $(ON_BRAINYFLOW) -m pytest tests/brainyflow $(PYTEST_ARGS)

flows: $(VENV)-brainyflow/.built ## compare PROGRAMS generated flows, stock BrainyFlow against patched
	$(ON_BRAINYFLOW) tools/flow_programs.py --first $(FIRST_SEED) --programs $(PROGRAMS)

flow-mutations: $(VENV)-brainyflow/.built ## compile deliberate mistakes, which generated flows have to notice
	$(ON_BRAINYFLOW) tools/flow_mutations.py $(MUTATION_ARGS)

brainyflow: $(VENV)-brainyflow/.built ## what a node of BrainyFlow costs, stock against patched
	$(ON_BRAINYFLOW) -m benchmarks.brainyflow $(BENCH_ARGS)

test-numba: $(VENV)/.with-test build ## the tests that apply on numba, with the extensions disabled
	$(ON_NUMBA) $(BIN)/python -m fastgraph status
	$(ON_NUMBA) $(PYTEST) $(NUMBA_TESTS) $(PYTEST_ARGS)

conformance: $(VENV)-conformance/.ready build ## upstream's own test suites, patched, with real servers
	$(VENV)-conformance/bin/python -m tools.conformance $(CONFORMANCE_ARGS)

conformance-ag-ui: $(VENV)/.with-test build ## AG-UI's own test suite, patched
	$(BIN)/python -m tools.conformance --suite ag-ui-langgraph $(CONFORMANCE_ARGS)

docs: $(VENV)/.with-docs build ## build the documentation; warnings are errors
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

bench: $(VENV)/.with-benchmarks build ## every benchmark of the documentation in one report
	@if test -n "$(PYTHON313)"; then $(MAKE) $(VENV)-brainyflow/.built; fi
	ON_BRAINYFLOW="$(ON_BRAINYFLOW)" $(BIN)/python -m benchmarks.report $(BENCH_ARGS)

bench-quick: $(VENV)/.with-benchmarks build ## a few graphs under pytest-benchmark, stock beside patched
	$(BIN)/python -m pytest benchmarks --benchmark-group-by=param:case $(PYTEST_ARGS)

superstep: $(VENV)/.with-benchmarks build ## what a superstep costs, beside what is wanted
	$(BIN)/python -m benchmarks.superstep $(BENCH_ARGS)

fuzz: $(VENV)/.with-test build ## fuzz the decoder under AddressSanitizer, FUZZ_SECONDS long; needs gcc
	$(BIN)/python -m tools.fuzz --seconds $(FUZZ_SECONDS) $(FUZZ_ARGS)

codec: $(VENV)/.with-benchmarks build ## what the checkpoint codec costs, beside what is wanted
	$(BIN)/python -m benchmarks.codec $(BENCH_ARGS)

ag-ui: $(VENV)/.with-benchmarks build ## what a request costs through AG-UI, beside what is wanted
	$(BIN)/python -m benchmarks.ag_ui $(BENCH_ARGS)

perf-gate: $(VENV)/.with-benchmarks build ## instructions per superstep and codec call against the baseline
	$(BIN)/python -m benchmarks.gate $(GATE_ARGS)

perf-baseline: $(VENV)/.with-benchmarks build ## count that baseline anew, to be committed with an intended change
	$(BIN)/python -m benchmarks.gate --update $(GATE_ARGS)

asv-run: $(VENV)/.with-benchmarks ## all benchmarks of this commit, in environments of their own; long
	$(BIN)/python -m asv machine --yes
	$(BIN)/python -m asv run $(ASV_ARGS) 'HEAD^!'

asv-continuous: $(VENV)/.with-benchmarks ## this commit against ASV_BASE, side by side
	$(BIN)/python -m asv machine --yes
	$(BIN)/python -m asv continuous $(ASV_ARGS) $(ASV_BASE) HEAD

asv-publish: $(VENV)/.with-benchmarks ## a site of all results so far, in .asv/html
	$(BIN)/python -m asv publish

dist: $(VENV)/.created ## sdist, and a wheel built from it, into dist/
	FASTGRAPH_REQUIRE_EXTENSIONS=1 $(BIN)/python -m build --no-isolation

fingerprints: $(VENV)/.with-test ## renew the fingerprints of the frameworks' releases
	$(BIN)/python tools/fingerprints.py --cache build/wheels

# Not beyond the release under test: a release of upstream's must not break a build of ours.
fingerprints-check: $(VENV)/.with-test ## whether the fingerprints are those of the frameworks' releases
	$(BIN)/python tools/fingerprints.py --cache build/wheels --check --constraints $(CONSTRAINTS)

tables: $(VENV)/.with-test ## renew the generated part of docs/accelerated.md
	$(BIN)/python tools/target_table.py

constraints: $(VENV)/.created ## renew the versions in .ci/constraints.txt
	$(PIP_INSTALL) -c $(CONSTRAINTS) uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.10 --all-extras \
		--no-emit-package fastgraph-engine --no-annotate --output-file $(CONSTRAINTS) \
		--custom-compile-command "make constraints" pyproject.toml tools/conformance/requirements.txt

clean: ## remove what was built, but not the virtual environments
	rm -rf build dist docs/_build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -f $(VENV)/.built $(VENV)-brainyflow/.built
	find fastgraph -name '*.so' -delete -o -name '*.c' -delete
	find . -path './$(VENV)*' -prune -o -name __pycache__ -type d -exec rm -rf {} +

distclean: clean ## remove the virtual environments too
	rm -rf $(VENV) $(VENV)-conformance $(VENV)-brainyflow

# $(call new-venv,directory)
define new-venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "fastgraph needs Python 3.10 or newer; try make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(1)
	$(1)/bin/python -m pip install --quiet --disable-pip-version-check \
		-c $(CONSTRAINTS) setuptools Cython build
endef

$(VENV)/.created:
	$(call new-venv,$(VENV))
	@touch $@

# One stamp per extra of pyproject.toml. Without the extensions, which `.built` compiles one by
# one as they change, an editable install is only a path.
$(VENV)/.with-%: pyproject.toml $(CONSTRAINTS) | $(VENV)/.created
	FASTGRAPH_NO_EXTENSIONS=1 $(PIP_INSTALL) -c $(CONSTRAINTS) --no-build-isolation -e '.[$*]'
	@touch $@

$(VENV)/.built: $(EXTENSION_SOURCES) | $(VENV)/.created
	FASTGRAPH_REQUIRE_EXTENSIONS=1 $(BIN)/python setup.py --quiet build_ext --inplace --parallel $(JOBS)
	@touch $@

$(VENV)-brainyflow/.ready: pyproject.toml $(CONSTRAINTS)
	@test -n "$(PYTHON313)" || { echo "there is no Python 3.13; try make PYTHON313=path" >&2; exit 1; }
	test -x $(ON_BRAINYFLOW) || $(PYTHON313) -m venv $(VENV)-brainyflow
	$(ON_BRAINYFLOW) -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) \
		setuptools Cython pytest pytest-asyncio
	FASTGRAPH_NO_EXTENSIONS=1 $(ON_BRAINYFLOW) -m pip install --quiet --disable-pip-version-check \
		-c $(CONSTRAINTS) --no-build-isolation -e '.[brainyflow]'
	@touch $@

# Of the extensions only those that its tests use: the others take minutes.
$(VENV)-brainyflow/.built: $(EXTENSION_SOURCES) $(VENV)-brainyflow/.ready
	FASTGRAPH_REQUIRE_EXTENSIONS=1 $(ON_BRAINYFLOW) setup.py --quiet build_ext --inplace \
		--parallel $(JOBS) --only fastgraph.kernels,fastgraph.adapters.brainyflow
	@touch $@

# Its own environment: plugins that upstream's tests need must not load into ours.
$(VENV)-conformance/.ready: pyproject.toml $(CONSTRAINTS) tools/conformance/requirements.txt
	test -x $(VENV)-conformance/bin/python || $(MAKE) VENV=$(VENV)-conformance $(VENV)-conformance/.created
	FASTGRAPH_NO_EXTENSIONS=1 $(VENV)-conformance/bin/python -m pip install --quiet \
		--disable-pip-version-check -c $(CONSTRAINTS) --no-build-isolation \
		-e . -r tools/conformance/requirements.txt
	@touch $@
