#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The same with a packed ring.
# balloon-options: packed=on,event_idx=off,indirect_desc=off
# timeout: 180

device_test "$EVENT_IDX=0" "$RING_PACKED=1"
