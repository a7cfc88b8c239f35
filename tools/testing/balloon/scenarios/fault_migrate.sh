#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Migrations fail for lack of memory for the index: those pages stay where they are, others move.
# requires: FAULT_INJECTION_STACKTRACE_FILTER FAULT_INJECTION_DEBUG_FS FAILSLAB FAIL_PAGE_ALLOC
# timeout: 120

verify_start 64
load_driver
for share in 100 30; do
	scattered_balloon 250
	before=$(balloon_value stats/migrate_failed)
	fault failslab $share balloon_compaction
	fault fail_page_alloc $share balloon_compaction
	compact
	fault failslab 0
	fault fail_page_alloc 0
	check "$share %: migrations failed" [ "$(balloon_value stats/migrate_failed)" -gt "$before" ]
	ledger
	balloon_to 0
done
scattered_balloon 250
failed=$(balloon_value stats/migrate_failed)
compact
equal "none fails any more" "$failed" "$(balloon_value stats/migrate_failed)"
check "pages migrated" [ "$(migrated_pages)" -gt 1000 ]
ledger
verify_stop
balloon_to 0
ledger
