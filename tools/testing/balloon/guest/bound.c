// SPDX-License-Identifier: GPL-2.0
/*
 * bound NODE COMMAND [ARGUMENT...] - run a command whose memory comes from one node,
 * by the policy of the task (MPOL_BIND).
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MPOL_BIND	2	/* from <linux/mempolicy.h> */

int main(int argc, char **argv)
{
	unsigned long nodes;

	if (argc < 3) {
		fprintf(stderr, "usage: bound NODE COMMAND [ARGUMENT...]\n");
		return 2;
	}
	nodes = 1UL << atoi(argv[1]);
	if (syscall(SYS_set_mempolicy, MPOL_BIND, &nodes, 8 * sizeof(nodes))) {
		perror("bound: set_mempolicy");
		return 1;
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 1;
}
