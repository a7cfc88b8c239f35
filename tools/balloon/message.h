/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the user is told on standard error, and the exit code that comes of it.
 */
#ifndef BALLOONCTL_MESSAGE_H
#define BALLOONCTL_MESSAGE_H

/* In the man page, too. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NO_BALLOON = 3,
	EXIT_NO_PERMISSION = 4,
	EXIT_NOT_OFFERED = 5,
	EXIT_INTERRUPTED = 130,
};

#define __printf(format, first) \
	__attribute__((__format__(__printf__, format, first)))

/* A sentence that changes nothing about success. */
void say(const char *format, ...) __printf(1, 2);

/* A sentence about a failure.  The first one decides over the exit code. */
void failed(enum exit_code code, const char *format, ...) __printf(2, 3);

/* The same, about the error number @err of what was done to @path. */
void failed_errno(int err, const char *path);

enum exit_code exit_code(void);

#endif
