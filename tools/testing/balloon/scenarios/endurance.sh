#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The target runs up and down, reached or not, while compactors isolate what it wants to deflate: as long as you like.
# minutes: 0
# timeout: 120

verify_start 64
load_driver
scattered_balloon 200
finish=$(($(centiseconds) + MINUTES * 6000))
rounds=0
compact_start
while :; do
	for mib in 300 40 180 0 250; do
		host_balloon $mib
		wait_until 30 target_seen || not_ok "round $rounds: balloon of $mib MiB"
	done
	# Changes of mind: half-way there it is another direction.
	for mib in 300 20 280 0 200 10; do
		host_balloon $mib
		usleep 150000
	done
	rounds=$((rounds + 1))
	[ "$(centiseconds)" -lt $finish ] || break
done
compact_stop
ok "r22: $rounds rounds"
balloon_to 150 30
ledger
verify_stop
balloon_to 0
ledger
