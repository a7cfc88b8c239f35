#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The guest fills what it frees with a pattern, and looks at it later; the device knows, and leaves free pages as they are.
# requires: PAGE_POISONING
# balloon-options: free-page-reporting=on,page-poison=on
# append: page_poison=1

load_driver
equal "poisoning and reporting are accepted" 010011 "$(features 0 5)"
verify_start 64
scattered_balloon 200
compact
pause 4
ledger
echo "# host: reported 0 0"
verify_stop
balloon_to 0
ledger
