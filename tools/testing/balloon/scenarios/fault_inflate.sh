#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Inflation fails for lack of memory, for pages and for the index: nothing is lost, the balloon grows when it may.
# requires: FAULT_INJECTION_STACKTRACE_FILTER FAULT_INJECTION_DEBUG_FS FAILSLAB FAIL_PAGE_ALLOC
# timeout: 120

failed() { [ "$(balloon_value stats/alloc_failed)" -gt "$1" ]; }
nothing_pending() { [ "$(balloon_value pending_pages)" = 0 ]; }

verify_start 64
load_driver
balloon_to 20
for kind in fail_page_alloc failslab; do
	before=$(balloon_value stats/alloc_failed)
	fault $kind 100 balloon_compaction
	host_balloon 60
	check "$kind: every allocation fails" wait_until 20 failed "$before"
	check "$kind: nothing stays pending" wait_until 10 nothing_pending
	ledger_now
	fault $kind 0
	balloon_to 60 30
	ledger
	before=$(balloon_value stats/alloc_failed)
	# Whole blocks are too few allocations for some to fail.
	echo 0 >"$ORDER"
	fault $kind 5
	host_balloon 250
	check "$kind: some allocations fail" wait_until 20 failed "$before"
	fault $kind 0
	echo 9 >"$ORDER"
	balloon_to 250 40
	ledger
	balloon_to 20
done
verify_stop
balloon_to 0
ledger
