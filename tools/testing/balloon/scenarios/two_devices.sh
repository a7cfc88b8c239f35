#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Three balloons in one guest, two without a host because QEMU refuses a second virtio balloon: none disturbs another.
# needs: ours/null_balloon
# timeout: 180

# ledgers: of each device, the others' pages being foreign
ledgers() {
	for each in balloon0 "$second" "$third"; do
		wait_until 10 at_rest "$each" || not_ok "$each at rest"
	done
	virtio=$(balloon_pages) a=$(null_get a ledger_pages) b=$(null_get b ledger_pages)
	ledger $((a + b))
	null_ledger a $((virtio + b))
	null_ledger b $((virtio + a))
}

has_migrated() { [ "$(migrated_pages "$1")" -gt "$2" ]; }

managed=$(managed_pages)
verify_start 64
load_driver
fragment_start 600
balloon_to 100
null_create a
second=$DEVICE
null_balloon_to a 100
null_create b latency_us=1000
third=$DEVICE
null_balloon_to b 100
fragment_stop
ledgers
compact
compact
ledgers
compact_start
for mib in 20 150 60; do
	host_balloon $mib
	null_target a $((200 - mib))
	null_target b $((mib * 2))
	check "balloon0 has $mib MiB" wait_until 30 target_seen
	check "a has $((200 - mib)) MiB" wait_until 30 null_at_rest "$second" $(((200 - mib) * PAGES_PER_MIB))
	check "b has $((mib * 2)) MiB" wait_until 30 null_at_rest "$third" $((mib * 2 * PAGES_PER_MIB))
done
# Whose pages are in the way is chance, in one round; not in many.
for each in balloon0 "$second" "$third"; do
	check "pages of $each migrated" wait_until 60 has_migrated "$each" 1000
done
null_destroy b
compact_stop
ledger "$(null_get a ledger_pages)"
null_ledger a "$(balloon_pages)"
null_destroy a
ledger
balloon_to 0
equal "no page is left offline" 0 "$(offline_pages)"
equal "no page is left out of the zones' count" "$managed" "$(managed_pages)"
verify_stop
