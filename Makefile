# The few commands to remember. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
# A goal's own lab, so that tests never disturb a running demo.
TEST_LAB := LAB_NAME=test LAB_SUBNET=198.18.1.0/24

.PHONY: help demo test lab-up lab-status lab-down lab-gone tools env packages docs lint types unit sanity contract e2e chaos bench backtest clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: tools env ## the whole story on this machine: hosts, Mesos, ScaleIO, a pool that fills and grows
	@$(BIN)/python -m lab.demo

test: tools env ## everything that has to hold: lint, types, sanity, unit, and short sets of the slower ones
	@$(BIN)/python tools/phases.py test 1500 "packages=make -s packages" "lint=make -s lint" "types=make -s types" \
	  "unit=make -s unit" "sanity=make -s sanity" "contract=make -s contract SET=short" \
	  "chaos=make -s chaos SET=short" "e2e=make -s e2e SET=short"

lab-up: tools env ## six hosts (LAB_NAME and LAB_SUBNET choose which lab)
	@lab/bin/lab up

lab-status: ## what each host does
	@lab/bin/lab status

lab-down: ## remove the hosts and all that they wrote
	@lab/bin/lab down

lab-gone: lab-down ## also the cached image, packages and apt cache
	@rm -rf "$${LAB_HOME:-$${XDG_CACHE_HOME:-$$HOME/.cache}/mesos_scaleio_lab}"

tools: ## install the Debian packages that the lab and the tests need (root)
	@tools/install-tools

env: ## make the project's own Python environment, .venv
	@tools/make-env

packages: env ## build the lab's packages (real Mesos, emulated ScaleIO)
	@$(BIN)/python -m lab.packages

docs: env ## the reference of modules, roles and filters, in build/docs
	@mkdir -p build/docs
	@ANSIBLE_COLLECTIONS_PATH=$(CURDIR)/collections $(BIN)/antsibull-docs collection --use-current --fail-on-error --cleanup everything \
	  --output-format simplified-rst --squash-hierarchy --dest-dir build/docs mesos_scaleio.platform

lint: docs ## ruff, yamllint, ansible-lint (production profile), changelog fragments, documentation
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/yamllint -s .
	@$(BIN)/antsibull-changelog lint
	@$(BIN)/ansible-lint --offline -q

types: env ## strict mypy on the shared code of the plugins
	@MYPYPATH=collections $(BIN)/mypy -p ansible_collections.mesos_scaleio.platform.plugins.module_utils

unit: env ## unit tests
	@$(BIN)/pytest tests/unit -n 2

sanity: env ## ansible-test sanity on an export, and a proof that it looked at files
	@tools/sanity

SET ?= full
SHORT := $(if $(filter short,$(SET)),-m "not slow")

contract: env ## modules against real Mesos and against the emulators; the emulators against independent clients
	@RESULTS=contract $(BIN)/pytest tests/contract $(SHORT) -n 2

e2e: env ## site.yml, failures and remediation on lab hosts
	@$(TEST_LAB) RESULTS=e2e $(BIN)/pytest tests/e2e $(SHORT)

chaos: env ## remediation killed at every effect it has, and started twice at once (CHAOS_SEED repeats a draw)
	@RESULTS=chaos $(BIN)/pytest tests/chaos $(SHORT) -n 2

bench: env ## our modules and dellemc.powerflex side by side against one emulator (half an hour and more, for the peer)
	@$(BIN)/python -m tests.bench $(CASES)

backtest: env ## what a remediation policy would have done: [POLICY=file.yml] [HISTORY=history.jsonl]
	@PYTHONPATH=collections $(BIN)/python tools/backtest.py $(if $(POLICY),--policy $(POLICY)) \
	  $(if $(HISTORY),--history $(HISTORY))

clean: ## remove what these commands made in the checkout
	@rm -rf .venv .cache build .mypy_cache .pytest_cache .ruff_cache
