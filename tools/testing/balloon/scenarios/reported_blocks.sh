#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Inflated blocks are reported and not named page by page, unless that is switched off; and go back like any other page.
# balloon-options: free-page-reporting=on,page-poison=on
# mem: 768
# timeout: 120

SWITCH=/sys/module/virtio_balloon/parameters/report_blocks

verify_start 64
load_driver
equal "the switch is on" Y "$(cat $SWITCH)"
balloon_to 301
ledger
echo "# host: named 0 8000"
echo "# host: reported 70"
compacted_walk 77 302 13 250
balloon_walk 0
echo "# host: named 0"

echo N >$SWITCH
balloon_to 300
ledger
echo "# host: named 76800"
echo Y >$SWITCH
balloon_to 10
ledger
verify_stop
balloon_to 0
ledger
equal "no page is left offline" 0 "$(offline_pages)"
