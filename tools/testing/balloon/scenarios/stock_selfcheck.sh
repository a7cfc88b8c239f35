#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The kernel's own driver under the same eyes: this checks the ledger, not our driver.
# driver: stock

load_driver
balloon_to 400
ledger
compact
ledger
balloon_to 100
ledger
balloon_to 0
ledger
unload_driver
check "driver unloaded" gone /sys/module/virtio_balloon
ledger_now
