# The front door. `make help` says what stands behind it.
# PRESET=ci is release with warnings as errors. ARGS go to davit up: make up ARGS='--port-range 30000-30999'.
PRESET ?= release
PREFIX ?= /usr/local
ARGS ?=

BUILD := build/release
DAVIT := $(BUILD)/bin/davit
# Debian's own, which has the packages that scripts/setup installs.
PYTHON := /usr/bin/python3
PYTEST_FOLDERS = $(wildcard tests/integration tests/e2e)
BINDIR = $(DESTDIR)$(PREFIX)/bin
UNITDIR = $(DESTDIR)$(PREFIX)/lib/systemd/system
BASH_COMPLETIONS = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSH_COMPLETIONS = $(DESTDIR)$(PREFIX)/share/zsh/site-functions

.PHONY: help up build test score lint fmt bench install uninstall clean configure-all build-tests
.NOTPARALLEL:
.DEFAULT_GOAL := help

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1 \t/p' Makefile | expand -t 18

up: build  ## all that a fresh machine lacks (packages, build, Docker Engine, demo images), then Davit in the foreground
	@scripts/engine
	@scripts/demo-images
	@exec $(DAVIT) up $(ARGS)

build:  ## the program: build/release/bin/davit
	@scripts/setup
	@[ -f $(BUILD)/build.ninja ] || cmake --preset $(PRESET) -DDAVIT_TESTS=OFF >/dev/null
	@cmake --build $(BUILD) --target davit check_layers

test: build-tests  ## everything: unit tests with sanitizers, all of ctest, integration tests on a real Docker Engine
	ctest --preset asan
	ctest --preset $(PRESET)
ifneq ($(PYTEST_FOLDERS),)
	@scripts/engine
	@scripts/demo-images
	DAVIT_BIN=$${DAVIT_BIN:-$(CURDIR)/$(DAVIT)} $(PYTHON) -m pytest -p no:cacheprovider --durations=10 $(PYTEST_FOLDERS)
endif

score: configure-all  ## how many deliberate faults the simulator finds, and how soon; ten minutes or more
	cmake --build $(BUILD) --target davit-sim-planted
	$(BUILD)/bin/davit-sim-planted --score $(ARGS)

lint: configure-all  ## layers, formatting, clang-tidy
	@scripts/lint $(BUILD)

fmt:  ## format all sources
	@scripts/setup --dev
	@find src tests bench -name '*.cpp' -o -name '*.hpp' | xargs clang-format-19 -i

bench: configure-all  ## figures and ratios on this machine, ten minutes; ARGS='--quick --only restart,list': less of it
	@cmake --preset $(PRESET) -DDAVIT_BENCH=ON >/dev/null
	cmake --build $(BUILD) --target davit davit_bench davit_store_bench davit_placement_bench
	$(BUILD)/bin/davit_bench && $(BUILD)/bin/davit_placement_bench && DAVIT_BIN=$(CURDIR)/$(DAVIT) $(PYTHON) bench/one_machine.py $(ARGS)

install:  ## after make build: program, systemd unit, shell completion to PREFIX (/usr/local)
	@[ -x $(DAVIT) ] || { echo "$(DAVIT) is not built yet; run make build first (not as root)"; exit 1; }
	install -D $(DAVIT) $(BINDIR)/davit
	install -d $(UNITDIR) $(BASH_COMPLETIONS) $(ZSH_COMPLETIONS)
	sed 's|@PREFIX@|$(PREFIX)|' packaging/davit.service >$(UNITDIR)/davit.service
	$(DAVIT) completion bash >$(BASH_COMPLETIONS)/davit
	$(DAVIT) completion zsh >$(ZSH_COMPLETIONS)/_davit
	@echo "Installed. To run it as a service: systemctl daemon-reload && systemctl enable --now davit"

uninstall:  ## what make install put there; services, data and containers stay
	rm -f $(BINDIR)/davit $(UNITDIR)/davit.service $(BASH_COMPLETIONS)/davit $(ZSH_COMPLETIONS)/_davit

clean:  ## remove build/
	rm -rf build

configure-all:
	@scripts/setup --dev
	@cmake --preset $(PRESET) -DDAVIT_TESTS=ON >/dev/null

build-tests: configure-all
	cmake --build $(BUILD)
	@cmake --preset asan >/dev/null
	cmake --build build/asan
