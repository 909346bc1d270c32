/* SPDX-License-Identifier: ISC */
/*
 * Commits. Before the lock: values are compressed, summed and, when they
 * are many and large, written to a segment. Under the lock: a sequence
 * number, the log, the memtable, and the new sequence number is published.
 * After it: the wait for durability, if the sync mode asks for one.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "engine/db_internal.h"
#include "engine/key.h"

#define KEEP_BUFFER_BYTES (1u << 20)
/* Sleeps shorter than this cost more than they delay. */
#define DELAY_MIN_NS 200000
#define DELAY_MAX_NS 20000000

/* What a commit needs before the lock; kept by each thread for its next. */
struct commit_ctx {
	struct buf payload;
	struct wal_body body;
	struct segment_value *values;
	struct segment_pointer *pointers;
	size_t value_count, value_cap;
	struct segment_ref *segment; /* held while the commit is under way */
	uint64_t seq; /* of its last change */
	uint64_t number; /* of the commit, since opening */
};

static pthread_key_t ctx_key;
static pthread_once_t ctx_once = PTHREAD_ONCE_INIT;

static void
ctx_free(void *arg)
{
	struct commit_ctx *ctx = arg;

	buf_fini(&ctx->payload);
	wal_body_fini(&ctx->body);
	for (size_t i = 0; i < ctx->value_cap; i++)
		segment_value_fini(&ctx->values[i]);
	free(ctx->values);
	free(ctx->pointers);
	free(ctx);
}

static void
ctx_key_make(void)
{
	if (pthread_key_create(&ctx_key, ctx_free) != 0)
		abort();
}

static struct commit_ctx *
ctx_get(void)
{
	struct commit_ctx *ctx;

	pthread_once(&ctx_once, ctx_key_make);
	ctx = pthread_getspecific(ctx_key);
	if (ctx == NULL) {
		ctx = calloc(1, sizeof(*ctx));
		if (ctx == NULL)
			return NULL;
		wal_body_init(&ctx->body);
		if (pthread_setspecific(ctx_key, ctx) != 0) {
			ctx_free(ctx);
			return NULL;
		}
	}
	buf_clear(&ctx->payload);
	ctx->value_count = 0;
	ctx->segment = NULL;
	return ctx;
}

/* A large commit must not leave its buffers behind. */
static void
ctx_put(struct db *db, struct commit_ctx *ctx)
{
	segment_put(db, ctx->segment);
	ctx->segment = NULL;
	if (ctx->payload.cap > KEEP_BUFFER_BYTES)
		buf_fini(&ctx->payload);
	if (ctx->body.stored.cap > KEEP_BUFFER_BYTES)
		buf_fini(&ctx->body.stored);
	for (size_t i = 0; i < ctx->value_count; i++)
		if (i >= KEEP_BUFFER_BYTES / (32u << 10) ||
		    ctx->values[i].buf.cap > KEEP_BUFFER_BYTES)
			buf_fini(&ctx->values[i].buf);
}

static int
ctx_reserve_values(struct commit_ctx *ctx, size_t n)
{
	struct segment_value *v;
	struct segment_pointer *p;

	if (n <= ctx->value_cap)
		return 0;
	v = realloc(ctx->values, n * sizeof(*v));
	if (v == NULL)
		return -ENOMEM;
	ctx->values = v;
	p = realloc(ctx->pointers, n * sizeof(*p));
	if (p == NULL)
		return -ENOMEM;
	ctx->pointers = p;
	for (size_t i = ctx->value_cap; i < n; i++)
		segment_value_init(&ctx->values[i]);
	ctx->value_cap = n;
	return 0;
}

static bool
op_is_large(const struct kv_op *op)
{
	return op->type == KV_OP_PUT && op->value.len >= SEGMENT_VALUE_MIN;
}

/*
 * Write the large values of a batch to a segment, so that they are
 * compressed and written once (4 KiB values 38,000/s, through the log
 * 19,000/s). Where that would cost each commit a second file to sync, only
 * much of them: the others travel through the log, and the flush separates
 * them.
 */
static int
write_large_values(struct db *db, const struct kv_batch *batch,
    struct commit_ctx *ctx)
{
	uint64_t bytes = 0;
	size_t n = 0, offs = 0;
	uint8_t *keys;
	int rc;

	for (size_t i = 0; i < batch->count; i++) {
		if (op_is_large(&batch->ops[i])) {
			bytes += batch->ops[i].value.len;
			n++;
		}
	}
	if (n == 0 || (bytes < SEGMENT_DIRECT_MIN && db_is_synced_often(db)))
		return 0;
	rc = ctx_reserve_values(ctx, n);
	if (rc < 0)
		return rc;
	keys = malloc(n * KEY_USER_MAX);
	if (keys == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < batch->count && rc == 0; i++) {
		const struct kv_op *op = &batch->ops[i];
		struct kv_key key = { op->space, op->group,
			slice_make(batch->names + op->name_off, op->name_len) };
		size_t len;

		if (!op_is_large(op))
			continue;
		len = key_encode(keys + offs, &key);
		rc = segment_value_encode(&ctx->values[ctx->value_count++],
		    slice_make(keys + offs, len), op->value, db->opts.compress);
		offs += len;
	}
	if (rc == 0)
		rc = db_segment_append(db, ctx->values, n, ctx->pointers,
		    &ctx->segment);
	free(keys);
	return rc;
}

struct insert_arg {
	struct memtable *mem;
	uint64_t seq;
};

static int
insert_record(void *arg, enum key_type type, struct slice user,
    struct slice value)
{
	struct insert_arg *in = arg;

	return memtable_add(in->mem, in->seq++, type, user, value);
}

static void
count_stall(struct db *db, uint64_t ns)
{
	counter_add(&db->stats.stalls, 1);
	counter_add(&db->stats.stall_ns, ns);
	histogram_add(&db->stats.one_stall_ns, ns);
}

/* Sleep off the slowdown that this commit's bytes have earned. */
static void
delay(struct db *db, size_t bytes)
{
	uint64_t per_kib = atomic_load_explicit(&db->delay_ns_per_kib,
	    memory_order_relaxed);
	uint64_t debt;
	struct timespec ts = { 0 };

	if (per_kib == 0)
		return;
	debt = atomic_fetch_add(&db->delay_debt_ns,
		   per_kib * (bytes + 64) / 1024) +
	    per_kib * (bytes + 64) / 1024;
	if (debt < DELAY_MIN_NS)
		return;
	debt = atomic_exchange(&db->delay_debt_ns, 0);
	if (debt > DELAY_MAX_NS)
		debt = DELAY_MAX_NS;
	ts.tv_nsec = (long)debt;
	nanosleep(&ts, NULL);
	count_stall(db, debt);
}

void
db_update_delay_locked(struct db *db)
{
	uint64_t l0 = db->view->version->levels[0].count;
	uint64_t over, range = L0_STOP_FILES - L0_SLOWDOWN_FILES;
	uint64_t per_kib = 0;

	if (l0 > L0_SLOWDOWN_FILES) {
		/* Squared closeness (Speedb's dynamic delay): at the end a
		 * megabyte takes a second. */
		over = l0 - L0_SLOWDOWN_FILES;
		if (over > range)
			over = range;
		per_kib = 1000000 * over * over / (range * range);
	}
	/* The last free memtable fills no faster than flushes empty one. */
	if (db->view->imm_count >= IMM_MAX - 1 && per_kib < 20000)
		per_kib = 20000;
	atomic_store(&db->delay_ns_per_kib, per_kib);
}

static bool
memtable_is_full(struct db *db, const struct memtable *m)
{
	return memtable_bytes(m) >= db->opts.memtable_bytes ||
	    m->segment_bytes >= MEMTABLE_SEGMENT_BYTES;
}

/* Put a fresh memtable in front; its first log is the new one. */
static int
rotate_locked(struct db *db) REQUIRES(&db->commit_mu)
{
	struct memtable *mem, *imm[IMM_MAX + 1];
	struct view *old;
	unsigned n;
	int rc = db_log_switch(db, 0);

	if (rc < 0)
		return rc;
	mem = db_memtable_create(db, db->log->number);
	if (mem == NULL)
		return -ENOMEM;
	mutex_lock(&db->mu);
	old = db->view;
	n = old->imm_count;
	imm[0] = old->mem;
	memcpy(imm + 1, old->imm, n * sizeof(imm[0]));
	rc = view_install_locked(db, mem, imm, n + 1, old->version);
	db_update_delay_locked(db);
	cond_broadcast(&db->work);
	mutex_unlock(&db->mu);
	if (rc < 0) {
		memtable_unref(mem);
		return rc;
	}
	memtable_unref(db->mem);
	db->mem = mem;
	return 0;
}

/* Wait, without the commit lock, until a memtable may become immutable. */
static int
wait_for_flush(struct db *db) REQUIRES(&db->commit_mu)
{
	uint64_t start = clock_now_ns(), tries;
	int rc = 0;

	mutex_unlock(&db->commit_mu);
	mutex_lock(&db->mu);
	tries = db->flush_tries;
	while (db->view->imm_count >= IMM_MAX && rc == 0)
		rc = db_await_flush_locked(db, tries);
	mutex_unlock(&db->mu);
	count_stall(db, clock_now_ns() - start);
	mutex_lock(&db->commit_mu);
	return rc;
}

static unsigned
imm_count(struct db *db)
{
	unsigned n;

	mutex_lock(&db->mu);
	n = db->view->imm_count;
	mutex_unlock(&db->mu);
	return n;
}

/* Room in the memtable and in the log for body. */
static int
make_room(struct db *db, const struct wal_body *body) REQUIRES(&db->commit_mu)
{
	int rc = 0;

	while (rc == 0 && memtable_is_full(db, db->mem)) {
		if (imm_count(db) >= IMM_MAX)
			rc = wait_for_flush(db);
		else
			rc = rotate_locked(db);
	}
	if (rc == 0 && !wal_writer_has_room(db->log->writer, body))
		rc = db_log_switch(db, wal_size_for(body));
	return rc;
}

static int
commit_locked(struct db *db, const struct kv_batch *batch,
    struct commit_ctx *ctx) REQUIRES(&db->commit_mu)
{
	struct insert_arg in;
	uint64_t first;
	int rc = db_error(db) < 0 ? -EIO : make_room(db, &ctx->body);

	if (rc < 0)
		return rc;
	first = atomic_load_explicit(&db->last_seq, memory_order_relaxed) + 1;
	in = (struct insert_arg){ db->mem, first };
	if (ctx->segment != NULL) {
		rc = memtable_hold_segment(db, in.mem, ctx->segment);
		if (rc < 0)
			return rc;
		for (size_t i = 0; i < ctx->value_count; i++)
			in.mem->segment_bytes += ctx->pointers[i].frame_len;
	}
	rc = wal_writer_append(db->log->writer, &ctx->body, first,
	    (uint32_t)batch->count, atomic_load(&db->durable_seq));
	if (rc < 0)
		return db_poison(db, rc, "cannot write the log");
	rc = record_decode(buf_slice(&ctx->payload), (uint32_t)batch->count,
	    insert_record, &in);
	if (rc < 0) /* the log has it, the memtable not all of it */
		return db_poison(db, rc, "cannot apply a commit");
	ctx->number = atomic_fetch_add(&db->commit_count, 1) + 1;
	in.mem->last_commit = ctx->number;
	ctx->seq = first + batch->count - 1;
	/* Release: who reads the number sees the entries. */
	atomic_store_explicit(&db->last_seq, ctx->seq, memory_order_release);
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
	if (db_error(db) < 0)
		return -EIO;
	if (batch->count == 0) {
		if (seqp != NULL)
			*seqp = atomic_load(&db->last_seq);
		return 0;
	}
	rc = db_room_take(db, batch);
	if (rc < 0)
		return rc;
	ctx = ctx_get();
	if (ctx == NULL)
		return -ENOMEM;
	rc = write_large_values(db, batch, ctx);
	if (rc < 0)
		goto out;
	record_encode(batch, ctx->segment != NULL ? ctx->pointers : NULL,
	    &ctx->payload);
	rc = buf_error(&ctx->payload);
	if (rc == 0)
		rc = wal_body_encode(&ctx->body, buf_slice(&ctx->payload),
		    db->opts.compress);
	if (rc < 0)
		goto out;
	delay(db, ctx->payload.len);
	mutex_lock(&db->commit_mu);
	rc = commit_locked(db, batch, ctx);
	mutex_unlock(&db->commit_mu);
	if (rc < 0)
		goto out;
	counter_add(&db->stats.commits, 1);
	counter_add(&db->stats.records, batch->count);
	counter_add(&db->stats.user_bytes, batch->bytes);
	counter_add(&db->stats.log_bytes,
	    ctx->body.stored.len + WAL_FRAME_HEADER_LEN);
	rc = db_sync_after_commit(db, ctx->seq, ctx->number);
	end = clock_now_ns();
	atomic_store_explicit(&db->last_commit_ns, end, memory_order_relaxed);
	histogram_add(&db->stats.commit_ns, end - start);
	if (seqp != NULL)
		*seqp = ctx->seq;
out:
	ctx_put(db, ctx);
	return rc;
}

int
db_rotate(struct db *db)
{
	int rc = 0;

	mutex_lock(&db->commit_mu);
	while (rc == 0 && imm_count(db) >= IMM_MAX)
		rc = wait_for_flush(db);
	if (rc == 0 && !memtable_is_empty(db->mem))
		rc = rotate_locked(db);
	mutex_unlock(&db->commit_mu);
	return rc;
}
