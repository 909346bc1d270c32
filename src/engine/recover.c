/* SPDX-License-Identifier: ISC */
/*
 * Opening: the manifest gives the tree, the logs give what came after it.
 *
 * The logs are read twice. First only along their chain, to find where it
 * ends and up to which number anything in any of them says that commits
 * were durable: a chain that ends before that is damage, and the store is
 * not opened. Then their frames go to memtables. A frame above the durable
 * number counts only if the values that it names in segments can be read:
 * the disk may have kept the log and lost the segment.
 */
#include <errno.h>
#include <stdlib.h>

#include "engine/db_internal.h"
#include "util/log.h"

struct number_list {
	uint64_t *v;
	size_t count, cap;
};

struct recovery {
	struct db *db;
	struct number_list files[FILE_TEMP + 1];
	bool foreign; /* something that is none of ours */
	/* from the manifest */
	struct version *version;
	uint64_t log_number, last_seq, next_file;
	/* from the logs' first reading */
	uint64_t chain_seq; /* last number that the chain reaches */
	uint64_t durable_seq;
	uint64_t broken_log; /* where it ends early, for the message */
	/* their second */
	uint64_t replayed_frames;
	uint64_t stop_seq; /* a frame whose values are lost: first dropped */
	struct segment_ref **held;
	size_t held_count;
};

static int
number_add(struct number_list *l, uint64_t n)
{
	if (l->count == l->cap) {
		size_t cap = l->cap != 0 ? l->cap * 2 : 64;
		uint64_t *p = realloc(l->v, cap * sizeof(*p));

		if (p == NULL)
			return -ENOMEM;
		l->v = p;
		l->cap = cap;
	}
	l->v[l->count++] = n;
	return 0;
}

static int
cmp_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool
number_has(const struct number_list *l, uint64_t n)
{
	return l->count != 0 &&
	    bsearch(&n, l->v, l->count, sizeof(n), cmp_number) != NULL;
}

static int
note_file(void *arg, const char *name)
{
	struct recovery *r = arg;
	enum file_kind kind;
	uint64_t number;

	if (filename_parse(name, &kind, &number) < 0) {
		/* The root of a file system of its own has this one. */
		if (strcmp(name, "lost+found") != 0)
			r->foreign = true;
		return 0;
	}
	return number_add(&r->files[kind], number);
}

static int
list_files(struct recovery *r)
{
	int rc = env_list(r->db->env, r->db->dir, note_file, r);

	for (int i = 0; i <= FILE_TEMP; i++)
		if (r->files[i].count != 0)
			qsort(r->files[i].v, r->files[i].count,
			    sizeof(uint64_t), cmp_number);
	return rc;
}

static uint64_t
highest_number(const struct recovery *r)
{
	uint64_t max = 0;

	for (int i = 0; i <= FILE_TEMP; i++) {
		const struct number_list *l = &r->files[i];

		if (l->count != 0 && l->v[l->count - 1] > max)
			max = l->v[l->count - 1];
	}
	return max;
}

/* ---- The manifest ---- */

static int
apply_edit(void *arg, struct version_edit *e)
{
	struct recovery *r = arg;
	struct version *v;
	int rc;

	if (e->log_number != 0)
		r->log_number = e->log_number;
	if (e->last_seq > r->last_seq)
		r->last_seq = e->last_seq;
	if (e->next_file > r->next_file)
		r->next_file = e->next_file;
	if (e->add_count == 0 && e->remove_count == 0)
		return 0;
	rc = version_apply(r->version, e, &v);
	if (rc < 0)
		return rc;
	version_unref(r->version);
	r->version = v;
	return 0;
}

static int
check_tables_exist(struct recovery *r)
{
	char path[PATH_MAX];

	for (int i = 0; i < LEVELS; i++) {
		const struct level *l = &r->version->levels[i];

		for (size_t j = 0; j < l->count; j++) {
			if (number_has(&r->files[FILE_TABLE],
				l->files[j]->number))
				continue;
			(void)filename_make(path, sizeof(path), r->db->dir,
			    FILE_TABLE, l->files[j]->number);
			log_error("%s: missing: the store is damaged; run "
				  "kvfsctl repair",
			    path);
			return -KVFS_ECORRUPT;
		}
	}
	return 0;
}

static int
load_manifest(struct recovery *r)
{
	const struct number_list *l = &r->files[FILE_MANIFEST];
	char path[PATH_MAX];
	uint64_t number = l->v[l->count - 1];
	int rc = filename_make(path, sizeof(path), r->db->dir, FILE_MANIFEST,
	    number);

	if (rc == 0)
		rc = manifest_read(r->db->env, path, number, apply_edit, r);
	if (rc == 0)
		rc = check_tables_exist(r);
	for (int i = 0; i < LEVELS && rc == 0; i++) {
		for (size_t j = 0; j < r->version->levels[i].count && rc == 0;
		     j++) {
			struct table_file *f = r->version->levels[i].files[j];

			rc = segment_hold_uses(r->db, f);
			segment_count_uses(r->db, f, true);
		}
	}
	return rc;
}

/* ---- The logs ---- */

struct log_visit {
	struct recovery *r;
	uint64_t number;
	uint64_t size;
	char path[PATH_MAX];
};

/* 1 and a reader, 0 when the file never became a log, or an error. */
static int
open_log(struct log_visit *v, struct wal_reader **readerp)
{
	struct recovery *r = v->r;
	struct env_file *file = NULL;
	int rc = filename_make(v->path, sizeof(v->path), r->db->dir, FILE_WAL,
	    v->number);

	if (rc == 0)
		rc = env_open(r->db->env, v->path, ENV_READ, &file);
	if (rc == 0)
		rc = wal_reader_open(file, v->path, v->number, readerp);
	if (rc < 0) {
		log_error("%s: cannot read the log: %s; run kvfsctl repair",
		    v->path, strerror(-rc));
		return rc;
	}
	/* The manifest names the first one only after it became one. */
	if (rc == 0 && v->number == r->log_number) {
		log_error("%s: damaged: empty; run kvfsctl repair", v->path);
		return -KVFS_ECORRUPT;
	}
	return rc;
}

/* Call fn for each frame of the chain, across files. */
static int
walk_logs(struct recovery *r,
    int (*begin)(struct log_visit *v, struct wal_reader *reader),
    int (*fn)(struct log_visit *v, const struct wal_frame *frame),
    int (*end)(struct log_visit *v, struct wal_reader *reader, bool linked))
{
	const struct number_list *l = &r->files[FILE_WAL];
	uint64_t next = 0; /* sequence number that the chain expects */
	uint32_t chain = 0;
	int rc = 0;

	for (size_t i = 0; i < l->count && rc == 0; i++) {
		struct log_visit v = { .r = r, .number = l->v[i] };
		struct wal_reader *reader = NULL;
		struct wal_frame frame;
		bool linked;

		if (l->v[i] < r->log_number)
			continue;
		rc = open_log(&v, &reader);
		if (rc <= 0) /* an error, or it never became a log */
			continue;
		v.size = wal_reader_size(reader);
		if (next == 0) {
			/* The oldest log may begin with what was flushed
			 * since, but not later. */
			next = wal_reader_start_seq(reader);
			chain = wal_reader_start_chain(reader);
			if (next > r->last_seq + 1) {
				log_error("%s: commits are missing before it; "
					  "run kvfsctl repair",
				    v.path);
				wal_reader_close(reader);
				return -KVFS_ECORRUPT;
			}
		}
		/* A log that does not carry on from here was written before
		 * a crash took away what stood between. */
		linked = wal_reader_start_chain(reader) == chain &&
		    wal_reader_start_seq(reader) == next;
		rc = linked && begin != NULL ? begin(&v, reader) : 0;
		while (rc == 0 && linked &&
		    (rc = wal_reader_next(reader, &frame)) > 0) {
			rc = 0;
			if (frame.count == 0)
				continue;
			if (frame.seq != next) {
				log_error("%s: commits are missing before "
					  "offset %llu; run kvfsctl repair",
				    v.path, (unsigned long long)frame.off);
				rc = -KVFS_ECORRUPT;
				break;
			}
			next += frame.count;
			rc = fn(&v, &frame);
		}
		if (linked)
			chain = wal_reader_chain(reader);
		if (rc == 0)
			rc = end(&v, reader, linked);
		wal_reader_close(reader);
	}
	r->db->recovered_chain = chain;
	r->chain_seq = next > r->last_seq + 1 ? next - 1 : r->last_seq;
	return rc;
}

static int
skip_frame(struct log_visit *v, const struct wal_frame *frame)
{
	(void)v;
	(void)frame;
	return 0;
}

/* What the rest of the file, or a log that is cut off, promises. */
static int
note_promises(struct log_visit *v, struct wal_reader *reader, bool linked)
{
	uint64_t seq = 0, seen = wal_reader_durable_seq(reader);
	int rc = wal_reader_scan_rest(reader, &seq);

	(void)linked;
	if (rc < 0)
		return rc;
	if (seen > seq)
		seq = seen;
	if (seq > v->r->durable_seq) {
		v->r->durable_seq = seq;
		v->r->broken_log = v->number;
	}
	return 0;
}

struct replay {
	struct db *db;
	struct memtable *mem;
	uint64_t seq;
};

static int
sync_file(struct db *db, enum file_kind kind, uint64_t number)
{
	struct env_file *file = NULL;
	char path[PATH_MAX];
	int rc = filename_make(path, sizeof(path), db->dir, kind, number);

	if (rc == 0)
		rc = env_open(db->env, path, ENV_WRITE, &file);
	if (rc == 0)
		rc = env_sync(file);
	env_close(file);
	if (rc < 0)
		log_error("%s: cannot sync: %s", path, strerror(-rc));
	return rc;
}

/*
 * A segment that the log names may be in the page cache only, after the
 * death of the process that wrote it. A flush will put pointers to it in a
 * table, and syncs only what this process wrote.
 */
static int
adopt_segment(struct db *db, struct segment_ref *s)
{
	int rc = 0;

	if (!s->recovered && !db->read_only)
		rc = sync_file(db, FILE_SEGMENT, s->number);
	if (rc == -ENOENT) /* what was durable is gone */
		rc = -KVFS_ECORRUPT;
	s->recovered = true;
	return rc;
}

static int
replay_record(void *arg, enum key_type type, struct slice user,
    struct slice value)
{
	struct replay *re = arg;
	struct segment_pointer p;
	struct segment_ref *s;
	int rc = 0;

	if (type == KEY_POINTER) {
		rc = segment_pointer_decode(value, &p);
		if (rc < 0)
			return rc;
		s = segment_get(re->db, p.segment);
		if (s == NULL)
			return -ENOMEM;
		rc = adopt_segment(re->db, s);
		if (rc == 0)
			rc = memtable_hold_segment(re->db, re->mem, s);
		segment_put(re->db, s);
		re->mem->segment_bytes += p.frame_len;
	}
	if (rc == 0)
		rc = memtable_add(re->mem, re->seq++, type, user, value);
	return rc;
}

/* Whether a value that the log names can be read from its segment. */
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
		rc = table_cache_segment(db->tables, p.segment, &handle,
		    &reader);
	if (rc == 0) {
		rc = segment_probe(reader, &p, user);
		table_handle_release(handle);
	}
	return rc;
}

/* A new memtable in front of what was replayed so far. */
static int
next_memtable(struct db *db, uint64_t log_number)
{
	struct memtable *imm[IMM_MAX + 1], *mem;
	unsigned n;
	int rc = 0;

	mutex_lock(&db->mu);
	while (rc == 0 && db->view->imm_count >= IMM_MAX)
		rc = db_flush_oldest_locked(db);
	mutex_unlock(&db->mu);
	if (rc < 0)
		return rc;
	mem = db_memtable_create(db, log_number);
	if (mem == NULL)
		return -ENOMEM;
	mutex_lock(&db->mu);
	n = db->view->imm_count;
	imm[0] = db->view->mem;
	memcpy(imm + 1, db->view->imm, n * sizeof(imm[0]));
	rc = view_install_locked(db, mem, imm, n + 1, db->view->version);
	mutex_unlock(&db->mu);
	if (rc < 0) {
		memtable_unref(mem);
		return rc;
	}
	memtable_unref(db->mem);
	db->mem = mem;
	return 0;
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
	struct replay re = { db, NULL, frame->seq };
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
		return rc; /* it may be there all the same */
	if (!db->read_only &&
	    (memtable_bytes(db->mem) >= db->opts.memtable_bytes ||
		db->mem->segment_bytes >= MEMTABLE_SEGMENT_BYTES))
		rc = next_memtable(db, v->number);
	re.mem = db->mem;
	if (rc == 0)
		rc = record_decode(frame->payload, frame->count, replay_record,
		    &re);
	if (rc == -KVFS_ECORRUPT)
		log_error("%s: impossible frame at offset %llu; run kvfsctl "
			  "repair",
		    v->path, (unsigned long long)frame->off);
	if (rc == 0) {
		atomic_store(&db->last_seq, last);
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

/* What was replayed came out of the page cache, perhaps; now it is told
 * apart from later commits only by being durable. */
static int
sync_replayed(struct recovery *r)
{
	struct db *db = r->db;
	int rc = 0;

	for (size_t i = 0; i < db->log_count && rc == 0; i++)
		rc = sync_file(db, FILE_WAL, db->logs[i]->number);
	if (rc == 0)
		rc = env_sync_dir(db->env, db->dir);
	if (rc == 0)
		atomic_store(&db->durable_seq, atomic_load(&db->last_seq));
	return rc;
}

static int
replay_logs(struct recovery *r)
{
	struct db *db = r->db;
	int rc;

	if (r->log_number == LOG_NONE || r->log_number == 0)
		return 0;
	if (!number_has(&r->files[FILE_WAL], r->log_number)) {
		char path[PATH_MAX];

		(void)filename_make(path, sizeof(path), db->dir, FILE_WAL,
		    r->log_number);
		log_error("%s: missing: the store is damaged; run kvfsctl "
			  "repair",
		    path);
		return -KVFS_ECORRUPT;
	}
	rc = walk_logs(r, NULL, skip_frame, note_promises);
	if (rc < 0)
		return rc;
	if (r->durable_seq > r->chain_seq) {
		log_error("%s: %06llu.log: damaged: commits up to %llu were "
			  "durable, those after %llu cannot be read; run "
			  "kvfsctl repair",
		    db->dir, (unsigned long long)r->broken_log,
		    (unsigned long long)r->durable_seq,
		    (unsigned long long)r->chain_seq);
		return -KVFS_ECORRUPT;
	}
	return walk_logs(r, keep_log, replay_frame, end_nothing);
}

/*
 * Hold every segment while the logs are replayed: a flush on the way may
 * drop the last pointer that it knows of, and a frame still to come has
 * another. Letting go of them dooms those that nothing names.
 */
static int
hold_segments(struct recovery *r)
{
	const struct number_list *l = &r->files[FILE_SEGMENT];

	r->held = calloc(l->count + 1, sizeof(*r->held));
	if (r->held == NULL)
		return -ENOMEM;
	for (; r->held_count < l->count; r->held_count++) {
		r->held[r->held_count] = segment_get(r->db,
		    l->v[r->held_count]);
		if (r->held[r->held_count] == NULL)
			return -ENOMEM;
	}
	return 0;
}

static void
let_segments_go(struct recovery *r)
{
	for (size_t i = 0; i < r->held_count; i++)
		segment_put(r->db, r->held[i]);
	free(r->held);
}

/* ---- The rest ---- */

/* Files that the state does not name, but for segments (see above). */
static void
remove_orphans(struct recovery *r)
{
	struct db *db = r->db;

	for (size_t i = 0; i < r->files[FILE_TABLE].count; i++) {
		uint64_t n = r->files[FILE_TABLE].v[i];
		bool used = false;

		for (int j = 0; j < LEVELS && !used; j++) {
			const struct level *l = &db->view->version->levels[j];

			for (size_t k = 0; k < l->count && !used; k++)
				used = l->files[k]->number == n;
		}
		if (!used)
			db_doom(db, FILE_TABLE, n);
	}
	for (size_t i = 0; i < r->files[FILE_WAL].count; i++) {
		bool used = db->recycled_log != NULL &&
		    db->recycled_log->number == r->files[FILE_WAL].v[i];

		for (size_t j = 0; j < db->log_count && !used; j++)
			used = db->logs[j]->number == r->files[FILE_WAL].v[i];
		if (!used)
			db_doom(db, FILE_WAL, r->files[FILE_WAL].v[i]);
	}
	for (size_t i = 0; i < r->files[FILE_MANIFEST].count; i++)
		db_doom(db, FILE_MANIFEST, r->files[FILE_MANIFEST].v[i]);
	for (size_t i = 0; i < r->files[FILE_TEMP].count; i++)
		db_doom(db, FILE_TEMP, r->files[FILE_TEMP].v[i]);
	db_remove_doomed(db);
}

/* Start writing: a log of its own, and the manifest that says so. */
static int
begin_writing(struct recovery *r)
{
	struct db *db = r->db;
	struct version_edit e = { 0 };
	bool nothing_kept = db->log_count == 0;
	int rc;

	if (r->stop_seq != 0) {
		/* The logs hold frames that must not come back: what was
		 * replayed goes to tables, and they are needed no more. */
		rc = next_memtable(db, LOG_NONE);
		mutex_lock(&db->mu);
		while (rc == 0 && db->view->imm_count > 0)
			rc = db_flush_oldest_locked(db);
		mutex_unlock(&db->mu);
		if (rc < 0)
			return rc;
		db->recovered_chain = 0;
		nothing_kept = true;
	} else if (r->replayed_frames != 0) {
		rc = sync_replayed(r);
		if (rc < 0)
			return rc;
	}
	mutex_lock(&db->commit_mu);
	rc = db_log_switch(db, 0);
	mutex_unlock(&db->commit_mu);
	if (rc == 0)
		rc = db_sync_log(db, db->log);
	if (rc == 0 && nothing_kept) {
		db->mem->first_log = db->log->number;
		mutex_lock(&db->mu);
		e.log_number = db->log->number;
		e.last_seq = atomic_load(&db->last_seq);
		rc = db_install_locked(db, &e, NULL);
		mutex_unlock(&db->mu);
	}
	return rc;
}

static int
check_is_ours(struct recovery *r)
{
	bool parts = r->files[FILE_TABLE].count != 0 ||
	    r->files[FILE_SEGMENT].count != 0 || r->files[FILE_WAL].count != 0;

	if (r->files[FILE_MANIFEST].count != 0)
		return 0;
	if (parts) {
		log_error("%s: damaged: the manifest is missing; run kvfsctl "
			  "repair",
		    r->db->dir);
		return -KVFS_ECORRUPT;
	}
	if (r->foreign) {
		log_error("%s: not a kvfs store, and not empty; name another "
			  "directory",
		    r->db->dir);
		return -ENOTEMPTY;
	}
	if (!r->db->opts.create || r->db->read_only) {
		log_error("%s: there is no kvfs store here", r->db->dir);
		return -ENOENT;
	}
	return 0;
}

int
db_recover(struct db *db)
{
	struct recovery r = { .db = db };
	bool exists;
	int rc = list_files(&r);

	if (rc == 0)
		rc = check_is_ours(&r);
	if (rc < 0)
		goto out;
	rc = -ENOMEM;
	r.version = version_create(db_table_dropped, db);
	if (r.version == NULL)
		goto out;
	rc = hold_segments(&r);
	if (rc < 0)
		goto out;
	exists = r.files[FILE_MANIFEST].count != 0;
	rc = exists ? load_manifest(&r) : 0;
	if (rc < 0)
		goto out;
	if (r.next_file <= highest_number(&r))
		r.next_file = highest_number(&r) + 1;
	atomic_store(&db->next_file, r.next_file);
	atomic_store(&db->last_seq, r.last_seq);
	atomic_store(&db->durable_seq, r.last_seq);
	db->flushed_seq = r.last_seq;
	db->first_log = r.log_number != 0 ? r.log_number : LOG_NONE;
	db->mem = db_memtable_create(db, db->first_log);
	rc = -ENOMEM;
	if (db->mem == NULL)
		goto out;
	mutex_lock(&db->mu);
	rc = view_install_locked(db, db->mem, NULL, 0, r.version);
	mutex_unlock(&db->mu);
	/* Replaying may flush, so there must be a manifest to say so. */
	if (rc == 0 && !db->read_only)
		rc = db_manifest_renew(db);
	if (rc == 0)
		rc = replay_logs(&r);
	if (rc == 0 && !db->read_only)
		rc = begin_writing(&r);
	if (rc == 0 && !db->read_only)
		remove_orphans(&r);
out:
	/* A store that could not be opened keeps all its files. */
	if (rc < 0)
		atomic_store(&db->closing, true);
	let_segments_go(&r);
	version_unref(r.version);
	for (int i = 0; i <= FILE_TEMP; i++)
		free(r.files[i].v);
	return rc;
}
