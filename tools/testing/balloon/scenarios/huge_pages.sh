#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A balloon is where memory was scattered: programs get huge pages by page faults all the same. The programs are the kernel's.
# In Linux 6.1 some faults get no huge page whatever the driver.
# compaction_test takes nearly all memory, and may be killed for want of it, which the kernel tells with a trace.
# mem: 1056
# kernels: 6.12
# selftests: transhuge-stress compaction_test
# expect: Call Trace

huge_pages_test
