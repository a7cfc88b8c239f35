#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The guest clears what it frees, and the device knows: pages can be reported.
# balloon-options: free-page-reporting=on,page-poison=on
# append: init_on_free=1
# timeout: 120

load_driver
equal "poisoning and reporting are accepted" 010011 "$(features 0 5)"
verify_start 64
scattered_balloon 200
compact
pause 4
ledger
echo "# host: reported 20"
verify_stop
balloon_to 0
ledger
