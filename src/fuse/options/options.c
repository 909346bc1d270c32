/* SPDX-License-Identifier: ISC */
/*
 * Mount options: reading a list of them, and what follows from several
 * together; see options.h. option_table.c has each option, option_value.c
 * reads and checks its value.
 */
#include "fuse/options/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuse/options/budget.h"
#include "fuse/options/option_table.h"
#include "fuse/options/profile.h"
#include "util/log.h"

void
options_init(struct options *o)
{
	*o = (struct options){ 0 };
	kv_options_init(&o->kv);
	fs_options_init(&o->fs);
	o->fs.acl = true;
	/* Only root may mount with set-id programs and devices allowed; as
	 * with mount(8), others get these flags. */
	o->nosuid = o->nodev = geteuid() != 0;
	o->allow_other = geteuid() == 0;
	o->threads = 16;
	o->max_background = 64;
	o->spin_us = 30;
	o->affinity = true;
	o->profile = -1;
	(void)budget_derive(o, 0);
}

static const struct option_spec *
find_spec(const char *name, size_t len)
{
	for (size_t i = 0; i < option_count; i++) {
		if (strncmp(option_specs[i].name, name, len) == 0 &&
		    option_specs[i].name[len] == '\0')
			return &option_specs[i];
	}
	return NULL;
}

/* Set one option: "name" or "name=value". live: while mounted. */
static int
set_option(struct options *o, const char *text, bool live)
{
	size_t len = strcspn(text, "=");
	const char *value = text[len] == '=' ? text + len + 1 : NULL;
	const struct option_spec *spec;

	if (strncasecmp(text, "x-", 2) == 0 && !live)
		return 0;
	spec = find_spec(text, len);
	if (spec == NULL) {
		log_error("-o %s: unknown option: see kvfs --help", text);
		return -EINVAL;
	}
	if (live && (spec->flags & OPTION_LIVE) == 0) {
		log_error("%s: cannot change while mounted: unmount, and "
			  "mount with it",
		    text);
		return -EINVAL;
	}
	if (spec->arg == NULL && value != NULL) {
		log_error("-o %s: takes no value: write %s", text, spec->name);
		return -EINVAL;
	}
	if (spec->arg != NULL && value == NULL &&
	    (spec->flags & OPTION_VALUE_IS_OPTIONAL) == 0) {
		log_error("-o %s: needs a value: write %s=%s", text, spec->name,
		    spec->arg);
		return -EINVAL;
	}
	o->given |= spec->given;
	return spec->type->parse(o, spec, value);
}

static int
set_options(struct options *o, char *text, const char *separators, bool live)
{
	char *save = NULL;
	int rc = 0;

	for (char *one = strtok_r(text, separators, &save);
	     one != NULL && rc == 0; one = strtok_r(NULL, separators, &save))
		rc = set_option(o, one, live);
	return rc;
}

static int
derive_rest(struct options *o)
{
	profile_apply(o);
	o->kv.read_only = o->fs.read_only = o->read_only;
	o->kv.create = !o->read_only;
	return budget_derive(o, o->given);
}

int
options_parse_list(struct options *o, const char *list)
{
	char *text = strdup(list);
	int rc;

	if (text == NULL) {
		log_error("options: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	rc = set_options(o, text, ",", false);
	if (rc == 0 && o->noxattr && (o->given & GIVEN_ACL) != 0 && o->fs.acl) {
		log_error("-o acl,noxattr: lists are extended attributes: "
			  "leave one of the two out");
		rc = -EINVAL;
	}
	/* Access control lists are extended attributes. */
	if (o->noxattr)
		o->fs.acl = false;
	if (rc == 0)
		rc = derive_rest(o);
	free(text);
	return rc;
}

int
options_change(struct options *o, const char *text)
{
	struct options changed = *o;
	char *copy = strdup(text);
	int rc;

	if (copy == NULL)
		return -ENOMEM;
	changed.given = 0;
	changed.profile = -1;
	rc = set_options(&changed, copy, ", \t\n", true);
	if (rc == 0) {
		profile_apply(&changed);
		*o = changed;
	}
	free(copy);
	return rc;
}
