#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The guest clears what it frees, and the device does not know: reporting would change free pages, so it is refused.
# balloon-options: free-page-reporting=on,page-poison=off
# append: init_on_free=1

load_driver
equal "neither poisoning nor reporting is accepted" 010000 "$(features 0 5)"
scattered_balloon 200
ledger
echo "# host: reported 0 0"
