/* SPDX-License-Identifier: ISC */
/* Numbers and attributes for what is created; see new_inode.h. */
#include "fs/new_inode.h"

#include "fs/fs_state.h"
#include "fs/fs_time.h"

/* So many numbers are reserved in the store at once. Those that are unused at
 * a crash stay unused. */
#define INO_RESERVE 4096u

struct attr_rec
new_inode_rec(uint32_t mode, uid_t uid, gid_t gid)
{
	struct timespec now = fs_now();

	return (struct attr_rec){
		.mode = mode,
		.nlink = S_ISDIR(mode) ? 2 : 1,
		.uid = uid,
		.gid = gid,
		.atime = now,
		.mtime = now,
		.ctime = now,
		.btime = now,
	};
}

int
new_inode_number(struct fs *fs, uint64_t *inop)
{
	uint8_t value[SCHEMA_ROW_MAX];
	struct txn *t = NULL;
	uint64_t seq;
	int rc = 0;

	*inop = 0;
	mutex_lock(&fs->numbers.mu);
	if (fs->numbers.next == fs->numbers.limit) {
		if (fs->numbers.limit > UINT64_MAX - INO_RESERVE) {
			rc = -ENOSPC;
			goto out;
		}
		/* Committed before the first use, so that no number is given
		 * out twice. */
		t = txn_begin(fs);
		if (t == NULL) {
			rc = -ENOMEM;
			goto out;
		}
		txn_put_store(t, KEY_NEXT_INO, value,
		    schema_put_number(value, fs->numbers.limit + INO_RESERVE));
		rc = txn_commit(fs, t, &seq);
		txn_end(fs, t);
		if (rc < 0)
			goto out;
		fs->numbers.limit += INO_RESERVE;
	}
	*inop = fs->numbers.next++;
out:
	mutex_unlock(&fs->numbers.mu);
	return rc;
}
