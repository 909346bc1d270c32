/* SPDX-License-Identifier: ISC */
/* kv_options of kv.h: defaults, and the text form of sync modes. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "kvfs/store.h"

#define SYNC_NUMBER_MAX 1000000000ULL
#define COMPACTION_THREADS_MAX 4

/* Half of the processors; the rest is for the users of the store. */
static unsigned
default_compaction_threads(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN) / 2;

	if (n < 1)
		return 1;
	return n < COMPACTION_THREADS_MAX ? (unsigned)n :
					    COMPACTION_THREADS_MAX;
}

void
kv_options_init(struct kv_options *opts)
{
	*opts = (struct kv_options){
		.sync = KV_SYNC_INTERVAL,
		.sync_commits = 1,
		.sync_ms = 1000,
		.wal_buffer_bytes = 0,
		.memtable_bytes = 64u << 20,
		.cache_bytes = 64u << 20,
		.compaction_threads = default_compaction_threads(),
		.compress = true,
		.create = true,
		.warm_up = true,
	};
}

/* Parse a whole number from 1 on that ends at the end of the text or at a
 * colon. *textp moves behind it. */
static bool
parse_number(const char **textp, uint32_t *np)
{
	uint64_t n = 0;
	const char *p = *textp;

	for (; *p >= '0' && *p <= '9'; p++) {
		n = n * 10 + (uint64_t)(*p - '0');
		if (n > SYNC_NUMBER_MAX)
			return false;
	}
	if (p == *textp || n == 0 || (*p != '\0' && *p != ':'))
		return false;
	*np = (uint32_t)n;
	*textp = *p == ':' ? p + 1 : p;
	return *p == '\0' || p[1] != '\0';
}

int
kv_options_parse_sync(struct kv_options *opts, const char *text)
{
	static const struct {
		const char *name;
		enum kv_sync_mode mode;
		bool commits, ms;
	} modes[] = {
		{ "full", KV_SYNC_FULL, false, false },
		{ "every", KV_SYNC_EVERY, true, false },
		{ "interval", KV_SYNC_INTERVAL, false, true },
		{ "hybrid", KV_SYNC_HYBRID, true, true },
		{ "checkpoint", KV_SYNC_CHECKPOINT, false, false },
		{ "off", KV_SYNC_OFF, false, false },
	};
	size_t len = strcspn(text, ":");

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		uint32_t commits = opts->sync_commits, ms = opts->sync_ms;
		const char *p = text + len;

		if (strncmp(text, modes[i].name, len) != 0 ||
		    modes[i].name[len] != '\0')
			continue;
		if (!modes[i].commits && !modes[i].ms) {
			if (*p != '\0')
				return -EINVAL;
		} else {
			if (*p++ != ':')
				return -EINVAL;
			if (modes[i].commits && !parse_number(&p, &commits))
				return -EINVAL;
			if (modes[i].ms && !parse_number(&p, &ms))
				return -EINVAL;
			if (*p != '\0')
				return -EINVAL;
		}
		opts->sync = modes[i].mode;
		opts->sync_commits = commits;
		opts->sync_ms = ms;
		return 0;
	}
	return -EINVAL;
}

void
kv_options_format_sync(const struct kv_options *opts, char *buf, size_t len)
{
	switch (opts->sync) {
	case KV_SYNC_FULL:
		snprintf(buf, len, "full");
		break;
	case KV_SYNC_EVERY:
		snprintf(buf, len, "every:%u", opts->sync_commits);
		break;
	case KV_SYNC_INTERVAL:
		snprintf(buf, len, "interval:%u", opts->sync_ms);
		break;
	case KV_SYNC_HYBRID:
		snprintf(buf, len, "hybrid:%u:%u", opts->sync_commits,
		    opts->sync_ms);
		break;
	case KV_SYNC_CHECKPOINT:
		snprintf(buf, len, "checkpoint");
		break;
	case KV_SYNC_OFF:
		snprintf(buf, len, "off");
		break;
	}
}
