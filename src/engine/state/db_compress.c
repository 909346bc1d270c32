/* SPDX-License-Identifier: ISC */
/*
 * Compression of values and of log bodies, where it has paid recently. Tables
 * decide by themselves (table_builder.c), since a block holds keys of many
 * groups.
 *
 * Measured with 6,000 values of 64 KiB that do not compress, 16 in a group,
 * medians of five rounds of user time: 258 ms if each is tried, 62 ms with the
 * backoff, 38 ms without compression. With one value in each group: 100 ms.
 * Values that compress, and files of which every second MiB compresses, take as
 * many bytes as without the backoff.
 */
#include "engine/state/db_compress.h"

#include "engine/state/db_state.h"
#include "kvfs/slice.h"
#include "util/compress.h"
#include "util/stats.h"

/* Whether to try to compress raw, a value or body of the group of user. */
static bool
may_try(struct db *db, struct slice user, struct slice raw)
{
	if (!db->opts.compress || raw.len < COMPRESS_MIN_BYTES)
		return false;
	if (user.len == 0 || backoff_may_try(&db->commits.backoff, user))
		return true;
	counter_add(&db->stats.compress_skips, 1);
	return false;
}

static void
note_result(struct db *db, struct slice user, size_t raw_len, size_t stored_len)
{
	if (user.len != 0)
		backoff_learn(&db->commits.backoff, user, stored_len < raw_len);
	counter_add(&db->stats.compress_tries, 1);
	counter_add(&db->stats.compress_saved_bytes, raw_len - stored_len);
}

int
db_value_encode(struct db *db, struct segment_value *v, struct slice user,
    struct slice raw)
{
	bool tries = may_try(db, user, raw);
	int rc = segment_value_encode(v, user, raw, tries);

	if (rc == 0 && tries)
		note_result(db, user, raw.len, v->stored.len);
	return rc;
}

int
db_body_encode(struct db *db, struct wal_body *body, struct slice payload,
    struct slice user)
{
	bool tries = may_try(db, user, payload);
	int rc = wal_body_encode(body, payload, tries);

	if (rc == 0 && tries)
		note_result(db, user, payload.len, body->stored.len);
	return rc;
}
