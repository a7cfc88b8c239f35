#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The guest crashes while a balloon is in it: the dump leaves out each of the balloon's pages, in whole blocks or single.
# By name only: makedumpfile of Debian 13 tells of no offline page in the same dump, which is not understood.
# kernels: 6.1 6.12
# long: 1
# requires: KEXEC_FILE CRASH_DUMP
# programs: makedumpfile
# kexec: 1
# append: crashkernel=192M
# timeout: 240
# expect: sysrq: Trigger a crash|Kernel panic|sysrq_handle_crash|Oops|BUG: kernel NULL pointer|Call Trace

first_kernel() {
	load_driver
	hold_still
	balloon_to 200
	echo 0 >"$ORDER"
	balloon_to 351
	ledger
	crash PAGES="$(offline_pages)"
}

second_kernel() {
	wanted=$(sed 's/.*PAGES=\([0-9]*\).*/\1/' /proc/cmdline)
	check "the dump is saved" eval 'makedumpfile -F -d 31 --message-level 16 /proc/vmcore 2>/tmp/report >/dev/null'
	sed 's/^/# /' /tmp/report
	left_out=$(sed -n 's/.*Offline pages *: //p' /tmp/report)
	equal "it has none of the balloon's pages" "$wanted" $((left_out))
}

case $PART in
1) first_kernel ;;
2) second_kernel ;;
esac
