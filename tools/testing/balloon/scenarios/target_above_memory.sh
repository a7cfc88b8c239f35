#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A target beyond the guest's memory: the guest survives, the floor holds, nobody spins, a lower target works.
# mem: 512
# timeout: 120

available_pages() { awk '/^MemAvailable:/ { print int($2 / 4) }' /proc/meminfo; }

at_the_floor() { [ "$(available_pages)" -le $((floor * 2)) ]; }

# What the test's own programs may take between the balloon's stop and our look.
slack=1024

verify_start 64
load_driver
floor=$(balloon_value floor_pages)
check "the floor is not zero" [ "$floor" -gt 0 ]
host_balloon "$MEM_MIB"
check "the balloon stops growing" wait_until 40 standing
say "balloon of $(balloon_pages) of $TARGET pages, $(available_pages) available, floor $floor"
check "the balloon is smaller than the target" [ "$(balloon_pages)" -lt "$TARGET" ]
check "the floor is respected" [ "$(available_pages)" -ge $((floor - slack)) ]
check "the floor is all that stops it" wait_until 60 at_the_floor
stop verify
check "nobody spins" [ "$(idle_percent 2)" -gt 60 ]
equal "nobody was killed" 0 "$(vmstat oom_kill)"
verify_start 4
balloon_to 64 30
ledger
verify_stop
