/* SPDX-License-Identifier: ISC */
/* Numbers and names of files in the store's directory. Threading: any
 * thread. */
#ifndef KVFS_ENGINE_STATE_STORE_DIR_H
#define KVFS_ENGINE_STATE_STORE_DIR_H

#include <stdatomic.h>
#include <stdint.h>

#include "engine/state/obsolete.h"
#include "engine/state/store_lock.h"

struct store_dir {
	struct env_dir *dir; /* all files are opened relative to it */
	const char *path; /* its path, for messages */
	struct store_lock lock;
	struct obsolete_files obsolete;
	/* Relaxed: an addition alone makes a number unique; who writes it to
	 * the manifest has got the numbers in it under the state lock. */
	_Atomic uint64_t next_file;
	/* How many names were made, and how many of them are durable. */
	/* Sequentially consistent: names_made is raised after the file is made
	 * and read before the sync of the directory that covers it. */
	_Atomic uint64_t names_made, names_synced;
};

/* A number that no file of the store has had before. */
uint64_t store_new_file_number(struct store_dir *d);
/* Make all names durable that were made before the call. Waits for the disk. */
int store_sync_names(struct store_dir *d);

#endif
