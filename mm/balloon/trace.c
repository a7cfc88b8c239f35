// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints, which are in include/trace/events/balloon.h.
 */
#define CREATE_TRACE_POINTS
#include <trace/events/balloon.h>
