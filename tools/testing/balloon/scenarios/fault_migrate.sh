#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Migrations fail for lack of memory for the index: those pages stay where they are, others move.
# requires: FAULT_INJECTION_STACKTRACE_FILTER FAULT_INJECTION_DEBUG_FS FAILSLAB FAIL_PAGE_ALLOC
# timeout: 180

failed() { [ "$(balloon_value stats/migrate_failed)" -gt "$1" ]; }

faulty_round() {
	lonely_balloon balloon_to 100
	fault failslab "$1" balloon_compaction
	fault fail_page_alloc "$1" balloon_compaction
	compact
	fault failslab 0
	fault fail_page_alloc 0
	lonely_balloon_stop
	ledger
	balloon_to 0
}

verify_start 64
load_driver
for share in 100 30; do
	before=$(balloon_value stats/migrate_failed)
	# Where the free memory lies is not ours to say: some rounds want no new block.
	for _ in 1 2 3 4 5; do
		faulty_round $share
		! failed "$before" || break
	done
	check "$share %: migrations failed" failed "$before"
done
still_works
verify_stop
