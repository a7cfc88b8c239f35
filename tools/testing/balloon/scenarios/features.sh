#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A device that offers all it has, and a packed ring. The guest does not poison pages, so that is not accepted.
# balloon-options: free-page-reporting=on,deflate-on-oom=on,page-poison=on,packed=on

verify_start 64
load_driver
equal "statistics, deflation on OOM and reporting are accepted" 011001000000000000000000 "$(accepted_features 1-24)"
equal "the ring is packed" 1 "$(accepted_features 35)" # VIRTIO_F_RING_PACKED is 34
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
