/* SPDX-License-Identifier: ISC */
/*
 * A batch as the payload of a log frame, and back. Format: kvfs-format(5),
 * "Log". No state: any thread.
 */
#ifndef KVFS_ENGINE_LOG_RECORD_H
#define KVFS_ENGINE_LOG_RECORD_H

#include "engine/key/change.h"
#include "engine/key/key.h"
#include "engine/segment/segment.h"
#include "kvfs/kv.h"
#include "util/buf.h"

/*
 * Append batch to out; without memory that is out's error. changes gets
 * batch->count elements, whose slices lie in out and are valid until it
 * grows or goes. With has_pointers each value of SEGMENT_VALUE_MIN bytes or
 * more is left out; record_set_pointer() fills the place of its pointer.
 */
void record_encode(const struct kv_batch *batch, bool has_pointers,
    struct buf *out, struct key_change *changes);
/* change is a KEY_POINTER of out. */
void record_set_pointer(struct buf *out, const struct key_change *change,
    const struct segment_pointer *pointer);
/*
 * Call fn for each change, in order, with slices of payload, until it fails.
 * Untrusted input: -KVFS_ECORRUPT unless it is count changes and no more.
 */
int record_decode(struct slice payload, uint32_t count,
    int (*fn)(void *arg, enum key_type type, struct slice user,
	struct slice value),
    void *arg);

#endif
