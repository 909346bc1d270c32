/* SPDX-License-Identifier: ISC */
/*
 * How the problems of the walk of verify.c are told: by the path of the file
 * where there is one, by the row where there is none. Problems are gathered
 * as they are found; at the end one more pass over the names, or two, finds
 * those of the inodes in question and of the directories above them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "fs/verify.h"

/* Problems kept for the end; more are told at once, by their rows. */
#define FOUND_MAX 10000u
#define PASSES_MAX 3
/* Of a path; as many directories as the depth of a loop may pretend. */
#define STEPS_MAX 4096

struct verify_found {
	struct row_id id; /* its name is owned */
	char *text;
};

struct verify_name {
	RB_ENTRY(verify_name) link;
	uint64_t ino, parent;
	struct slice name; /* owned; none while it is not known */
};

RB_PROTOTYPE(verify_names, verify_name, link, verify_name_cmp)

static int
verify_name_cmp(const struct verify_name *a, const struct verify_name *b)
{
	return a->ino < b->ino ? -1 : a->ino > b->ino;
}

RB_GENERATE(verify_names, verify_name, link, verify_name_cmp)

/* ---- Gathering ---- */

static void
print_bytes(FILE *out, struct slice s)
{
	const uint8_t *p = s.data;

	for (size_t i = 0; i < s.len; i++) {
		if (p[i] < ' ' || p[i] == '"' || p[i] == '\\' || p[i] == 0x7f)
			fprintf(out, "\\x%02x", p[i]);
		else
			fputc(p[i], out);
	}
}

static void
print_row(FILE *out, const struct row_id *id)
{
	fprintf(out, "%s %" PRIu64, id->space, id->group);
	if (id->name.len != 0) {
		fputs(" \"", out);
		print_bytes(out, id->name);
		fputc('"', out);
	}
}

static int
keep(struct verify *v, const struct row_id *id, char *text)
{
	struct verify_found *f;
	void *name;

	if (v->found_count == FOUND_MAX)
		return -E2BIG;
	if (v->found_count == v->found_cap) {
		size_t cap = v->found_cap != 0 ? v->found_cap * 2 : 16;

		f = realloc(v->found, cap * sizeof(*f));
		if (f == NULL)
			return -ENOMEM;
		v->found = f;
		v->found_cap = cap;
	}
	name = malloc(id->name.len + 1);
	if (name == NULL)
		return -ENOMEM;
	if (id->name.len != 0)
		memcpy(name, id->name.data, id->name.len);
	f = &v->found[v->found_count++];
	f->id = *id;
	f->id.name = slice_make(name, id->name.len);
	f->text = text;
	return 0;
}

void
verify_problem(struct verify *v, const struct row_id *id, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	v->problems++;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text != NULL && keep(v, id, text) == 0)
		return;
	fputs("problem: ", v->out);
	print_row(v->out, id);
	fprintf(v->out, ": %s\n", text != NULL ? text : "not enough memory");
	free(text);
}

/* ---- Finding names ---- */

static struct verify_name *
find(struct verify *v, uint64_t ino)
{
	struct verify_name key = { .ino = ino };

	return RB_FIND(verify_names, &v->names, &key);
}

/* Look for the name of ino, and of the directories above it that are known.
 * 1 when that is new, 0, or -ENOMEM. */
static int
want(struct verify *v, uint64_t ino)
{
	const struct verify_dir *d;
	int rc = 0;

	while (ino != FS_ROOT_INO && find(v, ino) == NULL) {
		struct verify_name *n = calloc(1, sizeof(*n));

		if (n == NULL)
			return -ENOMEM;
		n->ino = ino;
		RB_INSERT(verify_names, &v->names, n);
		rc = 1;
		d = verify_map_find_dir(&v->map, ino);
		if (d == NULL || !d->has_row)
			break;
		ino = d->parent;
	}
	return rc;
}

static int
take_name(struct verify *v, const struct kv_key *key, struct slice value)
{
	struct dentry_row row;
	struct verify_name *n;
	void *name;

	if (schema_get_dentry(value, &row) < 0)
		return 0;
	n = find(v, row.ino);
	if (n == NULL || n->name.len != 0)
		return 0;
	name = malloc(key->name.len + 1);
	if (name == NULL)
		return -ENOMEM;
	memcpy(name, key->name.data, key->name.len);
	n->name = slice_make(name, key->name.len);
	n->parent = key->group;
	return 0;
}

/* One pass over all names; what cannot be read has none. */
static int
pass(struct verify *v)
{
	struct kv_key key = { .space = SPACE_DENTRY };
	struct kv_iter *it;
	struct slice value;
	int rc = kv_iter_open(v->kv, &key, KV_SCOPE_SPACE, v->snap, &it);

	if (rc < 0)
		return rc;
	while ((rc = kv_iter_next(it)) == 1) {
		key = kv_iter_key(it);
		if (kv_iter_value(it, &value) < 0)
			continue;
		rc = take_name(v, &key, value);
		if (rc < 0)
			break;
	}
	kv_iter_close(it);
	return rc;
}

static void
find_names(struct verify *v)
{
	struct verify_name *n;
	int added = 0, rc;

	for (size_t i = 0; i < v->found_count && added >= 0; i++) {
		rc = want(v, v->found[i].id.group);
		added = rc < 0 ? rc : added | rc;
	}
	for (int i = 0; i < PASSES_MAX && added > 0; i++) {
		/* Of files in two directories only now the one is known. */
		added = pass(v);
		RB_FOREACH (n, verify_names, &v->names) {
			rc = n->name.len != 0 ? want(v, n->parent) : 0;
			added = rc < 0 ? rc : added | rc;
		}
	}
}

/* ---- Telling ---- */

/* The directories above ino and its name, from the root; false when it does
 * not hang below the root. */
static bool
print_path(struct verify *v, FILE *out, uint64_t ino)
{
	const struct verify_name **up = calloc(STEPS_MAX, sizeof(*up));
	size_t n = 0;

	for (; up != NULL && ino != FS_ROOT_INO && n < STEPS_MAX; n++) {
		up[n] = find(v, ino);
		if (up[n] == NULL || up[n]->name.len == 0)
			break;
		ino = up[n]->parent;
	}
	if (up == NULL || ino != FS_ROOT_INO) {
		free(up);
		return false;
	}
	while (n-- > 0) {
		print_bytes(out, up[n]->name);
		if (n > 0)
			fputc('/', out);
	}
	free(up);
	return true;
}

static bool
is_space(const struct row_id *id, const char *space)
{
	return strcmp(id->space, space) == 0;
}

/* The path of the file that a row belongs to, and which part of it. */
static bool
print_file(struct verify *v, FILE *out, const struct row_id *id)
{
	struct kv_key key = { SPACE_CHUNK, id->group, id->name };
	uint64_t index;

	if (is_space(id, "store") || is_space(id, "orphan") ||
	    is_space(id, "row"))
		return false;
	if (is_space(id, "dentry")) {
		if (id->name.len == 0 || !print_path(v, out, id->group))
			return false;
		if (id->group != FS_ROOT_INO)
			fputc('/', out);
		print_bytes(out, id->name);
		return true;
	}
	if (id->group == FS_ROOT_INO)
		fputc('.', out);
	if (!print_path(v, out, id->group))
		return false;
	if (is_space(id, "chunk") && key_chunk_index(&key, &index) == 0)
		fprintf(out, ": contents from byte %" PRIu64 " on",
		    index * CHUNK_SIZE);
	if (is_space(id, "xattr")) {
		fputs(": extended attribute ", out);
		print_bytes(out, id->name);
	}
	return true;
}

void
verify_tell(struct verify *v)
{
	struct verify_name *n, *next;

	if (v->found_count != 0)
		find_names(v);
	for (size_t i = 0; i < v->found_count; i++) {
		struct verify_found *f = &v->found[i];
		char *path = NULL;
		size_t len;
		FILE *out = open_memstream(&path, &len);
		bool has_path = out != NULL && print_file(v, out, &f->id);

		if (out != NULL)
			fclose(out);
		fputs("problem: ", v->out);
		if (has_path && path != NULL)
			fputs(path, v->out);
		else
			print_row(v->out, &f->id);
		fprintf(v->out, ": %s\n", f->text);
		free(path);
		free(f->text);
		free((void *)(uintptr_t)f->id.name.data);
	}
	free(v->found);
	RB_FOREACH_SAFE (n, verify_names, &v->names, next) {
		RB_REMOVE(verify_names, &v->names, n);
		free((void *)(uintptr_t)n->name.data);
		free(n);
	}
}
