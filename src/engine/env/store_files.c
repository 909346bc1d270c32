/* SPDX-License-Identifier: ISC */
/* The files in a store's directory; see store_files.h. */
#include "engine/env/store_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- One file ---- */

int
store_file_open(struct env_dir *dir, enum file_kind kind, uint64_t number,
    unsigned flags, struct env_file **filep)
{
	char name[FILENAME_BYTES];

	filename_make(name, kind, number);
	return env_open(dir, name, flags, filep);
}

int
store_file_unlink(struct env_dir *dir, enum file_kind kind, uint64_t number)
{
	char name[FILENAME_BYTES];

	filename_make(name, kind, number);
	return env_unlink(dir, name);
}

int
store_file_rename(struct env_dir *dir, enum file_kind from_kind, uint64_t from,
    enum file_kind to_kind, uint64_t to)
{
	char old[FILENAME_BYTES], new[FILENAME_BYTES];

	filename_make(old, from_kind, from);
	filename_make(new, to_kind, to);
	return env_rename(dir, old, new);
}

/* ---- All files ---- */

int
number_list_add(struct number_list *l, uint64_t n)
{
	if (l->count == l->cap) {
		size_t cap = l->cap != 0 ? l->cap * 2 : 64;
		uint64_t *v = realloc(l->v, cap * sizeof(*v));

		if (v == NULL)
			return -ENOMEM;
		l->v = v;
		l->cap = cap;
	}
	l->v[l->count++] = n;
	return 0;
}

static int
cmp_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

bool
number_list_has(const struct number_list *l, uint64_t n)
{
	return l->count != 0 &&
	    bsearch(&n, l->v, l->count, sizeof(n), cmp_number) != NULL;
}

void
number_list_fini(struct number_list *l)
{
	free(l->v);
	*l = (struct number_list){ 0 };
}

static int
note_file(void *arg, const char *name)
{
	struct store_files *files = arg;
	enum file_kind kind;
	uint64_t number;

	if (filename_parse(name, &kind, &number) < 0) {
		/* The root of a new ext4 file system has this directory. */
		if (strcmp(name, "lost+found") != 0)
			files->foreign = true;
		return 0;
	}
	return number_list_add(&files->kinds[kind], number);
}

int
store_files_list(struct env_dir *dir, struct store_files *files)
{
	int rc = env_dir_list(dir, note_file, files);

	for (int i = 0; i <= FILE_TEMP; i++)
		if (files->kinds[i].count != 0)
			qsort(files->kinds[i].v, files->kinds[i].count,
			    sizeof(uint64_t), cmp_number);
	return rc;
}

bool
store_files_have(const struct store_files *files, enum file_kind kind)
{
	return files->kinds[kind].count != 0;
}

uint64_t
store_files_highest(const struct store_files *files)
{
	uint64_t max = 0;

	for (int i = 0; i <= FILE_TEMP; i++) {
		const struct number_list *l = &files->kinds[i];

		if (l->count != 0 && l->v[l->count - 1] > max)
			max = l->v[l->count - 1];
	}
	return max;
}

void
store_files_fini(struct store_files *files)
{
	for (int i = 0; i <= FILE_TEMP; i++)
		number_list_fini(&files->kinds[i]);
}
