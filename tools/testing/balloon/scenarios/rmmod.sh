#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Remove the driver and the core while their pages are being moved.
# timeout: 120

verify_start 64
load_driver
scattered_balloon 200
compact_start
check "driver unloaded under load" unload_driver
compact_stop
equal "no page is left offline" 0 "$(offline_pages)"
ledger_now
check "driver loaded again" load_driver
check "balloon of 200 MiB" wait_until 20 target_seen
ledger
verify_stop
