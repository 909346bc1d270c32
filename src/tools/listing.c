/* SPDX-License-Identifier: ISC */
/* See listing.h. */
#include "tools/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
collect_entry(void *arg, const struct target_entry *e)
{
	struct listing *l = arg;
	struct listing_entry *p;
	size_t cap = l->cap != 0 ? 2 * l->cap : 64;
	char *name;

	if (l->count == l->cap) {
		p = reallocarray(l->entries, cap, sizeof(*p));
		if (p == NULL)
			return -ENOMEM;
		l->entries = p;
		l->cap = cap;
	}
	name = strdup(e->name);
	if (name == NULL)
		return -ENOMEM;
	l->entries[l->count].type = e->type;
	l->entries[l->count].name = name;
	l->count++;
	return 0;
}

static int
by_name(const void *va, const void *vb)
{
	const struct listing_entry *a = va, *b = vb;

	return strcmp(a->name, b->name);
}

/* The first byte that differs decides. After the name of a directory it is the
 * '/' of the paths below it. */
static int
by_path_order(const void *va, const void *vb)
{
	const struct listing_entry *a = va, *b = vb;
	size_t i = 0;
	unsigned char ca, cb;

	while (a->name[i] != '\0' && a->name[i] == b->name[i])
		i++;
	ca = (unsigned char)a->name[i];
	cb = (unsigned char)b->name[i];
	if (ca == '\0' && S_ISDIR(a->type))
		ca = '/';
	if (cb == '\0' && S_ISDIR(b->type))
		cb = '/';
	return ca < cb ? -1 : ca > cb;
}

int
listing_read(struct listing *l, struct target *t, const char *key, bool by_path)
{
	int rc = target_list(t, key, collect_entry, l);

	if (rc < 0)
		return rc;
	if (l->count > 1)
		qsort(l->entries, l->count, sizeof(*l->entries),
		    by_path ? by_path_order : by_name);
	return 0;
}

void
listing_fini(struct listing *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->entries[i].name);
	free(l->entries);
	*l = (struct listing){ 0 };
}

int
listing_path(char dst[KEY_MAX], const char *dir, const char *name)
{
	size_t len = strlen(dir);
	const char *sep = len == 0 || dir[len - 1] == '/' ? "" : "/";
	int n = snprintf(dst, KEY_MAX, "%s%s%s", dir, sep, name);

	return n < KEY_MAX ? 0 : -ENAMETOOLONG;
}
