/* SPDX-License-Identifier: ISC */
/*
 * Replays the logs, once recover_tail_verify() has found that nothing durable
 * is missing: adds the frames of the chain to memtables. A frame above the
 * durable number is valid only if its values in segments can be read: after a
 * crash the disk may have the log but not the segment.
 */
#include <errno.h>
#include <stdlib.h>

#include "engine/env/env.h"
#include "engine/env/filename.h"
#include "engine/env/store_files.h"
#include "engine/key/key.h"
#include "engine/log/record.h"
#include "engine/log/wal_reader.h"
#include "engine/memtable/memtable.h"
#include "engine/segment/segment.h"
#include "engine/state/db_state.h"
#include "engine/state/log_set.h"
#include "engine/state/segment_set.h"
#include "engine/state/view.h"
#include "engine/store/recover_internal.h"
#include "engine/work/flush.h"
#include "engine/work/memtables.h"
#include "util/log.h"

static int
sync_file(struct store_dir *store, enum file_kind kind, uint64_t number)
{
	struct env_file *file = NULL;
	char path[PATH_MAX];
	int rc = store_file_open(store->dir, kind, number, ENV_WRITE, &file);

	if (rc == 0)
		rc = env_sync(file);
	env_close(file);
	if (rc < 0) {
		filename_path(path, store->path, kind, number);
		log_error("%s: cannot sync: %s", path, strerror(-rc));
	}
	return rc;
}

/*
 * Sync a segment that a log points to. It may be only in the page cache, if the
 * process that wrote it has died. A flush will write pointers to it, but syncs
 * only segments of this process.
 */
static int
adopt_segment(struct db *db, struct segment_ref *s)
{
	int rc = 0;

	if (!s->recovered && !db->read_only)
		rc = sync_file(&db->store, FILE_SEGMENT, s->number);
	if (rc == -ENOENT) /* a durable segment is missing */
		rc = -KVFS_ECORRUPT;
	s->recovered = true;
	return rc;
}

static struct slice
copy_slice(struct replay *re, struct slice s)
{
	uint8_t *to = re->copies + re->used;

	if (s.len != 0) /* data may be NULL if it is empty */
		memcpy(to, s.data, s.len);
	re->used += s.len;
	return slice_make(to, s.len);
}

/* Add all waiting records to the memtable. */
static int
replay_finish(struct replay *re)
{
	re->used = 0;
	return memtable_adder_finish(&re->adder);
}

static int
replay_add(struct replay *re, uint64_t seq, enum key_type type,
    struct slice user, struct slice value)
{
	size_t len = user.len + value.len;
	int rc = 0;

	if (len > sizeof(re->copies) - re->used)
		rc = replay_finish(re);
	if (rc < 0)
		return rc;
	if (len > sizeof(re->copies))
		return memtable_add(re->adder.m, seq, type, user, value);
	user = copy_slice(re, user);
	value = copy_slice(re, value);
	rc = memtable_adder_add(&re->adder, seq, type, user, value);
	if (re->adder.count == 0)
		re->used = 0;
	return rc;
}

static int
replay_record(void *arg, enum key_type type, struct slice user,
    struct slice value)
{
	struct recovery *r = arg;
	struct replay *re = &r->replay;
	struct db *db = r->db;
	struct segment_pointer p;
	struct segment_ref *s;
	int rc = 0;

	if (type == KEY_POINTER) {
		rc = segment_pointer_decode(value, &p);
		if (rc < 0)
			return rc;
		s = segment_get(db, p.segment);
		if (s == NULL)
			return -ENOMEM;
		rc = adopt_segment(db, s);
		if (rc == 0)
			rc = memtable_hold_segment(&db->segs, re->adder.m, s);
		segment_put(db, s);
		atomic_fetch_add_explicit(&re->adder.m->segment_bytes,
		    p.frame_len, memory_order_relaxed);
	}
	return rc == 0 ? replay_add(re, re->seq++, type, user, value) : rc;
}

/* Whether a value in a segment can be read. */
static int
verify_record(void *arg, enum key_type type, struct slice user,
    struct slice value)
{
	struct db *db = arg;
	struct segment_pointer p;
	struct table_handle *handle;
	struct segment_reader *reader;
	int rc;

	if (type != KEY_POINTER)
		return 0;
	rc = segment_pointer_decode(value, &p);
	if (rc == 0)
		rc = table_cache_segment(db->caches.tables, p.segment, &handle,
		    &reader);
	if (rc == 0) {
		rc = segment_probe(reader, &p, user);
		table_handle_release(handle);
	}
	return rc;
}

int
recover_next_memtable(struct db *db, uint64_t log_number)
{
	int rc = 0;

	mutex_lock(&db->mu);
	while (rc == 0 && db->views.current->imm_count >= IMM_MAX)
		rc = db_flush_oldest_locked(db);
	mutex_unlock(&db->mu);
	if (rc < 0)
		return rc;
	mutex_lock(&db->commits.mu);
	rc = db_memtable_next(db, log_number);
	mutex_unlock(&db->commits.mu);
	return rc;
}

static int
keep_log(struct log_visit *v, struct wal_reader *reader)
{
	(void)reader;
	if (v->r->stop_seq != 0)
		return 0;
	return db_log_keep(v->r->db, v->number, v->size);
}

static int
replay_frame(struct log_visit *v, const struct wal_frame *frame)
{
	struct recovery *r = v->r;
	struct db *db = r->db;
	uint64_t last = frame->seq + frame->count - 1;
	int rc = 0;

	if (r->stop_seq != 0 || last <= r->last_seq)
		return 0;
	if (frame->seq > r->durable_seq)
		rc = record_decode(frame->payload, frame->count, verify_record,
		    db);
	if (rc == -KVFS_ECORRUPT || rc == -KVFS_ECHECKSUM) {
		log_warn("%s: recovery ends at commit %llu: the crash took "
			 "a value of the next",
		    v->path, (unsigned long long)frame->seq - 1);
		r->stop_seq = frame->seq;
		return 0;
	}
	if (rc < 0)
		return rc; /* the file may exist in spite of the error */
	if (!db->read_only && db_memtable_is_full(db, db->commits.mem)) {
		rc = replay_finish(&r->replay);
		if (rc == 0)
			rc = recover_next_memtable(db, v->number);
		if (rc == -ENOSPC) /* the memtable grows instead; the size of
		                      the logs is a bound */
			rc = 0;
		r->replay.adder.m = db->commits.mem;
	}
	r->replay.seq = frame->seq;
	if (rc == 0)
		rc = record_decode(frame->payload, frame->count, replay_record,
		    r);
	if (rc == -KVFS_ECORRUPT)
		log_error("%s: impossible frame at offset %llu; run kvfsctl "
			  "repair",
		    v->path, (unsigned long long)frame->off);
	if (rc == 0) {
		atomic_store_explicit(&db->commits.last_seq, last,
		    memory_order_seq_cst);
		r->replayed_frames++;
	}
	return rc;
}

static int
end_nothing(struct log_visit *v, struct wal_reader *reader, bool linked)
{
	(void)v;
	(void)reader;
	(void)linked;
	return 0;
}

/* What was replayed may be only in the page cache. Make it durable, since only
 * the durable number tells it from later commits. */
int
recover_sync_replayed(struct recovery *r)
{
	struct db *db = r->db;
	int rc = 0;

	for (size_t i = 0; i < db->logs.count && rc == 0; i++)
		rc = sync_file(&db->store, FILE_WAL, db->logs.all[i]->number);
	if (rc == 0)
		rc = env_dir_sync(db->store.dir);
	if (rc == 0)
		atomic_store_explicit(&db->dur.seq,
		    atomic_load_explicit(&db->commits.last_seq,
			memory_order_seq_cst),
		    memory_order_seq_cst);
	return rc;
}

int
recover_logs(struct recovery *r)
{
	struct db *db = r->db;
	int rc = recover_tail_verify(r);

	if (rc < 0)
		return rc;
	memtable_adder_init(&r->replay.adder, db->commits.mem);
	rc = recover_walk_logs(r, keep_log, replay_frame, end_nothing);
	if (rc == 0)
		rc = replay_finish(&r->replay);
	return rc;
}
