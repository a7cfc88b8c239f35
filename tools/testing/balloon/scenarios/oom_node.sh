#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A task that may use one of two nodes only runs out of memory there: the balloon gives back pages of that node, and keeps
# the others. The task's own policy says which node, or its cpuset.
# nodes: 2
# requires: NUMA CPUSETS
# balloon-options: deflate-on-oom=on
# timeout: 240

CGROUP=/tmp/cgroup

# in_cpuset NODE COMMAND...
in_cpuset() {
	echo "$1" >$CGROUP/one/cpuset.mems
	shift
	echo 0 >$CGROUP/one/cgroup.procs
	exec "$@"
}

mkdir $CGROUP && mount -t cgroup2 cgroup2 $CGROUP
echo +cpuset >$CGROUP/cgroup.subtree_control
mkdir $CGROUP/one
load_driver
balloon_to 780 40
node=0
for how in bound in_cpuset; do
	other=$((1 - node))
	before=$(node_pages $node) kept=$(node_pages $other)
	say "balloon: $before pages on node $node, $kept on node $other"
	start task $how $node verify 250
	wait_until 10 quiet
	check "$how: node $node gave back pages: $before before" [ "$(node_pages $node)" -lt $((before - 10000)) ]
	# The balloon may grow again meanwhile.
	check "$how: node $other keeps its own: $kept before" [ "$(node_pages $other)" -ge "$kept" ]
	stop task
	equal "$how: the task's memory is intact" 0 $?
	node=$other
done
equal "nobody was killed" 0 "$(vmstat oom_kill)"
ledger_now
