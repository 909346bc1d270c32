/* SPDX-License-Identifier: ISC */
/* Detects stores of other programs whose files have names like ours. */
#ifndef KVFS_ENGINE_STORE_FOREIGN_H
#define KVFS_ENGINE_STORE_FOREIGN_H

#include "engine/env/env.h"

/* -ENOTEMPTY, logged, if the directory is a LevelDB, RocksDB, LMDB or Berkeley
 * DB database. Changes nothing. */
int foreign_refuse(struct env_dir *dir);

#endif
