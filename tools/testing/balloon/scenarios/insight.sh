#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What a balloon says of itself is true: how it lies, what is in its way, what a run has won, how fast the host is. Who
# polls hears of a change, and tracepoints count what the counters count.

TRACING=/sys/kernel/debug/tracing
INFLATE=/sys/module/balloon_compaction/parameters/inflate

value() { balloon_value "$1"; }
is() { [ "$(value "$1")" = "$2" ]; }
# Of this kind, and what a field of all of them adds up to.
events() { grep -c " $1: " $TRACING/trace; }
sum() { sed -n "s/.* $1: .* $2=\([0-9]*\).*/\1/p" $TRACING/trace | awk '{ n += $1 } END { print n + 0 }'; }
whole() { pagemap | awk '$3 == 512 { n++ } END { print n + 0 }'; }

load_driver
hold_still
equal "version" "$(cat /sys/module/balloon_compaction/version)" "$(value version)"
check "registered a moment ago" [ $(($(centiseconds) / 100 - $(value registered))) -lt 60 ]
equal "no run yet" "none none 0" "$(value last_compact/cause) $(value last_compact/ended_by) $(value last_compact/ended)"
check "a line in the log says what there is" eval 'dmesg | grep -q "on balloon_compaction .* floor"'

echo 100000 >$TRACING/buffer_size_kb
echo 1 >$TRACING/events/balloon/enable
before=$(value stats/inflated)
balloon_to 200
echo 0 >$TRACING/events/balloon/enable
equal "pages inflated, by tracepoint and by counter" $(($(value stats/inflated) - before)) "$(sum balloon_inflate nr)"
equal "batches submitted and answered" "$(events balloon_batch_submit)" "$(events balloon_batch_complete)"
check "it is known how long that took: $(value host/answer_mean_us), at most $(value host/answer_worst_us) us" \
	[ "$(value host/answer_worst_us)" -ge "$(value host/answer_mean_us)" ]
check "some time" [ "$(value host/answer_worst_us)" -gt 0 ]
equal "nothing is under way" 0 "$(value host/batches_in_flight)"

equal "whole blocks" "$(whole)" "$(value blocks/whole)"
equal "by zone: pages" "$(balloon_pages)" "$(value blocks/by_zone | awk '{ n += $3 } END { print n }')"
equal "by zone: whole blocks" "$(whole)" "$(value blocks/by_zone | awk '{ n += $4 } END { print n }')"
balloon_to 0
echo 0 >"$ORDER"
scattered_balloon 100
shared=$(($(value blocks/shared_with_free) + $(value blocks/shared_with_others)))
check "a scattered balloon shares blocks: $shared" [ $shared -gt 50 ]

echo 1 >$TRACING/events/balloon/balloon_compact/enable
exchanged=$(value stats/exchanged)
echo 1 >"$CLASS/balloon0/compact"
equal "a run that was asked for" "asked done" "$(value last_compact/cause) $(value last_compact/ended_by)"
equal "has exchanged" $(($(value stats/exchanged) - exchanged)) "$(value last_compact/exchanged)"
equal "and says the same to a tracer" "$(value last_compact/blocks_won)" "$(sum balloon_compact blocks_won)"
echo 0 >$TRACING/events/balloon/enable
check "blocks won: $(value last_compact/blocks_won)" [ "$(value last_compact/blocks_won)" -gt 10 ]
ledger

equal "nothing is in the way" none "$(value limited_by)"
await "$CLASS/balloon0/limited_by" floor &
polling=$!
echo $(($(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo) / 4 - 20000)) >"$CLASS/balloon0/floor_pages"
host_balloon 500
check "the floor is, and who polls hears of it" wait $polling
await "$CLASS/balloon0/limited_by" none &
polling=$!
balloon_to 100
check "and that it is no longer" wait $polling

echo N >"$INFLATE"
host_balloon 200
check "the guest's owner lets it take nothing" wait_until 10 is limited_by opted-out
check "and it is empty" wait_until 20 is actual_pages 0
ledger
echo Y >"$INFLATE"
balloon_to 50
equal "until it may again" none "$(value limited_by)"
balloon_to 0
