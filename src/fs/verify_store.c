/* SPDX-License-Identifier: ISC */
/* Checks the rows that belong to no file, in the walk of verify.c: those about
 * the store as a whole, and unknown ones. */
#include <inttypes.h>

#include "fs/verify.h"

/* Report a row about the store that cannot be used. */
static int
bad_store_row(struct verify *v, const char *name, enum verify_kind kind, int rc)
{
	struct verify_fault f = { .kind = kind, .key = key_store(name) };

	switch (rc) {
	case -ENOENT:
		verify_problem(v, &f, "is missing");
		return v->error;
	case -KVFS_ECORRUPT:
	case -KVFS_ECHECKSUM:
		verify_problem(v, &f, "damaged");
		return v->error;
	default:
		return verify_bad_row(v, &f.key, rc);
	}
}

static int
check_format(struct verify *v)
{
	struct kv_key key = key_store(KEY_FORMAT);
	struct super_row super = { 0 };
	struct kv_value value;
	int rc;

	rc = kv_get(v->kv, &key, v->snap, &value);
	if (rc == 0)
		rc = schema_get_super(value.data, &super);
	kv_value_release(&value);
	if (rc == 0 && !schema_knows_super(&super))
		rc = -EPROTO;
	v->is_declared = rc < 0 || (super.refuse_flags & SUPER_PATCHES) != 0;
	return bad_store_row(v, KEY_FORMAT, FAULT_FORMAT, rc);
}

int
verify_store(struct verify *v)
{
	struct kv_key key = key_store(KEY_NEXT_INO);
	struct kv_value value;
	int rc = check_format(v);

	if (rc < 0)
		return rc;
	rc = kv_get(v->kv, &key, v->snap, &value);
	if (rc == 0)
		rc = schema_get_number(value.data, &v->next_ino);
	if (rc == 0 && v->next_ino <= FS_ROOT_INO)
		rc = -KVFS_ECORRUPT;
	kv_value_release(&value);
	rc = bad_store_row(v, KEY_NEXT_INO, FAULT_NEXT_INO, rc);
	if (rc < 0)
		return rc;
	key = key_store(KEY_INODES);
	rc = kv_get(v->kv, &key, v->snap, &value);
	if (rc == 0)
		rc = schema_get_count(value.data, &v->count);
	v->has_count = rc == 0 && v->count.is_exact;
	kv_value_release(&value);
	return rc == -ENOENT ? 0 : verify_bad_row(v, &key, rc);
}

void
verify_count(struct verify *v)
{
	struct verify_fault f = { .kind = FAULT_COUNT,
		.key = key_store(KEY_INODES),
		.number = v->inodes };

	if (v->has_count && v->count.inodes != v->inodes)
		verify_problem(v, &f,
		    "says %" PRIu64 " inodes, there are %" PRIu64,
		    v->count.inodes, v->inodes);
}

void
verify_declared(struct verify *v)
{
	struct verify_fault f = { .kind = FAULT_FORMAT,
		.key = key_store(KEY_FORMAT) };

	if (v->has_patches && !v->is_declared)
		verify_problem(v, &f, "does not say that there are patches");
}

int
verify_unknown(struct verify *v)
{
	const uint8_t spaces[] = { 0, SPACE_PATCH + 1 };
	struct verify_fault f = { .kind = FAULT_FOREIGN };
	struct kv_iter *it;
	int rc = 0;

	for (size_t i = 0; i < sizeof(spaces) && rc >= 0; i++) {
		f.key = (struct kv_key){ .space = spaces[i] };
		rc = kv_iter_open(v->kv, &f.key,
		    i == 0 ? KV_SCOPE_SPACE : KV_SCOPE_ALL, v->snap, &it);
		if (rc == 0)
			rc = kv_iter_next(it);
		if (rc == 1) {
			f.key = kv_iter_key(it);
			f.key.name.len = 0;
			verify_problem(v, &f, "is of the unknown kind %u",
			    f.key.space);
		}
		kv_iter_close(it);
	}
	return rc < 0 ? rc : 0;
}
