#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Four compactors push a scattered balloon together.

verify_start 64
load_driver
scattered_balloon 300
ledger
before=$(pagemap -s)
compact
say "before: $before"
say "after: $(pagemap -s)"
check "pages migrated" [ "$(migrated_pages)" -gt 1000 ]
note "migrated=$(migrated_pages)"
ledger
verify_stop
