#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Unplug the device while it inflates, deflates or rests, under compaction all the time; plug in a new one each time.
# hotplug: 1
# timeout: 300
# long: 1

ROUNDS=3

# unplug TEXT: the bus forgets the device before its driver is done with it; the directory goes last.
unplug() {
	pages=$(balloon_pages)
	device=$(readlink -f "/sys/bus/virtio/devices/$(virtio_name)")
	echo "# host: device_del"
	check "$1: device with $pages pages is gone" wait_until 30 gone "$device"
	equal "$1: no page is left offline" 0 "$(offline_pages)"
	equal "$1: no page is left out of the zones' count" "$managed" "$(managed_pages)"
	ledger_now
}

plug() {
	echo "# host: device_add"
	check "device is back" wait_until 30 [ -e "$CLASS/balloon0" ]
}

managed=$(managed_pages)
verify_start 64
load_driver
# Single pages take long enough to be under way.
echo 0 >"$ORDER"
compact_start
for round in $(seq $ROUNDS); do
	balloon_towards 400
	unplug "round $round, inflating"
	plug
	balloon_to 400 30
	balloon_towards 0
	unplug "round $round, deflating"
	plug
	balloon_to 150 30
	unplug "round $round, at rest"
	plug
done
compact_stop
check "the balloon was under way $UNDER_WAY times" [ "$UNDER_WAY" -gt 0 ]
balloon_walk 100 0
verify_stop
