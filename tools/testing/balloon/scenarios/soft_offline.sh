#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Hardware expects pages of whole blocks to fail: each is moved out of the balloon, and nobody gets it again.
# requires: MEMORY_FAILURE
# expect: soft offline|soft_offline

page_flags() { dd if=/proc/kpageflags bs=8 skip="$1" count="${2:-1}" 2>/dev/null | od -An -v -td8 -w8; }
poisoned() { echo $(($(page_flags "$1") >> 19 & 1)); }
in_balloon() { echo $(($(page_flags "$1") >> 23 & 1)); }

# soft_offline PFN: as the kernel does when it hears of corrected errors.
soft_offline() { printf '0x%x\n' $(($1 * 4096)) >/sys/devices/system/memory/soft_offline_page; }

# Newer kernels choose the callbacks of movable pages by type, so that must stay until the page is freed, which a faulty one
# never is.
if grep -q '^nr_balloon_pages' /proc/vmstat; then stays=1; else stays=0; fi

load_driver
balloon_to 200
ledger
first=$((0x$(ledger_blocks | sed -n '/ /!{p;q}') * 512))	# of a whole block
equal "all pages of a block look alike" 1 "$(page_flags $first 512 | sort -u | wc -l)"
for page in 100 0 511 101 200; do
	pfn=$((first + page))
	equal "page $page of a block is the balloon's" 1 "$(in_balloon $pfn)"
	check "page $page is taken out" soft_offline $pfn
	equal "it is marked, and the balloon has left it" "1 $stays" "$(poisoned $pfn) $(in_balloon $pfn)"
done
ledger $((5 * stays))
balloon_to 0
ledger $((5 * stays))
equal "no page is left offline" $((5 * stays)) "$(offline_pages)"
verify_start 600
for page in 0 100 101 200 511; do
	equal "nobody gets page $page" 1 "$(poisoned $((first + page)))"
done
verify_stop
