#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A device that cannot be told at which buffer to interrupt, and takes no indirect descriptors.
# balloon-options: event_idx=off,indirect_desc=off
# timeout: 180

device_test "$EVENT_IDX=0" "$RING_PACKED=0"
