// SPDX-License-Identifier: GPL-2.0
/*
 * ledger: print the guest's own list of ballooned pages, a line for each 512 pages that have any: their number, counted
 * in 512s, and their bitmap, page 0 first and in the lowest bit of each word, unless all are ballooned. Hexadecimal.
 *
 * A page in a balloon is marked offline, which /proc/kpageflags shows as KPF_OFFLINE. With "-m K", first
 * write K to an unused byte of the host bridge's PCI configuration: QEMU traces that write in order with the
 * balloon's traffic, so that the host knows which of its records came before this ledger. With "-M K", do nothing
 * else. With "-c", print only the number of pages, with "-c FIRST COUNT" of those among COUNT pages from page FIRST on.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define KPF_OFFLINE	23
#define HOST_BRIDGE	"/proc/bus/pci/00/00.0"
#define INTERRUPT_LINE	0x3c	/* the host bridge has no interrupt */
#define CHUNK		8192
#define BLOCK		512
#define WORDS		(BLOCK / 64)

static int count_only;
static unsigned long first, last = -1UL;	/* pages that are looked at */
static unsigned long total;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void mark(unsigned char number)
{
	int fd = open(HOST_BRIDGE, O_WRONLY);

	if (fd < 0 || pwrite(fd, &number, 1, INTERRUPT_LINE) != 1)
		die(HOST_BRIDGE);
	close(fd);
}

static void print_block(unsigned long number, const uint64_t *bitmap, int ballooned)
{
	printf("%lx", number);
	for (int i = 0; i < WORDS && ballooned < BLOCK; i++)
		printf(" %llx", (unsigned long long)bitmap[i]);
	printf("\n");
}

static void block(unsigned long pfn, const uint64_t *flags, ssize_t nr)
{
	uint64_t bitmap[WORDS] = { 0 };
	int ballooned = 0;

	for (ssize_t i = 0; i < nr; i++) {
		if (!(flags[i] >> KPF_OFFLINE & 1) || pfn + i < first || pfn + i > last)
			continue;
		bitmap[i / 64] |= 1ULL << i % 64;
		ballooned++;
	}
	total += ballooned;
	if (ballooned && !count_only)
		print_block(pfn / BLOCK, bitmap, ballooned);
}

static void scan(void)
{
	static uint64_t flags[CHUNK];
	unsigned long pfn = 0;
	ssize_t got;
	int fd = open("/proc/kpageflags", O_RDONLY);

	if (fd < 0)
		die("/proc/kpageflags");
	while ((got = read(fd, flags, sizeof(flags))) > 0)
		for (ssize_t i = 0; i < got / 8; i += BLOCK, pfn += BLOCK)
			block(pfn, flags + i, got / 8 - i < BLOCK ? got / 8 - i : BLOCK);
	if (got < 0)
		die("/proc/kpageflags");
	close(fd);
}

int main(int argc, char **argv)
{
	count_only = (argc == 2 || argc == 4) && !strcmp(argv[1], "-c");
	if (argc == 4) {
		first = strtoul(argv[2], NULL, 0);
		last = first + strtoul(argv[3], NULL, 0) - 1;
	}
	if (argc == 3 && !strcasecmp(argv[1], "-m")) {
		mark(atoi(argv[2]));
		if (argv[1][1] == 'M')
			return 0;
	} else if (argc != 1 && !count_only) {
		fprintf(stderr, "usage: ledger [-c [FIRST COUNT] | -m NUMBER | -M NUMBER]\n");
		return 2;
	}
	scan();
	if (count_only)
		printf("%lu\n", total);
	return 0;
}
