#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Two nodes: the kernel moves pages within a node and from one to the other, the balloon within a node, and each zone's
# count of its pages follows.
# nodes: 2
# requires: NUMA MEMORY_HOTREMOVE MIGRATION
# mem: 1536
# append: movablecore=1024M nokaslr
# timeout: 300
# expect: page dumped because: unmovable page

NODES=/sys/devices/system/node
BLOCKS=/sys/devices/system/memory
block_pages=$((0x$(cat $BLOCKS/block_size_bytes) / 4096))

# owned: of each zone its name and the pages that are its own or would be, if a balloon had not taken them
owned() {
	zones | while read -r zone _ _ managed balloon; do
		echo "$zone $((managed + balloon))"
	done
}

# balanced [ZONE PAGES]: every zone counts what it should; PAGES of ZONE are offline as memory.
balanced() {
	equal "r04: each zone's count is right" "$initial" "$(owned | while read -r zone pages; do
		[ "$zone" != "$1" ] || pages=$((pages + $2))
		echo "$zone $pages"
	done)"
	# Newer kernels count pages of balloons by node.
	! grep -q '^Balloon:' /proc/meminfo ||
		equal "so is each node's" "$(node_pages 0) $(node_pages 1)" "$(counted 0) $(counted 1)"
}

counted() { sed -n 's/.* Balloon: *\([0-9]*\) kB/\1/p' "$NODES/node$1/meminfo" | awk '{ print $1 / 4 }'; }

block_count() { offline_pages_among $(($1 * block_pages)) $block_pages; }

# blocks NODE: its movable blocks in ascending order, but for the last, where the kernel has its page structures
blocks() {
	for dir in "$NODES/node$1"/memory[0-9]*; do
		block=${dir##*/memory}
		! grep -q '^Movable' "$BLOCKS/memory$block/valid_zones" || echo "$block"
	done | sort -n | sed '$d'
}

# fullest NODE: the one of these with the most pages of the balloon
fullest() {
	for block in $(blocks "$1"); do
		echo "$(block_count "$block") $block"
	done | sort -rn | sed -n '1,4s/.* //p'
}

zones | sed 's/^/# /'
initial=$(owned)
verify_start 64
load_driver
hold_still	# pages are counted, node by node
scattered 550 balloon_to
for node in 0 1; do
	check "node $node has pages of the balloon: $(node_pages $node)" [ "$(node_pages $node)" -gt 10000 ]
done
ledger
balanced

before="$(node_pages 0) $(node_pages 1)"
check "the balloon compacts itself" eval "echo 1 >$CLASS/balloon0/compact"
settle
check "pages were exchanged" [ "$(balloon_value stats/exchanged)" -gt 1000 ]
equal "none went to another node" "$before" "$(node_pages 0) $(node_pages 1)"
balanced
ledger

balloon_to 0
scattered 550 balloon_to
for node in 0 1; do
	before=$(migrated_pages)
	echo 1 >$NODES/node$node/compact
	check "pages of node $node migrated" [ "$(migrated_pages)" -gt "$before" ]
	settle
	balanced
	ledger
done
for node in 1 0; do
	# Where the kernel has reserved pages at boot, a block stays.
	for block in $(fullest $node); do
		own=$(node_pages $node) other=$(node_pages $((1 - node))) away=$(block_count "$block")
		say "block $block has $away pages, node $node $own, the other $other"
		echo offline >"$BLOCKS/memory$block/state" && break
	done
	equal "block $block of node $node is offline" offline "$(cat "$BLOCKS/memory$block/state")"
	settle
	balanced "$node/Movable" "$block_pages"
	say "now node $node has $(node_pages $node), the other $(node_pages $((1 - node)))"
	check "pages went to the other node" [ $(($(node_pages $((1 - node))) - other)) -ge $((away / 2)) ]
	ledger
	check "block $block comes online" eval "echo online_movable >$BLOCKS/memory$block/state"
	balanced
done
balloon_to 100
ledger
balanced
balloon_to 0
ledger
equal "no page is left offline" 0 "$(offline_pages)"
balanced
verify_stop
