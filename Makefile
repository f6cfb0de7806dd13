# `make demo` shows what xenmig does, `make test` runs everything that a change must pass.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := pcaps/pvh-4.17-8M-1vcpu-mig-mtu65536.pcap.xz
PIP := $(BIN)/pip install --quiet --disable-pip-version-check

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/installed ## Install into .venv; show and verify a real migration from pcaps/
	@echo '$$ xenmig timeline $(DEMO)'
	@$(BIN)/xenmig timeline $(DEMO)
	@echo
	@echo '$$ xenmig verify $(DEMO)'
	@$(BIN)/xenmig verify $(DEMO)

.PHONY: test
test: $(VENV)/tested tools ## Run the linters, the type checker and the tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal

.PHONY: bench
bench: $(VENV)/tested tools ## Measure speed and memory, beside those of verify-stream-v2
	$(BIN)/python -m tests.benchmarks.run

.PHONY: fuzz
fuzz: $(VENV)/tested tools ## Mutate streams for a long time
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -m fuzz

.PHONY: generate
generate: $(VENV)/tested ## Make what is made from the definitions: Scapy layers, Wireshark dissector, docs/records.md
	$(BIN)/python -m xenmig.scapy_layers.generate
	$(BIN)/python -m xenmig.wireshark.generate
	$(BIN)/python -m xenmig.core.definitions.reference
	$(BIN)/python -m xenmig.core.definitions.shaping

.PHONY: wireshark-versions
wireshark-versions: ## Put Wireshark 4.4 and 4.6 into folders of their own, for the tests (root, about a minute)
	wireshark/versions.sh

.PHONY: clean
clean: ## Remove what the other targets made
	rm -rf $(VENV) build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The programs that tests compare with, and Xen's headers. Where they cannot be installed, the tests that need them say so.
.PHONY: tools
tools:
	@missing=(); \
	for tool in tshark tcpflow lua5.2 lua5.4 lua-check gcc chromium; do \
		command -v $${tool/lua-check/luacheck} > /dev/null || missing+=($$tool); done; \
	[ -e /usr/include/xen/xen.h ] || missing+=(libxen-dev); \
	if (( $${#missing[@]} )); then $(call apt-install,"$${missing[@]}") || echo "not here: $${missing[*]}" >&2; fi
	@# verify-stream-v2 is fetched by tests/peer.py, which needs apt's lists.
	@if command -v apt-cache > /dev/null && ! apt-cache --names-only search '^xen-utils-4' | grep -q .; then \
		$(call as-root,apt-get update -q) || true; fi

$(VENV)/installed: pyproject.toml | $(VENV)/bin/pip
	$(PIP) --editable .
	@touch $@

$(VENV)/tested: pyproject.toml | $(VENV)/bin/pip
	$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/installed

# Debian and Ubuntu keep ensurepip, without which no environment can be made, in a package of its own.
$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
		echo 'xenmig needs Python 3.10 or newer: make PYTHON=python3.12 ...' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2> /dev/null || $(call apt-install,python3-venv) || { \
		echo "$(PYTHON) cannot make virtual environments: on Debian and Ubuntu, apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)

# $(call as-root,command): run as root when that is possible without asking anybody.
define as-root
{ if [ "$$(id -u)" = 0 ]; then $(1); elif sudo -n true 2> /dev/null; then sudo -n $(1); else false; fi; }
endef

# $(call apt-install,packages): install packages where there is apt and the right to use it.
define apt-install
{ command -v apt-get > /dev/null && $(call as-root,apt-get update -q) && \
	$(call as-root,env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $(1)); }
endef
