/* SPDX-License-Identifier: ISC */
/* Reports about the store: kv_report() of kv.h. */
#include "engine/store/db_report.h"

#include "engine/compact/compact.h"
#include "engine/memtable/mem_filter.h"
#include "engine/memtable/memtable.h"
#include "engine/state/db_state.h"
#include "engine/state/fault.h"
#include "engine/state/view.h"
#include "engine/store/commit_ctx.h"
#include "engine/store/db_warm.h"
#include "engine/tree/version.h"
#include "util/clock.h"
#include "util/page_pool.h"
#include "util/stats.h"

/* Get the options, with the current values of those that may change. */
static void
live_options(struct db *db, struct kv_options *opts)
{
	*opts = db->opts;
	opts->sync = (enum kv_sync_mode)atomic_load_explicit(&db->dur.mode,
	    memory_order_relaxed);
	opts->sync_commits = atomic_load_explicit(&db->dur.every_commits,
	    memory_order_relaxed);
	opts->sync_ms = atomic_load_explicit(&db->dur.every_ms,
	    memory_order_relaxed);
	opts->wal_buffer_bytes = atomic_load_explicit(&db->logs.buffer_bytes,
	    memory_order_relaxed);
}

static double
ratio_of(uint64_t a, uint64_t b)
{
	return b != 0 ? (double)a / (double)b : 0.0;
}

static void
report_durability(struct db *db, struct report *r)
{
	struct kv_options opts;
	char mode[48];
	uint64_t last = atomic_load_explicit(&db->commits.last_seq,
	    memory_order_seq_cst);
	uint64_t durable = atomic_load_explicit(&db->dur.seq,
	    memory_order_seq_cst);
	uint64_t at = atomic_load_explicit(&db->dur.at_ns,
		     memory_order_relaxed),
		 commits;

	live_options(db, &opts);
	kv_options_format_sync(&opts, mode, sizeof(mode));
	report_text(r, "Sync mode", "%s", mode);
	report_gauge(r, "Last change", "last_change", last);
	report_gauge(r, "Last durable change", "last_durable_change", durable);
	report_gauge(r, "Changes not durable", "changes_not_durable",
	    last > durable ? last - durable : 0);
	/* In this order: the number of commits may grow in between, and never
	 * shrinks. */
	commits = atomic_load_explicit(&db->dur.commits, memory_order_seq_cst);
	report_gauge(r, "Commits not durable", "commits_not_durable",
	    last > durable ?
		atomic_load_explicit(&db->commits.count, memory_order_seq_cst) -
		    commits :
		0);
	report_text(r, "Last disk sync", "%.3f seconds ago",
	    at != 0 ? (double)(clock_now_ns() - at) * 1e-9 : 0.0);
}

/* Write a label with an escaped value. */
static void
make_label(char *dst, size_t len, const char *name, const char *text)
{
	size_t n = (size_t)snprintf(dst, len, "%s=\"", name);

	for (; *text != '\0' && n + 4 < len; text++) {
		if (*text == '"' || *text == '\\')
			dst[n++] = '\\';
		dst[n++] = *text;
	}
	dst[n++] = '"';
	dst[n] = '\0';
}

static void
report_state(struct db *db, struct report *r)
{
	bool failed = fault_error(&db->fault) < 0;
	char label[FAULT_BYTES + 40];

	if (failed)
		report_text(r, "State", "failed, read-only: %s",
		    db->fault.text);
	else
		report_text(r, "State", "%s",
		    db->read_only ? "read-only" : "writable");
	if (r->format == REPORT_METRICS)
		report_gauge(r, "1 when the store has failed and is read-only",
		    "failed", failed);
	if (r->format == REPORT_METRICS && failed) {
		make_label(label, sizeof(label), "reason", db->fault.text);
		report_gauge_of(r, "Why it has failed", "failure", label, 1);
	}
	report_counter(r, "LOCK files lost", "locks_lost",
	    atomic_load_explicit(&db->fault.locks_lost, memory_order_relaxed));
}

static void
report_tree(struct db *db, struct report *r)
{
	uint64_t tables = 0, bytes = 0, raw = 0, pointers = 0, entries = 0,
		 deletes = 0;
	char title[32], label[32];
	struct view *v;

	mutex_lock(&db->mu);
	v = view_current_locked(&db->views);
	mutex_unlock(&db->mu);
	report_gauge(r, "Memtable bytes", "memtable_bytes",
	    memtable_bytes(v->mem));
	report_gauge(r, "Memtables waiting", "memtables_waiting", v->imm_count);
	for (int i = 0; i < LEVELS; i++) {
		const struct level *l = &v->version->levels[i];

		for (size_t j = 0; j < l->count; j++) {
			const struct table_props *p = &l->files[j]->props;

			raw += p->raw_bytes;
			pointers += p->pointer_bytes;
			entries += p->entries;
			deletes += p->deletes + p->group_deletes;
		}
		tables += l->count;
		bytes += l->bytes;
		snprintf(title, sizeof(title), "Level %d", i);
		snprintf(label, sizeof(label), "level=\"%d\"", i);
		if (l->count != 0)
			report_text(r, title, "%zu tables, %llu bytes",
			    l->count, (unsigned long long)l->bytes);
		if (r->format == REPORT_METRICS)
			report_gauge_of(r, "Bytes of the tables of a level",
			    "level_bytes", label, l->bytes);
	}
	report_gauge(r, "Tables", "tables", tables);
	report_gauge(r, "Table bytes", "table_bytes", bytes);
	report_gauge(r, "Table entries", "table_entries", entries);
	report_gauge(r, "Table deletions", "table_deletions", deletes);
	report_gauge(r, "Bytes that tables name in segments",
	    "segment_named_bytes", pointers);
	report_ratio(r, "Compression ratio", "compression_ratio",
	    ratio_of(raw, bytes));
	report_gauge(r, "Bytes to compact", "compaction_pending_bytes",
	    compact_debt(db->opts.memtable_bytes, v->version));
	view_unref(v);
}

static void
report_segments(struct segment_set *segs, struct report *r)
{
	uint64_t n = 0, bytes = 0, live = 0;
	struct segment_ref *s;

	mutex_lock(&segs->mu);
	RB_FOREACH (s, segment_tree, &segs->tree) {
		n++;
		bytes += s->size;
		live += s->live_bytes;
	}
	mutex_unlock(&segs->mu);
	report_gauge(r, "Segments", "segments", n);
	report_gauge(r, "Segment bytes", "segment_bytes", bytes);
	report_gauge(r, "Segment bytes live", "segment_live_bytes", live);
}

/* Hits of each part: as counters for a monitor, which computes rates from them,
 * and in percent of all lookups for people. */
static void
report_cache_parts(struct report *r, const struct block_cache_stats *cache)
{
	static const struct {
		const char *name, *label;
	} parts[BLOCK_PARTS] = {
		[BLOCK_WARM] = { "warm", "part=\"warm\"" },
		[BLOCK_HOT] = { "hot", "part=\"hot\"" },
	};
	uint64_t lookups = cache->hits + cache->misses;

	for (int i = 0; i < BLOCK_PARTS; i++) {
		const struct block_part_stats *p = &cache->part[i];
		char title[40];

		snprintf(title, sizeof(title), "Cache, %s part", parts[i].name);
		report_text(r, title,
		    "%llu bytes, %llu hits, %.1f %% of lookups, %llu returns",
		    (unsigned long long)p->bytes, (unsigned long long)p->hits,
		    100 * ratio_of(p->hits, lookups),
		    (unsigned long long)p->returns);
	}
	if (r->format != REPORT_METRICS)
		return;
	for (int i = 0; i < BLOCK_PARTS; i++)
		report_gauge_of(r, "Bytes of a part of the cache",
		    "cache_part_bytes", parts[i].label, cache->part[i].bytes);
	for (int i = 0; i < BLOCK_PARTS; i++)
		report_counter_of(r, "Hits in a part of the cache",
		    "cache_part_hits", parts[i].label, cache->part[i].hits);
	for (int i = 0; i < BLOCK_PARTS; i++)
		report_counter_of(r,
		    "Misses of what a part of the cache had dropped",
		    "cache_part_returns", parts[i].label,
		    cache->part[i].returns);
}

static void
report_cache(struct db *db, struct report *r)
{
	struct block_cache_stats cache;

	block_cache_get_stats(db->caches.blocks, &cache);
	report_gauge(r, "Cache capacity", "cache_capacity_bytes",
	    cache.capacity_bytes);
	report_gauge(r, "Cache bytes", "cache_bytes", cache.bytes);
	report_counter(r, "Cache hits", "cache_hits", cache.hits);
	report_counter(r, "Cache misses", "cache_misses", cache.misses);
	report_text(r, "Cache hit rate", "%.1f %%",
	    100 * ratio_of(cache.hits, cache.hits + cache.misses));
	report_cache_parts(r, &cache);
	report_counter(r, "Cache promotions", "cache_promotions",
	    cache.promotions);
	report_gauge(r, "Cache bytes meant for the warm part",
	    "cache_warm_target_bytes", cache.warm_target_bytes);
	db_warm_report(db, r);
	report_gauge(r, "Index and filter bytes", "index_bytes",
	    table_cache_memory(db->caches.tables));
}

static void
report_work(const struct db_stats *s, struct report *r)
{
	const struct report_row counters[] = {
		{ "Gets", "gets", &s->gets },
		{ "Scans", "scans", &s->scans },
		{ "Commits", "commits", &s->commits },
		{ "Changes", "changes", &s->records },
		{ "Bytes committed", "committed_bytes", &s->user_bytes },
		{ "Log bytes written", "log_written_bytes", &s->log_bytes },
		{ "Segment bytes written", "segment_written_bytes",
		    &s->segment_bytes },
		{ "Flush bytes written", "flush_written_bytes",
		    &s->flush_bytes },
		{ "Compaction bytes read", "compaction_read_bytes",
		    &s->compact_read_bytes },
		{ "Compaction bytes written", "compaction_written_bytes",
		    &s->compact_write_bytes },
		{ "Disk syncs", "syncs", &s->syncs },
		{ "Waits for another's sync", "sync_waits", &s->sync_waits },
		{ "Flushes", "flushes", &s->flushes },
		{ "Compactions", "compactions", &s->compactions },
		{ "Compaction parts shared", "compaction_parts_shared",
		    &s->shared_parts },
		{ "Tables moved", "tables_moved", &s->moves },
		{ "Tables rewritten for segments", "tables_relocated",
		    &s->relocations },
		{ "Stalls", "stalls", &s->stalls },
		{ "Compressions tried", "compress_tries", &s->compress_tries },
		{ "Compressions skipped", "compress_skips",
		    &s->compress_skips },
		{ "Bytes saved by compression", "compress_saved_bytes",
		    &s->compress_saved_bytes },
	};
	uint64_t written = counter_read(&s->log_bytes) +
	    counter_read(&s->flush_bytes) +
	    counter_read(&s->compact_write_bytes) +
	    counter_read(&s->segment_bytes);

	report_counters(r, counters, sizeof(counters) / sizeof(counters[0]));
	report_text(r, "Stall microseconds", "%llu",
	    (unsigned long long)counter_read(&s->stall_ns) / 1000);
	report_text(r, "Compaction held back, microseconds", "%llu",
	    (unsigned long long)counter_read(&s->pace_ns) / 1000);
	report_ratio(r, "Write amplification", "write_amplification",
	    ratio_of(written, counter_read(&s->user_bytes)));
}

static void
report_latencies(const struct db_stats *s, struct report *r)
{
	report_times(r, "Commit", "commit", NULL, &s->commit_ns);
	report_times(r, "Get, one of some", "get", NULL, &s->get_ns);
	report_times(r, "Sync", "sync", NULL, &s->sync_ns);
	report_sizes(r, "Commits of a sync", "sync_commits", &s->sync_commits);
	report_times(r, "Stall", "stall", NULL, &s->one_stall_ns);
	report_times(r, "Flush", "flush", NULL, &s->flush_ns);
	report_times(r, "Compaction", "compaction", NULL, &s->compact_ns);
}

void
db_memory(struct kv *kv, struct kv_memory *memoryp)
{
	struct db *db = db_of(kv);
	uint64_t waiting =
	    atomic_load_explicit(&db->caches.memory.waiting_bytes,
		memory_order_relaxed);
	uint64_t work = atomic_load_explicit(&db->caches.memory.work_bytes,
		     memory_order_relaxed),
		 held;
	struct block_cache_stats cache;
	struct view *v;

	block_cache_get_stats(db->caches.blocks, &cache);
	mutex_lock(&db->mu);
	v = view_current_locked(&db->views);
	mutex_unlock(&db->mu);
	*memoryp = (struct kv_memory){
		.index_bytes = table_cache_memory(db->caches.tables),
		.memtable_bytes = memtable_bytes(v->mem) +
		    mem_filter_bytes(&v->mem->filter) + waiting +
		    page_pool_bytes(&db->caches.memory.pages),
		.work_bytes = work + db_commit_buffers() +
		    sizeof(db->commits.backoff),
	};
	view_unref(v);
	held = memoryp->index_bytes + waiting + work;
	memoryp->block_bytes = cache.bytes > held ? cache.bytes - held : 0;
}

int
db_report(struct kv *kv, enum report_format format, FILE *out)
{
	struct db *db = db_of(kv);
	struct report r;

	report_init(&r, out, format);
	report_durability(db, &r);
	report_state(db, &r);
	report_tree(db, &r);
	report_segments(&db->segs, &r);
	report_cache(db, &r);
	report_work(&db->stats, &r);
	report_latencies(&db->stats, &r);
	return 0;
}
