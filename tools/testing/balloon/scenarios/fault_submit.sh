#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A host without memory for its ledger refuses pages, of inflations and of migrations: they go back to the guest.
# requires: FAULT_INJECTION_STACKTRACE_FILTER FAULT_INJECTION_DEBUG_FS FAILSLAB
# driver: none
# needs: ours/null_balloon ours/balloon_compaction
# balloons: 0
# timeout: 120

refused() { [ "$(balloon_value stats/refused "$DEVICE")" -gt "$1" ]; }
nothing_pending() { [ "$(balloon_value pending_pages "$DEVICE")" = 0 ]; }

verify_start 64
null_create a
null_balloon_to a 20
fault failslab 100 null_balloon
null_target a 200
check "inflations are refused" wait_until 20 refused 0
check "nothing stays pending" wait_until 10 nothing_pending
fault failslab 0
null_balloon_to a 0
lonely_balloon null_balloon_to a 100 40
null_ledger a
before=$(balloon_value stats/refused "$DEVICE")
fault failslab 100
compact
fault failslab 0
lonely_balloon_stop
check "migrations are refused" refused "$before"
check "nothing stays pending" wait_until 10 nothing_pending
null_balloon_to a 200 40
null_ledger a
verify_stop
null_destroy a
equal "no page is left offline" 0 "$(offline_pages)"
