/* SPDX-License-Identifier: ISC */
/* The table of FUSE's requests. */
#include <check.h>
#include <linux/fuse.h>

#include "fuse/serve/opcode.h"
#include "support/suite.h"

START_TEST(each_request_is_expected_and_counted_as_what_it_is)
{
	ck_assert_int_eq(opcode_get(FUSE_GETATTR)->kind, REQUEST_BRIEF);
	ck_assert_int_eq(opcode_get(FUSE_READ)->kind, REQUEST_USUAL);
	ck_assert_int_eq(opcode_get(OPCODE_TMPFILE)->kind, REQUEST_COMMIT);
	ck_assert_int_eq(opcode_get(FUSE_FSYNCDIR)->kind, REQUEST_SYNC);
	ck_assert_int_eq(opcode_get(FUSE_FALLOCATE)->kind, REQUEST_SLOW);
	ck_assert_int_eq(opcode_get(FUSE_LINK)->op, OP_CREATE);
	ck_assert_int_eq(opcode_get(FUSE_RENAME2)->op, OP_RENAME);
	ck_assert(opcode_get(FUSE_BATCH_FORGET)->is_unanswered);
	ck_assert(!opcode_get(FUSE_FLUSH)->is_unanswered);
}
END_TEST

START_TEST(what_is_not_known_is_of_the_usual_kind)
{
	static const uint32_t numbers[] = { 0, 7, FUSE_POLL, OPCODE_STATX, 60,
		CUSE_INIT, UINT32_MAX };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const struct opcode *o = opcode_get(numbers[i]);

		ck_assert_int_eq(o->kind, REQUEST_USUAL);
		ck_assert_int_eq(o->op, OP_OTHER);
		ck_assert(!o->is_unanswered);
	}
}
END_TEST

START_TEST(each_operation_has_a_name_of_its_own)
{
	for (unsigned i = 0; i < REQUEST_OPS; i++)
		for (unsigned j = 0; j < i; j++)
			ck_assert_str_ne(request_op_name(i),
			    request_op_name(j));
	ck_assert_str_eq(request_op_name(opcode_get(FUSE_UNLINK)->op),
	    "remove");
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("opcode");

	tcase_add_test(tc, each_request_is_expected_and_counted_as_what_it_is);
	tcase_add_test(tc, what_is_not_known_is_of_the_usual_kind);
	tcase_add_test(tc, each_operation_has_a_name_of_its_own);
	return run_case("opcode", tc);
}
