#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The balloon takes whole blocks of 2 MiB while there are any, has their pages migrated like others, and gives blocks back.
# mem: 768

order_refused() { ! echo "$1" 2>/dev/null >"$ORDER"; }

# Blocks of which every page is the balloon's, and free ones.
whole_blocks() { pagemap | awk '$3 == 512 { n++ } END { print n + 0 }'; }
free_blocks() { pagemap -s | sed 's/.* //'; }

load_driver
for value in "" x -1 10 4294967296 "1 2"; do
	check "inflate_order refuses '$value'" order_refused "$value"
done
equal "the order is that of a block" 9 "$(cat "$ORDER")"
free=$(free_blocks)
balloon_to 300
ledger
check "at least 140 of 150 blocks: $(whole_blocks)" [ "$(whole_blocks)" -ge 140 ]
balloon_to 0
ledger
check "$free free blocks before, nearly as many after: $(free_blocks)" [ "$(free_blocks)" -ge $((free - 20)) ]

# Where memory is scattered there are few; and compaction cuts those that it likes to.
verify_start 64
scattered_balloon 100
balloon_to 300
compact
check "pages migrated" [ "$(migrated_pages)" -gt 1000 ]
compacted_walk 310 101 303 33 300
balloon_walk 0

echo 0 >"$ORDER"
fragment_start 300
balloon_to 100
fragment_stop
check "few blocks of single pages: $(whole_blocks)" [ "$(whole_blocks)" -lt 20 ]
ledger
balloon_to 0
ledger
equal "no page is left offline" 0 "$(offline_pages)"
verify_stop
