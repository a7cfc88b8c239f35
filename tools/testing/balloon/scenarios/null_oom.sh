#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Any balloon can be had back when memory runs out, not only virtio's: two that may, and one that may not.
# needs: ours/null_balloon
# driver: none
# balloons: 0
# timeout: 120

no_offline_pages() { [ "$(offline_pages)" = 0 ]; }

null_create greedy
null_balloon_to greedy 100
greedy=$DEVICE
for name in one two; do
	null_create $name deflate_on_oom=1
	null_balloon_to $name 300
done
# One that moves its pages just then loses some: the host needs memory to write the new ones down.
hold_still
verify_start 600
check "they have given pages back" [ $(($(null_get one ledger_pages) + $(null_get two ledger_pages))) -lt $((500 * PAGES_PER_MIB)) ]
equal "but for the one that may not" $((100 * PAGES_PER_MIB)) "$(balloon_value actual_pages "$greedy")"
equal "nobody was killed" 0 "$(vmstat oom_kill)"
verify_stop
for name in greedy one two; do
	null_target $name 0
done
check "all is given back" wait_until 30 no_offline_pages
null_ledger greedy
null_ledger one
null_ledger two
for name in greedy one two; do
	null_destroy $name
done
