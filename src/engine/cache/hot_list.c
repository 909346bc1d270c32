/* SPDX-License-Identifier: ISC */
/* Encoding and file of the hot list; see hot_list.h. */
#include "engine/cache/hot_list.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "engine/env/store_files.h"
#include "kvfs/kv.h"
#include "util/coding.h"
#include "util/crc32c.h"

#define MAGIC "kvfsHOT1"
#define HEADER_LEN 32
/* The longest possible list: offset, file and number of blocks for each. */
#define FILE_MAX (HEADER_LEN + HOT_LIST_MAX * (2 * VARINT_MAX_BYTES + 1) + 64)

void
hot_list_fini(struct hot_list *l)
{
	free(l->places);
	*l = (struct hot_list){ 0 };
}

static int
cmp_place(const void *a, const void *b)
{
	const struct block_place *x = a, *y = b;

	if (x->heat != y->heat)
		return x->heat > y->heat ? -1 : 1;
	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	return x->off < y->off ? -1 : x->off > y->off;
}

void
hot_list_trim(struct hot_list *l, uint64_t max_bytes)
{
	uint64_t bytes = 0;
	size_t n = 0;

	if (l->count != 0)
		qsort(l->places, l->count, sizeof(*l->places), cmp_place);
	for (; n < l->count && n < HOT_LIST_MAX; n++) {
		bytes += l->places[n].charge;
		if (bytes > max_bytes)
			break;
	}
	l->count = n;
}

/* ---- Bytes ---- */

/* Encode the places from *ip on that have the same heat and file; *ip moves
 * behind them. */
static void
encode_file(const struct hot_list *l, size_t *ip, uint64_t *filep,
    struct buf *out)
{
	const struct block_place *p = l->places + *ip;
	uint64_t off = 0;
	size_t n = 1;

	while (
	    *ip + n < l->count && p[n].heat == p->heat && p[n].file == p->file)
		n++;
	buf_put_varint(out, p->file - *filep);
	buf_put_varint(out, n);
	for (size_t i = 0; i < n; i++) {
		buf_put_varint(out, p[i].off - off);
		off = p[i].off;
	}
	*filep = p->file;
	*ip += n;
}

static void
encode_heat(const struct hot_list *l, size_t *ip, struct buf *out)
{
	uint32_t heat = l->places[*ip].heat;
	uint64_t file = 0;

	buf_put_u8(out, (uint8_t)heat);
	while (*ip < l->count && l->places[*ip].heat == heat)
		encode_file(l, ip, &file, out);
	buf_put_varint(out, 0);
}

void
hot_list_encode(const struct hot_list *l, struct buf *out)
{
	size_t begin = out->len, i = 0;
	uint8_t *h;

	if (buf_extend(out, HEADER_LEN) == NULL)
		return;
	while (i < l->count)
		encode_heat(l, &i, out);
	if (buf_error(out) < 0)
		return;
	h = out->data + begin;
	memset(h, 0, HEADER_LEN);
	/* Bytes, not a string: NOLINTNEXTLINE(*-not-null-terminated-result) */
	memcpy(h, MAGIC, 8);
	put_le32(h + 8, HOT_LIST_VERSION);
	put_le32(h + 16, (uint32_t)l->count);
	put_le32(h + 20, (uint32_t)(out->len - begin - HEADER_LEN));
	put_le32(h + 24,
	    crc32c_sum(0, h + HEADER_LEN, out->len - begin - HEADER_LEN));
	put_le32(h + 28, crc32c_sum(0, h, 28));
}

static int
check_header(struct slice file)
{
	const uint8_t *h = file.data;

	if (file.len < HEADER_LEN || memcmp(h, MAGIC, 8) != 0)
		return -KVFS_ECORRUPT;
	if (crc32c_sum(0, h, 28) != get_le32(h + 28))
		return -KVFS_ECHECKSUM;
	if (get_le32(h + 8) > HOT_LIST_VERSION || get_le32(h + 12) != 0)
		return -EPROTO;
	if (get_le32(h + 8) == 0 || get_le32(h + 16) > HOT_LIST_MAX ||
	    get_le32(h + 20) != file.len - HEADER_LEN)
		return -KVFS_ECORRUPT;
	return crc32c_sum(0, h + HEADER_LEN, file.len - HEADER_LEN) ==
		get_le32(h + 24) ?
	    0 :
	    -KVFS_ECHECKSUM;
}

/* Decode a difference and add it to *vp. 0 is allowed only with
 * zero_is_fine. */
static bool
add_delta(struct cursor *c, uint64_t *vp, bool zero_is_fine)
{
	uint64_t d = cursor_varint(c);

	if (!c->ok || (d == 0 && !zero_is_fine) || d > UINT64_MAX - *vp)
		return false;
	*vp += d;
	return true;
}

/* Decode the blocks of one file; l has room for max places. */
static bool
decode_file(struct cursor *c, uint64_t file, uint32_t heat, size_t max,
    struct hot_list *l)
{
	uint64_t off = 0, n = cursor_varint(c);

	if (!c->ok || n == 0 || n > max - l->count)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		if (!add_delta(c, &off, i == 0))
			return false;
		l->places[l->count++] = (struct block_place){ file, off, 0,
			heat };
	}
	return true;
}

static bool
decode_heat(struct cursor *c, uint32_t heat, size_t max, struct hot_list *l)
{
	uint64_t file = 0;

	for (;;) {
		uint64_t before = file;

		if (!add_delta(c, &file, true))
			return false;
		if (file == before)
			return true;
		if (!decode_file(c, file, heat, max, l))
			return false;
	}
}

int
hot_list_decode(struct slice file, struct hot_list *l)
{
	uint32_t below = BLOCK_HEAT_MAX + 1;
	size_t max;
	struct cursor c;
	int rc = check_header(file);

	*l = (struct hot_list){ 0 };
	if (rc < 0)
		return rc;
	max = get_le32((const uint8_t *)file.data + 16);
	c = cursor_make(slice_make((const uint8_t *)file.data + HEADER_LEN,
	    file.len - HEADER_LEN));
	/* A block takes at least one byte. */
	if (max > cursor_left(&c))
		return -KVFS_ECORRUPT;
	l->places = malloc((max + 1) * sizeof(*l->places));
	if (l->places == NULL)
		return -ENOMEM;
	while (cursor_left(&c) != 0) {
		uint32_t heat = cursor_u8(&c);

		if (heat >= below || !decode_heat(&c, heat, max, l))
			break;
		below = heat;
	}
	if (cursor_left(&c) == 0 && c.ok && l->count == max)
		return 0;
	hot_list_fini(l);
	return -KVFS_ECORRUPT;
}

/* ---- The file ---- */

int
hot_list_write(struct env_dir *dir, uint64_t temp_number,
    const struct hot_list *l)
{
	struct env_file *file = NULL;
	struct buf b = { 0 };
	struct iovec iov;
	int rc;

	hot_list_encode(l, &b);
	rc = buf_error(&b);
	if (rc == 0)
		rc = store_file_open(dir, FILE_TEMP, temp_number,
		    ENV_WRITE | ENV_CREATE, &file);
	if (rc != 0)
		goto out;
	iov = (struct iovec){ b.data, b.len };
	rc = env_write(file, &iov, 1, 0);
	env_close(file);
	if (rc == 0)
		rc = store_file_rename(dir, FILE_TEMP, temp_number, FILE_HOT,
		    0);
	if (rc < 0)
		(void)store_file_unlink(dir, FILE_TEMP, temp_number);
out:
	buf_fini(&b);
	return rc;
}

static int
read_file(struct env_file *file, struct hot_list *l)
{
	struct buf b = { 0 };
	uint64_t size = 0;
	ssize_t n;
	int rc = env_size(file, &size);

	if (rc < 0)
		return rc;
	if (size < HEADER_LEN || size > FILE_MAX)
		return -KVFS_ECORRUPT;
	if (buf_extend(&b, size) == NULL)
		return -ENOMEM;
	n = env_read(file, b.data, size, 0);
	rc = n < 0 ? (int)n : hot_list_decode(slice_make(b.data, (size_t)n), l);
	buf_fini(&b);
	return rc;
}

int
hot_list_read(struct env_dir *dir, struct hot_list *l)
{
	struct env_file *file;
	int rc = store_file_open(dir, FILE_HOT, 0, ENV_READ, &file);

	*l = (struct hot_list){ 0 };
	if (rc < 0)
		return rc;
	rc = read_file(file, l);
	env_close(file);
	return rc;
}
