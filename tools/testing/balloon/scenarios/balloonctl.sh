#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# balloonctl tells of a real balloon what sysfs, proc and the host tell, and compacts it.
# programs: balloonctl
# timeout: 240

# code WORD...: balloonctl's exit code; what it says is in /tmp/out and /tmp/err.
code() {
	balloonctl "$@" >/tmp/out 2>/tmp/err
	echo $?
}
column() { balloonctl show -n -b -o "$1"; }
ballooned() { balloonctl map -n -b | awk '{ sum += $4 } END { printf "%d", sum / 4096 }'; }
told() { grep -q "$1" /tmp/out; }
complained() { grep -q "$1" /tmp/err; }

equal "no driver: exit code" 3 "$(code list)"
check "no driver: it says so" complained "no driver has it"
verify_start 64
load_driver
echo 0 >"$CLASS/balloon0/$PROACTIVENESS"
equal "list" 0 "$(code list -n -o name,driver,state,kind)"
equal "one balloon" "balloon0 virtio_balloon running core" "$(tr -s ' ' </tmp/out)"
scattered_balloon 200
equal "target" $((TARGET * 4096)) "$(column target)"
equal "size" $((TARGET * 4096)) "$(column size)"
equal "the map has the pages that are marked" "$(offline_pages)" "$(ballooned)"
ledger

equal "dry run" 0 "$(code compact --dry-run)"
check "it expects blocks: $(cat /tmp/out)" told "at most [1-9]"
equal "a dry run exchanges nothing" 0 "$(column exchanged)"
equal "compact" 0 "$(code compact)"
check "it has exchanged pages: $(cat /tmp/out)" told "balloon0: [1-9][0-9]* pages exchanged"
ledger

# A run that is told to end does, sooner or later than it would by itself.
balloon_to 0
scattered_balloon 300
balloonctl compact >/dev/null 2>&1 &
kill -TERM $!
wait $!
case $? in
0 | 130 | 143) ok "compact ends at a signal, or has ended" ;;
*) not_ok "compact and a signal: $?" ;;
esac
ledger

equal "watch" 0 "$(code watch -c 3 -i 0.1)"
equal "watch: a heading and three lines" 4 "$(wc -l </tmp/out)"
mkdir /tmp/small
mount -t tmpfs -o size=32k none /tmp/small
equal "metrics" 0 "$(code metrics -o /tmp/small/balloon.prom)"
check "metrics have the size" grep -q "^balloon_size_bytes{balloon=\"balloon0\"} $((TARGET * 4096))$" /tmp/small/balloon.prom
sum=$(md5sum </tmp/small/balloon.prom)
dd if=/dev/zero of=/tmp/small/fill bs=4096 2>/dev/null
equal "metrics on a full disk" 1 "$(code metrics -o /tmp/small/balloon.prom)"
equal "the old file is there" "$sum" "$(md5sum </tmp/small/balloon.prom)"
equal "nothing else is" "/tmp/small/balloon.prom /tmp/small/fill" "$(find /tmp/small -type f | sort | xargs)"
umount /tmp/small
equal "diagnose" 0 "$(code diagnose -o /tmp/report)"
check "the report has the balloon" grep -q "^== $CLASS/balloon0/actual_pages" /tmp/report
equal "a map as a page" 0 "$(code map -o /tmp/map.html)"

balloon_to 0
unload_driver
equal "driver unloaded: exit code" 3 "$(code show balloon0)"
verify_stop
