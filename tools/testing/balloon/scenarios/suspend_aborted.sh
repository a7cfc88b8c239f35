#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A guest gives up to sleep, when its device has been reset for that because it keeps a report: the balloon begins anew.
# requires: SUSPEND KPROBES PAGE_REPORTING
# needs: test/silence
# balloon-options: free-page-reporting=on
# timeout: 120

silence() { echo "$2" >"/sys/module/silence/parameters/$1"; }
silence_value() { cat "/sys/module/silence/parameters/$1"; }

in_flight() { [ "$(silence_value suppressed)" -gt "$before" ]; }
sleep_now() { echo mem >/sys/power/state; } 2>/dev/null

# What a process leaves is free, and reported.
abort_sleep() {
	before=$(silence_value suppressed)
	silence silent reporting
	start user verify 200
	stop user
	check "$1: the device keeps a report" wait_until 30 in_flight
	check "$1: the guest does not sleep" not sleep_now
	silence silent nothing
}

load_module test/silence
load_driver
silence no_sleep 1
# The balloon goes on while that queue is silent: it is to use others.
echo 0 >/sys/module/virtio_balloon/parameters/report_blocks
check "the guest does not sleep" not sleep_now
balloon_walk 60 0

# A reset gives no page back, so the host's ledger is only right if there is none.
abort_sleep "empty balloon"
balloon_walk 60 20
still_works

balloon_to 60
abort_sleep "balloon of 60 MiB"
check "balloon of 60 MiB again" wait_until 20 target_seen
equal "no more pages are offline" $((60 * PAGES_PER_MIB)) "$(offline_pages)"
balloon_to 20
equal "no more pages are offline" $((20 * PAGES_PER_MIB)) "$(offline_pages)"
