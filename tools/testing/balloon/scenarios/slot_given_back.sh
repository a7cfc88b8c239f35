#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The kernel's own driver migrates after ours as before it, and ours after that one: the kernel's callbacks are given back.
# kernels: 7.3
# timeout: 300

# migrates_with DRIVER: pages of its balloon do, and it goes without a trace.
migrates_with() {
	# shellcheck disable=SC2034 # load_driver looks at it
	DRIVER=$1
	load_driver
	before=$(vmstat balloon_migrate)
	scattered_balloon 200
	compact
	check "with the driver of $1 pages migrate: $(($(vmstat balloon_migrate) - before))" \
		[ $(($(vmstat balloon_migrate) - before)) -gt 500 ]
	ledger
	balloon_to 0
	ledger
	unload_driver
	equal "the kernel counts no page of a balloon" 0 "$(balloon_pages_counted)"
}

balloon_pages_counted() { sed -n 's/^nr_balloon_pages //p' /proc/vmstat; }

verify_start 64
for driver in stock ours stock ours; do
	migrates_with $driver
done
verify_stop
