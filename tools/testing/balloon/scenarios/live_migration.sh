#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A guest whose balloon grows, shrinks and is compacted moves to another QEMU, and hints at its free pages.
# mem: 768
# balloon-options: free-page-hint=on,iothread=hints
# qemu-options: -object iothread,id=hints
# timeout: 180

mem_free() { sed -n 's/^MemFree: *\([0-9]*\) kB/\1/p' /proc/meminfo; }
has_free() { [ "$(mem_free)" -ge "$1" ]; }

verify_start 32
# What is not written on the way is sent only once.
start still verify 64
kill -STOP "$(cat /tmp/still.pid)"
load_driver
scattered_balloon 120
ledger
free=$(mem_free)
compact_start
host_migrate 60 150 90 100
check "arrived, balloon of 100 MiB" wait_until 60 target_seen
compact_stop
kill -CONT "$(cat /tmp/still.pid)"
stop still
equal "memory that was not written on the way is intact" 0 $?
ledger
check "what was hinted is free again: $free kB before" wait_until 20 has_free $((free - 20000))
still_works
verify_stop
