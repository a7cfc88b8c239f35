#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Another balloon has pages: it keeps the kernel's callbacks, and ours works with pages that do not move. One that comes later
# has its pages moved as by the kernel.
# kernels: 7.3
# needs: test/page_level_balloon_stock
# timeout: 300

# foreign_migrates: pages of the other balloon are moved, whoever is called for them.
foreign_migrates() {
	before=$(page_level_value migrated)
	fragment_start 300
	page_level_to 150
	fragment_stop
	compact
	check "pages of the other balloon migrate: $(($(page_level_value migrated) - before))" \
		[ $(($(page_level_value migrated) - before)) -gt 500 ]
	equal "no violations" 0 "$(page_level_value violations)"
}

ours_migrated() { balloon_value stats/compact_balloon_migrated; }

check "another balloon" load_module test/page_level_balloon_stock
foreign_migrates
load_driver
scattered_balloon 200
compact
equal "no page of ours migrated" 0 "$(ours_migrated)"
check "a sentence says why" sh -c "dmesg | grep -q 'balloon: pages cannot be migrated: another balloon has pages'"
foreign_migrates
balloon_to 0
ledger_foreign() { equal "only the other balloon has pages" "$(page_level_value ledger_pages)" "$(offline_pages)"; }
ledger_foreign
unload_driver
page_level_to 0

# The other way round.
load_driver
scattered_balloon 200
compact
check "pages of ours migrate: $(ours_migrated)" [ "$(ours_migrated)" -gt 500 ]
foreign_migrates
check "and still: $(ours_migrated)" [ "$(ours_migrated)" -gt 500 ]
page_level_to 0
ledger
balloon_to 0
ledger
unload_driver
foreign_migrates
check "the other balloon goes" rmmod page_level_balloon_stock
equal "no page is left offline" 0 "$(offline_pages)"
