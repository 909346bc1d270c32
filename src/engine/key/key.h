/* SPDX-License-Identifier: ISC */
/*
 * Keys inside the engine. A user key is space (1 byte), group (8 bytes,
 * big-endian) and name; its bytes sort as kv.h says. An internal key is a
 * user key and an 8-byte little-endian trailer, (sequence << 8) | type.
 * Internal keys sort by user key, then newest first (as in LevelDB).
 */
#ifndef KVFS_ENGINE_KEY_KEY_H
#define KVFS_ENGINE_KEY_KEY_H

#include <stdint.h>

#include "kvfs/kv.h"
#include "util/coding.h"
#include "util/hash.h"

/* On disk: never renumber. */
enum key_type {
	KEY_DELETE = 0,
	KEY_VALUE = 1, /* the value's bytes */
	KEY_POINTER = 2, /* a segment pointer (segment.h) */
	KEY_DELETE_GROUP = 3, /* user key is a prefix alone (space and group):
	                         deletes all older keys of its group */
};
#define KEY_TYPE_MAX KEY_DELETE_GROUP

#define KEY_PREFIX_LEN 9
#define KEY_TRAILER_LEN 8
#define KEY_USER_MAX (KEY_PREFIX_LEN + KV_NAME_MAX)
#define KEY_INTERNAL_MAX (KEY_USER_MAX + KEY_TRAILER_LEN)
#define SEQ_MAX ((1ULL << 56) - 1)

static inline uint64_t
key_pack(uint64_t seq, enum key_type type)
{
	return seq << 8 | type;
}
/* The user key in an internal key for which key_is_valid() is true. */
static inline struct slice
key_user(struct slice ikey)
{
	return slice_make(ikey.data, ikey.len - KEY_TRAILER_LEN);
}
static inline uint64_t
key_trailer(struct slice ikey)
{
	return get_le64(
	    (const uint8_t *)ikey.data + ikey.len - KEY_TRAILER_LEN);
}
static inline uint64_t
key_seq(struct slice ikey)
{
	return key_trailer(ikey) >> 8;
}
static inline enum key_type
key_type(struct slice ikey)
{
	return (enum key_type)(key_trailer(ikey) & 0xff);
}
/* Whether the length is possible and the type is known. */
bool key_is_valid(struct slice ikey);
/* Order of internal keys: by user key, then newest first. */
int key_cmp(struct slice a, struct slice b);

/* Write the user key of k to dst (KEY_USER_MAX bytes). Returns its length. */
size_t key_encode(uint8_t *dst, const struct kv_key *k);
/* Append a trailer to the user key of len bytes at dst. Returns the new
 * length. */
static inline size_t
key_append_trailer(uint8_t *dst, size_t len, uint64_t seq, enum key_type type)
{
	put_le64(dst + len, key_pack(seq, type));
	return len + KEY_TRAILER_LEN;
}
/* Write the smallest internal key of user to dst: the place to seek to. */
static inline struct slice
key_first(uint8_t dst[KEY_INTERNAL_MAX], struct slice user)
{
	memcpy(dst, user.data, user.len);
	put_le64(dst + user.len, UINT64_MAX);
	return slice_make(dst, user.len + KEY_TRAILER_LEN);
}
/* Split a user key of at least KEY_PREFIX_LEN bytes. The result borrows it. */
struct kv_key key_decode(struct slice user);
/* Write the first user key behind user's group to dst. Returns its length,
 * KEY_PREFIX_LEN. */
size_t key_group_end(uint8_t dst[KEY_PREFIX_LEN], struct slice user);

/* The hash of a user key by which filters store it and find it. */
static inline uint64_t
key_hash(struct slice user)
{
	return hash_bytes(user.data, user.len, 0);
}

#endif
