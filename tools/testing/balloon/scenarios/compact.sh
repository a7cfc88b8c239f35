#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# An administrator has the balloon compact itself: others get whole blocks, and nothing is lost.

COMPACT=$CLASS/balloon0/compact
compact_refused() { ! echo "$1" 2>/dev/null >"$COMPACT"; }
compact_balloon() { echo 1 >"$COMPACT"; }
with_balloon() { drain; pagemap | awk '$1 != "total" && $3 { n++ } END { print n + 0 }'; }

verify_start 64
load_driver
for value in "" 0 x 2; do
	check "compact refuses '$value'" compact_refused "$value"
done
check "an empty balloon has nothing to compact" compact_balloon
equal "no page is exchanged" 0 "$(balloon_value stats/exchanged)"

# What is won here is won because it was asked for.
default=$(balloon_value "$PROACTIVENESS")
echo 0 >"$CLASS/balloon0/$PROACTIVENESS"
scattered_balloon 300
ledger
before=$(with_balloon)
check "the balloon compacts itself" compact_balloon
ledger
after=$(with_balloon)
fills=$(($(scaled 300) / 2))
# A tenth more, and some that others use, too.
check "a balloon that fills $fills blocks is in hardly more, $before before: $after" [ "$after" -le $((fills * 11 / 10 + 10)) ]
exchanged=$(balloon_value stats/exchanged)
check "pages were exchanged: $exchanged" [ "$exchanged" -gt 1000 ]
equal "none of them was migrated" 0 "$(migrated_pages)"
echo "$default" >"$CLASS/balloon0/$PROACTIVENESS"

# Beside the kernel's own compactors, and a target that changes.
for mib in 100 320 50 300; do
	compact_start
	host_balloon $mib
	check "the balloon compacts itself" compact_balloon
	balloon_to $mib
	compact_stop
	ledger
done
balloon_to 0
ledger
equal "no page is left offline" 0 "$(offline_pages)"
verify_stop
