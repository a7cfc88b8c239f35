#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A guest is hibernated while its balloon grows, shrinks and is compacted, and resumed on a host that knows nothing of it.
# requires: HIBERNATION VIRTIO_BLK
# mem: 600
# disk: 800
# timeout: 400

verify_start 16
# What nobody writes can only come from the disk.
start still verify 32
kill -STOP "$(cat /tmp/still.pid)"
load_driver
scattered_balloon 100
ledger
# Single pages take long enough to be under way.
echo 0 >"$ORDER"
for mib in 250 20; do
	compact_start
	balloon_towards $mib
	check "r15: hibernated and resumed" hibernate
	frozen_before 1000
	check "balloon of $mib MiB again" wait_until 60 target_seen
	compact_stop
	ledger
done
check "the balloon was under way $UNDER_WAY times" [ "$UNDER_WAY" -gt 0 ]
kill -CONT "$(cat /tmp/still.pid)"
stop still
equal "memory that nobody wrote is intact" 0 $?
still_works
verify_stop
