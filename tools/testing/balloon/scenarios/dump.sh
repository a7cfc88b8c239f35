#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The guest crashes while a balloon is in it: the dump leaves out each of the balloon's pages, in whole blocks or single.
# kernels: 6.1 6.12
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
	free=$(sed -n 's/.*Free pages *: //p' /tmp/report)
	claim="it has none of the balloon's pages"
	# 1.7.6, of Debian 13, knows no type of page of kernels since 6.12.
	if [ $((free + left_out)) = 0 ]; then
		skip "$claim" "this makedumpfile tells of no free page either: kernels since 6.12 need 1.7.7"
	else
		equal "$claim" "$wanted" $((left_out))
	fi
}

case $PART in
1) first_kernel ;;
2) second_kernel ;;
esac
