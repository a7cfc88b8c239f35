// SPDX-License-Identifier: GPL-2.0
/*
 * compact: have a balloon move together, and say what that gives.
 *
 * The write to sysfs lasts as long as the run does, and a signal ends it.  So a
 * child writes, and is told when the user has enough.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "balloon.h"
#include "blocks.h"
#include "command.h"
#include "format.h"
#include "message.h"

#define LOOK_NS		200000000L

/* What can be seen of a run before and after. */
struct figures {
	int no_exchanged, no_free;	/* errors of reading the next ones */
	uint64_t exchanged;
	uint64_t free;
};

static int read_number(const struct balloon *balloon, const char *file,
		       uint64_t *number)
{
	char path[PATH_MAX], line[LINE_SIZE];
	int err;

	path_make(path, "%s/%s", balloon->path, file);
	err = tree_line(path, line);
	return err ?: parse_number(line, number);
}

static void read_figures(const struct balloon *balloon, struct figures *figures)
{
	figures->no_exchanged = read_number(balloon, "stats/exchanged",
					    &figures->exchanged);
	figures->no_free = free_blocks(&figures->free);
}

static const char *compact_path(const struct balloon *balloon)
{
	static char path[PATH_MAX];

	path_make(path, "%s/compact", balloon->path);
	return path;
}

static bool can_compact(const struct balloon *balloon)
{
	if (balloon->kind == KIND_STOCK)
		failed(EXIT_NOT_OFFERED, "%s: the kernel's own driver cannot compact itself; /proc/sys/vm/compact_memory moves its pages, too",
		       balloon->name);
	else if (!tree_exists(compact_path(balloon)))
		failed(EXIT_NOT_OFFERED, "%s: this kernel has no compaction of balloons",
		       balloon->name);
	else
		return true;
	return false;
}

/* The signals that end a run, and that of the child. */
static void watched_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGCHLD);
}

/* The exit code of the child is an errno. */
static void child_write(const struct balloon *balloon, pid_t parent)
{
	sigset_t set;
	int fd;

	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	watched_signals(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	if (getppid() != parent)
		_exit(EINTR);
	fd = tree_open(compact_path(balloon), O_WRONLY);
	if (fd < 0)
		_exit(-fd);
	_exit(write(fd, "1\n", 2) < 0 ? errno : 0);
}

static void show_progress(const struct balloon *balloon,
			  const struct figures *before)
{
	struct figures now;

	if (!isatty(STDOUT_FILENO))
		return;
	read_figures(balloon, &now);
	if (now.no_exchanged || before->no_exchanged)
		return;
	printf("\r\033[K%s: %" PRIu64 " pages exchanged", balloon->name,
	       now.exchanged - before->exchanged);
	if (!now.no_free)
		printf(", %" PRIu64 " free blocks", now.free);
	fflush(stdout);
}

static void end_progress(void)
{
	if (isatty(STDOUT_FILENO))
		printf("\r\033[K");
}

/* The child may have died of a signal that is still to come here. */
static bool is_pending(const sigset_t *set)
{
	const struct timespec now = { 0 };
	bool interrupted = false;
	int signal;

	while ((signal = sigtimedwait(set, NULL, &now)) > 0)
		interrupted |= signal != SIGCHLD;
	return interrupted;
}

/* Return: 0, the errno of the write, or EINTR. */
static int wait_for(const struct balloon *balloon, pid_t child,
		    const struct figures *before)
{
	const struct timespec look = { .tv_nsec = LOOK_NS };
	bool interrupted = false;
	sigset_t set;
	int status, signal;

	watched_signals(&set);
	while (!waitpid(child, &status, WNOHANG)) {
		signal = sigtimedwait(&set, NULL, &look);
		if (signal > 0 && signal != SIGCHLD) {
			interrupted = true;
			kill(child, SIGTERM);
		}
		show_progress(balloon, before);
	}
	end_progress();
	if (is_pending(&set) || interrupted || WIFSIGNALED(status))
		return EINTR;
	return WEXITSTATUS(status);
}

static int run_and_wait(const struct balloon *balloon,
			const struct figures *before)
{
	pid_t parent = getpid(), child;
	sigset_t set, old;
	int err;

	watched_signals(&set);
	sigprocmask(SIG_BLOCK, &set, &old);
	fflush(stdout);
	child = fork();
	if (!child)
		child_write(balloon, parent);
	err = child < 0 ? errno : wait_for(balloon, child, before);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return err;
}

static const struct {
	const char *word;
	const char *sentence;
} ends[] = {
	{ "done", "everything that can be gathered is" },
	{ "gave-way", "it gave way to something else that needs the balloon or memory" },
	{ "memory", "it ended because the guest has no more memory above the floor" },
	{ "signal", "a signal ended it" },
	{ "host", "it ended because the host failed or did not answer" },
	{ "busy", "it ended because the host was busy for long, or the balloon leaves" },
};

static bool read_word(const struct balloon *balloon, const char *file,
		      char word[LINE_SIZE])
{
	char path[PATH_MAX];

	path_make(path, "%s/last_compact/%s", balloon->path, file);
	return !tree_line(path, word);
}

static void print_end(const struct balloon *balloon)
{
	char word[LINE_SIZE];

	if (!read_word(balloon, "ended_by", word))
		return;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (!strcmp(word, ends[i].word)) {
			printf("; %s", ends[i].sentence);
			return;
		}
	printf("; ended by: %s", word);
}

static void print_given(const struct balloon *balloon,
			const struct figures *before)
{
	char cause[LINE_SIZE];
	struct figures after;
	bool told;
	uint64_t won;

	/* Another run, in the background, may have ended since. */
	told = read_word(balloon, "cause", cause) && !strcmp(cause, "asked");
	read_figures(balloon, &after);
	printf("%s: ", balloon->name);
	if (before->no_exchanged || after.no_exchanged)
		printf("what was exchanged is not known");
	else
		printf("%" PRIu64 " pages exchanged",
		       after.exchanged - before->exchanged);
	if (told && !read_number(balloon, "last_compact/blocks_won", &won))
		printf(", %" PRIu64 " blocks of 2 MiB won", won);
	if (!before->no_free && !after.no_free)
		printf(", %" PRIu64 " free blocks before, %" PRIu64 " now",
		       before->free, after.free);
	if (told)
		print_end(balloon);
	putchar('\n');
}

static void explain(const struct balloon *balloon, int err)
{
	switch (err) {
	case EINTR:
		failed(EXIT_INTERRUPTED, "%s: interrupted; what was done until then stays",
		       balloon->name);
		break;
	case EBUSY:
		failed(EXIT_FAILED, "%s is being compacted already, or the host is busy: try again later",
		       balloon->name);
		break;
	case ENOMEM:
		failed(EXIT_FAILED, "%s: the guest has no memory to spare above the floor: lower floor_pages, or free some",
		       balloon->name);
		break;
	case EIO:
		failed(EXIT_FAILED, "%s: the host has failed or does not answer: see 'balloonctl show'",
		       balloon->name);
		break;
	case ENOENT:
	case ENODEV:
		failed(EXIT_NO_BALLOON, "%s has gone", balloon->name);
		break;
	default:
		failed_errno(err, compact_path(balloon));
	}
}

static void compact(const struct balloon *balloon)
{
	struct figures before;
	int err;

	read_figures(balloon, &before);
	err = run_and_wait(balloon, &before);
	if (!err || err == EINTR || err == ENOMEM)
		print_given(balloon, &before);
	fflush(stdout);
	if (err)
		explain(balloon, err);
}

static void print_blocks(const char *name, const char *why, uint64_t nr)
{
	char size[VALUE_SHOWN_MAX];

	show_size(nr * BLOCK_SIZE, size);
	printf("%s: compact would give at most %" PRIu64 " blocks of 2 MiB (%s), by %s\n",
	       name, nr, size, why);
}

/* Whose a page is cannot be seen, so of two balloons it is the sum. */
static void predict_by_pages(const struct balloon *balloon)
{
	struct zones zones;

	if (zones_read(&zones))
		print_blocks(balloon->alone ? balloon->name : "all balloons",
			     "the pages of the guest", zones_most_won(&zones));
	zones_free(&zones);
}

/*
 * The kernel's own count is of those blocks that cost least.  Blocks that the
 * balloon has alone can be won, too, if there are holes enough, which only a
 * look at all pages tells.
 */
static void predict(const struct balloon *balloon)
{
	uint64_t whole, with_free, with_others;
	bool known = !read_number(balloon, "blocks/whole", &whole) &&
		     !read_number(balloon, "blocks/shared_with_free",
				  &with_free) &&
		     !read_number(balloon, "blocks/shared_with_others",
				  &with_others);

	if (known)
		printf("%s: has %" PRIu64 " blocks alone, shares %" PRIu64 " with free memory only, %" PRIu64 " with others\n",
		       balloon->name, whole, with_free, with_others);
	if (!zones_readable() || !known)
		predict_by_pages(balloon);
	else
		print_blocks(balloon->name, "the kernel's count; root sees more",
			     with_free);
}

static void run_compact(const struct options *options)
{
	struct balloons balloons;

	if (balloons_find_named(&balloons, options->names, options->nr_names))
		for (unsigned int i = 0; i < balloons.nr; i++) {
			const struct balloon *balloon = &balloons.balloon[i];

			if (!can_compact(balloon))
				continue;
			if (options->dry_run)
				predict(balloon);
			else
				compact(balloon);
			if (exit_code() == EXIT_INTERRUPTED)
				break;
		}
	free(balloons.balloon);
}

const struct command compact_command = {
	.name = "compact",
	.options = "d",
	.arguments = "[BALLOON...]",
	.summary = "Have a balloon gather its pages, so that others get whole blocks.",
	.details = "It lasts until that is done or ^C ends it; what was done until then stays.\n"
		   "If there is more than one balloon, name which.\n",
	.run = run_compact,
};
