/* SPDX-License-Identifier: ISC */
/* See inode_patches.h. */
#include "fs/inode_patches.h"

#include <stdlib.h>
#include <string.h>

#include "fs/content.h"
#include "fs/fs_state.h"
#include "fs/inode.h"
#include "util/stats.h"

/* Are the base's contents void, and the patches with them? */
static bool
is_void(const struct inode *in)
{
	return in->content != NULL && in->content->is_cut;
}

static int
load_rows(struct fs *fs, uint64_t ino, struct patch_map *map)
{
	struct kv_key key = { .space = SPACE_PATCH, .group = ino };
	struct patch_key place;
	struct kv_iter *it;
	int rc;

	rc = kv_iter_open(fs->kv, &key, KV_SCOPE_GROUP, NULL, &it);
	if (rc < 0)
		return rc;
	while ((rc = kv_iter_next(it)) == 1) {
		key = kv_iter_key(it);
		rc = key_patch_place(&key, &place);
		if (rc == 0)
			rc = patch_map_load(map, &place);
		if (rc < 0)
			break;
	}
	kv_iter_close(it);
	return rc;
}

int
inode_patches_load(struct fs *fs, struct inode *in)
{
	struct patch_map *map;
	int rc;

	if ((in->rec.flags & ATTR_PATCHES) == 0 || in->patches.map != NULL ||
	    is_void(in))
		return 0;
	map = patch_map_create();
	if (map == NULL)
		return -ENOMEM;
	rc = load_rows(fs, in->ino, map);
	if (rc < 0) {
		patch_map_destroy(map);
		return inode_bad_row(in->ino, (struct slice){ 0 }, rc);
	}
	in->patches.map = map;
	if (map->count != 0 && !fs->read_only)
		patch_list_note(fs, in);
	return 0;
}

struct patch_map *
inode_patches(const struct inode *in)
{
	struct patch_map *map = in->patches.map;

	return map != NULL && map->count != 0 && !is_void(in) ? map : NULL;
}

const struct patch_chunk *
inode_patches_of(const struct inode *in, uint64_t index)
{
	return patch_map_find(inode_patches(in), index);
}

static struct patch_key
place_of(uint64_t index, const struct patch *p)
{
	return (struct patch_key){ index, p->number, p->start, p->len };
}

static int
read_patch(struct fs *fs, uint64_t ino, const struct patch_key *place,
    uint8_t *dst, uint32_t from, uint32_t n)
{
	uint32_t start = place->start > from ? place->start : from;
	uint32_t end = (uint32_t)place->start + place->len;
	uint8_t space[PATCH_NAME_LEN];
	struct kv_key key = key_patch(ino, place, space);
	struct kv_value pin;
	struct slice data;
	int rc;

	if (end > from + n)
		end = from + n;
	rc = kv_get(fs->kv, &key, NULL, &pin);
	if (rc == 0)
		rc = schema_get_bytes(pin.data, &data);
	if (rc == -ENOENT || (rc == 0 && data.len != place->len))
		rc = -KVFS_ECORRUPT;
	if (rc == 0)
		memcpy(dst + (start - from),
		    (const uint8_t *)data.data + (start - place->start),
		    end - start);
	kv_value_release(&pin);
	return rc;
}

int
inode_patches_read(struct fs *fs, uint64_t ino, uint64_t index,
    const struct patch *v, size_t count, uint8_t *dst, uint32_t from,
    uint32_t n)
{
	struct patch_key place;
	int rc = 0;

	for (size_t i = 0; i < count && rc == 0; i++) {
		place = place_of(index, &v[i]);
		if (patch_overlaps(&v[i], from, from + n))
			rc = read_patch(fs, ino, &place, dst, from, n);
	}
	return rc;
}

int
inode_patches_apply(struct fs *fs, struct inode *in, uint64_t index,
    struct kv_value *pin, struct slice *datap)
{
	const struct patch_chunk *pc;
	uint32_t len;
	uint8_t *copy;
	int rc = inode_patches_load(fs, in);

	pc = rc == 0 ? inode_patches_of(in, index) : NULL;
	if (pc == NULL)
		return rc;
	len = patch_chunk_end(pc);
	if (len < datap->len)
		len = (uint32_t)datap->len;
	copy = calloc(1, len);
	if (copy == NULL)
		return -ENOMEM;
	if (datap->len != 0)
		memcpy(copy, datap->data, datap->len);
	kv_value_release(pin);
	*pin = (struct kv_value){
		.data = slice_make(copy, len),
		.release = free,
		.pin = copy,
	};
	*datap = pin->data;
	return inode_patches_read(fs, in->ino, index, pc->v, pc->count, copy, 0,
	    len);
}

int
inode_patches_reserve(struct fs *fs, struct inode *in, uint64_t index,
    uint32_t start, uint32_t end)
{
	if (in->patches.map == NULL)
		in->patches.map = patch_map_create();
	if (in->patches.map == NULL)
		return -ENOMEM;
	return patch_map_reserve(in->patches.map, index, start, end,
	    patch_list_is_full(&fs->wb.patches));
}

/* Say in the store's record that there may be patches, so that a program that
 * does not know them refuses the store. */
static void
declare_patches(struct fs *fs, struct txn *t)
{
	struct super_row super = fs->wb.patches.super;
	uint8_t value[SCHEMA_ROW_MAX];

	super.refuse_flags |= SUPER_PATCHES;
	txn_put_store(t, KEY_FORMAT, value, schema_put_super(value, &super));
}

void
inode_patches_stage(struct fs *fs, struct txn *t, const struct inode *in,
    uint64_t index, uint32_t start, struct slice value)
{
	uint32_t end = start + (uint32_t)value.len - SCHEMA_TAG_LEN, within;
	struct patch next = patch_map_next(in->patches.map, index, start, end,
	    &within);
	const struct patch_chunk *pc = inode_patches_of(in, index);
	uint8_t space[PATCH_NAME_LEN];
	struct patch_key place;
	struct kv_key key;

	for (uint32_t i = 0; pc != NULL && i < pc->count; i++) {
		if ((within >> i & 1) == 0 || pc->v[i].number == next.number)
			continue;
		place = place_of(index, &pc->v[i]);
		key = key_patch(in->ino, &place, space);
		kv_batch_delete(&t->batch, &key);
	}
	place = place_of(index, &next);
	key = key_patch(in->ino, &place, space);
	kv_batch_put(&t->batch, &key, value);
	if (!atomic_load_explicit(&fs->wb.patches.is_declared,
		memory_order_relaxed))
		declare_patches(fs, t);
}

void
inode_patches_stage_delete(struct txn *t, const struct inode *in,
    uint64_t index)
{
	const struct patch_chunk *pc = inode_patches_of(in, index);
	uint8_t space[PATCH_NAME_LEN];
	struct patch_key place;
	struct kv_key key;

	for (uint32_t i = 0; pc != NULL && i < pc->count; i++) {
		place = place_of(index, &pc->v[i]);
		key = key_patch(in->ino, &place, space);
		kv_batch_delete(&t->batch, &key);
	}
}

void
inode_patches_put(struct fs *fs, struct inode *in, uint64_t index,
    uint32_t start, uint32_t end, bool is_grown)
{
	patch_map_put(in->patches.map, index, start, end, is_grown);
	patch_list_note(fs, in);
	counter_add(&fs->counters.patches, 1);
	if (!atomic_load_explicit(&fs->wb.patches.is_declared,
		memory_order_relaxed))
		atomic_store_explicit(&fs->wb.patches.is_declared, true,
		    memory_order_relaxed);
}

void
inode_patches_deleted(struct fs *fs, struct inode *in, uint64_t index)
{
	struct patch_map *map = in->patches.map;

	if (map == NULL)
		return;
	if (patch_map_remove(map, index))
		counter_add(&fs->counters.merges, 1);
}

void
inode_patches_drop(struct fs *fs, struct inode *in)
{
	if (in->patches.map == NULL)
		return;
	patch_map_destroy(in->patches.map);
	in->patches.map = NULL;
	patch_list_remove(&fs->wb.patches, in);
}
