/* SPDX-License-Identifier: ISC */
/* Arbitrary bytes as the body of a log frame: the changes of one commit. The
 * first byte says how many there should be. */
#include "engine/log/record.h"
#include "engine/key/key.h"
#include "support/fuzz.h"
#include "util/crc32c.h"

static volatile uint32_t touched;

static int
look(void *arg, enum key_type type, struct slice user, struct slice value)
{
	struct segment_pointer p;

	(void)arg;
	if (user.len > KEY_USER_MAX)
		__builtin_trap();
	if (type == KEY_POINTER)
		(void)segment_pointer_decode(value, &p);
	/* Every byte is there: the sanitizer looks. */
	touched ^= crc32c_sum(0, user.data, user.len);
	touched ^= crc32c_sum(0, value.data, value.len);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_quiet();
	if (size > 0)
		(void)record_decode(slice_make(data + 1, size - 1), data[0],
		    look, NULL);
	return 0;
}
