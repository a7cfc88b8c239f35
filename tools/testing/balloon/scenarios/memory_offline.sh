#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A block of memory goes offline from under a balloon and comes back; meanwhile the balloon shrinks and grows.  Most of
# the balloon has been reported in 2 MiB blocks, of which every page is moved.
# balloon-options: free-page-reporting=on
# requires: MEMORY_HOTREMOVE MIGRATION
# append: movablecore=512M
# timeout: 120
# expect: page dumped because: (unmovable page|isolation failed)

BLOCKS=/sys/devices/system/memory
pages=$((0x$(cat $BLOCKS/block_size_bytes) / 4096))

movable() { grep -q '^Movable' "$BLOCKS/memory$1/valid_zones"; }
in_block() { offline_pages_among $(($1 * pages)) $pages; }

# fullest: movable blocks, those with the most pages of the balloon first
fullest() {
	for dir in "$BLOCKS"/memory[0-9]*; do
		block=${dir##*/memory}
		! movable "$block" || echo "$(in_block "$block") $block"
	done | sort -rn | sed 's/.* //'
}

verify_start 64
load_driver
balloon_to 350
ledger
echo "# host: named 0 20000"
for mib in 200 350; do
	before=$(migrated_pages) failed=$(balloon_value stats/migrate_failed)
	# Where the kernel happens to have reserved pages at boot, a block stays. Of a page that somebody looks at or frees
	# just then, anybody's, the kernel says that isolation failed, and tries again.
	for block in $(fullest); do
		inside=$(in_block "$block")
		say "block $block has $inside pages of the balloon"
		echo offline >"$BLOCKS/memory$block/state" && break
	done
	check "the balloon sat in the block" [ "$inside" -gt 1000 ]
	equal "block $block is offline" offline "$(cat "$BLOCKS/memory$block/state")"
	equal "no page of the balloon is left in it" 0 "$(in_block "$block")"
	equal "no migration failed" "$failed" "$(balloon_value stats/migrate_failed)"
	check "pages migrated" [ "$(migrated_pages)" -gt "$before" ]
	ledger
	balloon_to $mib
	ledger
	check "block $block comes online" eval "echo online_movable >$BLOCKS/memory$block/state"
	balloon_to 350
	ledger
done
# What a run of compaction has parked is not in the way of that block.
exchanges() { [ "$(balloon_value stats/exchanged)" -gt $((exchanged + 500)) ]; }
start kept fragment 300
echo 100 >"$CLASS/balloon0/$PROACTIVENESS"
for try in 1 2 3; do
	# All of it is in whole blocks again.
	balloon_to 0
	exchanged=$(balloon_value stats/exchanged)
	balloon_to 150
	wait_until 30 exchanges || not_ok "try $try: a run goes on"
	check "block $block goes offline meanwhile" eval "echo offline >$BLOCKS/memory$block/state"
	check "and online" eval "echo online_movable >$BLOCKS/memory$block/state"
done
stop kept
verify_stop
balloon_to 0
ledger
