#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The host takes two milliseconds for each batch: inflate, migrate and deflate all wait, and nothing is lost.
# driver: none
# needs: ours/null_balloon ours/balloon_compaction
# balloons: 0
# timeout: 120

verify_start 64
null_create a latency_us=2000
fragment_start 400
null_balloon_to a 200 30
fragment_stop
compact_start
null_balloon_to a 100 30
null_balloon_to a 150 30
compact_stop
wait_until 10 at_rest "$DEVICE"
null_ledger a
null_balloon_to a 0 30
null_ledger a
verify_stop
null_destroy a
