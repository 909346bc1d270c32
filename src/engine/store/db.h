/* SPDX-License-Identifier: ISC */
/* Opens the embedded store on any env, for kv_open() and for tests. */
#ifndef KVFS_ENGINE_STORE_DB_H
#define KVFS_ENGINE_STORE_DB_H

#include "engine/env/env.h"
#include "kvfs/store.h"

/* The process has to be allowed at least so many open files. */
#define PROCESS_FILES_MIN 32

/* As kv_open(), on env. */
int db_open(struct env *env, const char *dir, const struct kv_options *opts,
    struct kv **kvp);
/* The same in an open directory. Takes store, also on failure. */
int db_open_in(struct env_dir *store, const struct kv_options *opts,
    struct kv **kvp);

#endif
