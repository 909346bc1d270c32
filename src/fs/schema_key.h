/* SPDX-License-Identifier: ISC */
/* Keys of rows; their layout is in kvfs-format(5), "Rows". The name part of a
 * key borrows its argument. */
#ifndef KVFS_FS_SCHEMA_KEY_H
#define KVFS_FS_SCHEMA_KEY_H

#include <stdint.h>

#include "kvfs/kv.h"
#include "util/coding.h"

/* On disk: never renumber. */
enum space {
	SPACE_STORE = 1, /* group 0, name */
	SPACE_DENTRY = 2, /* parent inode, name */
	SPACE_INODE = 3, /* inode, "" */
	SPACE_CHUNK = 4, /* inode, index as big-endian 64 bits */
	SPACE_XATTR = 5, /* inode, name */
	SPACE_ORPHAN = 6, /* inode, "" */
	SPACE_PATCH = 7, /* inode, a struct patch_key */
};

static inline struct kv_key
key_store(const char *name)
{
	return (struct kv_key){ SPACE_STORE, 0, slice_str(name) };
}
static inline struct kv_key
key_dentry(uint64_t parent, struct slice name)
{
	return (struct kv_key){ SPACE_DENTRY, parent, name };
}
static inline struct kv_key
key_inode(uint64_t ino)
{
	return (struct kv_key){ SPACE_INODE, ino, { 0 } };
}
static inline struct kv_key
key_xattr(uint64_t ino, struct slice name)
{
	return (struct kv_key){ SPACE_XATTR, ino, name };
}
static inline struct kv_key
key_orphan(uint64_t ino)
{
	return (struct kv_key){ SPACE_ORPHAN, ino, { 0 } };
}
/* space holds the encoded index and lives as long as the key. */
static inline struct kv_key
key_chunk(uint64_t ino, uint64_t index, uint8_t space[8])
{
	put_be64(space, index);
	return (struct kv_key){ SPACE_CHUNK, ino, slice_make(space, 8) };
}
/* -KVFS_ECORRUPT when key is not the key of a chunk. */
int key_chunk_index(const struct kv_key *key, uint64_t *indexp);

/* The place of a patch, which its key holds: so a scan of keys tells what is
 * patched. Four big-endian numbers. */
struct patch_key {
	uint64_t index; /* of the chunk */
	uint16_t number; /* a patch is newer than those with lower ones */
	uint16_t start, len; /* in the chunk */
};
#define PATCH_NAME_LEN 14u
/* space holds the encoded name and lives as long as the key. */
static inline struct kv_key
key_patch(uint64_t ino, const struct patch_key *p,
    uint8_t space[PATCH_NAME_LEN])
{
	put_be64(space, p->index);
	put_be16(space + 8, p->number);
	put_be16(space + 10, p->start);
	put_be16(space + 12, p->len);
	return (struct kv_key){ SPACE_PATCH, ino,
		slice_make(space, PATCH_NAME_LEN) };
}
/* -KVFS_ECORRUPT when key is not the key of a patch that lies in a chunk. */
int key_patch_place(const struct kv_key *key, struct patch_key *pp);
/* A directory entry may have this name: 1 to 255 bytes, no '/', no NUL,
 * not "." or "..". */
bool schema_is_name(struct slice name);

#define KEY_FORMAT "format"
#define KEY_NEXT_INO "next_ino"
#define KEY_INODES "inodes"

#endif
