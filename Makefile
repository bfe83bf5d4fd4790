# Everything a developer or a CI machine runs. `make` alone prints this list.
# `verify` checks what `fix` repairs; CI (.ci/run) runs nothing that is not a target here.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO     ?= go
GOFMT   = $(shell $(GO) env GOROOT)/bin/gofmt
BIN    := bin/creditd
MODULE := github.com/creditd/creditd

# A tag gives v1.2.3 or v1.2.3-4-gabcdef0; a tree without tags gives v0.0.0-dev+abcdef0.
VERSION ?= $(shell git describe --tags --match 'v[0-9]*' 2>/dev/null || \
	echo "v0.0.0-dev+$$(git rev-parse --short HEAD 2>/dev/null || echo unknown)")

# Tools are pinned here and installed below bin/tools on first use, so they never reach go.mod.
STATICCHECK_VERSION := v0.8.2
STATICCHECK         := bin/tools/staticcheck-$(STATICCHECK_VERSION)/staticcheck
GORELEASER_VERSION  := v2.15.1
GORELEASER          := bin/tools/goreleaser-$(GORELEASER_VERSION)/goreleaser
CYCLONEDX_VERSION   := v1.10.0
CYCLONEDX           := bin/tools/cyclonedx-gomod-$(CYCLONEDX_VERSION)/cyclonedx-gomod

TESTFLAGS    ?=
TEST_TIMEOUT ?= 15m
FUZZTIME     ?= 20000x
ARGS         ?=

# Modules of their own: the Go SDK is a dependency of its suite only, porcupine of the linearizability check of chaos runs. The third
# stands in for a package that the log stores import and go-metrics dropped. The fourth reads manifests with the libraries of their readers.
SDK_MODULE      := scripts/sdk/go
LINCHECK_MODULE := scripts/chaos/lincheck
METRICS_MODULE  := store/gometrics
DEPLOY_MODULE   := scripts/deploy/check
SUBMODULES      := $(SDK_MODULE) $(LINCHECK_MODULE) $(METRICS_MODULE) $(DEPLOY_MODULE)

# The race detector needs cgo and a C compiler; without them the tests still run, and say so.
RACE_READY = $(shell [ "$$($(GO) env CGO_ENABLED)" = 1 ] && command -v $$($(GO) env CC) >/dev/null 2>&1 && echo yes)

# Concurrency lives in these packages. The rest is sequential: the race detector would only make it slow. Simulated hours run the code
# of package cluster once more, and get by without it. So does cmd/creditd, whose tests start processes, and api/schema, which api uses.
# Package api runs alone, because its many clusters keep both cores busy, and a starved cluster elects for ever.
RACE_DIRS  := fsm/codec cluster api store cmd
NO_RACE    := $(addprefix $(MODULE)/,cluster/simulation cmd/creditd api api/schema)
ALONE      := $(MODULE)/api
PACKAGES    = $(shell $(GO) list -e ./...)
RACE_PKGS   = $(filter-out $(NO_RACE),$(foreach d,$(RACE_DIRS),$(filter $(MODULE)/$(d) $(MODULE)/$(d)/%,$(PACKAGES))))
PLAIN_PKGS  = $(filter-out $(RACE_PKGS) $(ALONE),$(PACKAGES))

# Tests of damage are sequential, so those of store run without the race detector, too.
DAMAGE     := ^TestDamage_

# What starts processes waits for elections and disks half of the time, so more of it runs at once than there are cores. Clusters in one
# process do not bear that.
AT_ONCE    := -p 3 -parallel 4

# verify vets everything once; `go test` would vet each package again in every form.
QUICKLY     = -vet=off -timeout $(TEST_TIMEOUT) $(TESTFLAGS)

##@ Run

.PHONY: dev
dev: build ## build, then run one node with a sample API, identity and key
	$(BIN) dev --demo $(ARGS)

# nomsgpack leaves gin's MessagePack out, which nobody calls: a quarter of the binary. Of its QUIC, BSON, TOML and validators the linker keeps 0.3 MB.
.PHONY: build
build: ## static binary at bin/creditd
	@mkdir -p $(dir $(BIN))
	CGO_ENABLED=0 $(GO) build -tags nomsgpack -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$(VERSION)" -o $(BIN) ./cmd/creditd

##@ Test

# The parts run even when the first fails, so one run shows every failure. Most tests of api send one request after the other; those in
# files that start goroutines run under the race detector, too.
.PHONY: test
test: ## all tests, race detector on where goroutines meet (TESTFLAGS=-count=1 to defeat the cache)
	@race=-race; \
	if [ "$(RACE_READY)" != yes ]; then \
		race=; export CGO_ENABLED=0; echo "note: no cgo or no C compiler ($$($(GO) env CC)): running without the race detector" >&2; \
	fi; \
	rc=0; \
	t() { $(GO) "$$@" || rc=1; }; \
	t test $(AT_ONCE) $(QUICKLY) $(PLAIN_PKGS); \
	t test $(QUICKLY) -run '$(DAMAGE)' ./store; \
	t test $(QUICKLY) $(ALONE); \
	t test -tags chaos $(QUICKLY) ./store/failpoint; \
	t test -tags nextversion -short $(QUICKLY) ./fsm/...; \
	t test -tags nextversion -run AnnotateKey $(QUICKLY) ./api; \
	t -C $(LINCHECK_MODULE) test $(QUICKLY) ./...; \
	t -C $(METRICS_MODULE) test $(QUICKLY) ./...; \
	t -C $(DEPLOY_MODULE) test $(QUICKLY) ./...; \
	t test $$race $(QUICKLY) -skip '$(DAMAGE)' $(RACE_PKGS); \
	raced=$$(grep -lE 'go func|\.Go\(|httptest\.NewServer' api/*_test.go | xargs grep -ohE '^func Test[A-Za-z0-9_]+' | cut -c6- | paste -sd '|'); \
	[ -n "$$raced" ] || rc=1; \
	t test $$race $(QUICKLY) -run "^($$raced)\$$" ./api; \
	if [ "$${CI:-}" = true ] || { command -v node && command -v npm; } >/dev/null 2>&1; then \
		$(GO) run -buildvcs=false ./scripts/sdk || rc=$$?; \
	else \
		echo "note: no node or no npm: skipping the stock SDKs (make sdk)" >&2; \
	fi; \
	exit $$rc

.PHONY: sdk
sdk: ## the stock Go and TypeScript SDKs against a follower of three real processes (needs node and npm)
	$(GO) run -buildvcs=false ./scripts/sdk

.PHONY: race
race: ## all tests under the race detector, no exceptions
	@[ "$(RACE_READY)" = yes ] || { echo "make race needs cgo and a C compiler ($$($(GO) env CC) not found)" >&2; exit 1; }
	$(GO) test -race -timeout 25m $(TESTFLAGS) ./...

# `go test -fuzz` takes one target at a time; found inputs land in testdata/fuzz beside the target.
# FUZZTIME counts executions: Go 1.26 can end a duration with a false "context deadline exceeded" (go.dev/issue/75804).
.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME executions each (default 20000x)
	@rc=0; found=0; \
	while IFS=: read -r file line; do \
		target=$$(sed -E 's/^func (Fuzz[A-Za-z0-9_]*).*/\1/' <<<"$$line"); \
		found=$$((found + 1)); \
		echo "== $$(dirname $$file) $$target"; \
		$(GO) test -vet=off -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $(TESTFLAGS) "$$(dirname $$file)" </dev/null || rc=$$?; \
	done < <(grep -rE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*\(' . | LC_ALL=C sort); \
	echo "$$found fuzz targets, exit $$rc"; \
	exit $$rc

.PHONY: crash
crash: ## kill a real process at every failpoint and check the balances (KILLS=20 SEED=1 LOG_STORE=wal)
	$(GO) run -buildvcs=false ./scripts/crash -kills=$(or $(KILLS),20) \
		$(if $(SEED),-seed=$(SEED)) $(if $(LOG_STORE),-log-store=$(LOG_STORE)) $(ARGS)

.PHONY: chaos
chaos: ## seeded runs of a cluster under faults, checked for linearizability; then the rehearsal (RUNS=50 DURATION=30s SEED=1 NODES=3 LOG_STORE=wal)
	$(GO) run -buildvcs=false ./scripts/chaos -runs=$(or $(RUNS),50) -duration=$(or $(DURATION),30s) \
		$(if $(SEED),-seed=$(SEED)) $(if $(NODES),-nodes=$(NODES)) $(if $(LOG_STORE),-log-store=$(LOG_STORE)) $(ARGS)
	$(GO) run -buildvcs=false ./scripts/rehearse

.PHONY: rehearse
rehearse: ## a cluster's life with TLS under load: restart, upgrade, replace, grow, shrink, new certificates, backup, lost quorum, restore
	$(GO) run -buildvcs=false ./scripts/rehearse $(ARGS)

.PHONY: replace
replace: ## roll through clusters of three and five whose nodes lose their data under load (DURATION=1m SEED=1 NODES=3 LOG_STORE=wal)
	$(GO) run -buildvcs=false ./scripts/chaos replace -duration=$(or $(DURATION),1m) \
		$(if $(SEED),-seed=$(SEED)) $(if $(NODES),-nodes=$(NODES)) $(if $(LOG_STORE),-log-store=$(LOG_STORE)) $(ARGS)

.PHONY: failover
failover: ## kill the leader ten times and restart each node under load; shows the slowest answer of each
	$(GO) run -buildvcs=false ./scripts/chaos failover $(ARGS)

.PHONY: storm
storm: ## a million debits, each sent one to five times with its Idempotency-Key, while leaders change (ARGS="-charges 20000")
	$(GO) run -buildvcs=false ./scripts/chaos storm $(ARGS)

.PHONY: hostile
hostile: ## attack three nodes as a tenant and as a stranger while another workspace charges (DURATION=5m ATTACKS=lists,bodies ARGS=-tls)
	$(GO) run -buildvcs=false ./scripts/hostile -duration=$(or $(DURATION),5m) $(if $(ATTACKS),-attacks=$(ATTACKS)) $(ARGS)

.PHONY: migrate
migrate: ## move a made-up database of Unkey into three nodes: killed ten times, and while the old side charges (needs mariadbd; ARGS="-keys 2000")
	$(GO) run -buildvcs=false ./scripts/migrate $(if $(SEED),-seed=$(SEED)) $(ARGS)

.PHONY: export
export: ## move keys into three nodes and out under load: keys/s, p99, memory, equal files (ARGS="-keys 200000")
	$(GO) run -buildvcs=false ./scripts/export $(ARGS)

.PHONY: backup
backup: ## fill three nodes and take snapshots under load: p99 without and with one, memory (ARGS="-keys 20000")
	$(GO) run -buildvcs=false ./scripts/export -backup $(ARGS)

.PHONY: upgrade
upgrade: ## mix two builds in one cluster: every order, roll back, faults, refusals (DURATION=12m ORDERS=012,210 SEED=1 OLD=path NEW=path)
	$(GO) run -buildvcs=false ./scripts/upgrade -duration=$(or $(DURATION),12m) $(if $(ORDERS),-orders=$(ORDERS)) \
		$(if $(SEED),-seed=$(SEED)) $(if $(LOG_STORE),-log-store=$(LOG_STORE)) $(if $(OLD),-old=$(OLD)) $(if $(NEW),-new=$(NEW)) $(ARGS)

.PHONY: mutants
mutants: ## plant known bugs, one at a time, and demand that the tests find each
	$(GO) run -buildvcs=false ./scripts/mutants $(ARGS)

.PHONY: bench
bench: build ## measure creditd against its peers in one run (ARGS=…)
	$(GO) run -buildvcs=false ./scripts/bench $(ARGS)

##@ Check

# `make -k verify` reports every failing check instead of the first one.
.PHONY: verify
verify: verify-format verify-modules verify-vet verify-structure verify-staticcheck ## format, modules, vet, structure, staticcheck

.PHONY: verify-format
verify-format:
	@files=$$($(GOFMT) -l -s .); \
	if [ -n "$$files" ]; then printf 'not gofmt-ed (make fix):\n%s\n' "$$files" >&2; exit 1; fi
	@echo "gofmt: ok"

.PHONY: verify-modules
verify-modules:
	@$(GO) mod verify
	@for dir in . $(SUBMODULES); do \
		$(GO) -C $$dir mod tidy -diff || { echo "$$dir: go.mod or go.sum is not tidy (make fix)" >&2; exit 1; }; \
	done
	@echo "go mod tidy: ok"

.PHONY: verify-vet
verify-vet:
	@$(GO) vet ./...
	@$(GO) vet -tags chaos ./...
	@$(GO) vet -tags nextversion ./...
	@for dir in $(SUBMODULES); do $(GO) -C $$dir vet ./... || exit 1; done
	@echo "go vet: ok"

# Import arrows, purity of fsm and the other rules that correctness or the reader rests on.
.PHONY: verify-structure
verify-structure:
	@$(GO) test -count=1 -short ./scripts/tidy

.PHONY: verify-staticcheck
verify-staticcheck: $(STATICCHECK)
	@$(STATICCHECK) ./...
	@echo "staticcheck $(STATICCHECK_VERSION): ok"

$(STATICCHECK):
	@echo "installing staticcheck $(STATICCHECK_VERSION) into $(dir $@)"
	@GOBIN="$(CURDIR)/$(patsubst %/,%,$(dir $@))" $(GO) install -buildvcs=false honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)

.PHONY: fix
fix: ## repair what verify can complain about and a tool can mend
	$(GOFMT) -w -s .
	$(GO) mod tidy
	for dir in $(SUBMODULES); do $(GO) -C $$dir mod tidy || exit 1; done
	@page=$$($(GO) run -buildvcs=false ./scripts/apidoc && echo .) && printf '%s' "$${page%.}" >docs/api.md
	@page=$$($(GO) run -buildvcs=false ./scripts/apidoc methods && echo .) && printf '%s' "$${page%.}" >docs/sdk-methods.md
	@page=$$($(GO) run -buildvcs=false ./scripts/apidoc metrics && echo .) && printf '%s' "$${page%.}" >docs/metrics.md
	@page=$$($(GO) run -buildvcs=false ./cmd/creditd config reference && echo .) && printf '%s' "$${page%.}" >docs/settings.md
	@page=$$($(GO) run -buildvcs=false ./scripts/notice && echo .) && printf '%s' "$${page%.}" >NOTICE

.PHONY: clean
clean: ## remove build output, tools and coverage (never a data directory)
	rm -rf bin dist
	find . -name .git -prune -o \( -name '*.test' -o -name 'coverage.out' -o -name '*.prof' \) -type f -exec rm -f {} +

##@ Release

.PHONY: release
release: $(GORELEASER) $(CYCLONEDX) ## build dist/: binaries, archives, the Debian package, checksums and SBOMs
	$(GORELEASER) check -f scripts/deploy/goreleaser.yaml
	RELEASE_VERSION="$(VERSION:v%=%)" RELEASE_TIME="$$(git log -1 --format=%ct)" PATH="$(CURDIR)/$(dir $(CYCLONEDX)):$$PATH" \
		$(GORELEASER) release --snapshot --clean -f scripts/deploy/goreleaser.yaml

.PHONY: try-deb
try-deb: release ## install the Debian package on this machine, start it, verify a key, remove it (as root)
	scripts/deploy/try-deb dist/creditd_*_$$(dpkg --print-architecture).deb

$(GORELEASER):
	@echo "installing goreleaser $(GORELEASER_VERSION) into $(dir $@)"
	@GOBIN="$(CURDIR)/$(patsubst %/,%,$(dir $@))" $(GO) install -buildvcs=false github.com/goreleaser/goreleaser/v2@$(GORELEASER_VERSION)

$(CYCLONEDX):
	@echo "installing cyclonedx-gomod $(CYCLONEDX_VERSION) into $(dir $@)"
	@GOBIN="$(CURDIR)/$(patsubst %/,%,$(dir $@))" $(GO) install -buildvcs=false github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(CYCLONEDX_VERSION)

##@ Help

.PHONY: help
help: ## print this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
