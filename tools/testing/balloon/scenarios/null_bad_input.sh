#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Nonsense written to the device's files is refused and changes nothing.
# driver: none
# needs: ours/null_balloon ours/balloon_compaction
# balloons: 0

refused() { ! null_set "$@" 2>/dev/null; }
floor_refused() { ! echo "$1" >"$CLASS/$DEVICE/floor_pages"; }

null_create a
for value in "" x -1 99999999999999999999 "1 2"; do
	for file in latency_us refuse_every target_pages power; do
		check "$file refuses '$value'" refused a $file "$value"
	done
	check "floor_pages refuses '$value'" floor_refused "$value"
done
check "ledger_pages is read-only" refused a ledger_pages 1
null_balloon_to a 10
null_ledger a
check "no directory in use is removed" not rmdir "$NULL/a/power"
null_destroy a
null_create b
check "a device that is on may be removed" rmdir "$NULL/b"
check "and is gone from the class" wait_until 10 gone "$CLASS/$DEVICE"
