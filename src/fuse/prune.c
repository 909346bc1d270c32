/* SPDX-License-Identifier: ISC */
/* The thread that bounds inodes and other memory; see prune.h. */
#include "fuse/prune.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "fs/fs.h"
#include "fuse/drop_names.h"
#include "fuse/fuse_api.h"
#include "fuse/memory.h"
#include "fuse/serve/protocol.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/mutex.h"

/* How often to look: far from the bounds, and near one. */
#define IDLE_INTERVAL_NS 1000000000ULL
#define BUSY_INTERVAL_NS 200000000ULL
#define STEP 4096

struct prune {
	/* constant */
	struct fs *fs;
	struct fuse_session *se;
	size_t max_inodes;
	struct memory_keeper memory; /* used by the thread alone */
	bool has_drop; /* drop is initialized */
	struct drop_names drop; /* used by the thread alone */
	pthread_t thread;

	struct mutex mu;
	struct cond wake;
	bool stop GUARDED_BY(mu);
};

static void
drop_name(void *arg, const struct fs_cold *cold)
{
	drop_names_add(arg, cold);
}

/* Have names dropped until few enough inodes are left, or until all were
 * tried: names in use stay. The kernel may take the directory's lock for
 * it, so no lock is held here. It sends FORGET a while later. */
static void
prune_inodes(struct prune *p)
{
	size_t goal = p->max_inodes - p->max_inodes / 8;
	size_t have = fs_inode_count(p->fs), most = 2 * have, dropped = 0, n;
	unsigned idle = 0;

	/* There are inodes, so INIT was answered and the version is known. */
	if (!p->has_drop)
		drop_names_init(&p->drop, fuse_session_fd(p->se),
		    protocol_kernel_minor());
	p->has_drop = true;
	while (have > goal && idle < 16 && dropped < most) {
		size_t want = have - goal < STEP ? have - goal : STEP;

		n = fs_prune(p->fs, want, drop_name, &p->drop);
		idle = n != 0 ? 0 : idle + 1;
		dropped += n;
		have = fs_inode_count(p->fs);
	}
	drop_names_end(&p->drop);
}

static void *
prune_run(void *arg)
{
	struct prune *p = arg;

	mutex_lock(&p->mu);
	while (!p->stop) {
		size_t have;
		bool is_near_budget;

		mutex_unlock(&p->mu);
		have = fs_inode_count(p->fs);
		if (have > p->max_inodes)
			prune_inodes(p);
		is_near_budget = memory_keep(&p->memory);
		mutex_lock(&p->mu);
		if (!p->stop)
			cond_wait_until(&p->wake, &p->mu,
			    clock_now_ns() +
				(is_near_budget || have > p->max_inodes / 2 ?
					BUSY_INTERVAL_NS :
					IDLE_INTERVAL_NS));
	}
	mutex_unlock(&p->mu);
	return NULL;
}

int
prune_start(struct kv *kv, struct fs *fs, struct fuse_session *se,
    const struct prune_limits *limits, struct prune **prunep)
{
	struct prune *p = calloc(1, sizeof(*p));
	int err;

	*prunep = NULL;
	if (p == NULL)
		return -ENOMEM;
	p->fs = fs;
	p->se = se;
	p->max_inodes = limits->inode_bytes / fs_inode_bytes();
	p->memory = (struct memory_keeper){ .kv = kv,
		.budget_bytes = limits->memory_bytes,
		.cache_bytes = limits->cache_bytes };
	mutex_init(&p->mu);
	cond_init(&p->wake);
	err = pthread_create(&p->thread, NULL, prune_run, p);
	if (err != 0) {
		log_error("cannot start a thread: %s", strerror(err));
		cond_fini(&p->wake);
		mutex_fini(&p->mu);
		free(p);
		return -err;
	}
	*prunep = p;
	return 0;
}

void
prune_stop(struct prune *p)
{
	if (p == NULL)
		return;
	mutex_lock(&p->mu);
	p->stop = true;
	cond_signal(&p->wake);
	mutex_unlock(&p->mu);
	pthread_join(p->thread, NULL);
	cond_fini(&p->wake);
	mutex_fini(&p->mu);
	free(p);
}
