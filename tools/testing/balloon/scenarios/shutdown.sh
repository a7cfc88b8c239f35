#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The machine reboots while the balloon grows and while it shrinks, and is switched off while it is compacted.
# mem: 640
# timeout: 240

online_cpus
verify_start 32
load_driver
case $PART in
1)
	compact_start
	balloon_towards 400
	ok "reboot while the balloon grows"
	reboot_now
	;;
2)
	balloon_to 400 60
	ledger
	compact_start
	balloon_towards 20
	ok "reboot while the balloon shrinks"
	reboot_now
	;;
3)
	compact_start
	balloon_towards 400
	ok "power off while the balloon grows"
	;;
esac
