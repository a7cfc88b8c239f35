#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A guest is suspended again and again while its balloon grows, shrinks and is compacted.
# requires: SUSPEND
# balloon-options: free-page-reporting=on
# mem: 640
# append: no_console_suspend
# timeout: 300
# expect: ktime_get_seconds

verify_start 64
load_driver
for mib in 400 50 401 51; do
	# Blocks may be in the balloon before anybody looks; single pages take their time.
	echo $((mib % 2 ? 0 : 9)) >"$ORDER"
	compact_start
	balloon_towards $mib
	check "r31: suspended and resumed" suspend_guest
	check "balloon of $mib MiB" wait_until 60 target_seen
	compact_stop
	ledger
done
check "the balloon was under way $UNDER_WAY times" [ "$UNDER_WAY" -gt 0 ]
check "suspended and resumed at rest" suspend_guest
check "balloon of $mib MiB" wait_until 60 target_seen
ledger
balloon_to 0
ledger
verify_stop
