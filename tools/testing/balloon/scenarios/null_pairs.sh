#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Compaction of a balloon whose host moves pages, pair by pair, and refuses every seventh: its size never changes.
# driver: none
# needs: ours/null_balloon ours/balloon_compaction
# balloons: 0

counted() { balloon_value "stats/$1" "$DEVICE"; }
offered() { echo $(($(counted compact_balloon_migrated) + $(counted exchanged))); }
# A refused pair is two pages.
answered() { echo $(($(null_get a ledger_moved) + $(counted refused) / 2)); }

verify_start 64
null_create a pairs=1
echo 0 >"$CLASS/$DEVICE/$PROACTIVENESS"
scattered "$(scaled 300)" null_balloon_to a
pages=$(null_get a ledger_pages)
compact
wait_until 10 at_rest "$DEVICE"
check "pages migrated" [ "$(counted compact_balloon_migrated)" -gt 1000 ]
equal "all of them as pairs" "$(offered)" "$(null_get a ledger_moved)"
null_set a refuse_every 7
echo 1 >"$CLASS/$DEVICE/compact"
compact
wait_until 10 at_rest "$DEVICE"
check "the host has refused some" [ "$(counted refused)" -gt 0 ]
equal "each pair was moved or refused" "$(offered)" "$(answered)"
equal "and the host has as many pages as before" "$pages" "$(null_get a ledger_pages)"
null_set a refuse_every 0
null_ledger a
verify_stop
null_destroy a
