/* SPDX-License-Identifier: ISC */
/* Seals of blocks; see table_seal.h. Functions without state. */
#include "engine/table/table_seal.h"

#include "kvfs/kv.h"
#include "util/coding.h"
#include "util/hash.h"

/* The best case of snappy: a copy of 64 bytes takes 3 bytes. */
#define EXPANSION_MAX 32

void
table_seal(struct buf *b, size_t start, uint32_t raw_len, uint8_t codec,
    uint64_t number, uint64_t off)
{
	buf_put_u32(b, raw_len);
	buf_put_u8(b, codec);
	if (buf_error(b) != 0)
		return;
	buf_put_u64(b,
	    hash_bytes(b->data + start, b->len - start,
		table_seal_seed(number, off)));
}

int
table_unseal(struct slice sealed, uint64_t number, uint64_t off, size_t max,
    struct table_sealed *outp, const char **whatp)
{
	const uint8_t *p = sealed.data;
	size_t len;

	*outp = (struct table_sealed){ 0 };
	if (sealed.len <= TABLE_SEAL_LEN) {
		*whatp = "block is too short";
		return -KVFS_ECORRUPT;
	}
	len = sealed.len - TABLE_SEAL_LEN;
	if (hash_bytes(p, len + 5, table_seal_seed(number, off)) !=
	    get_le64(p + len + 5)) {
		*whatp = "block does not match its checksum";
		return -KVFS_ECHECKSUM;
	}
	outp->stored = slice_make(p, len);
	outp->raw_len = get_le32(p + len);
	outp->codec = p[len + 4];
	if (outp->raw_len > max || outp->raw_len / EXPANSION_MAX > len) {
		*whatp = "block claims an impossible length";
		return -KVFS_ECORRUPT;
	}
	return 0;
}
