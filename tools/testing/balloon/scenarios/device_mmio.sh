#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A virtio-mmio device.
# machine: microvm
# requires: VIRTIO_MMIO
# qemu-options: -global virtio-mmio.force-legacy=off
# timeout: 180

device_test "$VERSION_1=1" "$RING_PACKED=0"
