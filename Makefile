.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2
BIN := $(VENV)/bin
# The environment is remade when what it is made from changes.
STAMP := $(VENV)/.ready
DEV_STAMP := $(VENV)/.ready-dev
# By path: otherwise a script beside the clone would take the clone's folder for the package.
EDITABLE := --config-settings editable_mode=compat --editable
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq --no-input

export HF_HUB_OFFLINE = 1

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

$(BIN)/python:
	@echo "Making a virtual environment in $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info < (3, 14)))' || { echo "Ringfence needs Python 3.11 to 3.13; say which: make PYTHON=python3.11 ..."; exit 2; }
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --upgrade "pip>=25.1"

$(STAMP): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Ringfence (a minute or two, the first time only)"
	@$(PIP) install --constraint constraints.txt $(EDITABLE) ".[demo]"
	@touch $@

$(DEV_STAMP): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Ringfence with what its tests need (a minute or two, the first time only)"
	@$(PIP) install --constraint constraints.txt $(EDITABLE) ".[demo,notebook,anthropic,azure,http,ollama,mcp,postgres]" --group dev
	@touch $@ $(STAMP)

.PHONY: setup
setup: $(STAMP) ## Set up what the demo needs, in .venv

.PHONY: setup-dev
setup-dev: $(DEV_STAMP) ## Set up what the tests and checks need, in .venv

.PHONY: demo
demo: $(STAMP) ## Play the four scenes of the demo
	@$(BIN)/ringfence demo

.PHONY: chat
chat: $(STAMP) ## Talk to the support desk of the examples
	@$(BIN)/ringfence chat examples/support_desk/ringfence.yaml

.PHONY: test
test: $(DEV_STAMP) ## Run the tests, two at a time (WORKERS=4 for more)
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal

.PHONY: lint
lint: $(DEV_STAMP) ## Check style, spelling and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/codespell
	@$(BIN)/lint-imports

.PHONY: types
types: $(DEV_STAMP) ## Check the types, strictly
	@$(BIN)/mypy
	@$(BIN)/mypy tests benchmarks docs training

.PHONY: check
check: lint types test ## All of the above

.PHONY: bench
bench: $(DEV_STAMP) ## Measure what the fence costs, its guardrails, and its live replies
	@$(BIN)/python benchmarks/overhead.py
	@$(BIN)/python -m benchmarks.guardrails
	@$(BIN)/python benchmarks/streaming.py

.PHONY: bench-injection
bench-injection: $(DEV_STAMP) ## Measure the search for injections on DATA=file of {"id", "text", "label"} lines
	@test -n "$(DATA)" || { echo 'Say which: make bench-injection DATA="corpus.jsonl other.jsonl"'; exit 2; }
	@$(BIN)/python benchmarks/injection.py $(DATA)

.PHONY: ner
ner: ## Train the basic tier's name recognizer anew (in an environment of its own, some 12 CPU-minutes)
	@test -d .venv-ner || $(PYTHON) -m venv .venv-ner
	@.venv-ner/bin/python -m pip --disable-pip-version-check -qq install --upgrade "pip>=25.1"
	@.venv-ner/bin/python -m pip --disable-pip-version-check -qq install --constraint constraints.txt $(EDITABLE) . --group ner
	@.venv-ner/bin/python -m training.ner.train

.PHONY: bench-pii
bench-pii: $(DEV_STAMP) ## Measure the filter of personal data; DATA=file measures on that, too
	@$(BIN)/python -m benchmarks.pii $(if $(DATA),"$(DATA)") --picture docs/pictures/pii-linear.svg

.PHONY: bench-agentdojo
bench-agentdojo: ## Play AgentDojo's attacks on the tool gate (in an environment of its own; SUITE=banking,slack)
	@test -d .venv-agentdojo || $(PYTHON) -m venv .venv-agentdojo
	@.venv-agentdojo/bin/python -m pip --disable-pip-version-check -qq install --upgrade "pip>=25.1"
	@.venv-agentdojo/bin/python -m pip --disable-pip-version-check -qq install --constraint constraints.txt $(EDITABLE) . --group agentdojo
	@.venv-agentdojo/bin/python -m pip --disable-pip-version-check -qq install --no-deps agentdojo==0.1.35 google-genai==3.6.1
	@.venv-agentdojo/bin/python benchmarks/agentdojo.py $(if $(SUITE),--suite $(SUITE)) $(ARGS)

.PHONY: chaos
chaos: $(DEV_STAMP) ## Kill a conversation's process at every write (an hour; ARGS="--sample 20" takes less)
	@$(BIN)/python -m benchmarks.chaos $(ARGS)

.PHONY: bench-durability
bench-durability: $(DEV_STAMP) ## Measure what durable conversations cost, beside AutoGen and DBOS
	@$(PIP) install --constraint constraints.txt --group bench
	@$(BIN)/python -m benchmarks.durability $(ARGS)

.PHONY: pictures
pictures: $(DEV_STAMP) ## Make the README's picture anew
	@$(BIN)/python docs/make_pictures.py

.PHONY: coverage-page
coverage-page: $(DEV_STAMP) ## Make docs/coverage.md anew of the tests in tests/kinds/
	@$(BIN)/python docs/make_coverage.py

.PHONY: build
build: $(DEV_STAMP) ## Build wheel and source archive into dist/
	@$(BIN)/python -m pip --quiet wheel --no-deps --wheel-dir dist .

.PHONY: lock
lock: ## Resolve the dependencies anew into constraints.txt
	@rm -rf .lock && $(PYTHON) -m venv .lock && .lock/bin/python -m pip --quiet install --upgrade pip
	@.lock/bin/python -m pip --quiet install --editable ".[demo,notebook,anthropic,azure,http,ollama,mcp,postgres]" --group dev
	@.lock/bin/python -m pip freeze --exclude-editable > constraints.txt && rm -rf .lock

.PHONY: clean
clean: ## Remove the virtual environment and everything that was built
	@rm -rf $(VENV) .venv-ner .venv-agentdojo build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
