#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Load and unload the modules again and again, with a balloon each time that is being moved as it goes.
# timeout: 120

verify_start 64
host_balloon 64
compact_start
for _ in 1 2 3 4 5 6 7 8 9 10; do
	load_driver || not_ok "loaded"
	# Something is always on its way: only the size is waited for.
	wait_until 20 balloon_has $((64 * PAGES_PER_MIB)) || not_ok "balloon of 64 MiB"
	unload_driver || not_ok "unloaded"
done
compact_stop
equal "no page is left offline" 0 "$(offline_pages)"
ledger_now
verify_stop
