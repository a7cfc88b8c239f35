#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A page that hardware has found faulty while it was in the balloon is never given to anybody again.
# requires: MEMORY_FAILURE

page_flags() { dd if=/proc/kpageflags bs=8 skip=$((0x$1)) count=1 2>/dev/null | od -An -td8; }
hwpoisoned() { echo $(($(page_flags "$1") >> 19 & 1)); }
free() { echo $(($(page_flags "$1") >> 10 & 1)); }	# of a free block, the first page has it

load_driver
balloon_to 100
block=$(ledger_blocks | sed -n '/ /!{p;q}')	# a whole one
pfn=$(printf %x $((0x$block * 512)))
echo "0x${pfn}000" >/sys/devices/system/memory/hard_offline_page
equal "page frame $pfn is marked" 1 "$(hwpoisoned "$pfn")"
ledger
balloon_to 0
ledger
equal "no page is left offline" 0 "$(offline_pages)"
equal "it is still marked, and not free" "1 0" "$(hwpoisoned "$pfn") $(free "$pfn")"
verify_start 600
equal "nobody gets it" 1 "$(hwpoisoned "$pfn")"
verify_stop
