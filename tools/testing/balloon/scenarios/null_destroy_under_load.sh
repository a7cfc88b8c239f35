#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Remove a device while its pages are being moved, with a host that takes its time.
# driver: none
# needs: ours/null_balloon ours/balloon_compaction
# balloons: 0
# timeout: 120

verify_start 64
for latency in 0 1000; do
	null_create a latency_us=$latency
	fragment_start 400
	null_balloon_to a 200 30
	fragment_stop
	compact_start
	check "device removed under load" null_destroy a
	compact_stop
	equal "no page is left offline" 0 "$(offline_pages)"
done
verify_stop
check "module unloaded" rmmod null_balloon
check "core unloaded" rmmod balloon_compaction
