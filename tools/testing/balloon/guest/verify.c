// SPDX-License-Identifier: GPL-2.0
/*
 * verify MiB [seed] - is this process's memory what it wrote?
 *
 * Fills anonymous 4 KiB pages with a pattern made of the page's number, the
 * seed and a generation, then checks and rewrites page after page, with the
 * next generation, until SIGTERM.  A host that discards or restores a page
 * in use shows up as zeroes or as an older generation, and stays so until the
 * page is checked, so there is time to rest and leave the processor to what is
 * tested.  Exits 0 only without a single error.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL
#define WORDS (PAGE / sizeof(uint64_t))
#define REST_PAGES 256
#define REST_US 2000

static volatile sig_atomic_t stopping;
static uint64_t seed = 1;

static void on_term(int sig)
{
	(void)sig;
	stopping = 1;
}

/* Never zero, and different in each word, page and generation. */
static uint64_t pattern(uint64_t page, uint64_t word, uint64_t generation)
{
	uint64_t x = (page * WORDS + word) ^ (seed << 56) ^ (generation << 40);

	return (x + 1) * 0x9e3779b97f4a7c15ULL;
}

static void fill_page(uint64_t *mem, uint64_t page, uint64_t generation)
{
	uint64_t word;

	for (word = 0; word < WORDS; word++)
		mem[page * WORDS + word] = pattern(page, word, generation);
}

/* Reports the first wrong word only: one damaged page is one error. */
static int check_page(const uint64_t *mem, uint64_t page, uint64_t generation)
{
	const uint64_t *p = mem + page * WORDS;
	uint64_t word;

	for (word = 0; word < WORDS; word++) {
		if (p[word] == pattern(page, word, generation))
			continue;
		printf("verify: %p (page %llu, generation %llu): expected %016llx, found %016llx\n",
		       (const void *)(p + word), (unsigned long long)page,
		       (unsigned long long)generation,
		       (unsigned long long)pattern(page, word, generation),
		       (unsigned long long)p[word]);
		fflush(stdout);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t nr_pages = argc > 1 ? strtoull(argv[1], NULL, 0) * 256 : 0;
	struct sigaction action = { .sa_handler = on_term };
	unsigned long passes = 0, errors = 0;
	uint64_t page, *mem;

	if (!nr_pages) {
		fprintf(stderr, "usage: verify MiB [seed]\n");
		return 2;
	}
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 0);
	sigaction(SIGTERM, &action, NULL);

	mem = mmap(NULL, nr_pages * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED) {
		perror("verify");
		return 1;
	}
	/* Kernels without huge pages do not know it. */
	(void)!madvise(mem, nr_pages * PAGE, MADV_NOHUGEPAGE);
	for (page = 0; page < nr_pages; page++)
		fill_page(mem, page, 0);
	printf("verify: ready\n");
	fflush(stdout);

	/* A pass is never cut short, so each page's generation is known. */
	while (!stopping) {
		for (page = 0; page < nr_pages; page++) {
			errors += check_page(mem, page, passes);
			fill_page(mem, page, passes + 1);
			if (page % REST_PAGES == 0 && !stopping)
				usleep(REST_US);
		}
		passes++;
	}
	for (page = 0; page < nr_pages; page++)
		errors += check_page(mem, page, passes);
	passes++;

	printf("verify: %lu passes, %lu errors\n", passes, errors);
	return errors != 0;
}
