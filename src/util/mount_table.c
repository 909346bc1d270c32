/* SPDX-License-Identifier: ISC */
/* See mount_table.h; the format is in proc_pid_mountinfo(5). */
#include "util/mount_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* Decode the kernel's escapes, "\" and three octal digits, in place. */
static void
mount_table_unescape(char *s)
{
	char *out = s;

	for (; *s != '\0'; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' &&
		    s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
			*out++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 +
			    (s[3] - '0'));
			s += 3;
		} else {
			*out++ = *s;
		}
	}
	*out = '\0';
}

/* The next field; NULL at the end of the line. */
static char *
take_field(char **linep)
{
	char *field = strsep(linep, " ");

	return field != NULL && *field != '\0' ? field : NULL;
}

/*
 * 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw
 */
bool
mount_entry_parse(char *line, struct mount_entry *e)
{
	char *id, *parent, *dev, *end;
	unsigned major, minor;

	line[strcspn(line, "\n")] = '\0';
	end = strstr(line, " - ");
	if (end == NULL)
		return false;
	*end = '\0';
	end += strlen(" - ");
	id = take_field(&line);
	parent = take_field(&line);
	dev = take_field(&line);
	e->root = take_field(&line);
	e->path = take_field(&line);
	e->type = take_field(&end);
	/* An empty source is an empty field. */
	e->source = strsep(&end, " ");
	if (e->path == NULL || e->type == NULL || e->source == NULL ||
	    sscanf(dev, "%u:%u", &major, &minor) != 2)
		return false;
	e->id = atoi(id);
	e->parent = atoi(parent);
	e->dev = makedev(major, minor);
	mount_table_unescape(e->root);
	mount_table_unescape(e->path);
	mount_table_unescape(e->type);
	mount_table_unescape(e->source);
	return true;
}

static int
mount_table_add(struct mount_table *t, size_t *capp,
    const struct mount_entry *e)
{
	size_t cap = *capp != 0 ? 2 * *capp : 32;
	struct mount_entry *grown, copy = *e;

	if (t->count == *capp) {
		grown = reallocarray(t->entries, cap, sizeof(*grown));
		if (grown == NULL)
			return -ENOMEM;
		t->entries = grown;
		*capp = cap;
	}
	copy.root = strdup(e->root);
	copy.path = strdup(e->path);
	copy.type = strdup(e->type);
	copy.source = strdup(e->source);
	/* Counted before the check, so that it is freed in any case. */
	t->entries[t->count++] = copy;
	return copy.root != NULL && copy.path != NULL && copy.type != NULL &&
		copy.source != NULL ?
	    0 :
	    -ENOMEM;
}

int
mount_table_read(struct mount_table *t)
{
	struct mount_entry e;
	char *line = NULL;
	size_t len = 0, cap = 0;
	FILE *f = fopen("/proc/self/mountinfo", "re");
	int rc = 0;

	*t = (struct mount_table){ 0 };
	if (f == NULL)
		return -errno;
	while (rc == 0 && getline(&line, &len, f) >= 0)
		if (mount_entry_parse(line, &e))
			rc = mount_table_add(t, &cap, &e);
	if (rc == 0 && ferror(f))
		rc = -EIO;
	free(line);
	fclose(f);
	return rc;
}

void
mount_table_fini(struct mount_table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->entries[i].root);
		free(t->entries[i].path);
		free(t->entries[i].type);
		free(t->entries[i].source);
	}
	free(t->entries);
	*t = (struct mount_table){ 0 };
}

/* The mount on the root of the mount under; if that is NULL, at path. */
static const struct mount_entry *
find_over(const struct mount_table *t, const char *path,
    const struct mount_entry *under)
{
	for (size_t i = t->count; i-- > 0;) {
		const struct mount_entry *e = &t->entries[i];

		if (strcmp(e->path, path) != 0)
			continue;
		if (under == NULL || (e != under && e->parent == under->id))
			return e;
	}
	return NULL;
}

const struct mount_entry *
mount_table_top(const struct mount_table *t, const char *path)
{
	const struct mount_entry *top = find_over(t, path, NULL), *over = top;

	/* The order of the table has no meaning: follow the parents. */
	for (size_t i = 0; i < t->count && over != NULL; i++) {
		top = over;
		over = find_over(t, path, top);
	}
	return top;
}

const struct mount_entry *
mount_table_child(const struct mount_table *t, int id)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->entries[i].parent == id && t->entries[i].id != id)
			return &t->entries[i];
	return NULL;
}

bool
mount_is_fuse(const struct mount_entry *e)
{
	return strcmp(e->type, "fuse") == 0 ||
	    strncmp(e->type, "fuse.", strlen("fuse.")) == 0;
}

bool
mount_is_kvfs(const struct mount_entry *e)
{
	return strcmp(e->type, "fuse.kvfs") == 0;
}
