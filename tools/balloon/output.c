// SPDX-License-Identifier: GPL-2.0
/*
 * Documents: collected, then written.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"
#include "output.h"

bool output_begin(struct output *output)
{
	memset(output, 0, sizeof(*output));
	output->stream = open_memstream(&output->text, &output->len);
	if (!output->stream)
		failed(EXIT_FAILED, "no memory left");
	return output->stream;
}

/* Return: 0 or a negative errno. */
static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t done = write(fd, text, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		text += done;
		len -= done;
	}
	return 0;
}

/* So that the name is there, too, after a crash; not all file systems can. */
static void sync_directory(const char *path)
{
	char copy[PATH_MAX];
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

static int write_temporary(int fd, const struct output *output)
{
	mode_t mask = umask(0);
	int err;

	umask(mask);
	err = write_all(fd, output->text, output->len);
	if (!err && (fchmod(fd, 0666 & ~mask) || fsync(fd)))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	return err;
}

/* Nobody takes it for the file: it begins with a dot and ends otherwise. */
static int replace_file(const char *path, const struct output *output)
{
	char one[PATH_MAX], other[PATH_MAX], temporary[PATH_MAX];
	int fd, err;

	snprintf(one, sizeof(one), "%s", path);
	snprintf(other, sizeof(other), "%s", path);
	if (snprintf(temporary, sizeof(temporary), "%s/.%s.XXXXXX",
		     dirname(one), basename(other)) >= PATH_MAX)
		return -ENAMETOOLONG;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = write_temporary(fd, output);
	if (!err && rename(temporary, path))
		err = -errno;
	if (err)
		unlink(temporary);
	else
		sync_directory(path);
	return err;
}

/* A device or a pipe is written to, and not replaced by a file. */
static int write_special(const char *path, const struct output *output)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = write_all(fd, output->text, output->len);
	close(fd);
	return err;
}

/* A signal that came in between would leave the temporary file behind. */
static int write_file(const char *path, const struct output *output)
{
	char real[PATH_MAX];
	struct stat status;
	sigset_t all, before;
	int err;

	if (!stat(path, &status) && !S_ISREG(status.st_mode))
		return write_special(path, output);
	if (!realpath(path, real) &&
	    snprintf(real, sizeof(real), "%s", path) >= PATH_MAX)
		return -ENAMETOOLONG;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	err = replace_file(real, output);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return err;
}

bool output_end(struct output *output, const char *path)
{
	int err = 0;

	if (fclose(output->stream))
		err = -ENOMEM;
	else if (path)
		err = write_file(path, output);
	else
		fwrite(output->text, 1, output->len, stdout);
	if (err)
		failed_errno(-err, path ?: "standard output");
	free(output->text);
	return !err;
}
