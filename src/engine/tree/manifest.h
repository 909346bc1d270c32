/* SPDX-License-Identifier: ISC */
/*
 * The log of version edits: it says which files make up the tree. Format:
 * kvfs-format(5), "Manifest". A header, then records; the checksum of each one
 * includes the checksum of the one before. A new manifest is written under a
 * temporary name, synced and renamed, then the directory is synced. The
 * manifest with the highest number is the valid one; no other file points to
 * it.
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
 * A last record that is cut off or fails its checksum is the torn tail of a
 * crash; its edit was never reported as done. If a whole record follows it, it
 * is damage.
 */
#ifndef KVFS_ENGINE_TREE_MANIFEST_H
#define KVFS_ENGINE_TREE_MANIFEST_H

#include "engine/env/env.h"
#include "engine/tree/version.h"
#include "util/buf.h"

#define MANIFEST_VERSION 1

struct manifest;

/*
 * Write a new manifest with snapshot as its only edit, and make it durable
 * under its final name. Borrows dir and snapshot.
 */
int manifest_create(struct env_dir *dir, uint64_t number,
    const struct version_edit *snapshot, struct manifest **manifestp);
/* Append the bytes of such a manifest to out. */
int manifest_encode(uint64_t number, const struct version_edit *snapshot,
    struct buf *out);
/* Append an edit and sync it. -ENOSPC, -ENOMEM and -E2BIG leave the manifest
 * as it was: the caller may try again. After any other error it is unknown
 * whether the edit is on disk: the manifest takes no more, and the store has
 * to stop. */
int manifest_append(struct manifest *m, const struct version_edit *e);
uint64_t manifest_number(const struct manifest *m);
uint64_t manifest_bytes(const struct manifest *m);
void manifest_close(struct manifest *m);

/*
 * Read the manifest with this number. fn gets each edit and may take the files
 * out of it. Returns 0, fn's error, or -KVFS_ECORRUPT, -KVFS_ECHECKSUM or
 * -EPROTO (a newer version), which are logged.
 */
int manifest_read(struct env_dir *dir, uint64_t number,
    int (*fn)(void *arg, struct version_edit *e), void *arg);

/* Encode an edit as the payload of a record, and decode it. For tests and
 * fuzzing too. */
void version_edit_encode(const struct version_edit *e, struct buf *out);
int version_edit_decode(struct slice payload, struct version_edit *e);

#endif
