/* SPDX-License-Identifier: ISC */
/* See key_path.h. */
#include "tools/key_path.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

size_t
key_component(const char **pathp, const char **namep)
{
	const char *p = *pathp;

	p += strspn(p, "/");
	*namep = p;
	p += strcspn(p, "/");
	*pathp = p;
	return (size_t)(p - *namep);
}

int
key_check(const char *key)
{
	const char *name;
	size_t len;

	if (strlen(key) >= KEY_MAX)
		return -ENAMETOOLONG;
	while ((len = key_component(&key, &name)) > 0) {
		if (len > NAME_MAX)
			return -ENAMETOOLONG;
		if ((len == 1 && name[0] == '.') ||
		    (len == 2 && memcmp(name, "..", 2) == 0))
			return -EINVAL;
	}
	return 0;
}
