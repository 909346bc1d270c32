/* SPDX-License-Identifier: ISC */
/*
 * Follows the checksum chain of the logs from file to file; see
 * recover_internal.h.
 */
#include "engine/env/env.h"
#include "engine/env/filename.h"
#include "engine/store/recover_internal.h"

#include <errno.h>

#include "engine/state/db_state.h"
#include "util/log.h"

/* Returns 1 and a reader, 0 if the file was never used as a log, or an
 * error. */
static int
open_log(struct log_visit *v, struct wal_reader **readerp)
{
	struct recovery *r = v->r;
	struct env_file *file = NULL;
	int rc = store_file_open(r->db->store.dir, FILE_WAL, v->number,
	    ENV_READ, &file);

	filename_path(v->path, r->db->store.path, FILE_WAL, v->number);
	if (rc == 0)
		rc = wal_reader_open(file, v->path, v->number, readerp);
	if (rc < 0) {
		log_error("%s: cannot read the log: %s; run kvfsctl repair",
		    v->path, strerror(-rc));
		return rc;
	}
	/* The manifest names the first log only after that has become a log. */
	if (rc == 0 && v->number == r->log_number) {
		log_error("%s: damaged: empty; run kvfsctl repair", v->path);
		return -KVFS_ECORRUPT;
	}
	return rc;
}

int
recover_walk_logs(struct recovery *r,
    int (*begin)(struct log_visit *v, struct wal_reader *reader),
    int (*fn)(struct log_visit *v, const struct wal_frame *frame),
    int (*end)(struct log_visit *v, struct wal_reader *reader, bool linked))
{
	const struct number_list *l = &r->files.kinds[FILE_WAL];
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
		if (rc <= 0) /* an error, or never used as a log */
			continue;
		v.size = wal_reader_size(reader);
		if (next == 0) {
			/* The oldest log may begin with commits that were
			 * flushed since, but not later. */
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
		/* A log that does not continue the chain is older than a crash
		 * that has removed the logs between. */
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
	r->db->logs.recovered_chain = chain;
	r->chain_seq = next > r->last_seq + 1 ? next - 1 : r->last_seq;
	return rc;
}

int
recover_log_is_used(struct recovery *r, uint64_t number)
{
	struct log_visit v = { .r = r, .number = number };
	struct wal_reader *reader = NULL;
	struct wal_frame frame;
	int rc = open_log(&v, &reader);

	if (rc == 1 && wal_reader_start_seq(reader) == 1)
		rc = wal_reader_next(reader, &frame);
	wal_reader_close(reader);
	return rc;
}

unsigned
recover_drop_unused_logs(struct recovery *r)
{
	const struct number_list *l = &r->files.kinds[FILE_WAL];
	unsigned dropped = 0;

	if (r->unused_dropped)
		return 0;
	r->unused_dropped = true;
	for (size_t i = 0; i < l->count; i++) {
		struct log_visit v = { .r = r, .number = l->v[i] };
		struct wal_reader *reader = NULL;

		if (v.number <= r->log_number && r->log_number != LOG_NONE)
			continue;
		if (open_log(&v, &reader) == 0 &&
		    store_file_unlink(r->db->store.dir, FILE_WAL, v.number) ==
			0)
			dropped++;
		wal_reader_close(reader);
	}
	return dropped;
}
