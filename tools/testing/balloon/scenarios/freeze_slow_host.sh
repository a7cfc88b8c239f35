#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A guest is suspended while its host is slow, and while it is silent: no work item waits for it, and the guest is frozen at once.
# requires: SUSPEND
# driver: none
# needs: ours/null_balloon ours/balloon_compaction
# balloons: 0
# mem: 512
# append: no_console_suspend
# timeout: 180
# expect: ktime_get_seconds

pending() { [ "$(balloon_value pending_pages "$DEVICE")" -gt 0 ]; }

# suspended_with HOST LATENCY_US SILENT LIMIT_CS: less than the host takes to answer, or than the freezer waits
suspended_with() {
	null_create a
	echo 0 >"$ORDER"
	null_set a latency_us "$2"
	null_set a silent "$3"
	null_target a 150
	check "$1 host: inflation is on its way" wait_until 20 pending
	check "$1 host: suspended and resumed" suspend_guest
	frozen_before "$4" "$1 host: "
	check "$1 host: it still is" [ "$(balloon_value actual_pages "$DEVICE")" -lt $((150 * PAGES_PER_MIB)) ]
	null_set a latency_us 0
	null_set a silent 0
}

load_module ours/null_balloon
suspended_with slow 8000000 0 700
null_balloon_to a 150 60
null_ledger a
null_destroy a
suspended_with silent 0 1 1500
check "a silent device is removed" null_destroy a
equal "no page is left offline" 0 "$(offline_pages)"
