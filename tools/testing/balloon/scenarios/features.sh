#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A device that offers all it has, and a packed ring. Poisoning is refused, since the kernel does not poison pages.
# balloon-options: free-page-reporting=on,deflate-on-oom=on,page-poison=on,packed=on

verify_start 64
load_driver
equal "statistics, deflation on OOM and reporting are accepted" "011001000000000000000000" "$(features 0 23)"
equal "the ring is packed" 1 "$(features "$RING_PACKED")"
wakeups=/sys/bus/virtio/devices/$(virtio_name)/power
echo enabled >"$wakeups/wakeup"
scattered_balloon 300
check "a new target wakes the guest up: $(cat "$wakeups/wakeup_active_count") times" [ "$(cat "$wakeups/wakeup_active_count")" -gt 0 ]
ledger
compact
ledger
balloon_to 100
ledger
verify_stop
