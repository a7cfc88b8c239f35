#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Contiguous memory is allocated where a balloon sits: its pages make room.
# requires: CMA_DEBUGFS DMA_CMA
# append: cma=512M
# timeout: 120

AREA=$(echo /sys/kernel/debug/cma/*)
area() { cat "$AREA/$1"; }
in_area() { offline_pages_among "$(area base_pfn)" "$(area count)"; }

# While most of what is free is in the area, movable pages are taken from there.
verify_start 64
load_driver
balloon_to 128
say "area of $(area count) pages, $(in_area) of the balloon in it"
check "the balloon sits in the area" [ "$(in_area)" -gt 1000 ]
before=$(migrated_pages)
# The second allocation begins in the middle of a block.
check "the area is allocated: 100 pages" eval "echo 100 >$AREA/alloc"
# A host that is late for a second makes an allocation fail; another one gets what is missing.
allocate_others() { echo $(($(area count) - 100)) 2>/dev/null >"$AREA/alloc"; }
check "and all others" wait_until 60 allocate_others
equal "no page of the balloon is left in it" 0 "$(in_area)"
check "pages migrated" [ "$(migrated_pages)" -gt "$before" ]
ledger
balloon_to 50
ledger
check "and freed" eval "area count >$AREA/free"
balloon_to 256
ledger
verify_stop
