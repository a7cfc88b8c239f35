// SPDX-License-Identifier: GPL-2.0
/*
 * The virtio balloon below libFuzzer: its inputs are programs, see
 * kunit/virtio_events.h.  A program that fails a check ends like one that a
 * sanitizer stops, so that it is kept.
 *
 *	build/uspace/fuzz_virtio FILE		runs the program in FILE again
 */
#include <kunit/test.h>

#include "../kunit/virtio_events.h"

static const u8 *input;
static size_t input_len;

static void run_input(struct kunit *test)
{
	virt_run(test, input, input_len);
}

static void forget_input(struct kunit *test)
{
	KUNIT_EXPECT_TRUE_MSG(test, !fake.violation, "%s", fake.violation);
	virt_exit();
	KUNIT_EXPECT_EQ(test, test_objects, 0);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const struct kunit_suite suite = { .init = virt_test_init, .exit = forget_input };
	static const struct kunit_case kase = KUNIT_CASE(run_input);
	struct kunit test = { .name = "fuzz_virtio", .suite = &suite, .kase = &kase };

	if (!arena && fake_mm_suite_init(NULL))
		abort();
	input = data;
	input_len = size;
	if (__kunit_run_case(&test) != KUNIT_SUCCESS) {
		fflush(stdout);
		abort();
	}
	return 0;
}
