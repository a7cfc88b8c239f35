#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A packed ring.
# balloon-options: packed=on
# timeout: 180

device_test "$RING_PACKED=1" "$EVENT_IDX=1"
