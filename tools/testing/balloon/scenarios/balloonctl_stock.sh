#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# balloonctl tells of the kernel's own driver what can be known, and says that this is not all.
# driver: stock
# programs: balloonctl

code() {
	balloonctl "$@" >/tmp/out 2>/tmp/err
	echo $?
}

load_driver
balloon_to 150
name=$(balloonctl list -n -o name)
check "it is called as its device: $name" [ -d "/sys/bus/virtio/devices/$name" ]
equal "kind" stock "$(balloonctl list -n -o kind)"
equal "size" $((TARGET * 4096)) "$(balloonctl show -n -b -o size)"
equal "show" 0 "$(code show)"
check "it says what is not told" grep -q "does not tell target" /tmp/err
equal "the map has the pages that are marked" "$(offline_pages)" \
	"$(balloonctl map -n -b | awk '{ sum += $4 } END { printf "%d", sum / 4096 }')"
equal "compact is not offered" 5 "$(code compact)"
equal "metrics" 0 "$(code metrics)"
balloon_to 0
ledger
