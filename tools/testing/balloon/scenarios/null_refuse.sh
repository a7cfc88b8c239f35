#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The host refuses every tenth page of an inflation: those pages go back to the guest, the rest is the balloon.
# driver: none
# needs: ours/null_balloon ours/balloon_compaction
# balloons: 0

# A refusal takes the rest of its range along and ends the worker's round: large ranges yield 9 pages in a fifth of a second.
grown_to() { [ "$(balloon_value actual_pages "$DEVICE")" -gt "$1" ]; }
nothing_pending() { [ "$(balloon_value pending_pages "$DEVICE")" = 0 ]; }

verify_start 64
null_create a refuse_every=10
null_target a 100
check "accepted pages are in the balloon" wait_until 20 grown_to 200
check "and more of them" wait_until 20 grown_to 400
check "refusals are counted" [ "$(balloon_value stats/refused "$DEVICE")" -gt 0 ]
null_set a refuse_every 0
null_balloon_to a 100
null_ledger a
null_set a refuse_every 3
compact
check "nothing stays pending" wait_until 10 nothing_pending
null_set a refuse_every 0
wait_until 10 at_rest "$DEVICE"
null_ledger a
verify_stop
null_destroy a
