/* SPDX-License-Identifier: ISC */
/* See stateless.h. */
#include "fuse/mount/stateless.h"

#include <stdio.h>
#include <sys/utsname.h>

#include "fuse/options/options.h"

/* Kernels that got the fix in a stable release, and a release that has it for
 * certain. */
static const struct {
	unsigned major, minor, patch;
} mended[] = { { 6, 6, 130 }, { 6, 12, 80 }, { 6, 18, 20 } };

bool
stateless_kernel_is_able(const char *release)
{
	unsigned major, minor, patch = 0;

	if (sscanf(release, "%u.%u.%u", &major, &minor, &patch) < 2)
		return false;
	for (size_t i = 0; i < sizeof(mended) / sizeof(mended[0]); i++)
		if (major == mended[i].major && minor == mended[i].minor)
			return patch >= mended[i].patch;
	return major < 6 || (major == 6 && minor < 6) || major > 6 ||
	    minor >= 19;
}

bool
stateless_is_possible(const struct options *opts)
{
	struct utsname name;

	return opts->fs.atime == FS_ATIME_NEVER && !opts->kernel_writeback &&
	    opts->kv.sync != KV_SYNC_FULL && uname(&name) == 0 &&
	    stateless_kernel_is_able(name.release);
}
