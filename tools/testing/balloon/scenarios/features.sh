#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A device that offers more than the driver knows, and a packed ring: what is not known is not accepted.
# balloon-options: free-page-reporting=on,deflate-on-oom=on,page-poison=on,packed=on

# Of the device's own bits (the first 24) at most VIRTIO_BALLOON_F_MUST_TELL_HOST (0), of the ring's VIRTIO_F_RING_PACKED (34).
accepted() { cut -c "$1" "/sys/bus/virtio/devices/$(virtio_name)/features"; }

verify_start 64
load_driver
equal "no feature of the device is accepted that the driver does not know" 00000000000000000000000 "$(accepted 2-24)"
equal "the ring is packed" 1 "$(accepted 35)"
scattered_balloon 300
ledger
compact
ledger
balloon_to 100
ledger
verify_stop
