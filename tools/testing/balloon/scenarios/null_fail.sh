#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The host fails: the device is broken and says so, every page stays accounted for, removal works.
# driver: none
# needs: ours/null_balloon ours/balloon_compaction
# balloons: 0

broken() { [ "$(balloon_value state "$DEVICE")" = broken ]; }

verify_start 64
# It does not take a batch, or takes it and answers with an error; either way it has done nothing of it.
for way in fail fail_late; do
	null_create a
	null_balloon_to a 100
	null_set a $way 1
	equal "$way is set" 1 "$(null_get a $way)"
	null_target a 200
	check "the device says that it is broken" wait_until 20 broken
	compact
	check "actual is what the guest holds" [ "$(offline_pages)" -ge "$(balloon_value actual_pages "$DEVICE")" ]
	equal "no page is isolated" 0 "$(balloon_value isolated_pages "$DEVICE")"
	check "a broken device is removed" null_destroy a
done
verify_stop
