#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The adapter that authors begin with: its balloon grows, moves and goes, also while somebody asks for another size.
# driver: none
# balloons: 0
# needs: test/balloon_sample ours/balloon_compaction
# append: slub_debug=FP,kmalloc-*

PARAMETER=/sys/module/balloon_sample/parameters/target_pages

sample_to() {
	echo $(($1 * PAGES_PER_MIB)) >$PARAMETER
	wait_until 20 null_at_rest balloon0 $(($1 * PAGES_PER_MIB))
}

ask_on() { while :; do echo $((5 * PAGES_PER_MIB)) >$PARAMETER; done; } 2>/dev/null
asked() { [ "$(balloon_value target_pages)" -gt 0 ]; } 2>/dev/null

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

# The parameter goes after the balloon.
unloaded=0
for _ in 1 2 3 4 5 6 7 8 9 10; do
	load_module test/balloon_sample
	ask_on &
	asker=$!
	wait_until 20 asked
	! rmmod balloon_sample || unloaded=$((unloaded + 1))
	kill $asker
	wait $asker 2>/dev/null
done
equal "unloaded while somebody asks for another size" 10 $unloaded
equal "no page is left offline" 0 "$(offline_pages)"
verify_stop
