#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The first allocation of a probe fails, then the second, and so on: it is undone, and the last probe works.
# requires: FAULT_INJECTION_STACKTRACE_FILTER FAULT_INJECTION_DEBUG_FS FAILSLAB FAIL_PAGE_ALLOC
# needs: ours/null_balloon
# timeout: 180

bound() { [ -e "/sys/bus/virtio/drivers/virtio_balloon/$device" ]; }
empty() { [ "$(devices)" = "*" ]; }

probe() {
	bind bind "$device"
}

power_on() {
	mkdir "$NULL/a" && null_set a power 1
}

load_driver
load_module ours/null_balloon
device=$(virtio_name)
bind unbind "$device"
fault failslab 0 balloon_compaction virtio_balloon null_balloon
fault fail_page_alloc 0 balloon_compaction virtio_balloon null_balloon
nth=1
while fail_nth $nth probe; do
	! bound || bind unbind "$device"
	empty || not_ok "probe: the device is gone after failure $nth"
	nth=$((nth + 1))
done
check "probe: $((nth - 1)) allocations have failed" [ $nth -gt 10 ]
check "probe: it works when none fails" bound
nth=1
while fail_nth $nth power_on; do
	rmdir "$NULL/a" 2>/dev/null
	! [ -e "$NULL/a" ] || not_ok "null_balloon: removed after failure $nth"
	nth=$((nth + 1))
done
check "null_balloon: $((nth - 1)) allocations have failed" [ $nth -gt 10 ]
null_destroy a
balloon_to 100
ledger
balloon_to 0
equal "no page is left offline" 0 "$(offline_pages)"
check "unloaded" rmmod null_balloon
check "unloaded" unload_driver
