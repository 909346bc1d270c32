/* SPDX-License-Identifier: ISC */
/*
 * Encodes a batch as the payload of a log frame, and decodes it. Format:
 * kvfs-format(5), "Log".
 * Threading: functions without state; any thread.
 */
#ifndef KVFS_ENGINE_LOG_RECORD_H
#define KVFS_ENGINE_LOG_RECORD_H

#include "engine/key/change.h"
#include "engine/key/key.h"
#include "engine/segment/segment.h"
#include "kvfs/kv.h"
#include "util/buf.h"

/*
 * Append batch to out; -ENOMEM is remembered in out. changes gets batch->count
 * elements, whose slices point into out and are valid until it grows or is
 * freed. With has_pointers, each value of SEGMENT_VALUE_MIN bytes or more is
 * left out; record_set_pointer() writes its pointer instead.
 */
void record_encode(const struct kv_batch *batch, bool has_pointers,
    struct buf *out, struct key_change *changes);
/* Write the pointer of change, which is a KEY_POINTER in out. */
void record_set_pointer(struct buf *out, const struct key_change *change,
    const struct segment_pointer *pointer);
/*
 * Call fn for each change, in order, with slices of payload; a negative return
 * ends it. Untrusted input: -KVFS_ECORRUPT unless it has exactly count changes.
 */
int record_decode(struct slice payload, uint32_t count,
    int (*fn)(void *arg, enum key_type type, struct slice user,
	struct slice value),
    void *arg);

#endif
