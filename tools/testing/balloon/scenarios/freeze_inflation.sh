#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A guest that is suspended in the middle of a large inflation or deflation is frozen at once, and goes on when it wakes up.
# requires: SUSPEND
# mem: 1200
# smp: 1
# append: no_console_suspend
# timeout: 180
# expect: ktime_get_seconds

verify_start 32
load_driver
wait_until 10 [ -e "$CLASS/balloon0" ]
echo 0 >"$ORDER"
for mib in 900 20; do
	balloon_towards $mib
	check "suspended and resumed" suspend_guest
	took=$(centiseconds)
	check "balloon of $mib MiB" wait_until 60 target_seen
	# With 20 MiB that is over at once: then the freezer's own limit counts.
	[ $mib = 20 ] && limit=1000 || limit=$((($(centiseconds) - took) / 2))
	frozen_before "$limit"
	ledger
	# So that there is something to deflate next.
	balloon_to $mib
done
check "the balloon was under way $UNDER_WAY times" [ "$UNDER_WAY" -gt 0 ]
verify_stop
balloon_to 0
ledger
