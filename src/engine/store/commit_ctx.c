/* SPDX-License-Identifier: ISC */
/* Buffers of a commit; see commit_ctx.h. */
#include "engine/store/commit_ctx.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "engine/log/wal_writer.h"
#include "engine/segment/segment.h"
#include "engine/state/segment_set.h"
#include "util/buf.h"

/* A thread keeps each buffer up to this size for its next commit. */
#define KEEP_BUFFER_BYTES (128u << 10)

/* What one change takes in a context. */
#define CHANGE_BYTES                                                           \
	(sizeof(struct key_change) + 2 * sizeof(struct change_place))

/* Bytes that the threads of the process keep; relaxed statistics. */
static _Atomic size_t kept_buffers;

static pthread_key_t ctx_key;
static pthread_once_t ctx_once = PTHREAD_ONCE_INIT;

static void
drop_changes(struct commit_ctx *ctx)
{
	free(ctx->changes);
	free(ctx->places);
	ctx->changes = NULL;
	ctx->places = NULL;
	ctx->change_cap = 0;
}

static void
ctx_free(void *arg)
{
	struct commit_ctx *ctx = arg;

	atomic_fetch_sub_explicit(&kept_buffers, ctx->kept_bytes,
	    memory_order_relaxed);
	buf_fini(&ctx->payload);
	wal_body_fini(&ctx->body);
	for (size_t i = 0; ctx->values != NULL && i < COMMIT_PIECE_VALUES; i++)
		segment_value_fini(&ctx->values[i]);
	free(ctx->values);
	drop_changes(ctx);
	free(ctx->segments);
	free(ctx);
}

static void
ctx_key_make(void)
{
	if (pthread_key_create(&ctx_key, ctx_free) != 0)
		abort();
}

struct commit_ctx *
commit_ctx_get(void)
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
	ctx->segment_bytes = 0;
	ctx->segment_count = 0;
	return ctx;
}

static void
count_kept(struct commit_ctx *ctx)
{
	size_t n = ctx->payload.cap + ctx->body.stored.cap +
	    ctx->change_cap * CHANGE_BYTES;

	for (size_t i = 0; ctx->values != NULL && i < COMMIT_PIECE_VALUES; i++)
		n += sizeof(*ctx->values) + ctx->values[i].buf.cap;
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

void
commit_ctx_put(struct db *db, struct commit_ctx *ctx)
{
	for (size_t i = 0; i < ctx->segment_count; i++)
		segment_put(db, ctx->segments[i]);
	ctx->segment_count = 0;
	if (ctx->payload.cap > KEEP_BUFFER_BYTES)
		buf_fini(&ctx->payload);
	if (ctx->body.stored.cap > KEEP_BUFFER_BYTES)
		buf_fini(&ctx->body.stored);
	if (ctx->change_cap * CHANGE_BYTES > KEEP_BUFFER_BYTES)
		drop_changes(ctx);
	/* A whole piece of the file system's chunks is kept. */
	for (size_t i = 0; ctx->values != NULL && i < COMMIT_PIECE_VALUES; i++)
		if (ctx->values[i].buf.cap > KEEP_BUFFER_BYTES ||
		    i >= COMMIT_PIECE_BYTES / (32u << 10))
			buf_fini(&ctx->values[i].buf);
	count_kept(ctx);
}

int
commit_ctx_changes(struct commit_ctx *ctx, size_t n)
{
	if (n <= ctx->change_cap)
		return 0;
	drop_changes(ctx);
	ctx->changes = calloc(n, sizeof(*ctx->changes));
	ctx->places = calloc(2 * n, sizeof(*ctx->places));
	if (ctx->changes == NULL || ctx->places == NULL) {
		drop_changes(ctx);
		return -ENOMEM;
	}
	ctx->change_cap = n;
	return 0;
}

int
commit_ctx_values(struct commit_ctx *ctx)
{
	if (ctx->values != NULL)
		return 0;
	ctx->values = calloc(COMMIT_PIECE_VALUES, sizeof(*ctx->values));
	if (ctx->values == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < COMMIT_PIECE_VALUES; i++)
		segment_value_init(&ctx->values[i]);
	return 0;
}

int
commit_ctx_hold(struct db *db, struct commit_ctx *ctx, struct segment_ref *s)
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
