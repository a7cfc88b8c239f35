#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Deflation empties the blocks that become free as a whole before those that somebody else uses, too.

free_blocks() { drain; pagemap -s | sed 's/.* //'; }

verify_start 64
load_driver
hold_still	# blocks are counted
start kept fragment "$(scaled 300)" 7
scattered_balloon 200
before=$(free_blocks)
size=$(scaled 200)
balloon_to $((size * 2 / 5))
ledger
after=$(free_blocks)
check "most of what it gave back are whole blocks, $before before: $after" [ $((after - before)) -ge $((size * 2 / 5)) ]
stop kept
balloon_to 0
ledger
equal "no page is left offline" 0 "$(offline_pages)"
verify_stop
