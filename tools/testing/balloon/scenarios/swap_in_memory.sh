#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Swap lives in memory itself, and what is in it cannot be compressed: the balloon stops, and nobody is killed.
# modules: zram
# timeout: 240

load_driver
load_module kernel/zram
echo 1G >/sys/block/zram0/disksize
mkswap /dev/zram0 >/dev/null && swapon /dev/zram0
mkdir /tmp/cold
mount -t tmpfs -o size=100% tmpfs /tmp/cold
dd if=/dev/urandom of=/tmp/cold/file bs=1M count=500 2>/dev/null
host_balloon 700
pause 15
equal "nobody was killed" 0 "$(vmstat oom_kill)"
check "the balloon took what there was: $(($(balloon_value actual_pages) / 256)) MiB" \
	[ "$(balloon_value actual_pages)" -gt 60000 ]
for cpu in 0 1; do
	check "a program starts on processor $cpu" taskset -c $cpu ls /tmp/cold/file
done
host_balloon 100
check "the target is followed" wait_until 60 target_seen
ledger
