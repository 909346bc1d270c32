/* SPDX-License-Identifier: ISC */
/* See load_owner.h. The last name of each kind is kept: mostly the next entry
 * has the same. */
#include "tools/load_owner.h"

#include <archive_entry.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>

struct owner_name {
	char name[256];
	bool is_known;
	uint32_t id;
};

static uint32_t
owner_find(struct owner_name *last, const char *name, int64_t id, bool is_group)
{
	const struct passwd *pw;
	const struct group *gr;

	if (name == NULL || name[0] == '\0' || strlen(name) >= 256)
		return (uint32_t)id;
	if (strcmp(last->name, name) != 0) {
		strlcpy(last->name, name, sizeof(last->name));
		pw = is_group ? NULL : getpwnam(name);
		gr = is_group ? getgrnam(name) : NULL;
		last->is_known = pw != NULL || gr != NULL;
		if (pw != NULL)
			last->id = pw->pw_uid;
		if (gr != NULL)
			last->id = gr->gr_gid;
	}
	return last->is_known ? last->id : (uint32_t)id;
}

uint32_t
load_owner_uid(struct archive_entry *e)
{
	static struct owner_name last;

	return owner_find(&last, archive_entry_uname(e), archive_entry_uid(e),
	    false);
}

uint32_t
load_owner_gid(struct archive_entry *e)
{
	static struct owner_name last;

	return owner_find(&last, archive_entry_gname(e), archive_entry_gid(e),
	    true);
}
