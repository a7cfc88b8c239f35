#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A balloon takes whole blocks; then, unasked, it moves into holes, and the guest has its blocks back.
# timeout: 300

free_blocks() { drain; pagemap -s | sed 's/.* //'; }
free_again() { [ "$(free_blocks)" -ge $((before - 2)) ]; }
exchanged() { balloon_value stats/exchanged; }
more_exchanged() { [ "$(exchanged)" -gt "$exchanged" ]; }
PROACTIVE=$CLASS/balloon0/compact_proactiveness
refused() { ! echo "$1" 2>/dev/null >"$PROACTIVE"; }

verify_start 64
load_driver
equal "by default" 20 "$(cat "$PROACTIVE")"
for value in "" x -1 101 "1 2"; do
	check "proactiveness refuses '$value'" refused "$value"
done
start kept fragment 350
before=$(free_blocks)
balloon_to 150
check "whole blocks were taken: $(free_blocks) of $before" [ "$(free_blocks)" -lt $((before - 50)) ]
check "nearly all are free again: $before" wait_until 120 free_again
ledger

# Whoever keeps blocks that are whole in the balloon says so.
echo 0 >"$PROACTIVE"
balloon_to 0
balloon_to 150
exchanged=$(exchanged)
pause 3
equal "0: no page is exchanged" "$exchanged" "$(exchanged)"

# A new target, compaction and a compactor by hand come first.
echo 100 >"$PROACTIVE"
check "100: pages are exchanged" wait_until 60 more_exchanged
for mib in 100 170 20 150; do
	pause 1
	balloon_to $mib
done
ledger
pause 2
compact
check "a run that was asked for begins" eval "echo 1 >$CLASS/balloon0/compact"
ledger
balloon_to 0
ledger
equal "no page is left offline" 0 "$(offline_pages)"
stop kept
verify_stop
