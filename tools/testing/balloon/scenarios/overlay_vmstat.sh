#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In a kernel with the overlay /proc/vmstat counts what compaction does with balloon pages, and the counts balance.
# overlay: 1

count() { vmstat "compact_balloon_$1"; }

load_driver
for event in migrated failed isolated freed; do
	equal "compact_balloon_$event is 0 at first" 0 "$(count $event)"
done
scattered_balloon 300
compact
compact
ledger
say "isolated $(count isolated), migrated $(count migrated), failed $(count failed), freed $(count freed)"
check "pages migrated" [ "$(count migrated)" -gt 1000 ]
equal "isolated = migrated + failed" "$(count isolated)" $(($(count migrated) + $(count failed)))
equal "freed = migrated" "$(count migrated)" "$(count freed)"
equal "compact_balloon_migrated = balloon_migrate" "$(vmstat balloon_migrate)" "$(count migrated)"
for event in migrated failed isolated freed; do
	equal "the device's own count of $event is the same" "$(count $event)" "$(balloon_value stats/compact_balloon_$event)"
done
