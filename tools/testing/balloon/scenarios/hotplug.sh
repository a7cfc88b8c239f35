#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Unplug the device while its pages are being moved, plug in a new one.
# hotplug: 1
# timeout: 120

verify_start 64
load_driver
scattered_balloon 200
ledger
# The bus forgets the device before its driver is done with it; the directory goes last.
device=$(readlink -f "/sys/bus/virtio/devices/$(virtio_name)")
compact_start
echo "# host: device_del"
check "device is gone" wait_until 30 gone "$device"
compact_stop
equal "no page is left offline" 0 "$(offline_pages)"
ledger_now
echo "# host: device_add"
check "device is back" wait_until 30 [ -e /sys/bus/virtio/drivers/virtio_balloon/virtio0 ]
balloon_to 100
ledger
verify_stop
