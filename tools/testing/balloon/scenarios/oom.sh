#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A guest that runs out of memory has pages of the balloon back, and nobody is killed; dropped caches are no reason.
# balloon-options: deflate-on-oom=on
# timeout: 120

mem_total() { sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo; }

load_driver
total=$(mem_total)
managed=$(managed_pages)
balloon_to 700
equal "what can be had back still counts as memory" "$total $managed" "$(mem_total) $(managed_pages)"
echo 3 >/proc/sys/vm/drop_caches
equal "dropped caches do not shrink the balloon" "$TARGET" "$(balloon_pages)"
equal "nothing was squeezed yet" 0 "$(balloon_value stats/oom_deflated)"

verify_start 550
check "the balloon gave back $(balloon_value stats/oom_deflated) pages" [ "$(balloon_value stats/oom_deflated)" -gt 50000 ]
equal "nobody was killed" 0 "$(vmstat oom_kill)"
check "the rest stays in the balloon" [ "$(balloon_pages)" -gt 20000 ]
wait_until 10 quiet || not_ok "balloon at rest"
ledger_now
compact
verify_stop
balloon_to 0
ledger
equal "memory as before" "$total $managed" "$(mem_total) $(managed_pages)"
