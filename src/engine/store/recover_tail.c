/* SPDX-License-Identifier: ISC */
/*
 * Tells the torn tail that a crash leaves in the last log from damage. A first
 * pass over the logs follows the checksum chain, to find where it ends and the
 * highest number that any durable mark in any log has, behind that end too. A
 * chain that ends below that number has lost what was durable: the store is
 * damaged and not opened. Otherwise no sync of what follows the end had
 * returned, and it is dropped.
 */
#include "engine/env/filename.h"
#include "engine/env/store_files.h"
#include "engine/log/wal_reader.h"
#include "engine/state/db_state.h"
#include "engine/store/recover_internal.h"
#include "util/log.h"

static int
skip_frame(struct log_visit *v, const struct wal_frame *frame)
{
	(void)v;
	(void)frame;
	return 0;
}

/* Find durable marks in the rest of the file, or in a log that does not
 * continue the chain. */
static int
note_marks(struct log_visit *v, struct wal_reader *reader, bool linked)
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

int
recover_tail_verify(struct recovery *r)
{
	struct db *db = r->db;
	int rc;

	if (!number_list_has(&r->files.kinds[FILE_WAL], r->log_number)) {
		char path[PATH_MAX];

		filename_path(path, db->store.path, FILE_WAL, r->log_number);
		log_error("%s: missing: the store is damaged; run kvfsctl "
			  "repair",
		    path);
		return -KVFS_ECORRUPT;
	}
	rc = recover_walk_logs(r, NULL, skip_frame, note_marks);
	if (rc < 0)
		return rc;
	if (r->durable_seq > r->chain_seq) {
		log_error("%s: %06llu.log: damaged: commits up to %llu were "
			  "durable, those after %llu cannot be read; run "
			  "kvfsctl repair",
		    db->store.path, (unsigned long long)r->broken_log,
		    (unsigned long long)r->durable_seq,
		    (unsigned long long)r->chain_seq);
		return -KVFS_ECORRUPT;
	}
	return 0;
}
