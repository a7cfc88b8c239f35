#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Load every KUnit suite; the suites print their results to the kernel's log, where the harness reads them.
# needs: kunit/.*
# driver: none
# balloons: 0

suites() { dmesg | grep -c '\] \(not \)\?ok [0-9]* \(- \)\?balloon_'; }

for file in /modules/kunit/*.ko; do
	suite=$(basename "$file" .ko)
	before=$(suites)
	check "$suite loaded" load_module "kunit/$suite"
	check "$suite has run" [ "$(suites)" -gt "$before" ]
done
