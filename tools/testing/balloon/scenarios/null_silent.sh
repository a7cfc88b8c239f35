#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The host never answers: no wait is unbounded, the device says that it is stalled, removal works.
# driver: none
# needs: ours/null_balloon ours/balloon_compaction
# balloons: 0

stalled() { [ "$(balloon_value state "$DEVICE")" = stalled ]; }

verify_start 64
null_create a ack_timeout_ms=500
null_balloon_to a 100
null_set a silent 1
null_target a 200
check "the device says that it is stalled" wait_until 20 stalled
check "compaction still ends" compact
check "a silent device is removed" null_destroy a
verify_stop
