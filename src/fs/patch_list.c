/* SPDX-License-Identifier: ISC */
/* See patch_list.h. */
#include "fs/patch_list.h"

#include "fs/fs_state.h"
#include "fs/patch_map.h"
#include "util/clock.h"
#include "util/mutex.h"

/* The most memory of maps: a part of the write-back cache's, up to this. */
#define MAPS_PART 8
#define MAPS_MAX (8u << 20)

void
patch_list_init(struct patch_list *list, const struct fs_options *opts)
{
	list->rest_ns = opts->patch_rest_ms * NS_PER_MS;
	list->max_bytes = opts->writeback_bytes / MAPS_PART;
	if (list->max_bytes > MAPS_MAX)
		list->max_bytes = MAPS_MAX;
	mutex_init(&list->mu);
	TAILQ_INIT(&list->inodes);
	TAILQ_INIT(&list->settled);
}

/* The queue that in is in. */
static struct patch_queue *
queue_of(struct patch_list *list, const struct inode *in) REQUIRES(&list->mu)
{
	return in->patches.is_settled ? &list->settled : &list->inodes;
}

void
patch_list_note(struct fs *fs, struct inode *in)
{
	struct patch_list *list = &fs->wb.patches;
	bool is_first;

	mutex_lock(&list->mu);
	is_first = TAILQ_EMPTY(&list->inodes);
	if (in->patches.is_listed)
		TAILQ_REMOVE(queue_of(list, in), in, patches.link);
	else
		inode_ref(in);
	in->patches.is_listed = true;
	in->patches.is_settled = false;
	in->patches.since_ns = clock_now_ns();
	TAILQ_INSERT_TAIL(&list->inodes, in, patches.link);
	mutex_unlock(&list->mu);
	if (is_first)
		dirty_list_wake(&fs->dirty);
}

void
patch_list_settle(struct patch_list *list, struct inode *in)
{
	mutex_lock(&list->mu);
	if (in->patches.is_listed && !in->patches.is_settled) {
		TAILQ_REMOVE(&list->inodes, in, patches.link);
		in->patches.is_settled = true;
		TAILQ_INSERT_TAIL(&list->settled, in, patches.link);
	}
	mutex_unlock(&list->mu);
}

void
patch_list_remove(struct patch_list *list, struct inode *in)
{
	bool was_in;

	mutex_lock(&list->mu);
	was_in = in->patches.is_listed;
	if (was_in)
		TAILQ_REMOVE(queue_of(list, in), in, patches.link);
	in->patches.is_listed = in->patches.is_settled = false;
	mutex_unlock(&list->mu);
	if (was_in)
		inode_unref(in);
}

bool
patch_list_is_full(const struct patch_list *list)
{
	return patch_map_bytes() >= list->max_bytes;
}

/* Is so much of the memory used that inodes are merged before they rest? */
static bool
is_short(const struct patch_list *list)
{
	return patch_map_bytes() >= list->max_bytes / 4 * 3;
}

uint64_t
patch_list_due_ns(struct patch_list *list)
{
	uint64_t due = UINT64_MAX;
	const struct inode *in;

	mutex_lock(&list->mu);
	in = TAILQ_FIRST(&list->inodes);
	if (in != NULL)
		due = in->patches.since_ns + list->rest_ns;
	if ((in != NULL || !TAILQ_EMPTY(&list->settled)) && is_short(list))
		due = 0;
	if (due < list->pause_ns)
		due = list->pause_ns;
	mutex_unlock(&list->mu);
	return due;
}

static struct inode *
first_of(struct patch_list *list) REQUIRES(&list->mu)
{
	struct inode *in = TAILQ_FIRST(&list->settled);

	return in != NULL ? in : TAILQ_FIRST(&list->inodes);
}

struct inode *
patch_list_first(struct patch_list *list, bool *allp)
{
	struct inode *in;

	*allp = is_short(list);
	mutex_lock(&list->mu);
	in = *allp ? first_of(list) : TAILQ_FIRST(&list->inodes);
	if (in != NULL)
		inode_ref(in);
	mutex_unlock(&list->mu);
	return in;
}

void
patch_list_pause(struct patch_list *list, uint64_t ns)
{
	mutex_lock(&list->mu);
	list->pause_ns = clock_now_ns() + ns;
	mutex_unlock(&list->mu);
}

/* The first inode of all, referenced, or NULL. */
static struct inode *
take_any(struct patch_list *list)
{
	struct inode *in;

	mutex_lock(&list->mu);
	in = first_of(list);
	if (in != NULL)
		inode_ref(in);
	mutex_unlock(&list->mu);
	return in;
}

void
patch_list_fini(struct fs *fs)
{
	struct patch_list *list = &fs->wb.patches;
	struct inode *in;

	while ((in = take_any(list)) != NULL) {
		mutex_lock(&in->mu);
		patch_list_remove(list, in);
		mutex_unlock(&in->mu);
		inode_put(fs, in);
	}
	mutex_fini(&list->mu);
}
