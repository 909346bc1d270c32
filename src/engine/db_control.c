/* SPDX-License-Identifier: ISC */
/* Maintenance by lines of text: kv_control() and kv_usage() of kv.h. */
#include <errno.h>
#include <stdlib.h>

#include "engine/db_internal.h"
#include "util/log.h"

static void
live_options(struct db *db, struct kv_options *opts)
{
	*opts = db->opts;
	opts->sync = (enum kv_sync_mode)atomic_load(&db->sync_mode);
	opts->sync_commits = atomic_load(&db->sync_commits);
	opts->sync_ms = atomic_load(&db->sync_ms);
	opts->wal_buffer_bytes = atomic_load(&db->wal_buffer_bytes);
}

static void
put(FILE *out, const char *key, uint64_t v)
{
	fprintf(out, "%s: %llu\n", key, (unsigned long long)v);
}

static void
put_ratio(FILE *out, const char *key, uint64_t a, uint64_t b)
{
	fprintf(out, "%s: %.2f\n", key, b != 0 ? (double)a / (double)b : 0.0);
}

static void
stats_durability(struct db *db, FILE *out)
{
	struct kv_options opts;
	char mode[48];
	uint64_t last = atomic_load(&db->last_seq);
	uint64_t durable = atomic_load(&db->durable_seq);
	uint64_t at = atomic_load(&db->durable_at_ns), commits;

	live_options(db, &opts);
	kv_options_format_sync(&opts, mode, sizeof(mode));
	fprintf(out, "Sync mode: %s\n", mode);
	put(out, "Last change", last);
	put(out, "Last durable change", durable);
	put(out, "Changes not durable", last > durable ? last - durable : 0);
	/* In this order: the second moves on meanwhile, the first not back. */
	commits = atomic_load(&db->durable_commits);
	put(out, "Commits not durable",
	    last > durable ? atomic_load(&db->commit_count) - commits : 0);
	fprintf(out, "Last disk sync: %.3f seconds ago\n",
	    at != 0 ? (double)(clock_now_ns() - at) * 1e-9 : 0.0);
	fprintf(out, "State: %s\n",
	    db_error(db) < 0  ? "failed, read-only" :
		db->read_only ? "read-only" :
				"writable");
}

static void
stats_tree(struct db *db, FILE *out)
{
	uint64_t tables = 0, bytes = 0, raw = 0, pointers = 0, entries = 0,
		 deletes = 0;
	struct view *v;

	mutex_lock(&db->mu);
	v = view_current_locked(db);
	mutex_unlock(&db->mu);
	put(out, "Memtable bytes", memtable_bytes(v->mem));
	put(out, "Memtables waiting", v->imm_count);
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
		if (l->count != 0)
			fprintf(out, "Level %d: %zu tables, %llu bytes\n", i,
			    l->count, (unsigned long long)l->bytes);
	}
	put(out, "Tables", tables);
	put(out, "Table bytes", bytes);
	put(out, "Table entries", entries);
	put(out, "Table deletions", deletes);
	put(out, "Bytes that tables name in segments", pointers);
	put_ratio(out, "Compression ratio", raw, bytes);
	put(out, "Bytes to compact", compact_debt(db, v->version));
	view_unref(v);
}

static void
stats_segments(struct db *db, FILE *out)
{
	uint64_t n = 0, bytes = 0, live = 0;
	struct segment_ref *s;

	mutex_lock(&db->segment_mu);
	RB_FOREACH (s, segment_tree, &db->segments) {
		n++;
		bytes += s->size;
		live += s->live_bytes;
	}
	mutex_unlock(&db->segment_mu);
	put(out, "Segments", n);
	put(out, "Segment bytes", bytes);
	put(out, "Segment bytes live", live);
}

static void
stats_work(struct db *db, FILE *out)
{
	const struct db_stats *s = &db->stats;
	struct block_cache_stats cache;
	uint64_t user = counter_read(&s->user_bytes);
	uint64_t written = counter_read(&s->log_bytes) +
	    counter_read(&s->flush_bytes) +
	    counter_read(&s->compact_write_bytes) +
	    counter_read(&s->segment_bytes);

	block_cache_get_stats(db->cache, &cache);
	put(out, "Cache capacity", cache.capacity_bytes);
	put(out, "Cache bytes", cache.bytes);
	put(out, "Cache hits", cache.hits);
	put(out, "Cache misses", cache.misses);
	put(out, "Index and filter bytes", table_cache_memory(db->tables));
	put(out, "Gets", counter_read(&s->gets));
	put(out, "Scans", counter_read(&s->scans));
	put(out, "Commits", counter_read(&s->commits));
	put(out, "Changes", counter_read(&s->records));
	put(out, "Bytes committed", user);
	put(out, "Log bytes written", counter_read(&s->log_bytes));
	put(out, "Segment bytes written", counter_read(&s->segment_bytes));
	put(out, "Flush bytes written", counter_read(&s->flush_bytes));
	put(out, "Compaction bytes read", counter_read(&s->compact_read_bytes));
	put(out, "Compaction bytes written",
	    counter_read(&s->compact_write_bytes));
	put_ratio(out, "Write amplification", written, user);
	put(out, "Disk syncs", counter_read(&s->syncs));
	put(out, "Waits for another's sync", counter_read(&s->sync_waits));
	put(out, "Flushes", counter_read(&s->flushes));
	put(out, "Compactions", counter_read(&s->compactions));
	put(out, "Tables moved", counter_read(&s->moves));
	put(out, "Tables rewritten for segments",
	    counter_read(&s->relocations));
	put(out, "Stalls", counter_read(&s->stalls));
	put(out, "Stall microseconds", counter_read(&s->stall_ns) / 1000);
	put(out, "Sync microseconds p50",
	    histogram_percentile(&s->sync_ns, 0.5) / 1000);
	put(out, "Sync microseconds p99",
	    histogram_percentile(&s->sync_ns, 0.99) / 1000);
}

static int
control_stats(struct db *db, FILE *out)
{
	stats_durability(db, out);
	stats_tree(db, out);
	stats_segments(db, out);
	stats_work(db, out);
	return 0;
}

/* ---- check ---- */

struct check {
	FILE *out;
	int problems;
};

static void
check_table(struct db *db, struct table_file *f, struct check *c)
{
	struct table_handle *handle;
	struct table_reader *t;
	int rc = db_table_reader(db, f, &handle, &t);

	if (rc < 0) {
		fprintf(c->out, "damage: %s/%06llu.sst: cannot be opened: %s\n",
		    db->dir, (unsigned long long)f->number, strerror(-rc));
		c->problems++;
		return;
	}
	c->problems += table_reader_verify(t, c->out);
	table_handle_release(handle);
}

/* Every key and value through the front door: that reads and verifies what
 * lies in segments too. Their dead values, and holes that a crash or a full
 * disk left between them, are nobody's loss. */
static void
check_entries(struct db *db, struct check *c)
{
	struct kv_key from = { 0 };
	struct kv_iter *it;
	struct slice value;
	int rc = kv_iter_open(&db->kv, &from, KV_SCOPE_ALL, NULL, &it);

	while (rc >= 0 && (rc = kv_iter_next(it)) > 0) {
		struct kv_key key = kv_iter_key(it);
		int vrc = kv_iter_value(it, &value);

		if (vrc < 0) {
			fprintf(c->out,
			    "damage: %s: value of key (%u, %llu, %zu bytes of "
			    "name): %s\n",
			    db->dir, key.space, (unsigned long long)key.group,
			    key.name.len, strerror(-vrc));
			c->problems++;
		}
	}
	kv_iter_close(it);
	if (rc < 0) {
		fprintf(c->out, "damage: %s: scan ended early: %s\n", db->dir,
		    strerror(-rc));
		c->problems++;
	}
}

static int
control_check(struct db *db, FILE *out)
{
	struct check c = { .out = out };
	struct view *v;

	mutex_lock(&db->mu);
	v = view_current_locked(db);
	mutex_unlock(&db->mu);
	for (int i = 0; i < LEVELS; i++)
		for (size_t j = 0; j < v->version->levels[i].count; j++)
			check_table(db, v->version->levels[i].files[j], &c);
	check_entries(db, &c);
	view_unref(v);
	return c.problems;
}

/* ---- the rest ---- */

/* Until the compaction threads find nothing more to do for it. */
static int
control_compact(struct db *db)
{
	int rc = db_flush_all(db);

	segment_seal_active(db); /* what is dead in it goes, too */
	mutex_lock(&db->mu);
	db->compact_all = rc == 0;
	db->compact_error = 0;
	cond_broadcast(&db->work);
	while (rc == 0 && db->compact_all) {
		if (db_error(db) < 0)
			rc = -EIO;
		else if (db->compact_error < 0)
			rc = db->compact_error;
		else
			cond_wait(&db->progress, &db->mu);
	}
	db->compact_all = false;
	mutex_unlock(&db->mu);
	return rc;
}

static int
control_set(struct db *db, const char *setting)
{
	struct kv_options opts;
	char *end;

	live_options(db, &opts);
	if (strncmp(setting, "sync=", 5) == 0) {
		if (kv_options_parse_sync(&opts, setting + 5) < 0)
			return -EINVAL;
		/* What was committed under the old promise keeps it. */
		if (db_error(db) == 0 && opts.sync != KV_SYNC_OFF) {
			int rc = db_sync_all(db);

			if (rc < 0)
				return rc;
		}
		atomic_store(&db->sync_commits, opts.sync_commits);
		atomic_store(&db->sync_ms, opts.sync_ms);
		atomic_store(&db->sync_mode, opts.sync);
		return 0;
	}
	if (strncmp(setting, "wal_buffer=", 11) == 0) {
		opts.wal_buffer_bytes = strtoull(setting + 11, &end, 10);
		if (end == setting + 11 || *end != '\0')
			return -EINVAL;
		atomic_store(&db->wal_buffer_bytes, opts.wal_buffer_bytes);
		/* It takes effect with the log that follows. */
		return db_rotate(db);
	}
	return -EINVAL;
}

int
db_control(struct kv *kv, const char *command, FILE *out)
{
	struct db *db = db_of(kv);

	if (strcmp(command, "stats") == 0)
		return control_stats(db, out);
	if (strcmp(command, "check") == 0)
		return control_check(db, out);
	if (strncmp(command, "backup ", 7) == 0)
		return db_backup(db, command + 7, out);
	if (db->read_only)
		return -EROFS;
	if (strcmp(command, "flush") == 0)
		return db_flush_all(db);
	if (strcmp(command, "compact") == 0)
		return control_compact(db);
	if (strncmp(command, "set ", 4) == 0)
		return control_set(db, command + 4);
	return -ENOTSUP;
}

int
db_usage(struct kv *kv, struct kv_usage *usagep)
{
	struct db *db = db_of(kv);
	struct env_space space;
	struct segment_ref *s;
	int rc = env_space(db->env, db->dir, &space);

	*usagep = (struct kv_usage){ 0 };
	if (rc < 0)
		return rc;
	usagep->total_bytes = space.total_bytes;
	usagep->free_bytes = db_room(db, &space);
	mutex_lock(&db->mu);
	for (int i = 0; i < LEVELS; i++)
		usagep->disk_bytes += db->view->version->levels[i].bytes;
	for (size_t i = 0; i < db->log_count; i++)
		usagep->disk_bytes += db->logs[i]->size;
	mutex_unlock(&db->mu);
	mutex_lock(&db->segment_mu);
	RB_FOREACH (s, segment_tree, &db->segments)
		usagep->disk_bytes += s->size;
	mutex_unlock(&db->segment_mu);
	return 0;
}
