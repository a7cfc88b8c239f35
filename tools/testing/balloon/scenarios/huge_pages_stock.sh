#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The same with the stock driver: this checks what can be expected of any.
# driver: stock
# mem: 1056
# kernels: 6.12
# selftests: transhuge-stress compaction_test
# expect: Call Trace

huge_pages_test
