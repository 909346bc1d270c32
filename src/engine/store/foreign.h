/* SPDX-License-Identifier: ISC */
/* Stores of other programs, whose files have names like ours. */
#ifndef KVFS_ENGINE_STORE_FOREIGN_H
#define KVFS_ENGINE_STORE_FOREIGN_H

#include "engine/env/env.h"

/* -ENOTEMPTY, logged, when the directory is a LevelDB, a RocksDB, an LMDB
 * or a Berkeley DB. Changes nothing there. */
int foreign_refuse(struct env_dir *dir);

#endif
