#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The host sends the same target again and again, while the guest runs out of memory: what it got back stays its own.
# balloon-options: deflate-on-oom=on
# timeout: 120

load_driver
balloon_to 700
start hog verify 500
given=$(balloon_value stats/oom_deflated)
check "the balloon has given way: $given pages" [ "$given" -gt 0 ]
wait_until 10 quiet balloon0
inflated=$(balloon_value stats/inflated)
for _ in 1 2 3 4 5 6; do
	echo "# host: balloon 700"
	sleep 0.5
done
equal "no page was taken again" "$inflated" "$(balloon_value stats/inflated)"
equal "nobody was killed" 0 "$(vmstat oom_kill)"
stop hog
equal "its memory is intact" 0 $?
balloon_to 100
ledger
