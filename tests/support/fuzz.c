/* SPDX-License-Identifier: ISC */
/* See fuzz.h. */
#include "support/fuzz.h"

#include <stdlib.h>

#include "engine/env/env.h"
#include "util/log.h"

static void
drop(enum log_level level, const char *line)
{
	(void)level, (void)line;
}

void
fuzz_quiet(void)
{
	log_set_sink(drop);
}

void
fuzz_write(struct env_file *f, const void *data, size_t len, uint64_t off)
{
	struct iovec iov = { (void *)data, len };

	if (env_write(f, &iov, 1, off) < 0)
		abort();
}
