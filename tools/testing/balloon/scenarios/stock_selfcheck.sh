#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The kernel's own driver under the same eyes: this checks the ledger, not our driver.
# driver: stock

load_driver
balloon_walk 400
compact
ledger
balloon_walk 100 0
unload_driver
check "driver unloaded" gone /sys/module/virtio_balloon
ledger_now
