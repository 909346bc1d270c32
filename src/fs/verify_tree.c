/* SPDX-License-Identifier: ISC */
/* Checks the tree of directories, after the walk of verify.c has read all
 * names. */
#include <inttypes.h>

#include "fs/verify.h"

static bool
is_end(const struct verify_dir *d)
{
	return d->is_reached || d->ino == FS_ROOT_INO;
}

/*
 * Follow parents upwards from each directory, until one that is known to be
 * below the root, one without a row, which check_dir() reports, or one that
 * was visited before, which means a circle.
 */
static void
check_paths(struct verify *v)
{
	struct verify_fault f = { .kind = FAULT_UNREACHED };
	struct verify_dir *d, *up;
	uint64_t walk = 0;

	RB_FOREACH (d, verify_dirs, &v->map.dirs) {
		walk++;
		for (up = d; up != NULL && up->has_row && !is_end(up) &&
		     up->walk != walk;
		     up = verify_map_find_dir(&v->map, up->parent))
			up->walk = walk;
		if (up == NULL || !up->has_row)
			continue;
		if (!is_end(up)) {
			f.key = key_inode(d->ino);
			f.ino = up->ino;
			f.number = up->parent;
			verify_problem(v, &f,
			    "directory %" PRIu64
			    " cannot be reached from the root",
			    d->ino);
			continue;
		}
		for (up = d; !is_end(up);
		     up = verify_map_find_dir(&v->map, up->parent))
			up->is_reached = true;
	}
}

static void
check_dir(struct verify *v, struct verify_dir *d)
{
	struct verify_fault f = { .key = key_inode(d->ino), .ino = d->ino };

	if (!d->has_row && d->ino == FS_ROOT_INO)
		return;
	if (!d->has_row) {
		f.kind = FAULT_NO_DIR;
		verify_problem(v, &f,
		    "has %" PRIu64 " entries but is no directory", d->entries);
		return;
	}
	f.kind = FAULT_DIR_COUNTS;
	if (d->entries != d->want_entries)
		verify_problem(v, &f,
		    "has %" PRIu64 " entries, its attributes say %" PRIu64,
		    d->entries, d->want_entries);
	if (d->subdirs + 2 != d->want_nlink)
		verify_problem(v, &f,
		    "has %" PRIu64 " directories, its link count is %" PRIu64,
		    d->subdirs, d->want_nlink);
}

static void
check_link(struct verify *v, struct verify_link *l)
{
	struct verify_fault f = { FAULT_LINKS, key_inode(l->ino), l->ino, 0 };

	if (l->names != l->want_names)
		verify_problem(v, &f,
		    "has %" PRIu64 " names, its link count is %" PRIu64,
		    l->names, l->want_names);
	else if (l->want_names == 0 && !l->is_orphan)
		verify_problem(v, &f, "has no name and no orphan row");
	else if (l->want_names != 0 && l->is_orphan)
		verify_problem(v, &f,
		    "has %" PRIu64 " links, and an orphan row", l->want_names);
}

void
verify_tree(struct verify *v)
{
	struct verify_fault f = { FAULT_ROOT, key_inode(FS_ROOT_INO),
		FS_ROOT_INO, 0 };
	struct verify_dir *d = verify_map_find_dir(&v->map, FS_ROOT_INO);
	struct verify_link *l;

	if (d == NULL || !d->has_row)
		verify_problem(v, &f, "there is no root");
	check_paths(v);
	RB_FOREACH (d, verify_dirs, &v->map.dirs)
		check_dir(v, d);
	RB_FOREACH (l, verify_links, &v->map.links)
		check_link(v, l);
}
