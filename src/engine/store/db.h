/* SPDX-License-Identifier: ISC */
/* Opening the embedded store on any env; tests use it. */
#ifndef KVFS_ENGINE_STORE_DB_H
#define KVFS_ENGINE_STORE_DB_H

#include "engine/env/env.h"
#include "kvfs/store.h"

/* The least number of open files that the process must be allowed. */
#define PROCESS_FILES_MIN 32

/* kv_open() on env. */
int db_open(struct env *env, const char *dir, const struct kv_options *opts,
    struct kv **kvp);
/* The same in a directory that is open; takes store, also on failure. */
int db_open_in(struct env *env, struct env_dir *store,
    const struct kv_options *opts, struct kv **kvp);

#endif
