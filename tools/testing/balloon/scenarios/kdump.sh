#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The guest crashes. The kernel that saves the dump has little memory, and the host still asks for a large balloon: it
# gets nothing.
# requires: KEXEC_FILE CRASH_DUMP
# kexec: 1
# append: crashkernel=192M
# timeout: 240
# expect: sysrq: Trigger a crash|Kernel panic|sysrq_handle_crash|Oops|BUG: kernel NULL pointer|Call Trace

meminfo() { sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo; }

first_kernel() {
	load_driver
	balloon_to 500
	ledger
	crash
}

second_kernel() {
	check "this kernel saves a dump" [ -s /proc/vmcore ]
	before=$(meminfo MemAvailable)
	load_driver
	wait_until 10 [ -d "$CLASS/balloon0" ]
	check "the driver says why" wait_until 20 eval 'dmesg | grep -q "this kernel saves a dump"'
	equal "no page is the balloon's" "0 0" "$(balloon_pages) $(offline_pages)"
	check "memory is left: $(meminfo MemAvailable) of $before kB" [ "$(meminfo MemAvailable)" -gt $((before / 2)) ]
}

case $PART in
1) first_kernel ;;
2) second_kernel ;;
esac
