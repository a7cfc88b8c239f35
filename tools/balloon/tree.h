/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text files of sysfs and proc, of this machine or of a recorded tree.
 *
 * Paths begin with a slash and are those of the machine; --sysroot is put in
 * front of them here and nowhere else.  Functions return 0 or a negative errno.
 */
#ifndef BALLOONCTL_TREE_H
#define BALLOONCTL_TREE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_SIZE	256

void tree_set_root(const char *directory);
bool tree_is_recorded(void);

/* A path that is too long becomes "", which does not exist. */
void path_make(char path[PATH_MAX], const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

/* @real has room for PATH_MAX. */
int tree_path(const char *path, char *real);

/* Return: a file descriptor, or a negative errno. */
int tree_open(const char *path, int flags);
bool tree_exists(const char *path);

/*
 * All of a text file, which the caller frees.  What is no printable ASCII
 * becomes '?', so that it can be printed as it is.
 */
int tree_read(const char *path, char **text);

/* The first line, without spaces around it, nor tabs in it. */
int tree_line(const char *path, char line[LINE_SIZE]);

/* The last part of where the symbolic link @path leads. */
int tree_link(const char *path, char name[LINE_SIZE]);

/* The number behind @key in a file of lines "KEY[:] NUMBER ...", -ENOENT if none. */
int tree_key(const char *path, const char *key, uint64_t *number);

/* Names in a directory that begin with @prefix, sorted, numbers by value. */
struct names {
	unsigned int nr;
	char (*name)[NAME_MAX + 1];
};

int tree_names(const char *path, const char *prefix, struct names *names);

/* Return: -EINVAL for what is no decimal number, -ERANGE above 64 bits. */
int parse_number(const char *text, uint64_t *number);

/* Of the machine that the tree is of. */
unsigned long tree_page_size(void);

/* Seconds since boot, sleep included; 0 if it is not known. */
uint64_t tree_uptime(void);

#endif
