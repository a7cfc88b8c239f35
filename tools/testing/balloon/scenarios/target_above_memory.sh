#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A target beyond the guest's memory: the guest survives, the floor holds, nobody spins, a lower target works.
# mem: 512
# timeout: 120

# MemAvailable, and the free pages on the processors' own lists, which it leaves out.
available_pages() {
	awk '/^MemAvailable:/ { n += $2 / 4 } /^ *count:/ { n += $2 } END { print int(n) }' /proc/meminfo /proc/zoneinfo
}

# Two looks, half a second apart, see the same.
standing() {
	before=$(balloon_pages)
	sleep 0.5
	[ "$before" -gt 0 ] && [ "$before" = "$(balloon_pages)" ]
}

# What the test's own programs may take between the balloon's stop and our look.
slack=1024

verify_start 64
load_driver
check "the floor is not zero" [ "$(balloon_value floor_pages)" -gt 0 ]
floor=$((48 * PAGES_PER_MIB))
echo $floor >"$CLASS/balloon0/floor_pages"
host_balloon "$MEM_MIB"
check "the balloon stops growing" wait_until 40 standing
say "balloon of $(balloon_pages) of $TARGET pages, $(available_pages) available, floor $floor"
check "the balloon is smaller than the target" [ "$(balloon_pages)" -lt "$TARGET" ]
check "the floor is respected" [ "$(available_pages)" -ge $((floor - slack)) ]
check "the floor is all that stops it" [ "$(available_pages)" -le $((floor * 2)) ]
stop verify
check "nobody spins" [ "$(idle_percent 2)" -gt 60 ]
equal "nobody was killed" 0 "$(vmstat oom_kill)"
verify_start 16
balloon_to 64 30
ledger
verify_stop
