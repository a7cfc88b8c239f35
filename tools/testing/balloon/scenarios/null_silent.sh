#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The host never answers, or late: no wait is unbounded, the device says that it is stalled, removal works.
# driver: none
# needs: ours/null_balloon ours/balloon_compaction
# balloons: 0

stalled() { [ "$(balloon_value state "$DEVICE")" = stalled ]; }
running() { [ "$(balloon_value state "$DEVICE")" = running ]; }

verify_start 64
null_create a ack_timeout_ms=500
null_balloon_to a 100
null_set a silent 1
null_target a 200
check "the device says that it is stalled" wait_until 20 stalled
check "compaction still ends" compact
check "a silent device is removed" null_destroy a

null_create b ack_timeout_ms=500 latency_us=3000000
null_target b 50
check "the device says that it is stalled" wait_until 20 stalled
check "and that it is not, when the host has answered" wait_until 20 running
null_set b latency_us 0
null_balloon_to b 50 60
null_ledger b
null_destroy b
verify_stop
