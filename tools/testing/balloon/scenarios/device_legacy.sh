#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A device of the time before virtio 1.0.
# balloon-options: disable-modern=on,disable-legacy=off
# timeout: 180

device_test "$VERSION_1=0" "$RING_PACKED=0"
