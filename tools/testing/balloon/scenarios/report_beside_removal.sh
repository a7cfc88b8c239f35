#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Free pages are reported just when the driver ends, to a device that is silent by then: unbinding, sleep and power-off go on.
# requires: SUSPEND KPROBES PAGE_REPORTING
# needs: test/silence
# balloon-options: free-page-reporting=on
# append: no_console_suspend
# timeout: 120
# expect: ktime_get_seconds

silence() { echo "$2" >"/sys/module/silence/parameters/$1"; }
silence_value() { cat "/sys/module/silence/parameters/$1"; }

# The next end of reporting has a report that begins while nobody looks.
late_report() {
	silence silent nothing
	silence late_report 1
	before=$(silence_value tried)
}

# Else it was no test. The device did not hear of it, since it was refused.
was_late() {
	if [ "$(nproc)" = 1 ]; then
		skip "$1: a report was late" "the other processor did not wake up, as on a busy machine"
	else
		check "$1: a report was late" [ "$(silence_value tried)" -gt "$before" ]
	fi
}

bound() { [ -e "$CLASS/balloon0" ]; }
unbind() { bind unbind "$device" && : >/tmp/unbound; }
in_flight() { [ "$(silence_value suppressed)" -gt 0 ]; }

load_module test/silence
load_driver
wait_until 10 bound || not_ok "driver takes the device"
device=$(virtio_name)
# The balloon goes on while that queue is still silent: it is to use others.
echo 0 >/sys/module/virtio_balloon/parameters/report_blocks
balloon_to 60
ledger

late_report
unbind &
check "unbound" wait_until 30 [ -e /tmp/unbound ]
was_late "unbound"
equal "no page is left offline" 0 "$(offline_pages)"
ledger_now
silence silent nothing
bind bind "$device"
check "bound again, balloon of 60 MiB" wait_until 20 target_seen
ledger

late_report
check "suspended and resumed" suspend_guest
was_late "suspended"
silence silent nothing
check "balloon of 60 MiB" wait_until 20 target_seen
ledger

# A device that keeps a report is reset; that gives no page back, so there is none.
balloon_to 0
equal "the device heard of all reports" 0 "$(silence_value suppressed)"
silence silent reporting
start user verify 200
stop user
check "the device keeps a report" wait_until 30 in_flight
check "suspended and resumed" suspend_guest
silence silent nothing
balloon_to 60
ledger

late_report
ok "power off"
