#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A driver on mainline's page-level API loses no page on our core, be that a module or the kernel's own.
# driver: none
# balloons: 0
# needs: test/page_level_balloon ours/balloon_compaction
# timeout: 180

verify_start 64
check "driver loaded" load_module test/page_level_balloon
page_level_test
verify_stop
