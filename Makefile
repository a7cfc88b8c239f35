# SPDX-License-Identifier: GPL-2.0
# For people: "make help".  What kbuild reads is in Kbuild.

# bash, for pipefail: a check whose output is piped must not pass by that.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

TESTS	:= tools/testing/balloon
KVER	?= 6.12
# A series such as 6.12 means the newest Debian kernel of that series.
KERNELS	?= 6.12 6.1
# Not in "make test", for its time.
NEWEST	:= 7.3
# Built from Debian's sources, as tools/testing/balloon/kernels/ has it.
DEBUG	:= kasan kcsan
MAKEFLAGS += --no-print-directory

.PHONY: help
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## make run                      compare the stock balloon driver with ours in real guests
.PHONY: run
run:
	@scripts/install-deps run
	@scripts/build-modules "$(KVER)"
	@$(TESTS)/run-experiment --kernel $(KVER) $(ARGS)

## make bench                    what inflation, deflation, migration and compaction cost, stock and ours side by side: about 40 minutes
.PHONY: bench
bench: deps
	@scripts/fetch-source $(KVER) >/dev/null
	@$(MAKE) test-modules KVER=$(KVER)
	@$(TESTS)/run-bench --kernel $(KVER) $(ARGS)

## make month                    200 cycles of a guest's life, stock and ours, and out/month.html: about 8 minutes
.PHONY: month
month: deps
	@$(MAKE) test-modules KVER=$(KVER)
	@$(TESTS)/run-bench --kernel $(KVER) month

## make test                     run the unit tests everywhere, and scenarios on both kernels: about half an hour
.PHONY: test
test: deps
	@for kernel in $(KERNELS); do scripts/fetch-source $$kernel >/dev/null && $(MAKE) test-modules KVER=$$kernel || exit; done
	@$(TESTS)/run-tests $(ARGS)

## make test-newest              run the scenarios on Debian's 7.3 kernel
.PHONY: test-newest
test-newest: deps
	@$(MAKE) test-modules KVER=$(NEWEST)
	@$(TESTS)/run-tests --kernel $(NEWEST) $(ARGS)

## make test-xen                 run the Xen adapter in guests of real Xen, in QEMU
.PHONY: test-xen
test-xen: deps
	@kernel=$$($(TESTS)/run-xen --print-kernel) && scripts/build-modules "$$kernel" && $(TESTS)/run-xen $(ARGS)

## make test-all                 both with long scenarios, configs, debug and coverage: hours
.PHONY: test-all
test-all:
	@failed=; for part in "test ARGS=--all" "test-newest ARGS=--all" configs debug coverage; do $(MAKE) $$part || failed="$$failed $${part%% *}"; done; \
	echo "failed:$${failed:- nothing}"; [ -z "$$failed" ]

## make kunit                    run the unit tests under KUnit, in User Mode Linux
.PHONY: kunit
kunit: deps
	@$(TESTS)/run-tests -v uml

## make configs                  build and boot kernels with the overlay, in every configuration
.PHONY: configs
configs:
	@scripts/install-deps test ccache gcc-powerpc64le-linux-gnu
	@for kernel in $(KERNELS) $(NEWEST); do $(MAKE) test-modules KVER=overlay-modular-$$kernel || exit; done
	@$(TESTS)/run-tests --kernel 'overlay*' $(ARGS)

## make coverage                 run them on a kernel that measures coverage; say what never ran
.PHONY: coverage
coverage:
	@scripts/install-deps test gcovr
	@$(MAKE) test-modules KVER=gcov
	@$(TESTS)/run-coverage $(ARGS)

## make debug                    all of it again on kernels that see memory errors, lock order, leaks and races
.PHONY: debug
debug: deps
	@for kernel in $(DEBUG); do $(MAKE) test-modules KVER=$$kernel || exit; done
	@failed=0; \
	for kernel in $(DEBUG); do $(TESTS)/run-tests --kernel $$kernel --all --minutes 2 $(ARGS) || failed=1; done; \
	$(TESTS)/run-planted || failed=1; \
	exit $$failed

## make soak MINUTES=30          anything that can happen to a balloon, at random, on both kernels, and on kasan if it was built
.PHONY: soak
soak: MINUTES ?= 30
soak: SEED ?= $(shell od -An -N3 -tu4 /dev/urandom | tr -d ' ')
soak: deps
	@seed=$(SEED) failed=0; echo "make soak MINUTES=$(MINUTES) SEED=$$seed repeats this"; \
	for kernel in $(KERNELS) $(if $(wildcard build/kernels/kasan/built-from),kasan); do \
		$(MAKE) test-modules KVER=$$kernel || exit; \
		$(TESTS)/run-tests --kernel $$kernel --minutes $(MINUTES) --seed $$seed --keep soak || failed=1; \
		sed -n "s/^# \([0-9]* steps.*\)/$$kernel: \1/p" "$$(ls -t out/logs/*/soak/ktap | head -n 1)"; \
	done; exit $$failed

## make fuzz MINUTES=10          fuzz the virtio driver and the core from below the virtqueues
.PHONY: fuzz
fuzz: MINUTES ?= 10
fuzz:
	@scripts/install-deps clang libclang-rt-dev
	@$(TESTS)/run-fuzz $(MINUTES)

## make modules KVER=V           build what is to be installed for kernel V into build/V/
.PHONY: modules
modules:
	@scripts/build-modules "$(KVER)"
	@echo "next:  sudo make modules_install KVER=$(KVER)"

## make adapter M=DIR KVER=V       build a balloon driver of yours, in DIR, on our core
.PHONY: adapter
adapter:
	@scripts/build-adapter "$(M)" "$(KVER)"

## make test-modules KVER=V      the same, and the modules of the tests
.PHONY: test-modules
test-modules:
	@scripts/build-modules --tests "$(KVER)"

## make balloonctl               build the administrator's tool and its man page into build/balloonctl/
.PHONY: balloonctl
balloonctl:
	@scripts/install-deps tool
	@$(MAKE) -s -C tools/balloon all
	@echo "next:  sudo make -C tools/balloon install"

## make modules_install KVER=V   install them below /lib/modules/V/updates/; with NULL_BALLOON=1 or XEN_BALLOON=1 also that one
.PHONY: modules_install
modules_install:
	@scripts/install-modules install "$(KVER)"

## make modules_uninstall KVER=V  take them out again
.PHONY: modules_uninstall
modules_uninstall:
	@scripts/install-modules uninstall "$(KVER)"

## make check                    checkpatch, sparse, layers, kernel-doc, shellcheck, pyflakes
.PHONY: check
check:
	@scripts/install-deps check
	@scripts/check $(KERNELS)

## make deps                     install what the tests need, with apt; run and check know by themselves what they need
.PHONY: deps
deps:
	@scripts/install-deps test

## make test-debian RELEASE=13   make run and make test in a fresh Debian of this release (12, 13), as root
.PHONY: test-debian
test-debian: RELEASE ?= 13
test-debian: PARTS ?= run test
test-debian:
	@scripts/install-deps debootstrap
	@scripts/test-debian $(RELEASE) "$(PARTS)" "$(ARGS)"

## make clean                    remove what was built; keep what was downloaded
.PHONY: clean
clean:
	@rm -rf out $(filter-out build/cache,$(wildcard build/*))

## make distclean                remove what was downloaded, too
.PHONY: distclean
distclean:
	@rm -rf out build
