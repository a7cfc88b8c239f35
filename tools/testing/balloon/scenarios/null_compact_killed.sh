#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Whoever compacts a balloon can be killed at once, however long the host takes to answer.
# driver: none
# needs: ours/null_balloon ours/balloon_compaction
# balloons: 0
# timeout: 120

under_way() { [ "$(balloon_value pending_pages "$DEVICE")" -gt 0 ]; }

null_create a
scattered 60 null_balloon_to a
null_set a latency_us 40000000
sh -c "echo 1 >$CLASS/$DEVICE/compact" &
pid=$!
check "compaction is under way" wait_until 20 under_way
killed=$(centiseconds)
kill -KILL $pid
check "it ends" wait_until 20 eval "! kill -0 $pid 2>/dev/null"
say "it has ended after $(($(centiseconds) - killed)) cs"
wait $pid 2>/dev/null
check "before the host has answered" under_way
check "another run can begin" eval "(echo 1 >$CLASS/$DEVICE/compact) 2>/dev/null & kill \$!"
null_set a latency_us 0
check "when it has, all is at rest" wait_until 60 quiet "$DEVICE"
null_ledger a
null_balloon_to a 0
equal "no page is left offline" 0 "$(offline_pages)"
null_destroy a
