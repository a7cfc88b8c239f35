#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A block of memory goes offline from under a balloon and comes back; meanwhile the balloon shrinks and grows.
# requires: MEMORY_HOTREMOVE MIGRATION
# append: movablecore=512M
# timeout: 120

BLOCKS=/sys/devices/system/memory
pages=$((0x$(cat $BLOCKS/block_size_bytes) / 4096))

movable() { grep -q '^Movable' "$BLOCKS/memory$1/valid_zones"; }
in_block() { offline_pages_among $(($1 * pages)) $pages; }

# fullest: the movable block with the most pages of the balloon
fullest() {
	for dir in "$BLOCKS"/memory[0-9]*; do
		block=${dir##*/memory}
		! movable "$block" || echo "$(in_block "$block") $block"
	done | sort -n | sed -n '$s/.* //p'
}

verify_start 64
load_driver
balloon_to 350
for mib in 200 350; do
	block=$(fullest)
	say "block $block has $(in_block "$block") pages of the balloon"
	check "the balloon sits in a movable block" [ "$(in_block "$block")" -gt 1000 ]
	before=$(migrated_pages)
	check "block $block goes offline" eval "echo offline >$BLOCKS/memory$block/state"
	equal "no page of the balloon is left in it" 0 "$(in_block "$block")"
	check "pages migrated" [ "$(migrated_pages)" -gt "$before" ]
	ledger
	balloon_to $mib
	ledger
	check "block $block comes online" eval "echo online_movable >$BLOCKS/memory$block/state"
	balloon_to 350
	ledger
done
verify_stop
balloon_to 0
ledger
