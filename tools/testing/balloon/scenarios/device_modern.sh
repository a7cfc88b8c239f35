#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A device that speaks virtio 1 only.
# balloon-options: driver=virtio-balloon-pci-non-transitional
# timeout: 180

device_test "$VERSION_1=1" "$EVENT_IDX=1" "$RING_PACKED=0"
