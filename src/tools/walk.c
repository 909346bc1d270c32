/* SPDX-License-Identifier: ISC */
/* See walk.h. */
#include "tools/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/listing.h"

/* A directory that is being walked over. */
struct level {
	struct listing list;
	size_t next; /* of its entries */
	size_t path_len;
};

struct walk {
	struct target *t;
	const struct walk_calls *calls;
	void *arg;
	bool by_path;
	char path[KEY_MAX]; /* the deepest level, or an entry in it */
	struct level *levels;
	size_t depth, cap;
};

/* Enter the directory at path. */
static int
enter_directory(struct walk *w)
{
	struct level level = { .path_len = strlen(w->path) };
	size_t cap = w->cap != 0 ? 2 * w->cap : 16;
	struct level *grown;
	int rc;

	if (w->depth == w->cap) {
		grown = reallocarray(w->levels, cap, sizeof(*grown));
		if (grown == NULL)
			return -ENOMEM;
		w->levels = grown;
		w->cap = cap;
	}
	rc = listing_read(&level.list, w->t, w->path, w->by_path);
	if (rc < 0) {
		listing_fini(&level.list);
		return w->calls->failed(w->arg, w->path, rc);
	}
	w->levels[w->depth++] = level;
	return 0;
}

/* All entries of the deepest directory were visited. */
static int
leave_directory(struct walk *w)
{
	listing_fini(&w->levels[--w->depth].list);
	return w->calls->leave != NULL ? w->calls->leave(w->arg, w->path) : 0;
}

/* Set path to an entry of the deepest directory. */
static int
append_name(struct walk *w, const char *name)
{
	size_t len = strlen(w->path), name_len = strlen(name);

	if (len + name_len + 2 > sizeof(w->path))
		return -ENAMETOOLONG;
	if (len > 0 && w->path[len - 1] != '/')
		w->path[len++] = '/';
	memcpy(w->path + len, name, name_len + 1);
	return 0;
}

static int
visit_next(struct walk *w)
{
	struct level *level = &w->levels[w->depth - 1];
	const struct listing_entry *e;
	int rc;

	w->path[level->path_len] = '\0';
	if (level->next == level->list.count)
		return leave_directory(w);
	e = &level->list.entries[level->next++];
	rc = append_name(w, e->name);
	if (rc < 0)
		return w->calls->failed(w->arg, w->path, rc);
	if (w->calls->wants != NULL &&
	    !w->calls->wants(w->arg, w->path, S_ISDIR(e->type)))
		return 0;
	return S_ISDIR(e->type) ? enter_directory(w) :
				  w->calls->visit(w->arg, w->path);
}

int
walk_tree(struct target *t, const char *key, bool by_path,
    const struct walk_calls *calls, void *arg)
{
	struct walk *w = calloc(1, sizeof(*w));
	int rc = -ENOMEM;

	if (w == NULL)
		return rc;
	w->t = t;
	w->calls = calls;
	w->arg = arg;
	w->by_path = by_path;
	rc = strlcpy(w->path, key, sizeof(w->path)) < sizeof(w->path) ?
	    enter_directory(w) :
	    -ENAMETOOLONG;
	while (rc == 0 && w->depth > 0)
		rc = visit_next(w);
	while (w->depth > 0)
		listing_fini(&w->levels[--w->depth].list);
	free(w->levels);
	free(w);
	return rc;
}
