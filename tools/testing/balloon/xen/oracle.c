// SPDX-License-Identifier: GPL-2.0
/*
 * oracle: ask the hypervisor, not the guest, about a domain's memory.  Runs in dom0.
 *
 *	oracle DOMID pages		how many frames the domain has, in all
 *	oracle DOMID max KIB		let it have no more than so much
 *	oracle DOMID holes NR [START]	which of its first NR page frames have no frame of
 *					the machine behind them, in the hypervisor's own
 *					table; without those in the file START, which is an
 *					earlier output
 *
 * Holes are printed as guest/ledger.c prints ballooned pages: a line for each 512 page
 * frames that have any, their number, counted in 512s, and their bitmap, unless all are.
 * For domains whose page tables Xen looks after (PVH, HVM).  Not while a domain is
 * populated on demand: asking populates.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenctrl.h>

/* Of the library, though in no header that is installed. */
int xc_get_pfn_type_batch(xc_interface *xch, uint32_t dom, unsigned int num, xen_pfn_t *types);

#define CHUNK	1024
#define BLOCK	512
#define WORDS	(BLOCK / 64)

static xc_interface *xch;
static uint32_t domid;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void print_pages(void)
{
	xc_domaininfo_t info;

	if (xc_domain_getinfolist(xch, domid, 1, &info) != 1 || info.domain != domid)
		die("no such domain");
	printf("%" PRIu64 "\n", (uint64_t)info.tot_pages);
}

static int is_hole(xen_pfn_t type)
{
	return (type & XEN_DOMCTL_PFINFO_LTAB_MASK) == XEN_DOMCTL_PFINFO_XTAB;
}

static void find_holes(unsigned long nr, uint64_t *holes)
{
	static xen_pfn_t types[CHUNK];
	unsigned long first, i, n;

	for (first = 0; first < nr; first += n) {
		n = nr - first < CHUNK ? nr - first : CHUNK;
		for (i = 0; i < n; i++)
			types[i] = first + i;
		if (xc_get_pfn_type_batch(xch, domid, n, types))
			die("types of page frames");
		for (i = 0; i < n; i++)
			if (is_hole(types[i]))
				holes[(first + i) / 64] |= 1ULL << (first + i) % 64;
	}
}

/* A line of an earlier output. */
static void take_out(char *line, uint64_t *holes, unsigned long nr_blocks)
{
	char *end;
	unsigned long block = strtoul(line, &end, 16);
	uint64_t *words = holes + block * WORDS;
	int i;

	if (end == line || block >= nr_blocks)
		return;
	for (i = 0; i < WORDS; i++)
		words[i] &= *end == ' ' ? ~strtoull(end, &end, 16) : 0;
}

static void read_start(const char *path, uint64_t *holes, unsigned long nr_blocks)
{
	FILE *file = fopen(path, "r");
	char line[256];

	if (!file)
		die(path);
	while (fgets(line, sizeof(line), file))
		take_out(line, holes, nr_blocks);
	fclose(file);
}

static void print_block(unsigned long number, const uint64_t *words)
{
	int i, full = 1, any = 0;

	for (i = 0; i < WORDS; i++) {
		full &= words[i] == UINT64_MAX;
		any |= words[i] != 0;
	}
	if (!any)
		return;
	printf("%lx", number);
	for (i = 0; i < WORDS && !full; i++)
		printf(" %" PRIx64, words[i]);
	printf("\n");
}

static void print_holes(unsigned long nr, const char *start)
{
	unsigned long nr_blocks = (nr + BLOCK - 1) / BLOCK, i;
	uint64_t *holes = calloc(nr_blocks * WORDS, sizeof(*holes));

	if (!holes)
		die("memory");
	find_holes(nr, holes);
	if (start)
		read_start(start, holes, nr_blocks);
	for (i = 0; i < nr_blocks; i++)
		print_block(i, holes + i * WORDS);
	free(holes);
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: oracle DOMID {pages | max KIB | holes NR [START]}\n");
		return 2;
	}
	domid = strtoul(argv[1], NULL, 0);
	xch = xc_interface_open(NULL, NULL, 0);
	if (!xch)
		die("the hypervisor");
	if (!strcmp(argv[2], "pages"))
		print_pages();
	else if (argc > 3 && !strcmp(argv[2], "max"))
		return xc_domain_setmaxmem(xch, domid, strtoull(argv[3], NULL, 0)) ? 1 : 0;
	else if (argc > 3 && !strcmp(argv[2], "holes"))
		print_holes(strtoul(argv[3], NULL, 0), argc > 4 ? argv[4] : NULL);
	else
		return 2;
	xc_interface_close(xch);
	return 0;
}
