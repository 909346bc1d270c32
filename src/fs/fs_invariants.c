/* SPDX-License-Identifier: ISC */
/* Invariants of what the file system keeps in memory; see fs_invariants.h. */
#include "fs/fs_invariants.h"

#include "fs/content.h"
#include "util/invariant.h"

typedef unsigned long long ull;

static const struct inode *
find_inode(struct inode_table *table, uint64_t ino)
{
	struct inode_shard *s = inode_table_shard(table, ino);
	const struct inode *in;

	mutex_lock(&s->mu);
	in = *inode_table_bucket(s, ino);
	while (in != NULL && in->ino != ino)
		in = in->table.next;
	mutex_unlock(&s->mu);
	return in;
}

static void
check_inode(struct inode_table *table, const struct inode *in)
{
	const struct table_entry *e = &in->table;
	uint64_t refs = atomic_load_explicit(&e->refs, memory_order_relaxed);
	uint64_t users = (e->nlookup != 0) + (e->nheld != 0);

	invariant(find_inode(table, in->ino) == in,
	    "inodes: %llu is in the table and not found", (ull)in->ino);
	invariant(refs >= users && refs != 0,
	    "inodes: %llu has %llu references and %llu users", (ull)in->ino,
	    (ull)refs, (ull)users);
	invariant(in->parent == NULL ||
		(inode_is_dir(in->parent) &&
		    find_inode(table, in->parent->ino) == in->parent),
	    "inodes: the directory of %llu is not in the table", (ull)in->ino);
}

/* The inodes in one bucket. */
static size_t
check_bucket(struct inode_table *table, struct inode_shard *s, size_t bucket)
{
	struct inode *in;
	size_t n = 0;

	mutex_lock(&s->mu);
	in = s->buckets[bucket];
	mutex_unlock(&s->mu);
	for (; in != NULL; in = in->table.next) {
		check_inode(table, in);
		n++;
	}
	return n;
}

void
inode_table_check(struct inode_table *table)
{
	size_t sum = 0;

	for (int i = 0; i < INODE_SHARDS; i++) {
		struct inode_shard *s = &table->shards[i];
		size_t n = 0, nbuckets, count;

		mutex_lock(&s->mu);
		nbuckets = s->buckets != NULL ? s->nbuckets : 0;
		count = s->count;
		mutex_unlock(&s->mu);
		for (size_t b = 0; b < nbuckets; b++)
			n += check_bucket(table, s, b);
		invariant(n == count,
		    "inodes: %zu in shard %d, where %zu are counted", n, i,
		    count);
		sum += n;
	}
	invariant(sum == inode_table_count(table),
	    "inodes: %zu, and %zu are counted", sum, inode_table_count(table));
}

void
dirty_list_check(struct dirty_list *list)
{
	const struct inode *in;
	uint64_t last = 0;
	size_t n = 0;

	mutex_lock(&list->mu);
	TAILQ_FOREACH (in, &list->inodes, dirty.link) {
		invariant(in->dirty.is_listed,
		    "dirty list: inode %llu does not know that it is listed",
		    (ull)in->ino);
		invariant(atomic_load_explicit(&in->table.refs,
			      memory_order_relaxed) != 0,
		    "dirty list: inode %llu is not referenced", (ull)in->ino);
		invariant(in->dirty.ticket > last,
		    "dirty list: inode %llu is out of order", (ull)in->ino);
		last = in->dirty.ticket;
		n++;
	}
	invariant(last <= list->ticket,
	    "dirty list: a ticket was given that is not counted");
	invariant(n == list->count, "dirty list: %zu inodes, %zu are counted",
	    n, list->count);
	mutex_unlock(&list->mu);
}

void
dirty_list_check_sums(struct dirty_list *list)
{
	size_t bytes = atomic_load_explicit(&list->bytes, memory_order_relaxed);
	size_t data_bytes = atomic_load_explicit(&list->data_bytes,
	    memory_order_relaxed);
	size_t mem = 0, data = 0;
	const struct inode *in;

	mutex_lock(&list->mu);
	TAILQ_FOREACH (in, &list->inodes, dirty.link) {
		if (in->content == NULL)
			continue;
		mem += in->content->mem_bytes;
		data += in->content->data_bytes;
	}
	mutex_unlock(&list->mu);
	invariant(mem == bytes,
	    "dirty list: contents take %zu bytes, %zu are counted", mem, bytes);
	invariant(data == data_bytes,
	    "dirty list: %zu bytes wait, %zu are counted", data, data_bytes);
}
