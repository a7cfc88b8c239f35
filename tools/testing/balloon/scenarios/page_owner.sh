#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The kernel's list of who has which page names the balloon for each page that it took, and for no other.
# mem: 256
# requires: PAGE_OWNER
# append: page_owner=on

# Pages that were allocated from within our core: an allocation begins with its order, then come a line for each function.
owned() {
	awk '/^Page allocated via order/ { pages = 2 ^ $5 }
		/\[balloon_compaction\]/ { sum += pages; pages = 0 }
		END { print sum + 0 }' /sys/kernel/debug/page_owner
}

load_driver
hold_still
before=$(owned)
for largest in 9 0; do
	echo $largest >"$ORDER"
	# The second size cuts a block in two.
	for mib in 64 33 50; do
		balloon_to $mib
		equal "blocks of order $largest, $mib MiB: each page has its owner" "$(balloon_pages)" $(($(owned) - before))
	done
	balloon_to 0
	equal "blocks of order $largest: none is left" 0 $(($(owned) - before))
done
