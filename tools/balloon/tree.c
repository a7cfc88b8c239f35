// SPDX-License-Identifier: GPL-2.0
/*
 * Text files of sysfs and proc below a root.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree.h"

/* No file of text that is read here has a hundredth of this. */
#define TEXT_MAX	(16 << 20)

static const char *root = "";

void tree_set_root(const char *directory)
{
	root = strcmp(directory, "/") ? directory : "";
}

bool tree_is_recorded(void)
{
	return *root;
}

void path_make(char path[PATH_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vsnprintf(path, PATH_MAX, format, args) >= PATH_MAX)
		*path = 0;
	va_end(args);
}

int tree_path(const char *path, char *real)
{
	path_make(real, "%s%s", root, path);
	return *path && *real ? 0 : -ENAMETOOLONG;
}

int tree_open(const char *path, int flags)
{
	char real[PATH_MAX];
	int fd, err = tree_path(path, real);

	if (err)
		return err;
	fd = open(real, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool tree_exists(const char *path)
{
	char real[PATH_MAX];

	return !tree_path(path, real) && !access(real, F_OK);
}

/* A file that claims to be empty may have something to say. */
static int read_all(int fd, char **text)
{
	size_t size = 4096, len = 0;
	char *grown, *buf = NULL;
	ssize_t got = 1;

	while (got) {
		if (!buf || len + 1 == size) {
			size *= 2;
			grown = size > TEXT_MAX ? NULL : realloc(buf, size);
			if (!grown) {
				free(buf);
				return -EFBIG;
			}
			buf = grown;
		}
		got = read(fd, buf + len, size - 1 - len);
		if (got < 0) {
			got = -errno;
			free(buf);
			return got;
		}
		len += got;
	}
	for (size_t i = 0; i < len; i++)
		if (buf[i] != '\n' && buf[i] != '\t' &&
		    (buf[i] < ' ' || buf[i] > '~'))
			buf[i] = '?';
	buf[len] = 0;
	*text = buf;
	return 0;
}

int tree_read(const char *path, char **text)
{
	int fd = tree_open(path, O_RDONLY), err;

	if (fd < 0)
		return fd;
	err = read_all(fd, text);
	close(fd);
	return err;
}

int tree_line(const char *path, char line[LINE_SIZE])
{
	char *text, *start, *end;
	int err = tree_read(path, &text);

	if (err)
		return err;
	start = text + strspn(text, " \t");
	end = strchrnul(start, '\n');
	while (end > start && isspace((unsigned char)end[-1]))
		end--;
	snprintf(line, LINE_SIZE, "%.*s", (int)(end - start), start);
	for (end = line; (end = strchr(end, '\t')); )
		*end = '?';
	free(text);
	return 0;
}

int tree_link(const char *path, char name[LINE_SIZE])
{
	char real[PATH_MAX], target[PATH_MAX];
	const char *last;
	ssize_t len;
	int err = tree_path(path, real);

	if (err)
		return err;
	len = readlink(real, target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = 0;
	last = strrchr(target, '/');
	snprintf(name, LINE_SIZE, "%.*s", LINE_SIZE - 1,
		 last ? last + 1 : target);
	return 0;
}

int tree_key(const char *path, const char *key, uint64_t *number)
{
	size_t len = strlen(key);
	char *text, *line, *rest;
	int err = tree_read(path, &text);

	if (err)
		return err;
	err = -ENOENT;
	rest = text;
	while (err == -ENOENT && (line = strsep(&rest, "\n"))) {
		if (strncmp(line, key, len) || !strchr(": \t", line[len]) ||
		    !line[len])
			continue;
		line += len + strspn(line + len, ": \t");
		line[strcspn(line, " \t")] = 0;
		err = parse_number(line, number);
	}
	free(text);
	return err;
}

static int compare_names(const void *one, const void *other)
{
	return strverscmp(one, other);
}

int tree_names(const char *path, const char *prefix, struct names *names)
{
	char real[PATH_MAX];
	struct dirent *entry;
	void *grown;
	DIR *dir;
	int err = tree_path(path, real);

	memset(names, 0, sizeof(*names));
	if (err)
		return err;
	dir = opendir(real);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' ||
		    strncmp(entry->d_name, prefix, strlen(prefix)))
			continue;
		grown = realloc(names->name,
				(names->nr + 1) * sizeof(*names->name));
		if (!grown)
			break;
		names->name = grown;
		memcpy(names->name[names->nr++], entry->d_name,
		       strlen(entry->d_name) + 1);
	}
	closedir(dir);
	if (names->nr)
		qsort(names->name, names->nr, sizeof(*names->name),
		      compare_names);
	return 0;
}

int parse_number(const char *text, uint64_t *number)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*number = strtoull(text, &end, 10);
	if (errno)
		return -ERANGE;
	return *end ? -EINVAL : 0;
}

unsigned long tree_page_size(void)
{
	static unsigned long size;
	uint64_t kib;

	if (size)
		return size;
	size = sysconf(_SC_PAGESIZE);
	if (tree_is_recorded() &&
	    !tree_key("/proc/self/smaps", "KernelPageSize", &kib) &&
	    kib >= 4 && kib <= 1024 && !(kib & (kib - 1)))
		size = kib << 10;
	return size;
}

uint64_t tree_uptime(void)
{
	char line[LINE_SIZE];
	uint64_t seconds;

	if (tree_line("/proc/uptime", line))
		return 0;
	line[strcspn(line, ".")] = 0;
	return parse_number(line, &seconds) ? 0 : seconds;
}
