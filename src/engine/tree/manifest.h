/* SPDX-License-Identifier: ISC */
/*
 * The log of version edits: what the tree is made of. Format:
 * kvfs-format(5), "Manifest". A header, then records, each summed together
 * with the sum of the one before. A new manifest is written beside the old
 * one under a temporary name, synced, renamed and the directory synced; the
 * highest number wins, and there is no pointer to it.
 *
 * Header, 32 bytes, little-endian:
 *   0  8  magic "kvfsMAN1"
 *   8  4  format version (1)
 *  12  4  flags a reader must know (0)
 *  16  8  manifest number
 *  24  4  0
 *  28  4  CRC-32C of bytes 0-27
 * Record:
 *   0  4  magic "MREC"
 *   4  4  payload length
 *   8  4  sum of the previous record, or of the header
 *  12  4  CRC-32C of bytes 4-11 and the payload
 *  16  n  payload: an edit, fields of a varint tag and varints
 *
 * A last record that is cut short or does not match its sum is the torn
 * tail of a crash: nobody was told that it had happened. A whole record
 * anywhere behind it makes it damage.
 */
#ifndef KVFS_ENGINE_TREE_MANIFEST_H
#define KVFS_ENGINE_TREE_MANIFEST_H

#include "engine/env/env.h"
#include "engine/tree/version.h"
#include "util/buf.h"

#define MANIFEST_VERSION 1

struct manifest;

/*
 * Write a new manifest that holds snapshot as its only edit, and make it
 * durable under its final name. Borrows dir and snapshot.
 */
int manifest_create(struct env_dir *dir, uint64_t number,
    const struct version_edit *snapshot, struct manifest **manifestp);
/* The bytes of such a manifest, appended to out. */
int manifest_encode(uint64_t number, const struct version_edit *snapshot,
    struct buf *out);
/* Append an edit and sync it. After a failure it takes no more: the store
 * must stop, since nobody knows whether the edit is on disk. -ENOSPC is
 * returned before anything was written, and may be tried again. */
int manifest_append(struct manifest *m, const struct version_edit *e);
uint64_t manifest_number(const struct manifest *m);
uint64_t manifest_bytes(const struct manifest *m);
void manifest_close(struct manifest *m);

/*
 * Read that manifest of a store, calling fn with each edit (which fn may take
 * files from). 0, or fn's error, or -KVFS_ECORRUPT, -KVFS_ECHECKSUM,
 * -EPROTO (newer), logged.
 */
int manifest_read(struct env_dir *dir, uint64_t number,
    int (*fn)(void *arg, struct version_edit *e), void *arg);

/* The edit's bytes (a record's payload), and back; for tests and fuzzing. */
void version_edit_encode(const struct version_edit *e, struct buf *out);
int version_edit_decode(struct slice payload, struct version_edit *e);

#endif
