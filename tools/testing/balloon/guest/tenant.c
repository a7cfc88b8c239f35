// SPDX-License-Identifier: GPL-2.0
/*
 * tenant MiB [seed] - a process as guests have many: it uses so much memory.
 *
 * Huge pages are welcome.  As programs that free a part of what they had, it gives
 * back a random half of the pages in one of 16 pieces of 2 MiB.  Prints "tenant:
 * ready" and waits for SIGTERM.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE	4096UL
#define PIECE	(2UL << 20)

/* Of any seed the same numbers always (Marsaglia's xorshift). */
static uint64_t number(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static int give_back(unsigned char *mem, size_t size, uint64_t seed)
{
	size_t piece, at;

	for (piece = 0; piece < size; piece += PIECE) {
		if (number(&seed) % 16)
			continue;
		for (at = piece; at < piece + PIECE && at < size; at += PAGE)
			if (number(&seed) & 1 && madvise(mem + at, PAGE, MADV_DONTNEED))
				return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	size_t size = argc > 1 ? strtoul(argv[1], NULL, 0) << 20 : 0;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	unsigned char *mem;
	sigset_t stop;
	int sig;

	if (!size || !seed) {
		fprintf(stderr, "usage: tenant MiB [seed, not 0]\n");
		return 2;
	}
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	mem = mmap(NULL, size + PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem != MAP_FAILED)
		mem += -(uintptr_t)mem % PIECE;
	if (mem == MAP_FAILED || madvise(mem, size, MADV_POPULATE_WRITE) ||
	    give_back(mem, size, seed)) {
		perror("tenant");
		return 1;
	}
	printf("tenant: ready\n");
	fflush(stdout);
	sigwait(&stop, &sig);
	return 0;
}
