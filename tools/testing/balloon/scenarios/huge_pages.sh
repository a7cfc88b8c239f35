#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A balloon is where memory was scattered: programs get huge pages by page faults all the same. The program is the kernel's.
# In Linux 6.1 some faults get no huge page whatever the driver.
# mem: 1056
# kernels: 6.12
# selftests: transhuge-stress

load_driver
fragment_start 850
balloon_to 400
fragment_stop
for file in enabled defrag; do
	echo always >/sys/kernel/mm/transparent_hugepage/$file
done
fallback=$(vmstat thp_fault_fallback) huge=$(vmstat thp_fault_alloc)
transhuge-stress -d 3 420 >/tmp/stress 2>&1
sed 's/^/# /' /tmp/stress
check "huge pages: $(($(vmstat thp_fault_alloc) - huge))" [ $(($(vmstat thp_fault_alloc) - huge)) -ge 210 ]
equal "faults that got no huge page" 0 $(($(vmstat thp_fault_fallback) - fallback))
ledger
