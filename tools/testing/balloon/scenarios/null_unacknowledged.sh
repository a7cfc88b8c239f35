#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A page whose inflation the host has not acknowledged can be neither deflated nor moved.
# driver: none
# needs: ours/null_balloon ours/balloon_compaction
# balloons: 0
# timeout: 180

pending() { [ "$(balloon_value pending_pages "$DEVICE")" -gt 0 ]; }

# All that follows must be over before the host has acknowledged the inflation, on a busy machine, too: it takes twice
# as long as this, and a second.
begin=$(centiseconds)
verify_start 32
fragment_start 300
compact
latency=$((($(centiseconds) - begin) * 20000 + 1000000))
null_create a latency_us=$((latency < 60000000 ? latency : 60000000))
null_target a 60
check "inflation is on its way" wait_until 20 pending
# From here on the host answers at once: whatever is told about those pages overtakes their inflation.
null_set a latency_us 0
fragment_stop
null_target a 20
compact
check "and still is" pending
equal "nothing was moved" 0 "$(balloon_value stats/compact_balloon_isolated "$DEVICE")"
# A guest that got one of them back would find the host's poison in it.
start hog verify 200
null_balloon_to a 20 60
null_ledger a
stop hog
equal "memory of the hog is intact" 0 $?
verify_stop
null_destroy a
