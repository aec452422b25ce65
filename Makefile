# Thin names for what a developer and CI run. The tools are pinned here and run
# by `go run tool@version`, so they stay out of go.mod.

GOLANGCI  := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
BENCHSTAT := go run golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da
BENCHTIME := 1s
BASE      := HEAD~1
BENCH_PACKAGES := ./engine/... ./wal/... ./httpapi ./bench
FUZZTIME  := 20s

# Packages whose tests have a -long flag; `go test ./... -long` would stop at the others.
LONG_PACKAGES = $$(grep -rl --include='*_test.go' 'flag.Bool("long"' . | xargs -r -n1 dirname | sort -u)

.PHONY: help check fmt fmt-check lint vet test race long crash kill powercut histories reference soak merges overload screenshots bench bench-compare fuzz mutants

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

check: fmt-check lint vet ## formatting, lint, vet: what CI asks first

fmt: ## rewrite the files as gofumpt and gci want them
	$(GOLANGCI) fmt

fmt-check:
	$(GOLANGCI) fmt --diff

lint: ## golangci-lint: style, mistakes, and the arrows between the rooms
	$(GOLANGCI) run

vet: ## go vet
	go vet ./...

test: ## every test, in under three minutes
	go test ./...

race: ## the same under the race detector
	go test -race ./...

long: ## the tests that take minutes, in the packages that have some
	go test -timeout 30m $(LONG_PACKAGES) -long

crash: ## power cuts in memory: CRASHES long runs, some 20,000 images each
	go test ./wal -run '^TestCrash' -long -count $(CRASHES) -timeout 12h -v | grep --line-buffered -E 'images|^(ok|FAIL|---)'

CRASHES   := 10
KILLS     := 500
CUTS      := 100
HISTORIES := 200
STEPS     := 100000
SOAK      := 10m
MERGES    := 1000000
MUTANTS   := all
OVERLOAD  := 60s

kill: ## KILLS times kill -9 of the program under load, and as many amid checkpoints
	go test ./cmd/markr -run '^TestKill' -v -timeout 2h -kill.rounds $(KILLS)

powercut: ## CUTS times the power of a disk cut under load (root, loop devices)
	go test ./cmd/markr -run '^TestPowerCut' -v -timeout 2h -powercut.rounds $(CUTS)

histories: ## HISTORIES histories of 1000 imports and reads through kills and pauses, checked for linearizability
	go test ./cmd/markr -run '^TestHistories' -v -timeout 2h -history.count $(HISTORIES)

reference: ## STEPS random steps of one client, each answer held against plain maps
	go test ./cmd/markr -run '^TestReference' -v -timeout 2h -reference.steps $(STEPS)

soak: ## servers that live and die under mixed load for SOAK; nothing may grow
	go test ./cmd/markr -run '^TestSoak' -v -timeout 24h -soak $(SOAK)

merges: ## MERGES times the same documents in another order, in pieces, repeated, under every rule
	go test ./engine/ledger -run '^TestMerges$$' -v -timeout 2h -merges $(MERGES) | grep -E 'merges|^(ok|FAIL|---)'

mutants: ## break each promise in one place, and see a test fail; three minutes
	go test ./wal/mutants -run '^TestMutants$$' -v -timeout 2h -parallel 2 -mutants "$(MUTANTS)" | grep --line-buffered -vE '^ *===|^=== '

overload: ## ten times what the machine can take, for OVERLOAD: goodput, refusals, reads, memory, recovery
	go test ./cmd/markr -run '^TestOverload$$' -v -timeout 2h -overload $(OVERLOAD)

screenshots: ## the README's pictures of the page, from generated data (needs Chromium)
	go test ./httpapi/dashboard -run '^TestScreenshots$$' -count 1 -v -screenshots .

bench: ## every Go benchmark; BENCHTIME=5s for steadier numbers
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...

bench-compare: ## Go benchmarks of this tree beside those of BASE (a commit), by benchstat
	@set -e; dir=$$(mktemp -d); trap 'git worktree remove --force "$$dir/base"; rm -r "$$dir"' EXIT; \
	git worktree add --quiet --detach "$$dir/base" $(BASE); \
	measure() { go test -run '^$$' -bench . -benchtime $(BENCHTIME) -count 6 $(BENCH_PACKAGES); }; \
	(cd "$$dir/base" && measure) > "$$dir/old.txt"; \
	measure > "$$dir/new.txt"; \
	$(BENCHSTAT) old="$$dir/old.txt" new="$$dir/new.txt"

fuzz: ## each fuzz target for FUZZTIME, one after the other
	@set -e; grep -rnoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | \
	sed -E 's/^(.*)\/[^/]*:[0-9]+:func (.*)$$/\1 \2/' | sort -u | \
	while read -r package target; do \
		echo "fuzz $$package $$target"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$package"; \
	done
