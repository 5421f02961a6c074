# The front door. `make help` says what stands behind it.
# PRESET=ci is release with warnings as errors. ARGS go to davit up: make up ARGS='--port-range 30000-30999'.
PRESET ?= release
PREFIX ?= /usr/local
ARGS ?=

BUILD := build/release
DAVIT := $(BUILD)/bin/davit
# Debian's own, which has the packages that scripts/setup installs.
PYTHON := /usr/bin/python3
BINDIR = $(DESTDIR)$(PREFIX)/bin
UNITDIR = $(DESTDIR)$(PREFIX)/lib/systemd/system
BASH_COMPLETIONS = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSH_COMPLETIONS = $(DESTDIR)$(PREFIX)/share/zsh/site-functions

.PHONY: help up build test test-etcd-3.6 lab score lint fmt bench bench-swarm bench-dns bench-ingress install uninstall clean configure-all build-tests
.NOTPARALLEL:
.DEFAULT_GOAL := help

help:  ## this list
	@sed -n 's/^\([a-z0-9.-]*\):.*## /  make \1 \t/p' Makefile | expand -t 24

up: build  ## all that a fresh machine lacks (packages, build, Docker Engine, demo images), then Davit in the foreground
	@scripts/engine
	@scripts/demo-images
	@exec $(DAVIT) up $(ARGS)

build:  ## the program: build/release/bin/davit
	@scripts/setup
	@[ -f $(BUILD)/build.ninja ] || cmake --preset $(PRESET) -DDAVIT_TESTS=OFF >/dev/null
	@cmake --build $(BUILD) --target davit check_layers

test: build-tests  ## everything: unit tests with sanitizers, all of ctest, integration tests on real Docker Engines and etcd
	ctest --preset asan
	ctest --preset $(PRESET)
	@scripts/engine
	@scripts/demo-images
	@DAVIT_BIN=$${DAVIT_BIN:-$(CURDIR)/$(DAVIT)} PYTHON=$(PYTHON) scripts/system-tests

test-etcd-3.6: configure-all  ## the store's tests against etcd 3.6 as well, which takes Go and builds it the first time
	cmake --build $(BUILD) --target davit_etcd_test
	DAVIT_ETCD=$$(scripts/go-tool etcd-3.6) $(BUILD)/bin/davit_etcd_test

lab: build  ## a cluster to play with on this machine: three masters, five workers, an engine each; as root
	@scripts/setup --dev
	@DAVIT_BIN=$(CURDIR)/$(DAVIT) $(PYTHON) tests/cluster/play.py

score: configure-all  ## how many deliberate faults the simulator finds, and how soon; ten minutes or more
	cmake --build $(BUILD) --target davit-sim-planted
	$(BUILD)/bin/davit-sim-planted --score $(ARGS)

lint: configure-all  ## layers, formatting, clang-tidy
	@cmake --build $(BUILD) --target davit_generated >/dev/null
	@scripts/lint $(BUILD) $(ARGS)

fmt:  ## format all sources
	@scripts/setup --dev
	@find src tests bench -name '*.cpp' -o -name '*.hpp' | xargs clang-format-19 -i

bench: configure-all  ## figures and ratios on this machine, a quarter of an hour; ARGS='--quick --only restart,list': less of it
	@cmake --preset $(PRESET) -DDAVIT_BENCH=ON >/dev/null
	cmake --build $(BUILD) --target davit davit_bench davit_store_bench davit_etcd_bench davit_placement_bench davit_scale_bench
	$(BUILD)/bin/davit_bench && $(BUILD)/bin/davit_placement_bench && $(BUILD)/bin/davit_scale_bench 1000 100000 10000 2000000 && $(BUILD)/bin/davit_etcd_bench && DAVIT_BIN=$(CURDIR)/$(DAVIT) $(PYTHON) bench/one_machine.py $(ARGS)

bench-ingress: configure-all  ## the ingress beside Docker's proxy and beside none: throughput and latency, seven minutes; ARGS=--quick: one
	@cmake --preset $(PRESET) -DDAVIT_BENCH=ON >/dev/null
	cmake --build $(BUILD) --target davit_ingress_carrier
	$(PYTHON) bench/ingress.py $(ARGS)

bench-swarm: build  ## Davit beside Docker Swarm and the bare engines on this machine, as root; an hour, or ARGS='--quick', '--only cuts,crash', '--runs 1'
	@scripts/setup --dev
	@DAVIT_BIN=$(CURDIR)/$(DAVIT) $(PYTHON) bench/swarm/side_by_side.py $(ARGS)

bench-dns: configure-all  ## answers per second of the nodes' DNS beside a bare UDP echo, Docker's DNS and Consul's, as root; three minutes, or ARGS='--quick'
	@cmake --preset $(PRESET) -DDAVIT_BENCH=ON >/dev/null
	cmake --build $(BUILD) --target davit-dns davit_udp_echo davit_dns_codec_bench
	$(BUILD)/bin/davit_dns_codec_bench && $(PYTHON) bench/dns/side_by_side.py $(ARGS)

install:  ## after make build: program, systemd units, shell completion to PREFIX (/usr/local)
	@[ -x $(DAVIT) ] || { echo "$(DAVIT) is not built yet; run make build first (not as root)"; exit 1; }
	install -D $(DAVIT) $(BINDIR)/davit
	install -d $(UNITDIR) $(BASH_COMPLETIONS) $(ZSH_COMPLETIONS)
	for unit in davit davit-master davit-worker; do sed 's|@PREFIX@|$(PREFIX)|' packaging/$$unit.service >$(UNITDIR)/$$unit.service; done
	$(DAVIT) completion bash >$(BASH_COMPLETIONS)/davit
	$(DAVIT) completion zsh >$(ZSH_COMPLETIONS)/_davit
	@echo "Installed. To run it as a service: systemctl daemon-reload && systemctl enable --now davit"

uninstall:  ## what make install put there; services, data and containers stay
	rm -f $(BINDIR)/davit $(UNITDIR)/davit.service $(UNITDIR)/davit-master.service $(UNITDIR)/davit-worker.service $(BASH_COMPLETIONS)/davit $(ZSH_COMPLETIONS)/_davit

clean:  ## remove build/
	rm -rf build

configure-all:
	@scripts/setup --dev
	@cmake --preset $(PRESET) -DDAVIT_TESTS=ON >/dev/null

build-tests: configure-all
	cmake --build $(BUILD)
	@cmake --preset asan >/dev/null
	cmake --build build/asan
