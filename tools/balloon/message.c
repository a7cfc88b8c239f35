// SPDX-License-Identifier: GPL-2.0
/*
 * Messages on standard error, and the exit code.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "message.h"

static enum exit_code first_code;

static void vsay(const char *format, va_list args)
{
	fputs("balloonctl: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsay(format, args);
	va_end(args);
}

void failed(enum exit_code code, const char *format, ...)
{
	va_list args;

	if (!first_code)
		first_code = code;
	va_start(args, format);
	vsay(format, args);
	va_end(args);
}

void failed_errno(int err, const char *path)
{
	if (err == EACCES || err == EPERM)
		failed(EXIT_NO_PERMISSION, "%s: %s: try it as root", path,
		       strerror(err));
	else
		failed(EXIT_FAILED, "%s: %s", path, strerror(err));
}

enum exit_code exit_code(void)
{
	return first_code;
}
