/* SPDX-License-Identifier: ISC */
/* See profile.h. */
#include "fuse/options/profile.h"

#include <string.h>

#include "fuse/options/option_table.h"
#include "fuse/options/options.h"

static const struct profile {
	const char *name;
	const char *sync;
	bool flush_on_close;
	uint64_t wal_buffer;
} profiles[] = {
	{ "safe", "full", true, 0 },
	{ "balanced", "interval:1000", true, 0 },
	{ "fast", "interval:100", false, 1u << 20 },
};
#define NPROFILES ((int)(sizeof(profiles) / sizeof(profiles[0])))

int
profile_find(const char *name)
{
	for (int i = 0; i < NPROFILES; i++)
		if (strcmp(name, profiles[i].name) == 0)
			return i;
	return -1;
}

void
profile_apply(struct options *o)
{
	const struct profile *p;

	if (o->profile < 0)
		return;
	p = &profiles[o->profile];
	if ((o->given & GIVEN_SYNC) == 0)
		(void)kv_options_parse_sync(&o->kv, p->sync);
	if ((o->given & GIVEN_FLUSH) == 0)
		o->fs.flush_on_close = p->flush_on_close;
	if ((o->given & GIVEN_WAL_BUFFER) == 0)
		o->kv.wal_buffer_bytes = p->wal_buffer;
}
