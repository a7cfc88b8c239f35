#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The target goes up and down while four compactors move the balloon's pages.
# timeout: 120

verify_start 64
load_driver
scattered_balloon 200
compact_start
for mib in 300 100 350 10 250; do
	balloon_to $mib 30
done
compact_stop
ledger
verify_stop
balloon_to 0
ledger
