/* SPDX-License-Identifier: ISC */
/*
 * Commits. Before the lock: the batch is encoded once; values are compressed,
 * their checksums computed, and, if they are many and large, they are written
 * to a segment; the changes are ordered. Under the lock: the commit gets a
 * sequence number, the log and the memtable get its changes, and the number is
 * published. After the lock: the thread waits for durability, if the sync mode
 * says so and the caller does not wait itself.
 */
#include "engine/store/commit.h"

#include <errno.h>

#include "engine/key/change.h"
#include "engine/log/record.h"
#include "engine/log/wal_format.h"
#include "engine/log/wal_writer.h"
#include "engine/memtable/memtable.h"
#include "engine/segment/segment.h"
#include "engine/state/db_compress.h"
#include "engine/state/db_state.h"
#include "engine/state/durability.h"
#include "engine/state/fault.h"
#include "engine/state/log_make.h"
#include "engine/state/segment_set.h"
#include "engine/state/write_delay.h"
#include "engine/store/commit_ctx.h"
#include "engine/work/memtables.h"
#include "engine/work/reserve.h"
#include "engine/work/slack.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/stats.h"

/* A batch with so many bytes of large values writes them to a segment, and only
 * pointers to the log, even if each commit is synced, which then syncs two
 * files. */
#define SEGMENT_DIRECT_MIN (64u << 10)

static bool
op_is_large(const struct kv_op *op)
{
	return op->type == KV_OP_PUT && op->value.len >= SEGMENT_VALUE_MIN;
}

/*
 * Whether the large values of a batch are written to a segment at once, so that
 * they are compressed and written once (4 KiB values: 38,000/s, through the log
 * 19,000/s). If each commit would then have to sync a second file, only batches
 * with many bytes of them do that. Others go through the log, and the flush
 * moves them to a segment.
 */
static bool
writes_segment(struct db *db, const struct kv_batch *batch)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < batch->count; i++)
		if (op_is_large(&batch->ops[i]))
			bytes += batch->ops[i].value.len;
	return bytes != 0 &&
	    (bytes >= SEGMENT_DIRECT_MIN || !db_is_synced_often(db));
}

/* Write the first n values of the context to a segment, and their pointers to
 * the record. */
static int
write_piece(struct db *db, struct commit_ctx *ctx, size_t n)
{
	struct segment_pointer pointers[COMMIT_PIECE_VALUES];
	struct segment_ref *s;
	int rc;

	if (n == 0)
		return 0;
	rc = db_segment_append(db, ctx->values, n, pointers, &s);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		record_set_pointer(&ctx->payload, ctx->piece[i], &pointers[i]);
		ctx->segment_bytes += pointers[i].frame_len;
	}
	return commit_ctx_hold(db, ctx, s);
}

/* Write the values for which the record has room for pointers. */
static int
write_large_values(struct db *db, const struct kv_batch *batch,
    struct commit_ctx *ctx)
{
	uint64_t bytes = 0;
	size_t n = 0;
	int rc = commit_ctx_values(ctx);

	for (size_t i = 0; i < batch->count && rc == 0; i++) {
		const struct key_change *change = &ctx->changes[i];
		struct slice raw = batch->ops[i].value;

		if (change->type != KEY_POINTER)
			continue;
		if (n == COMMIT_PIECE_VALUES || bytes >= COMMIT_PIECE_BYTES) {
			rc = write_piece(db, ctx, n);
			bytes = n = 0;
			if (rc < 0)
				break;
		}
		ctx->piece[n] = change;
		rc = db_value_encode(db, &ctx->values[n], change->user, raw);
		bytes += raw.len;
		n++;
	}
	return rc == 0 ? write_piece(db, ctx, n) : rc;
}

/* Make room for body in the memtable and in the log. */
static int
make_room(struct db *db, const struct wal_body *body) REQUIRES(&db->commits.mu)
{
	int rc = db_memtable_make_room(db);

	if (rc == 0 && !wal_writer_has_room(db->logs.current->writer, body))
		rc = db_log_switch(db, wal_size_for(body));
	return rc;
}

/* Encode the payload as a log body. If one value is most of it, the group of
 * that value tells whether compression may pay. */
static int
encode_body(struct db *db, struct commit_ctx *ctx, size_t count)
{
	struct slice user = { 0 };

	for (size_t i = 0; i < count; i++) {
		const struct key_change *change = &ctx->changes[i];

		if (change->value.len < SEGMENT_VALUE_MIN ||
		    change->value.len < ctx->payload.len / 2)
			continue;
		user = change->user;
		break;
	}
	return db_body_encode(db, &ctx->body, buf_slice(&ctx->payload), user);
}

/* Encode the batch as a log body, and as changes for the memtable. */
static int
encode_batch(struct db *db, const struct kv_batch *batch,
    struct commit_ctx *ctx)
{
	bool has_pointers = writes_segment(db, batch);
	int rc = commit_ctx_changes(ctx, batch->count);

	if (rc < 0)
		return rc;
	record_encode(batch, has_pointers, &ctx->payload, ctx->changes);
	rc = buf_error(&ctx->payload);
	if (rc == 0 && has_pointers)
		rc = write_large_values(db, batch, ctx);
	if (rc == 0)
		rc = encode_body(db, ctx, batch->count);
	if (rc == 0)
		ctx->order = key_changes_order(ctx->changes, batch->count,
		    ctx->places);
	return rc;
}

/*
 * Write appended frames to the kernel, unless they may stay in the buffer. A
 * thread that waits for a sync needs no write before it; but a full disk has to
 * be noticed now: once the commit is applied, it cannot be undone.
 */
static int
write_to_kernel(struct db *db, struct commit_ctx *ctx) REQUIRES(&db->commits.mu)
{
	struct wal_writer *w = db->logs.current->writer;
	uint64_t may_wait = atomic_load_explicit(&db->logs.buffer_bytes,
	    memory_order_relaxed);
	int rc;

	if (ctx->sync_mode == KV_SYNC_FULL) {
		if (!db->space.may_fill)
			return 0;
		may_wait = 0;
	}
	if (wal_writer_waiting(w) <= may_wait)
		return 0;
	rc = wal_writer_flush(w);
	return rc == -ENOSPC ? wal_writer_take_back(w) : rc;
}

static int
commit_locked(struct db *db, const struct kv_batch *batch,
    struct commit_ctx *ctx) REQUIRES(&db->commits.mu)
{
	uint64_t first;
	int rc = fault_error(&db->fault) < 0 ? -EIO : make_room(db, &ctx->body);

	mutex_assert_held(&db->commits.mu);
	if (rc < 0)
		return rc;
	first = atomic_load_explicit(&db->commits.last_seq,
		    memory_order_relaxed) +
	    1;
	for (size_t i = 0; i < ctx->segment_count; i++) {
		rc = memtable_hold_segment(&db->segs, db->commits.mem,
		    ctx->segments[i]);
		if (rc < 0)
			return rc;
	}
	rc = wal_writer_append(db->logs.current->writer, &ctx->body, first,
	    (uint32_t)batch->count,
	    atomic_load_explicit(&db->dur.seq, memory_order_seq_cst));
	if (rc == 0)
		rc = write_to_kernel(db, ctx);
	if (rc < 0)
		return rc == -ENOSPC ? rc :
				       db_poison(db, rc, "cannot write %s",
					   db->logs.current->path);
	rc = memtable_add_all(db->commits.mem, first, ctx->changes, ctx->order,
	    batch->count);
	if (rc < 0) /* the log has the commit, the memtable only a part */
		return db_poison(db, rc, "cannot apply a commit");
	atomic_fetch_add_explicit(&db->commits.mem->segment_bytes,
	    ctx->segment_bytes, memory_order_relaxed);
	ctx->number = atomic_fetch_add_explicit(&db->commits.count, 1,
			  memory_order_seq_cst) +
	    1;
	db->commits.mem->last_commit = ctx->number;
	ctx->seq = first + batch->count - 1;
	/* Release: whoever reads the number sees the entries. */
	atomic_store_explicit(&db->commits.last_seq, ctx->seq,
	    memory_order_release);
	return 0;
}

int
db_commit(struct kv *kv, struct kv_batch *batch, uint64_t *seqp)
{
	struct db *db = db_of(kv);
	struct commit_ctx *ctx;
	uint64_t start = clock_now_ns(), end;
	int rc = batch->error;

	if (rc < 0)
		return rc;
	if (db->read_only)
		return -EROFS;
	if (fault_error(&db->fault) < 0)
		return -EIO;
	if (batch->count == 0) {
		if (seqp != NULL)
			*seqp = atomic_load_explicit(&db->commits.last_seq,
			    memory_order_seq_cst);
		return 0;
	}
	rc = db_room_take(db, batch);
	if (rc < 0)
		return rc;
	ctx = commit_ctx_get();
	if (ctx == NULL)
		return -ENOMEM;
	/* Relaxed: during a change of the mode either one is right. */
	ctx->sync_mode = (enum kv_sync_mode)atomic_load_explicit(&db->dur.mode,
	    memory_order_relaxed);
	rc = encode_batch(db, batch, ctx);
	if (rc < 0)
		goto out;
	write_delay_sleep(db, ctx->payload.len);
	mutex_lock(&db->commits.mu);
	rc = commit_locked(db, batch, ctx);
	mutex_unlock(&db->commits.mu);
	if (rc == -ENOSPC && db_room_may_pass(batch) && db_slack_spend(db)) {
		mutex_lock(&db->commits.mu);
		rc = commit_locked(db, batch, ctx);
		mutex_unlock(&db->commits.mu);
	}
	if (rc < 0)
		goto out;
	counter_add(&db->stats.commits, 1);
	counter_add(&db->stats.records, batch->count);
	counter_add(&db->stats.user_bytes, batch->bytes);
	counter_add(&db->stats.log_bytes,
	    ctx->body.stored.len + WAL_FRAME_HEADER_LEN);
	db_sync_in_time(db, ctx->sync_mode);
	if (!batch->settles_later)
		rc = db_sync_after_commit(db, ctx->sync_mode, ctx->seq,
		    ctx->number);
	end = clock_now_ns();
	atomic_store_explicit(&db->delay.last_commit_ns, end,
	    memory_order_relaxed);
	histogram_add(&db->stats.commit_ns, end - start);
	if (seqp != NULL)
		*seqp = ctx->seq;
out:
	commit_ctx_put(db, ctx);
	return rc;
}
