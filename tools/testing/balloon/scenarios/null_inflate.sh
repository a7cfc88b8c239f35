#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A balloon without a host: up, down, and the device's ledger equals the guest's.
# driver: none
# needs: ours/null_balloon ours/balloon_compaction
# balloons: 0

verify_start 64
null_create a
for mib in 1 300 50 0; do
	null_balloon_to a $mib
	null_ledger a
done
verify_stop
null_destroy a
equal "no page is left offline" 0 "$(offline_pages)"
