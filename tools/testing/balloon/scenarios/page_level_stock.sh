#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The same driver loses no page on the kernel's own core: this checks the driver, not our core.
# driver: stock
# balloons: 0
# needs: test/page_level_balloon_stock
# timeout: 180

verify_start 64
check "driver loaded" load_module test/page_level_balloon_stock
check "our core is not there" not loaded balloon_compaction
page_level_test
verify_stop
