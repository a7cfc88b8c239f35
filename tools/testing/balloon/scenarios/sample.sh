#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The adapter that authors begin with: its balloon grows, moves and goes.
# driver: none
# balloons: 0
# needs: test/balloon_sample ours/balloon_compaction

sample_to() {
	echo $(($1 * PAGES_PER_MIB)) >/sys/module/balloon_sample/parameters/target_pages
	wait_until 20 null_at_rest balloon0 $(($1 * PAGES_PER_MIB))
}

verify_start 64
check "the sample is loaded" load_module test/balloon_sample
equal "its name is told" balloon_sample "$(balloon_value driver)"
scattered 300 sample_to
equal "a scattered balloon of 300 MiB" $((300 * PAGES_PER_MIB)) "$(balloon_value actual_pages)"
compact_once
check "pages migrated" [ "$(migrated_pages)" -gt 0 ]
check "all come back" sample_to 0
check "20 MiB once more" sample_to 20
check "the sample is unloaded" rmmod balloon_sample
equal "no page is left offline" 0 "$(offline_pages)"
verify_stop
