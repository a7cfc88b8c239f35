#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# When a device that failed, or fell silent, is taken from the driver, the host is told that there is no balloon any more.
# requires: KPROBES PAGE_REPORTING
# needs: test/silence
# timeout: 120

silence() { echo "$2" >"/sys/module/silence/parameters/$1"; }
state() { [ "$(balloon_value state)" = "$1" ]; }
# The host has all memory again, by a reset: its ledger has not.
unbound() {
	bind unbind "$device"
	equal "$1: no page is left offline" 0 "$(offline_pages)"
	echo "# host: actual 0 0"
	bind bind "$device"
}

load_module test/silence
silence ack_timeout_ms 1000
load_driver
balloon_to 100
echo "# host: actual 100 100"
device=$(virtio_name)

silence fail 1
balloon_to 120
host_balloon 140
check "the device is broken" wait_until 20 state broken
unbound "failed"
check "balloon of 140 MiB" wait_until 20 target_seen
echo "# host: actual 140 140"

silence silent inflate,deflate
host_balloon 160
check "the device is stalled" wait_until 20 state stalled
unbound "silent"
silence silent nothing
