#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Deflate in steps down to nothing; every page comes back.

verify_start 64
load_driver
balloon_to 400
ledger
for mib in 300 7 0; do
	balloon_to $mib
	ledger
done
equal "no page is left offline" 0 "$(offline_pages)"
verify_stop
