#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Take the device from the driver and give it back while its pages are being moved. What an administrator has set stays.
# timeout: 120

verify_start 64
load_driver
scattered_balloon 200
device=$(virtio_name)
echo 12345 >"$CLASS/balloon0/floor_pages"
for _ in 1 2 3; do
	compact_start
	bind unbind "$device"
	compact_stop
	equal "unbound: no page is left offline" 0 "$(offline_pages)"
	ledger_now
	bind bind "$device"
	equal "the floor is what it was" 12345 "$(balloon_value floor_pages)"
	check "bound again, balloon of 200 MiB" wait_until 20 target_seen
	ledger
done
verify_stop
