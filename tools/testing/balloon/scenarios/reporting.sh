#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Free page reporting is on: the balloon shares a queue with the kernel's own reporting.
# balloon-options: free-page-reporting=on

verify_start 64
load_driver
balloon_to 400
ledger
compact
ledger
balloon_to 100
ledger
verify_stop
