/* SPDX-License-Identifier: ISC */
/*
 * Makes the commits in a damaged store's logs sources of the merge. They are
 * collected in a memtable. When it is full it is written to a temporary table
 * in the new store's directory, which is unlinked while open.
 */
#include "engine/repair/repair_logs.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/env/env.h"
#include "engine/env/filename.h"
#include "engine/env/store_files.h"
#include "engine/key/iter.h"
#include "engine/key/key.h"
#include "engine/log/record.h"
#include "engine/memtable/memtable.h"
#include "engine/repair/repair_job.h"
#include "engine/repair/salvage.h"
#include "engine/segment/segment.h"
#include "engine/state/log_set.h"
#include "engine/table/table_builder.h"
#include "util/log.h"

#define SPILL_BYTES (64u << 20)

/* ---- Memory ---- */

static void
fail_on_damage(void *arg, const struct salvage_damage *d)
{
	struct repair *r = arg;

	log_error("%s: a table made just now cannot be read: %s", r->dest,
	    d->what);
	r->logs.error = -EIO;
}

/* Write the entries of the memtable, each one once. */
static int
write_table(struct repair *r, struct env_file *file)
{
	struct table_options opts;
	struct table_builder *b;
	struct table_props props;
	struct iter *it = memtable_iter(r->logs.mem);
	uint8_t last[KEY_INTERNAL_MAX];
	size_t last_len = 0;
	int rc = -ENOMEM;

	table_options_init(&opts);
	b = table_builder_create(file, r->logs.next_spill, &opts);
	if (b == NULL || it == NULL)
		goto out;
	rc = 0;
	for (iter_seek_first(it); it->valid && rc == 0; iter_next(it)) {
		if (slice_eq(it->key, slice_make(last, last_len)))
			continue;
		rc = table_builder_add(b, it->key, it->value);
		memcpy(last, it->key.data, it->key.len);
		last_len = it->key.len;
	}
	if (rc == 0)
		rc = table_builder_finish(b, &props);
out:
	iter_close(it);
	table_builder_destroy(b);
	return rc;
}

static int
spill_memtable(struct repair *r)
{
	struct env_file *file = NULL;
	struct table_salvage *t;
	char path[PATH_MAX];
	int rc = store_file_open(r->to, FILE_TEMP, ++r->logs.next_spill,
	    ENV_WRITE | ENV_CREATE, &file);

	filename_path(path, r->dest, FILE_TEMP, r->logs.next_spill);
	if (rc == 0) {
		(void)store_file_unlink(r->to, FILE_TEMP, r->logs.next_spill);
		rc = write_table(r, file);
	}
	if (rc < 0) {
		log_error("%s: cannot write: %s", path, strerror(-rc));
		env_close(file);
		return rc;
	}
	memtable_unref(r->logs.mem);
	r->logs.mem = NULL;
	rc = table_salvage_open(file, path, r->logs.next_spill, fail_on_damage,
	    r, &t);
	return rc < 0 ? rc :
			repair_sources_add(&r->sources, table_salvage_iter(t));
}

/* ---- Frames ---- */

struct change {
	struct repair *r;
	uint64_t seq;
};

static int
add_change(void *arg, enum key_type type, struct slice user, struct slice value)
{
	struct change *c = arg;
	uint64_t seq = c->seq++;

	if (type == KEY_POINTER) {
		struct segment_pointer p;

		if (segment_pointer_decode(value, &p) < 0) {
			repair_lost_value(&c->r->report, user,
			    "%s: commit %llu: impossible pointer",
			    c->r->logs.path, (unsigned long long)seq);
			/* The commit has replaced the old value, so that one
			 * must not come back. */
			type = KEY_DELETE;
			value = (struct slice){ 0 };
		}
	}
	return memtable_add(c->r->logs.mem, seq, type, user, value);
}

static void
report_gap(struct repair *r, uint64_t next, const char *where)
{
	if (r->logs.next_seq == 0 || next <= r->logs.next_seq ||
	    r->logs.is_gap_reported)
		return;
	repair_lost(&r->report, "%s: commits %llu to %llu are missing %s",
	    r->logs.path, (unsigned long long)r->logs.next_seq,
	    (unsigned long long)next - 1, where);
}

static int
visit_frame(void *arg, const struct wal_frame *f)
{
	struct repair *r = arg;
	struct change c = { r, f->seq };
	uint64_t end = f->seq + f->count;
	int rc = 0;

	/* These commits are in tables already, or an earlier recovery has
	 * dropped them. */
	if ((r->manifest.is_whole && end <= r->manifest.last_seq + 1) ||
	    f->seq >= r->logs.limit_seq)
		return 0;
	report_gap(r, f->seq, "before what it holds");
	r->logs.is_gap_reported = false;
	if (r->logs.mem == NULL)
		r->logs.mem = memtable_create(0, 0);
	if (r->logs.mem == NULL)
		return -ENOMEM;
	rc = record_decode(f->payload, f->count, add_change, &c);
	if (rc == -KVFS_ECORRUPT) {
		repair_lost(&r->report,
		    "%s: offset %llu: impossible contents: a part of commits "
		    "%llu to %llu",
		    r->logs.path, (unsigned long long)f->off,
		    (unsigned long long)f->seq, (unsigned long long)end - 1);
		rc = 0;
	}
	if (end > r->logs.next_seq)
		r->logs.next_seq = end;
	if (rc == 0 && memtable_bytes(r->logs.mem) >= SPILL_BYTES)
		rc = spill_memtable(r);
	return rc;
}

static void
visit_damage(void *arg, const struct salvage_damage *d)
{
	struct repair *r = arg;

	/* After a crash the store went on with another log: this range was
	 * never valid. */
	if (r->logs.next_seq >= r->logs.limit_seq)
		return;
	r->logs.is_gap_reported = true;
	repair_lost(&r->report,
	    "%s: offset %llu, %llu bytes: %s: commits after %llu", r->logs.path,
	    (unsigned long long)d->off, (unsigned long long)d->len, d->what,
	    (unsigned long long)(r->logs.next_seq != 0 ? r->logs.next_seq - 1 :
							 r->manifest.last_seq));
}

/* ---- Logs ---- */

static int
read_log(struct repair *r, uint64_t number, bool whole,
    struct wal_salvage *info)
{
	struct env_file *file;
	char path[PATH_MAX];
	int rc = store_file_open(r->from, FILE_WAL, number, ENV_READ, &file);

	*info = (struct wal_salvage){ 0 };
	filename_path(path, r->dir, FILE_WAL, number);
	r->logs.path = path;
	if (rc < 0) {
		if (whole)
			repair_lost(&r->report, "%s: cannot be read: %s", path,
			    strerror(-rc));
		rc = 0;
	} else {
		rc = wal_salvage(file, path, number, whole ? visit_frame : NULL,
		    visit_damage, r, info);
		env_close(file);
		if (rc == 0 && whole && !info->is_log &&
		    number == r->manifest.log_number)
			repair_lost(&r->report, "%s: nothing in it can be read",
			    path);
	}
	r->logs.path = "the logs";
	return rc;
}

/* Whether commits of the log may be missing in tables. */
static bool
log_is_needed(const struct repair *r, uint64_t number)
{
	if (!r->manifest.is_whole)
		return true;
	if (r->manifest.log_number == LOG_NONE || r->manifest.log_number == 0)
		return number >= r->manifest.next_file;
	return number >= r->manifest.log_number;
}

int
repair_gather_logs(struct repair *r)
{
	const struct number_list *l = &r->files.kinds[FILE_WAL];
	uint64_t *limits = calloc(l->count + 1, sizeof(*limits));
	struct wal_salvage info;
	int rc = 0;

	if (limits == NULL)
		return -ENOMEM;
	/* If a log's first number is N, commits from N on in older logs are
	 * invalid: the store was opened without them after a crash. */
	limits[l->count] = UINT64_MAX;
	for (size_t i = l->count; i-- > 0 && rc == 0;) {
		limits[i] = limits[i + 1];
		rc = read_log(r, l->v[i], false, &info);
		if (info.has_header && info.start_seq < limits[i])
			limits[i] = info.start_seq;
	}
	if (r->manifest.is_whole)
		r->logs.next_seq = r->manifest.last_seq + 1;
	for (size_t i = 0; i < l->count && rc == 0; i++) {
		if (!log_is_needed(r, l->v[i]))
			continue;
		r->logs.limit_seq = limits[i + 1];
		rc = read_log(r, l->v[i], true, &info);
		/* This applies to a log without frames, too. */
		if (info.has_header && info.start_seq <= r->logs.limit_seq)
			report_gap(r, info.start_seq, "before the last log");
		if (info.has_header && info.start_seq > r->logs.next_seq)
			r->logs.next_seq = info.start_seq;
		if (info.durable_seq > r->logs.durable_seq)
			r->logs.durable_seq = info.durable_seq;
	}
	free(limits);
	if (rc == 0)
		report_gap(r, r->logs.durable_seq + 1,
		    "though they were durable");
	if (rc == 0 && r->logs.mem != NULL)
		rc = repair_sources_add(&r->sources,
		    memtable_iter(r->logs.mem));
	return rc;
}
