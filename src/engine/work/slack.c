/* SPDX-License-Identifier: ISC */
/*
 * A file that reserves space. File systems that never overwrite in place (btrfs
 * and similar ones) may need new blocks for every byte, so that a log made
 * ahead reserves nothing, and others may take the last blocks. When a deletion
 * or a flush finds no space, this file is removed. It is named as a temporary
 * file (kvfs-format(5)), so that opening removes it first, which makes space
 * for the opening, too. A store that closes on a disk with enough space removes
 * it.
 */
#include "engine/work/slack.h"

#include <errno.h>

#include "engine/env/env.h"
#include "engine/env/filename.h"
#include "engine/state/db_state.h"
#include "engine/env/store_files.h"
#include "engine/state/disk_space.h"
#include "engine/state/store_dir.h"
#include "engine/work/room.h"

#define SLACK_PART 64
#define SLACK_MIN (256u << 10)
#define SLACK_MAX (16u << 20)

/* Whether there is space for twice the size of the file. */
static bool
has_plenty(struct db *db, uint64_t *bytesp)
{
	struct env_space space;

	if (db_space(db, &space) < 0)
		return false;
	*bytesp = space_part(space.total_bytes, SLACK_PART, SLACK_MIN,
	    SLACK_MAX);
	return db_room(db, &space) >= 2 * *bytesp;
}

void
db_slack_keep(struct db *db)
{
	struct env_file *file = NULL;
	uint64_t bytes, number;
	int rc;

	if (!db->space.may_fill || db->read_only)
		return;
	mutex_lock(&db->room.slack_mu);
	if (db->room.slack_number == 0 && has_plenty(db, &bytes)) {
		number = store_new_file_number(&db->store);
		rc = store_file_open(db->store.dir, FILE_TEMP, number,
		    ENV_WRITE | ENV_CREATE, &file);
		if (rc == 0) {
			rc = env_allocate(file, bytes, false);
			env_close(file);
			if (rc == 0)
				db->room.slack_number = number;
			else
				store_file_unlink(db->store.dir, FILE_TEMP,
				    number);
		}
	}
	mutex_unlock(&db->room.slack_mu);
}

bool
db_slack_spend(struct db *db)
{
	bool is_spent = false;

	mutex_lock(&db->room.slack_mu);
	if (db->room.slack_number != 0) {
		is_spent = store_file_unlink(db->store.dir, FILE_TEMP,
			       db->room.slack_number) == 0;
		db->room.slack_number = 0;
	}
	mutex_unlock(&db->room.slack_mu);
	if (is_spent)
		env_dir_settle(db->store.dir);
	return is_spent;
}

void
db_slack_close(struct db *db)
{
	uint64_t bytes;

	mutex_lock(&db->room.slack_mu);
	if (db->room.slack_number != 0 && has_plenty(db, &bytes))
		store_file_unlink(db->store.dir, FILE_TEMP,
		    db->room.slack_number);
	mutex_unlock(&db->room.slack_mu);
}
