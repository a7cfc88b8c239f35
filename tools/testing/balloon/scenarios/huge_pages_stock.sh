#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The same with the stock driver, to see what can be expected of any: all 210 in most boots, a few less in some.
# driver: stock
# mem: 1056
# kernels: 6.12
# selftests: transhuge-stress compaction_test
# expect: Call Trace

huge_pages_test
