/* SPDX-License-Identifier: ISC */
/*
 * Commits. Before the lock: values are compressed, summed and, when they
 * are many and large, written to a segment. Under the lock: a sequence
 * number, the log, the memtable, and the new sequence number is published.
 * After it: the wait for durability, if the sync mode asks for one and the
 * caller does not do that himself.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "engine/log/record.h"
#include "engine/state/db_state.h"
#include "engine/key/key.h"
#include "util/clock.h"

/* A thread keeps this much of each buffer for its next commit. */
#define KEEP_BUFFER_BYTES (128u << 10)
/* Large values are compressed and written in pieces of so much: what they
 * take meanwhile does not grow with the batch, and is still in the
 * processor's cache when it is written. */
#define PIECE_BYTES (256u << 10)
#define PIECE_VALUES (PIECE_BYTES / SEGMENT_VALUE_MIN)
/* Sleeps shorter than this cost more than they delay. */
#define DELAY_MIN_NS 200000
#define DELAY_MAX_NS 20000000
/* As delay_ns_per_kib: 50 MB and 1 MB a second. */
#define FLUSH_NS_PER_KIB_MIN 20000
#define FLUSH_NS_PER_KIB_MAX 1000000

/* What a commit needs before the lock; kept by each thread for its next. */
struct commit_ctx {
	struct buf payload;
	struct wal_body body;
	struct segment_value *values; /* of a piece: PIECE_VALUES, or NULL */
	uint8_t (*keys)[KEY_USER_MAX]; /* of them */
	struct segment_pointer *pointers; /* of all values */
	size_t pointer_count, pointer_cap;
	/* Where they are; held while the commit is under way. */
	struct segment_ref **segments;
	size_t segment_count, segment_cap;
	size_t kept_bytes; /* as counted in kept_buffers */
	/* As it was when the commit began. */
	enum kv_sync_mode sync_mode;
	uint64_t seq; /* of its last change */
	uint64_t number; /* of the commit, since opening */
};

/* Bytes that the threads of the process keep; relaxed, a statistic. */
static _Atomic size_t kept_buffers;

static pthread_key_t ctx_key;
static pthread_once_t ctx_once = PTHREAD_ONCE_INIT;

static void
ctx_free(void *arg)
{
	struct commit_ctx *ctx = arg;

	atomic_fetch_sub_explicit(&kept_buffers, ctx->kept_bytes,
	    memory_order_relaxed);
	buf_fini(&ctx->payload);
	wal_body_fini(&ctx->body);
	for (size_t i = 0; ctx->values != NULL && i < PIECE_VALUES; i++)
		segment_value_fini(&ctx->values[i]);
	free(ctx->values);
	free(ctx->keys);
	free(ctx->pointers);
	free(ctx->segments);
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
	ctx->pointer_count = 0;
	ctx->segment_count = 0;
	return ctx;
}

static void
count_kept(struct commit_ctx *ctx)
{
	size_t n = ctx->payload.cap + ctx->body.stored.cap +
	    ctx->pointer_cap * sizeof(*ctx->pointers);

	for (size_t i = 0; ctx->values != NULL && i < PIECE_VALUES; i++)
		n += ctx->values[i].buf.cap + KEY_USER_MAX;
	if (n == ctx->kept_bytes)
		return;
	atomic_fetch_add_explicit(&kept_buffers, n - ctx->kept_bytes,
	    memory_order_relaxed);
	ctx->kept_bytes = n;
}

uint64_t
db_commit_buffers(void)
{
	return atomic_load_explicit(&kept_buffers, memory_order_relaxed);
}

/* A large commit must not leave its buffers behind. */
static void
ctx_put(struct db *db, struct commit_ctx *ctx)
{
	for (size_t i = 0; i < ctx->segment_count; i++)
		segment_put(db, ctx->segments[i]);
	ctx->segment_count = 0;
	if (ctx->payload.cap > KEEP_BUFFER_BYTES)
		buf_fini(&ctx->payload);
	if (ctx->body.stored.cap > KEEP_BUFFER_BYTES)
		buf_fini(&ctx->body.stored);
	/* Of the file system's chunks a whole piece is kept. */
	for (size_t i = 0; ctx->values != NULL && i < PIECE_VALUES; i++)
		if (ctx->values[i].buf.cap > KEEP_BUFFER_BYTES ||
		    i >= PIECE_BYTES / (32u << 10))
			buf_fini(&ctx->values[i].buf);
	count_kept(ctx);
}

/* Room for n pointers, and for the values of a piece. */
static int
ctx_reserve_values(struct commit_ctx *ctx, size_t n)
{
	struct segment_pointer *p;

	if (ctx->values == NULL) {
		ctx->values = calloc(PIECE_VALUES, sizeof(*ctx->values));
		for (size_t i = 0; ctx->values != NULL && i < PIECE_VALUES; i++)
			segment_value_init(&ctx->values[i]);
	}
	if (ctx->keys == NULL)
		ctx->keys = malloc(PIECE_VALUES * sizeof(*ctx->keys));
	if (ctx->values == NULL || ctx->keys == NULL)
		return -ENOMEM;
	if (n <= ctx->pointer_cap)
		return 0;
	p = realloc(ctx->pointers, n * sizeof(*p));
	if (p == NULL)
		return -ENOMEM;
	ctx->pointers = p;
	ctx->pointer_cap = n;
	return 0;
}

/* Take over a reference to s, where values of the commit are. */
static int
ctx_add_segment(struct db *db, struct commit_ctx *ctx, struct segment_ref *s)
{
	struct segment_ref **p;

	if (ctx->segment_count != 0 &&
	    ctx->segments[ctx->segment_count - 1] == s) {
		segment_put(db, s);
		return 0;
	}
	if (ctx->segment_count == ctx->segment_cap) {
		size_t cap = ctx->segment_cap != 0 ? ctx->segment_cap * 2 : 4;

		p = realloc(ctx->segments, cap * sizeof(struct segment_ref *));
		if (p == NULL) {
			segment_put(db, s);
			return -ENOMEM;
		}
		ctx->segments = p;
		ctx->segment_cap = cap;
	}
	ctx->segments[ctx->segment_count++] = s;
	return 0;
}

static bool
op_is_large(const struct kv_op *op)
{
	return op->type == KV_OP_PUT && op->value.len >= SEGMENT_VALUE_MIN;
}

/* Write the first n values of the context to a segment. */
static int
write_piece(struct db *db, struct commit_ctx *ctx, size_t n)
{
	struct segment_ref *s;
	int rc;

	if (n == 0)
		return 0;
	rc = db_segment_append(db, ctx->values, n,
	    ctx->pointers + ctx->pointer_count, &s);
	if (rc < 0)
		return rc;
	ctx->pointer_count += n;
	return ctx_add_segment(db, ctx, s);
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
	size_t n = 0;
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
	bytes = n = 0;
	for (size_t i = 0; i < batch->count && rc == 0; i++) {
		const struct kv_op *op = &batch->ops[i];
		struct kv_key key = { op->space, op->group,
			slice_make(batch->names + op->name_off, op->name_len) };
		size_t len;

		if (!op_is_large(op))
			continue;
		if (n == PIECE_VALUES || bytes >= PIECE_BYTES) {
			rc = write_piece(db, ctx, n);
			bytes = n = 0;
			if (rc < 0)
				break;
		}
		len = key_encode(ctx->keys[n], &key);
		rc = db_value_encode(db, &ctx->values[n],
		    slice_make(ctx->keys[n], len), op->value);
		bytes += op->value.len;
		n++;
	}
	return rc == 0 ? write_piece(db, ctx, n) : rc;
}

struct insert_arg {
	struct memtable_adder adder;
	uint64_t seq;
};

static int
insert_record(void *arg, enum key_type type, struct slice user,
    struct slice value)
{
	struct insert_arg *in = arg;

	return memtable_adder_add(&in->adder, in->seq++, type, user, value);
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

/* How slow flushes are, by the last one or the one that runs. */
static uint64_t
flush_ns_per_kib_locked(struct db *db) REQUIRES(&db->mu)
{
	uint64_t took = db->flush_took_ns, so_far = 0, per_kib;

	if (db->flush_began_ns != 0)
		so_far = clock_now_ns() - db->flush_began_ns;
	if (took < so_far)
		took = so_far;
	per_kib = took / (db->opts.memtable_bytes / 1024 + 1);
	if (per_kib < FLUSH_NS_PER_KIB_MIN)
		return FLUSH_NS_PER_KIB_MIN;
	return per_kib < FLUSH_NS_PER_KIB_MAX ? per_kib : FLUSH_NS_PER_KIB_MAX;
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
	if (db->view->imm_count >= IMM_MAX - 1) {
		uint64_t flush = flush_ns_per_kib_locked(db);

		if (per_kib < flush)
			per_kib = flush;
	}
	atomic_store(&db->delay_ns_per_kib, per_kib);
}

static bool
memtable_is_full(struct db *db, const struct memtable *m)
{
	return memtable_bytes(m) >= db->opts.memtable_bytes ||
	    atomic_load_explicit(&m->segment_bytes, memory_order_relaxed) >=
	    atomic_load(&db->sizes.memtable_segment_bytes);
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
	db_memory_count(db, db->mem);
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

/* The payload as a log body. Where one value is most of it, that value's
 * group tells whether it will get smaller. */
static int
encode_body(struct db *db, const struct kv_batch *batch, struct commit_ctx *ctx)
{
	uint8_t user[KEY_USER_MAX];
	size_t len = 0;

	for (size_t i = 0; i < batch->count && ctx->pointer_count == 0; i++) {
		const struct kv_op *op = &batch->ops[i];
		struct kv_key key = { op->space, op->group,
			slice_make(batch->names + op->name_off, op->name_len) };

		if (!op_is_large(op) || op->value.len < ctx->payload.len / 2)
			continue;
		len = key_encode(user, &key);
		break;
	}
	return db_body_encode(db, &ctx->body, buf_slice(&ctx->payload),
	    slice_make(user, len));
}

/*
 * What was appended goes to the kernel, unless it may wait. Who waits for a
 * sync needs no write(2) of his own before it; but he must hear now of a disk
 * that is full: once the commit was applied there is no way back.
 */
static int
hand_over(struct db *db, struct commit_ctx *ctx) REQUIRES(&db->commit_mu)
{
	struct wal_writer *w = db->log->writer;
	uint64_t may_wait = atomic_load_explicit(&db->wal_buffer_bytes,
	    memory_order_relaxed);
	int rc;

	if (ctx->sync_mode == KV_SYNC_FULL) {
		if (!db->log_may_fill)
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
    struct commit_ctx *ctx) REQUIRES(&db->commit_mu)
{
	struct insert_arg in;
	uint64_t first;
	int rc = db_error(db) < 0 ? -EIO : make_room(db, &ctx->body);

	if (rc < 0)
		return rc;
	first = atomic_load_explicit(&db->last_seq, memory_order_relaxed) + 1;
	for (size_t i = 0; i < ctx->segment_count; i++) {
		rc = memtable_hold_segment(db, db->mem, ctx->segments[i]);
		if (rc < 0)
			return rc;
	}
	rc = wal_writer_append(db->log->writer, &ctx->body, first,
	    (uint32_t)batch->count, atomic_load(&db->durable_seq));
	if (rc == 0)
		rc = hand_over(db, ctx);
	if (rc < 0)
		return rc == -ENOSPC ?
		    rc :
		    db_poison(db, rc, "cannot write %s", db->log->path);
	memtable_adder_init(&in.adder, db->mem);
	in.seq = first;
	rc = record_decode(buf_slice(&ctx->payload), (uint32_t)batch->count,
	    insert_record, &in);
	if (rc == 0)
		rc = memtable_adder_finish(&in.adder);
	if (rc < 0) /* the log has it, the memtable not all of it */
		return db_poison(db, rc, "cannot apply a commit");
	for (size_t i = 0; i < ctx->pointer_count; i++)
		atomic_fetch_add_explicit(&db->mem->segment_bytes,
		    ctx->pointers[i].frame_len, memory_order_relaxed);
	ctx->number = atomic_fetch_add(&db->commit_count, 1) + 1;
	db->mem->last_commit = ctx->number;
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
	/* Relaxed: a commit beside the change may go by either. */
	ctx->sync_mode = (enum kv_sync_mode)atomic_load_explicit(&db->sync_mode,
	    memory_order_relaxed);
	rc = write_large_values(db, batch, ctx);
	if (rc < 0)
		goto out;
	record_encode(batch, ctx->pointer_count != 0 ? ctx->pointers : NULL,
	    &ctx->payload);
	rc = buf_error(&ctx->payload);
	if (rc == 0)
		rc = encode_body(db, batch, ctx);
	if (rc < 0)
		goto out;
	delay(db, ctx->payload.len);
	mutex_lock(&db->commit_mu);
	rc = commit_locked(db, batch, ctx);
	mutex_unlock(&db->commit_mu);
	if (rc == -ENOSPC && db_room_may_pass(batch) && db_slack_spend(db)) {
		mutex_lock(&db->commit_mu);
		rc = commit_locked(db, batch, ctx);
		mutex_unlock(&db->commit_mu);
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
