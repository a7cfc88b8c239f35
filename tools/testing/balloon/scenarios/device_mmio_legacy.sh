#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A virtio-mmio device of the time before virtio 1.0.
# machine: microvm
# requires: VIRTIO_MMIO
# timeout: 180

device_test "$VERSION_1=0"
