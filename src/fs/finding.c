/* SPDX-License-Identifier: ISC */
/* Messages about rows; see finding.h. */
#include "fs/finding.h"

#include <inttypes.h>
#include <stdlib.h>

#include "fs/fs.h"
#include "fs/schema.h"
#include "fs/verify_map.h"

/* How many messages are kept. */
#define FOUND_MAX 10000u
/* Passes over all names at most. Without a map each finds one more level. */
#define PASSES_MAX 64
/* Directories in a path at most: damaged rows may form a loop. */
#define STEPS_MAX 4096

struct finding {
	struct kv_key key; /* its name is owned */
	char *text;
};

struct finding_name {
	RB_ENTRY(finding_name) link;
	uint64_t ino, parent;
	struct slice name; /* owned; empty while it is not known */
};

RB_PROTOTYPE(finding_names, finding_name, link, finding_name_cmp)

static int
finding_name_cmp(const struct finding_name *a, const struct finding_name *b)
{
	return a->ino < b->ino ? -1 : a->ino > b->ino;
}

RB_GENERATE(finding_names, finding_name, link, finding_name_cmp)

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

void
finding_print_quoted(FILE *out, struct slice s)
{
	fputc('"', out);
	print_bytes(out, s);
	fputc('"', out);
}

static void
print_row(FILE *out, const struct kv_key *key)
{
	static const char *const spaces[] = {
		[SPACE_DENTRY] = "dentry",
		[SPACE_INODE] = "inode",
		[SPACE_CHUNK] = "chunk",
		[SPACE_XATTR] = "xattr",
		[SPACE_ORPHAN] = "orphan",
		[SPACE_PATCH] = "patch",
	};
	bool known = key->space > SPACE_STORE && key->space <= SPACE_PATCH;

	if (key->space == SPACE_STORE)
		fputs("the store's record", out);
	else
		fprintf(out, "%s %" PRIu64, known ? spaces[key->space] : "row",
		    key->group);
	if (key->name.len != 0) {
		fputc(' ', out);
		finding_print_quoted(out, key->name);
	}
	fputs(": ", out);
}

static struct slice
copy_name(struct slice name, bool *ok)
{
	void *p = malloc(name.len + 1);

	*ok = p != NULL;
	if (p != NULL && name.len != 0)
		memcpy(p, name.data, name.len);
	return slice_make(p, p != NULL ? name.len : 0);
}

static bool
finding_list_grow(struct finding_list *l)
{
	size_t cap = l->cap != 0 ? l->cap * 2 : 16;
	struct finding *v;

	if (l->count < l->cap)
		return true;
	v = l->count < FOUND_MAX ? realloc(l->v, cap * sizeof(*v)) : NULL;
	if (v == NULL)
		return false;
	l->v = v;
	l->cap = cap;
	return true;
}

void
finding_add(struct finding_list *l, const struct kv_key *key, const char *text)
{
	struct finding f = { .key = *key };
	bool ok;

	f.key.name = copy_name(key->name, &ok);
	f.text = strdup(text);
	if (ok && f.text != NULL && l->count < FOUND_MAX &&
	    finding_list_grow(l)) {
		l->v[l->count++] = f;
		return;
	}
	l->left_out++;
	free((void *)(uintptr_t)f.key.name.data);
	free(f.text);
}

int
finding_add_inodes(const struct finding_list *l, struct verify_map *map)
{
	int rc = 0;

	for (size_t i = 0; i < l->count && rc >= 0; i++) {
		const struct kv_key *key = &l->v[i].key;

		if (key->space == SPACE_CHUNK || key->space == SPACE_PATCH)
			rc = verify_map_put(map, SET_CHUNKS, key->group);
		else if (key->space == SPACE_XATTR)
			rc = verify_map_put(map, SET_XATTRS, key->group);
	}
	return rc < 0 ? rc : 0;
}

/* ---- Finding names ---- */

/* One call of finding_print(). */
struct finding_printer {
	struct finding_list *l;
	struct kv *kv;
	struct kv_snapshot *snap;
	struct verify_map *map;
};

static struct finding_name *
finding_name_find(struct finding_printer *t, uint64_t ino)
{
	struct finding_name key = { .ino = ino };

	return RB_FIND(finding_names, &t->l->names, &key);
}

/* Note that the name of ino, and of the known directories above it, is to be
 * found. 1: noted now, 0: it was noted before, or -ENOMEM. */
static int
finding_name_want(struct finding_printer *t, uint64_t ino)
{
	const struct verify_dir *d;
	int rc = 0;

	while (ino != FS_ROOT_INO && finding_name_find(t, ino) == NULL) {
		struct finding_name *n = calloc(1, sizeof(*n));

		if (n == NULL)
			return -ENOMEM;
		n->ino = ino;
		RB_INSERT(finding_names, &t->l->names, n);
		rc = 1; /* NOLINT(*-unix.Malloc): the tree has n */
		d = t->map != NULL ? verify_map_find_dir(t->map, ino) : NULL;
		if (d == NULL || !d->has_row)
			break;
		ino = d->parent;
	}
	return rc;
}

static int
take_name(struct finding_printer *t, const struct kv_key *key,
    struct slice value)
{
	struct dentry_row row;
	struct finding_name *n;
	bool ok;

	if (schema_get_dentry(value, &row) < 0)
		return 0;
	n = finding_name_find(t, row.ino);
	if (n == NULL || n->name.len != 0)
		return 0;
	n->name = copy_name(key->name, &ok);
	n->parent = key->group;
	return ok ? 0 : -ENOMEM;
}

/* One pass over all names; rows that cannot be read are skipped. */
static int
finding_names_read(struct finding_printer *t)
{
	struct kv_key key = { .space = SPACE_DENTRY };
	struct kv_iter *it;
	struct slice value;
	int rc = kv_iter_open(t->kv, &key, KV_SCOPE_SPACE, t->snap, &it);

	if (rc < 0)
		return rc;
	while ((rc = kv_iter_next(it)) == 1) {
		key = kv_iter_key(it);
		if (kv_iter_value(it, &value) < 0)
			continue;
		rc = take_name(t, &key, value);
		if (rc < 0)
			break;
	}
	kv_iter_close(it);
	return rc;
}

static void
find_names(struct finding_printer *t)
{
	struct finding_name *n;
	int added = 0, rc;

	for (size_t i = 0; i < t->l->count && added >= 0; i++) {
		rc = finding_name_want(t, t->l->v[i].key.group);
		added = rc < 0 ? rc : added | rc;
	}
	for (int i = 0; i < PASSES_MAX && added > 0; i++) {
		/* The parents found in this pass need names too. */
		added = finding_names_read(t);
		RB_FOREACH (n, finding_names, &t->l->names) {
			rc = n->name.len != 0 ?
			    finding_name_want(t, n->parent) :
			    0;
			added = rc < 0 ? rc : added | rc;
		}
	}
}

/* ---- Printing ---- */

/* Print the path of ino; false when it is not below the root. */
static bool
print_path(struct finding_printer *t, FILE *out, uint64_t ino)
{
	const struct finding_name **up = calloc(STEPS_MAX, sizeof(*up));
	size_t n = 0;

	for (; up != NULL && ino != FS_ROOT_INO && n < STEPS_MAX; n++) {
		up[n] = finding_name_find(t, ino);
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

/* Print the path of the file that a row belongs to, and which part of the
 * file the row is. */
static bool
print_file(struct finding_printer *t, FILE *out, const struct kv_key *key)
{
	struct patch_key place;
	uint64_t index;

	switch (key->space) {
	case SPACE_DENTRY:
		if (key->name.len == 0)
			break;
		if (!print_path(t, out, key->group))
			return false;
		if (key->group != FS_ROOT_INO)
			fputc('/', out);
		print_bytes(out, key->name);
		return true;
	case SPACE_INODE:
	case SPACE_CHUNK:
	case SPACE_XATTR:
	case SPACE_PATCH:
		break;
	default:
		return false;
	}
	if (key->group == FS_ROOT_INO)
		fputc('.', out);
	if (!print_path(t, out, key->group))
		return false;
	if (key_chunk_index(key, &index) == 0)
		fprintf(out, ": contents from byte %" PRIu64 " on",
		    index * CHUNK_SIZE);
	if (key_patch_place(key, &place) == 0)
		fprintf(out, ": contents from byte %" PRIu64 " on",
		    place.index * CHUNK_SIZE + place.start);
	if (key->space == SPACE_XATTR && key->name.len != 0) {
		fputs(": extended attribute ", out);
		print_bytes(out, key->name);
	}
	return true;
}

static void
tell_one(struct finding_printer *t, const struct finding *f, const char *prefix,
    FILE *out)
{
	char *path = NULL;
	size_t len;
	FILE *mem = f->key.space != 0 ? open_memstream(&path, &len) : NULL;
	bool has_path = mem != NULL && print_file(t, mem, &f->key);

	if (mem != NULL)
		fclose(mem);
	fprintf(out, "%s: ", prefix);
	if (has_path && path != NULL)
		fprintf(out, "%s: ", path);
	else if (f->key.space != 0)
		print_row(out, &f->key);
	fprintf(out, "%s\n", f->text);
	free(path);
}

void
finding_print(struct finding_list *l, struct kv *kv, struct kv_snapshot *snap,
    struct verify_map *map, const char *prefix, FILE *out)
{
	struct finding_printer t = { l, kv, snap, map };
	struct finding_name *n, *next;

	if (l->count != 0)
		find_names(&t);
	for (size_t i = 0; i < l->count; i++)
		tell_one(&t, &l->v[i], prefix, out);
	if (l->left_out != 0)
		fprintf(out, "%s: ... and %" PRIu64 " more\n", prefix,
		    l->left_out);
	RB_FOREACH_SAFE (n, finding_names, &l->names, next) {
		RB_REMOVE(finding_names, &l->names, n);
		free((void *)(uintptr_t)n->name.data);
		free(n);
	}
	finding_clear(l);
}

void
finding_clear(struct finding_list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->v[i].text);
		free((void *)(uintptr_t)l->v[i].key.name.data);
	}
	free(l->v);
	*l = (struct finding_list){ 0 };
}
