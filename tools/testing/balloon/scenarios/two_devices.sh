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

# resize_all: one grows while another shrinks, in single pages, which compaction likes
resize_all() {
	for mib in 20 150 60; do
		host_balloon $mib
		null_target a $((200 - mib))
		null_target b $((mib * 2))
		check "balloon0 has $mib MiB" wait_until 30 target_seen
		check "a has $((200 - mib)) MiB" wait_until 30 null_at_rest "$second" $(((200 - mib) * PAGES_PER_MIB))
		check "b has $((mib * 2)) MiB" wait_until 30 null_at_rest "$third" $((mib * 2 * PAGES_PER_MIB))
	done
}

has_migrated() { [ "$(migrated_pages "$1")" -gt 1000 ]; }
all_have_migrated() { has_migrated balloon0 && has_migrated "$second" && has_migrated "$third"; }

managed=$(managed_pages)
verify_start 64
load_driver
echo 0 >"$ORDER"
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
# Whose pages are in the way is chance, in one round; not in many.
for _ in 1 2 3 4 5 6 7 8; do
	resize_all
	! all_have_migrated || break
done
for each in balloon0 "$second" "$third"; do
	check "pages of $each migrated: $(migrated_pages "$each")" has_migrated "$each"
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
