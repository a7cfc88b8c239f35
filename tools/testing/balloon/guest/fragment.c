// SPDX-License-Identifier: GPL-2.0
/*
 * fragment MiB [seed [run]] - leave a random half of MiB of memory as holes.
 *
 * Fills MiB with anonymous 4 KiB pages and gives a random half of them back, in
 * runs of so many pages, prints "fragment: ready" and waits for SIGTERM.  A
 * balloon inflated into the holes stays behind, scattered, when this process has
 * gone.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGE 4096UL

/*
 * Random and not every second page: compaction's free scanner samples with a
 * stride that is a power of two, and would see only one kind of page.
 * (The finaliser of splitmix64.)
 */
static uint64_t hash(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static int punch(unsigned char *mem, size_t nr_pages, uint64_t seed, size_t run)
{
	size_t i, hole = 0;	/* pages of a hole that ends before page i */

	for (i = 0; i <= nr_pages; i++) {
		if (i < nr_pages && !(hash(seed * nr_pages + i / run) & 1)) {
			hole++;
			continue;
		}
		if (hole && madvise(mem + (i - hole) * PAGE, hole * PAGE,
				    MADV_DONTNEED))
			return -1;
		hole = 0;
	}
	return 0;
}

int main(int argc, char **argv)
{
	size_t nr_pages = argc > 1 ? strtoul(argv[1], NULL, 0) * 256 : 0;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	size_t run = argc > 3 ? strtoul(argv[3], NULL, 0) : 1;
	unsigned char *mem;
	sigset_t stop;
	int sig;

	if (!nr_pages || !run) {
		fprintf(stderr, "usage: fragment MiB [seed [run]]\n");
		return 2;
	}

	/* Blocked before "ready", so that a prompt SIGTERM is not lost. */
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL);

	mem = mmap(NULL, nr_pages * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	/* Kernels without huge pages do not know it. */
	if (mem != MAP_FAILED)
		(void)!madvise(mem, nr_pages * PAGE, MADV_NOHUGEPAGE);
	/* Faults one by one would cost more than the pages. */
	if (mem == MAP_FAILED ||
	    madvise(mem, nr_pages * PAGE, MADV_POPULATE_WRITE)) {
		perror("fragment");
		return 1;
	}
	if (punch(mem, nr_pages, seed, run)) {
		perror("fragment: madvise");
		return 1;
	}

	printf("fragment: ready\n");
	fflush(stdout);
	sigwait(&stop, &sig);
	return 0;
}
