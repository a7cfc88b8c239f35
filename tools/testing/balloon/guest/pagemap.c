// SPDX-License-Identifier: GPL-2.0
/*
 * pagemap [-s] - what each 2 MiB block of this guest's memory holds.
 *
 * Reads /proc/kpageflags and prints one line per block that has memory:
 * "block FREE BALLOON USED" in pages; holes count as nothing.  Last, or alone
 * with -s, a line of totals.  Pages on the allocator's per-cpu lists are not
 * marked as free, so they count as used.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 512

/* From <linux/kernel-page-flags.h>. */
#define KPF_BUDDY	(1ULL << 10)
#define KPF_NOPAGE	(1ULL << 20)
#define KPF_OFFLINE	(1ULL << 23)

struct share {
	unsigned long free, balloon, used;
};

static struct share count(const uint64_t *flags, size_t nr)
{
	struct share s = { 0, 0, 0 };
	size_t i;

	for (i = 0; i < nr; i++) {
		if (flags[i] & KPF_NOPAGE)
			continue;
		if (flags[i] & KPF_BUDDY)
			s.free++;
		else if (flags[i] & KPF_OFFLINE)
			s.balloon++;
		else
			s.used++;
	}
	return s;
}

int main(int argc, char **argv)
{
	int fd = open("/proc/kpageflags", O_RDONLY);
	int summary = argc > 1 && !strcmp(argv[1], "-s");
	struct share s, sum = { 0, 0, 0 };
	unsigned long block, free_blocks = 0;
	uint64_t flags[BLOCK];
	ssize_t got;

	if (fd < 0) {
		perror("/proc/kpageflags");
		return 1;
	}
	for (block = 0; (got = read(fd, flags, sizeof(flags))) > 0; block++) {
		s = count(flags, got / sizeof(flags[0]));
		if (!(s.free + s.balloon + s.used))
			continue;
		if (!summary)
			printf("%lu %lu %lu %lu\n", block, s.free, s.balloon, s.used);
		free_blocks += s.free == BLOCK;
		sum.free += s.free;
		sum.balloon += s.balloon;
		sum.used += s.used;
	}
	if (got < 0) {
		perror("/proc/kpageflags");
		return 1;
	}
	printf("total %lu %lu %lu free_blocks %lu\n", sum.free, sum.balloon,
	       sum.used, free_blocks);
	return 0;
}
