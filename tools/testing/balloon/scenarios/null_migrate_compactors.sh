#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Four compactors against a scattered balloon whose host answers at once.
# driver: none
# needs: ours/null_balloon ours/balloon_compaction
# balloons: 0

verify_start 64
null_create a
scattered "$(scaled 300)" null_balloon_to a
compact
check "pages migrated" [ "$(migrated_pages "$DEVICE")" -gt 1000 ]
wait_until 10 at_rest "$DEVICE"
null_ledger a
verify_stop
null_destroy a
