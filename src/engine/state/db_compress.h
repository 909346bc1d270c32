/* SPDX-License-Identifier: ISC */
/* Compression of values and of log bodies, where it has paid recently.
 * Threading: any thread. */
#ifndef KVFS_ENGINE_STATE_DB_COMPRESS_H
#define KVFS_ENGINE_STATE_DB_COMPRESS_H

#include "engine/log/wal_writer.h"
#include "engine/segment/segment.h"

struct db;

/* As segment_value_encode() and wal_body_encode(), but compress only if that
 * has paid recently. user is a key of the group that most of the payload
 * belongs to, or empty. */
int db_value_encode(struct db *db, struct segment_value *v, struct slice user,
    struct slice raw);
int db_body_encode(struct db *db, struct wal_body *body, struct slice payload,
    struct slice user);

#endif
