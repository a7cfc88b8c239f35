#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Migrations fail for lack of memory for the index: those pages stay where they are, others move.
# requires: FAULT_INJECTION_STACKTRACE_FILTER FAULT_INJECTION_DEBUG_FS FAILSLAB FAIL_PAGE_ALLOC
# timeout: 180

failed() { [ "$(balloon_value stats/migrate_failed)" -gt "$1" ]; }

# A balloon in memory of which the rest has none, so that compaction finds room in blocks that are new to the index.
lonely_balloon() {
	start below verify 200
	scattered_balloon 100
	start above verify 200
	stop below
	stop above
}

faulty_round() {
	lonely_balloon
	fault failslab "$1" balloon_compaction
	fault fail_page_alloc "$1" balloon_compaction
	compact
	fault failslab 0
	fault fail_page_alloc 0
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
before=$(migrated_pages)
lonely_balloon
compact
check "pages migrated" [ $(($(migrated_pages) - before)) -gt 1000 ]
ledger
verify_stop
balloon_to 0
ledger
