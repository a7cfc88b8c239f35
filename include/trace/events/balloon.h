/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a balloon does.  "id" is the number of the device in /sys/class/balloon.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM balloon

#if !defined(_TRACE_BALLOON_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_BALLOON_H

#include <linux/tracepoint.h>

DECLARE_EVENT_CLASS(balloon_range,

	TP_PROTO(int id, unsigned long pfn, unsigned int nr),

	TP_ARGS(id, pfn, nr),

	TP_STRUCT__entry(
		__field(int, id)
		__field(unsigned long, pfn)
		__field(unsigned int, nr)
	),

	TP_fast_assign(
		__entry->id = id;
		__entry->pfn = pfn;
		__entry->nr = nr;
	),

	TP_printk("id=%d pfn=0x%lx nr=%u", __entry->id, __entry->pfn,
		  __entry->nr)
);

/* The hypervisor has these pages now, by inflation, migration or exchange. */
DEFINE_EVENT(balloon_range, balloon_inflate,
	TP_PROTO(int id, unsigned long pfn, unsigned int nr),
	TP_ARGS(id, pfn, nr)
);

/* The guest has these pages again. */
DEFINE_EVENT(balloon_range, balloon_deflate,
	TP_PROTO(int id, unsigned long pfn, unsigned int nr),
	TP_ARGS(id, pfn, nr)
);

/* A page is to take the place of another one, on behalf of compaction. */
TRACE_EVENT(balloon_migrate,

	TP_PROTO(int id, unsigned long from, unsigned long to),

	TP_ARGS(id, from, to),

	TP_STRUCT__entry(
		__field(int, id)
		__field(unsigned long, from)
		__field(unsigned long, to)
	),

	TP_fast_assign(
		__entry->id = id;
		__entry->from = from;
		__entry->to = to;
	),

	TP_printk("id=%d from=0x%lx to=0x%lx", __entry->id, __entry->from,
		  __entry->to)
);

#define show_balloon_purpose(purpose)		\
	__print_symbolic(purpose,		\
			 { 0, "migration" },	\
			 { 1, "target" },	\
			 { 2, "oom" },		\
			 { 3, "exchange" })

/* The hypervisor is asked. */
TRACE_EVENT(balloon_batch_submit,

	TP_PROTO(int id, int purpose, unsigned int inflate, unsigned int deflate),

	TP_ARGS(id, purpose, inflate, deflate),

	TP_STRUCT__entry(
		__field(int, id)
		__field(int, purpose)
		__field(unsigned int, inflate)
		__field(unsigned int, deflate)
	),

	TP_fast_assign(
		__entry->id = id;
		__entry->purpose = purpose;
		__entry->inflate = inflate;
		__entry->deflate = deflate;
	),

	TP_printk("id=%d for=%s inflate=%u deflate=%u", __entry->id,
		  show_balloon_purpose(__entry->purpose), __entry->inflate,
		  __entry->deflate)
);

/* It has answered, after so many nanoseconds. */
TRACE_EVENT(balloon_batch_complete,

	TP_PROTO(int id, int purpose, int error, u64 ns),

	TP_ARGS(id, purpose, error, ns),

	TP_STRUCT__entry(
		__field(int, id)
		__field(int, purpose)
		__field(int, error)
		__field(u64, ns)
	),

	TP_fast_assign(
		__entry->id = id;
		__entry->purpose = purpose;
		__entry->error = error;
		__entry->ns = ns;
	),

	TP_printk("id=%d for=%s error=%d ns=%llu", __entry->id,
		  show_balloon_purpose(__entry->purpose), __entry->error,
		  (unsigned long long)__entry->ns)
);

TRACE_EVENT(balloon_state,

	TP_PROTO(int id, int state),

	TP_ARGS(id, state),

	TP_STRUCT__entry(
		__field(int, id)
		__field(int, state)
	),

	TP_fast_assign(
		__entry->id = id;
		__entry->state = state;
	),

	TP_printk("id=%d state=%s", __entry->id,
		  __print_symbolic(__entry->state,
				   { 0, "running" },
				   { 1, "stalled" },
				   { 2, "broken" },
				   { 3, "emptying" },
				   { 4, "stopped" }))
);

/* A run of compaction by the balloon itself has ended. */
TRACE_EVENT(balloon_compact,

	TP_PROTO(int id, bool asked, int err, unsigned long exchanged,
		 unsigned long blocks_won),

	TP_ARGS(id, asked, err, exchanged, blocks_won),

	TP_STRUCT__entry(
		__field(int, id)
		__field(bool, asked)
		__field(int, err)
		__field(unsigned long, exchanged)
		__field(unsigned long, blocks_won)
	),

	TP_fast_assign(
		__entry->id = id;
		__entry->asked = asked;
		__entry->err = err;
		__entry->exchanged = exchanged;
		__entry->blocks_won = blocks_won;
	),

	TP_printk("id=%d asked=%d err=%d exchanged=%lu blocks_won=%lu",
		  __entry->id, __entry->asked, __entry->err,
		  __entry->exchanged, __entry->blocks_won)
);

/* The guest has run out of memory, and has so many pages back. */
TRACE_EVENT(balloon_oom,

	TP_PROTO(int id, unsigned long nr),

	TP_ARGS(id, nr),

	TP_STRUCT__entry(
		__field(int, id)
		__field(unsigned long, nr)
	),

	TP_fast_assign(
		__entry->id = id;
		__entry->nr = nr;
	),

	TP_printk("id=%d nr=%lu", __entry->id, __entry->nr)
);

#endif /* _TRACE_BALLOON_H */

#include <trace/define_trace.h>
