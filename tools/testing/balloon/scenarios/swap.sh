#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The host asks for more than is available, and what is cold can go to swap: the target is reached, and nobody is killed.
# disk: 1024
# timeout: 240

swapped() { awk '/^SwapTotal/ { n += $2 } /^SwapFree/ { n -= $2 } END { print int(n / 1024) }' /proc/meminfo; }
cold() { head -c 20971520 /tmp/cold/file | md5sum; }

load_driver
mkswap /dev/vda >/dev/null && swapon /dev/vda
mkdir /tmp/cold
mount -t tmpfs -o size=100% tmpfs /tmp/cold
dd if=/dev/urandom of=/tmp/cold/file bs=1M count=500 2>/dev/null
sum=$(cold)
balloon_to 600
check "swapped: $(swapped) MiB" [ "$(swapped)" -gt 100 ]
equal "nobody was killed" 0 "$(vmstat oom_kill)"
ledger
balloon_to 100
ledger
equal "what was swapped is intact" "$sum" "$(cold)"
