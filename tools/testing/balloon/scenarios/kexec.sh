#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A second kernel takes over while the balloon grows, and has all memory for itself.
# requires: KEXEC_FILE
# mem: 640
# kexec: 1
# timeout: 240

first_kernel() {
	verify_start 32
	load_driver
	scattered_balloon 100
	ledger
	compact_start
	kexec_load || not_ok "second kernel loaded"
	balloon_towards 400
	kexec_now
	not_ok "a second kernel"
}

second_kernel() {
	host_balloon 100
	verify_start 300
	load_driver
	check "balloon of 100 MiB" wait_until 60 target_seen
	ledger
	compact
	ledger
	balloon_to 0
	ledger
	verify_stop
}

case $PART in
1) first_kernel ;;
2) second_kernel ;;
esac
