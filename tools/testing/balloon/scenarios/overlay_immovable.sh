#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In a kernel without balloon compaction a balloon stays where it is.
# overlay: 1

verify_start 64
load_driver
scattered_balloon 300
ledger
ledger_blocks >/tmp/before
[ ! -e /proc/sys/vm/compact_memory ] || compact
ledger_blocks >/tmp/after
check "no page was moved" cmp /tmp/before /tmp/after
equal "no migration is counted" 0 "$(balloon_value stats/compact_balloon_migrated)"
check "/proc/vmstat has no counts of compaction" not grep -q compact_balloon /proc/vmstat
balloon_to 0
equal "no page is left offline" 0 "$(offline_pages)"
verify_stop
