#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Free page reporting beside a balloon that grows, shrinks and is compacted.
# balloon-options: free-page-reporting=on,page-poison=on
# timeout: 120
verify_start 64
load_driver
fragment_start 640
balloon_to 150
fragment_stop
compact_start
for mib in 300 20 250 100; do
	balloon_to $mib
	pause 2
done
compact_stop
ledger
echo "# host: reported 50"
verify_stop
balloon_to 0
ledger
check "unloaded" unload_driver
check "loaded again" load_driver
balloon_to 100
ledger
