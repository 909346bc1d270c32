/* SPDX-License-Identifier: ISC */
/*
 * Live inodes: what the kernel knows, what is open and what is dirty, and
 * the table that finds them by number.
 *
 * An inode lives until nobody knows it any more, not until its last name
 * goes: see orphan.c.
 *
 * References keep a struct inode alive: one while it has lookups, one
 * while it is held open, one while the write-back list has it, one for
 * each live inode in it when it is a directory, and one for each thread
 * that works on it. Without any it is clean, and freed.
 *
 * Locks: inode.change_mu is the right to change an inode: its row, its
 * contents and, in a directory, the names. It is held from before the
 * change is staged until it is committed. The order is in util/mutex.h: a
 * directory before what is in it; two directories of which none is above
 * the other only under fs.rename_mu; two files by number, after all
 * directories.
 *
 * inode.mu guards the fields and is held briefly, after change_mu. Who
 * changes a field has both; who only looks has mu alone, so that nobody
 * who looks waits for a commit: inode_commit() gives mu up. Until that
 * takes it back, what is in memory is the state before the change, of which
 * the rows may already be those after it. What is true of both: inline bytes
 * are the same or hidden by a buffer; so is each chunk. Where a row moves or
 * goes (link, rename, unlink) the inode's mu is kept, and only those of the
 * directories are given up. A thread that holds one mu takes another only
 * of inodes of which it holds every change_mu, in any order therefore.
 *
 * Reading a row without the directory's lock: take inode.change of the
 * directory first, read, then lock the inode and look whether change is
 * still the same. Whoever commits a change of any row of the directory's
 * group raises change before it lets go of the inode's change_mu, so a row
 * that was read meanwhile is not believed; or it is of an inode that is
 * live, and then what is in memory counts.
 */
#ifndef KVFS_FS_INODE_H
#define KVFS_FS_INODE_H

#include <stdatomic.h>
#include <sys/queue.h>

#include "fs/schema.h"
#include "fs/txn.h"
#include "util/mutex.h"

struct fs;
struct fs_attr;
struct content;
struct listing;
struct fs_options;

/* A name, in place when it is short. */
#define INAME_SMALL 30
struct iname {
	uint8_t len;
	char small[INAME_SMALL];
	char *big; /* owned; NULL when it is in small */
};

static inline struct slice
iname_slice(const struct iname *n)
{
	return slice_make(n->big != NULL ? n->big : n->small, n->len);
}
int iname_set(struct iname *n, struct slice name);
void iname_fini(struct iname *n);
/* What the names of the process take that are not in place. */
size_t iname_long_bytes(void);
/* What malloc(3) adds to a small allocation, about. */
#define ALLOC_OVERHEAD 16u

/* rec.atime, which who reads moves, with mu alone. */
enum atime_state {
	ATIME_STORED, /* is the row's */
	ATIME_STAGED, /* ahead of the row, but in a batch to be committed */
	ATIME_MOVED, /* ahead of the row and of any batch */
};

enum inode_state {
	INODE_NEW, /* in the table, not read yet: inode_from_row() */
	INODE_LIVE,
	INODE_DELETED, /* rows are gone; lives on in memory */
};

/* Who may have a copy of a hole as memory, and write there without our
 * knowledge: as long as there are writers, data may be anywhere. */
enum hole_copies {
	HOLE_UNREAD,
	HOLE_READ, /* pages of the file as it was read, up to its end */
	HOLE_CACHED, /* a write-back cache above us, beyond the end too */
};

struct inode {
	uint64_t ino; /* constant */
	uint32_t type; /* S_IFMT bits; constant once live */
	bool in_wb; /* guarded by writeback.mu, with wb_* */
	bool wb_busy;
	uint64_t wb_since_ns;
	uint64_t wb_ticket;
	TAILQ_ENTRY(inode) wb_link;

	_Atomic uint64_t refs; /* to 0 only under the shard's lock */
	/* Directories: raised after each commit to a row of its group.
	 * seq_cst: ordered against the reads of rows. */
	_Atomic uint64_t change;
	/* Raised before each commit that moves or changes contents. */
	_Atomic uint64_t content_gen;
	_Atomic uint64_t seq; /* of the last commit that touched it */
	/* Of the last commit of its contents; 0: not since it is live. */
	_Atomic uint64_t content_seq;
	/* Somebody may have a copy of something that was read. Never reset.
	 * seq_cst: set before reading, looked at after writing. */
	atomic_bool is_shared;
	/* Never lowered. Relaxed: raised before the copy is handed out. */
	_Atomic enum hole_copies hole_copies;

	/* Guarded by the table's shard. */
	struct inode *hash_next;
	uint64_t nlookup;
	uint64_t nheld; /* opens, of files and directories */
	bool used; /* since prune last came by */

	struct mutex change_mu;
	struct mutex mu;
	/* Guarded by mu, and changed only with change_mu too, but for what is
	 * marked. */
	enum inode_state state;
	bool is_linkable; /* a temporary file that may get a name */
	bool is_nameless; /* of no directory (any more); see orphan.c */
	bool is_rowless; /* nameless, and nothing of it is in the store */
	uint8_t *kept; /* rowless: owned, the inline bytes; or NULL */
	enum atime_state atime; /* mu alone */
	uint32_t nopen; /* mu alone */
	uint32_t nwriters; /* of nopen, those who may write; mu alone */
	uint32_t tombs; /* directories: deletions since the last group's */
	/* Owned; NULL: was never open. mu alone. */
	struct listing *listing;
	/*
	 * Where the attributes are: in the dentry row (parent, name), or
	 * in the inode row when parent is NULL or is_nameless. Of a
	 * directory, parent also needs fs.rename_mu to change, and stays
	 * when it is removed.
	 */
	struct inode *parent; /* counted */
	struct iname name;
	struct attr_rec rec; /* as committed, but for atime: mu alone */
	struct content *content; /* what is not committed, or NULL */
};

/* A directory's tombs when its past is unknown. */
#define TOMBS_UNKNOWN 16u
#define TOMBS_MAX 8u

static inline bool
inode_is_dir(const struct inode *in)
{
	return S_ISDIR(in->type);
}

/* Whether its attributes are in a dentry row. */
static inline bool
inode_has_dentry(const struct inode *in) REQUIRES(&in->mu)
{
	return in->parent != NULL && !in->is_nameless;
}

/* Whether a directory can get an entry. */
static inline bool
inode_takes_names(const struct inode *in) REQUIRES(&in->mu)
{
	return in->state == INODE_LIVE && !in->is_nameless;
}

/* ---- Table (inode_table.c) ---- */

#define INODE_SHARDS 64

struct inode_shard {
	_Alignas(64) struct mutex mu;
	struct inode **buckets GUARDED_BY(mu);
	size_t nbuckets GUARDED_BY(mu); /* a power of two */
	size_t count GUARDED_BY(mu);
	size_t hand GUARDED_BY(mu); /* bucket that prune looks at next */
};

struct inode_table {
	struct inode_shard shards[INODE_SHARDS];
	_Atomic unsigned hand; /* shard that prune looks at next */
	_Atomic size_t count; /* in all shards; relaxed, a statistic */
};

int inode_table_init(struct inode_table *table);
/* Frees what is left, whatever its references. */
void inode_table_fini(struct inode_table *table);
size_t inode_table_count(struct inode_table *table);
/* Calls fn for one inode after the other, each referenced; no locks held. */
int inode_table_each(struct fs *fs, int (*fn)(struct fs *fs, struct inode *in));

/*
 * Up to max inodes that only lookups keep and that were not used since the
 * last call that came by (CLOCK), each referenced. Returns how many.
 */
size_t inode_table_cold(struct fs *fs, struct inode **out, size_t max);

/* The inode that a caller of fs.h names, with a reference to give back by
 * inode_put(); NULL when it has no lookups and no opens. */
struct inode *inode_get(struct fs *fs, uint64_t ino);
/* As inode_get(), but any, and made as INODE_NEW when there is none; NULL
 * without memory. */
struct inode *inode_get_any(struct fs *fs, uint64_t ino);
/* Put a new inode in the table; false when the number is taken. */
bool inode_insert(struct fs *fs, struct inode *in);
/* Another reference of one that the caller keeps alive. */
void inode_ref(struct inode *in);
/* NULL is accepted. Takes locks from the table's shard on. */
void inode_put(struct fs *fs, struct inode *in);
/* Count a lookup, or give n back. */
void inode_count_lookup(struct fs *fs, struct inode *in);
void inode_forget(struct fs *fs, struct inode *in, uint64_t n);
/* Whether it has lookups or opens. */
bool inode_is_known(struct fs *fs, struct inode *in);
/* Count an open, or give it back. */
void inode_hold(struct fs *fs, struct inode *in);
void inode_unhold(struct fs *fs, struct inode *in);

/* ---- One inode (inode.c) ---- */

/* With one reference; NULL without memory. */
struct inode *inode_alloc(uint64_t ino);
void inode_free(struct inode *in);

/* Take both locks, to change it; give both up. */
void inode_begin_change(struct inode *in) ACQUIRE(&in->change_mu, &in->mu);
void inode_end_change(struct inode *in) RELEASE(&in->change_mu, &in->mu);
/* txn_commit() of a batch that changes in: others look at it meanwhile. */
int inode_commit(struct fs *fs, struct inode *in, struct txn *t, uint64_t *seqp)
    REQUIRES(&in->change_mu, &in->mu);

/* Fill a new inode from its record at (parent, name), or from its inode
 * row when parent is NULL. */
int inode_fill(struct fs *fs, struct inode *in, struct inode *parent,
    struct slice name, const struct attr_rec *rec) REQUIRES(&in->mu);
/* The root: read and pinned. */
int inode_load_root(struct fs *fs, struct inode **inp);

/*
 * The inode of a row of dir that was read when dir->change was change;
 * referenced and locked. -EAGAIN: the row is no longer true, read again.
 */
int inode_from_row(struct fs *fs, struct inode *dir, struct slice name,
    const struct dentry_row *row, uint64_t change, struct inode **inp);
/* The inode that name in dir is; referenced, and locked for _lock. */
int inode_find_lock(struct fs *fs, struct inode *dir, struct slice name,
    struct inode **inp);
int inode_find(struct fs *fs, struct inode *dir, struct slice name,
    struct inode **inp);

/* The key of the row with the inode's attributes. */
struct kv_key inode_key(const struct inode *in) REQUIRES(&in->mu);
/* Its committed inline bytes; *pin holds them. */
int inode_get_inline(struct fs *fs, struct inode *in, struct kv_value *pin,
    struct slice *datap) REQUIRES(&in->mu);
/* The same, copied to live as long as t. */
int inode_copy_inline(struct fs *fs, struct txn *t, struct inode *in,
    struct slice *datap) REQUIRES(&in->mu);
/*
 * Add its row, with attributes rec, where it is. data: the inline bytes;
 * NULL keeps the committed ones.
 */
int inode_put_row(struct fs *fs, struct txn *t, struct inode *in,
    const struct attr_rec *rec, const struct slice *data)
    REQUIRES(&in->change_mu, &in->mu);
/* A row with its atime, as it is now, is in a batch. */
void inode_stage_atime(struct inode *in) REQUIRES(&in->mu);
/* The row that inode_put_row() or another put of it added was committed at
 * seq: rec is what it says now. */
void inode_row_committed(struct fs *fs, struct inode *in,
    const struct attr_rec *rec, uint64_t seq) REQUIRES(&in->change_mu, &in->mu);
/* Its attributes moved to (parent, *name), or to the inode row. Takes the
 * memory of name. Returns the old parent, to put once unlocked. */
struct inode *inode_move(struct inode *in, struct inode *parent,
    struct iname *name) REQUIRES(&in->change_mu, &in->mu);
/* A row of dir's group changed: see change above. */
void inode_touch(struct inode *dir);
/* Its rows are gone, and data is what its inline bytes were: it lives on in
 * memory alone, until a row of it is put again. */
int inode_set_rowless(struct inode *in, struct slice data)
    REQUIRES(&in->change_mu, &in->mu);
/* What the process keeps in this way. */
size_t inode_kept_bytes(void);
/* Rows are gone: contents that wait are dropped. */
void inode_set_deleted(struct fs *fs, struct inode *in)
    REQUIRES(&in->change_mu, &in->mu);

/* Attributes as of now, contents that wait included. */
void inode_attr(const struct inode *in, struct fs_attr *attrp)
    REQUIRES(&in->mu);
uint64_t inode_size(const struct inode *in) REQUIRES(&in->mu);
/* What we have for a hole may be data that somebody keeps from us. */
bool inode_hides_data(const struct inode *in) REQUIRES(&in->mu);
/* The same, and no block of it is counted: st_blocks must not be 0. */
bool inode_hides_all(const struct inode *in) REQUIRES(&in->mu);
/* Would relatime move atime at now? */
bool inode_atime_is_due(const struct inode *in, const struct timespec *now)
    REQUIRES(&in->mu);
/* Its times are wanted as relatime wants them: maybe move atime. */
void inode_accessed(struct fs *fs, struct inode *in) REQUIRES(&in->mu);

/* Row says what cannot be: one line to the log, returns rc. */
int inode_bad_row(uint64_t parent, struct slice name, int rc);

#endif
