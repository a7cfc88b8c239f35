#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A guest whose balloon grows, shrinks and is compacted moves to another QEMU, and hints at its free pages.
# mem: 768
# balloon-options: free-page-hint=on,iothread=hints
# qemu-options: -object iothread,id=hints
# timeout: 180

verify_start 32
# What is not written on the way is sent only once.
start still verify 64
kill -STOP "$(cat /tmp/still.pid)"
load_driver
scattered_balloon 120
ledger
compact_start
host_migrate 60 150 90 100
check "arrived, balloon of 100 MiB" wait_until 60 target_seen
compact_stop
kill -CONT "$(cat /tmp/still.pid)"
stop still
equal "memory that was not written on the way is intact" 0 $?
ledger
before=$(migrated_pages)
scattered_balloon 150
compact
check "pages are migrated here, too" [ "$(migrated_pages)" -gt "$before" ]
ledger
balloon_to 0
ledger
verify_stop
