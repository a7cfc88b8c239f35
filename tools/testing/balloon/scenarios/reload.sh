#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Load and unload the modules again and again, with a balloon each time.
# timeout: 120

verify_start 64
host_balloon 64
for _ in 1 2 3 4 5 6 7 8; do
	check "loaded" load_driver
	check "balloon of 64 MiB" wait_until 20 target_seen
	check "unloaded" unload_driver
	equal "no page is left offline" 0 "$(offline_pages)"
done
ledger_now
verify_stop
