/* SPDX-License-Identifier: ISC */
/*
 * Mount options and command line; see options.h. Values are checked here,
 * so that everything behind may trust them.
 */
#include "fuse/options/options.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuse/options/budget.h"
#include "fuse/options/option_table.h"
#include "util/log.h"

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

#define GIVEN(id) (1ull << (id))

/* The logs of an empty store and some contents. */
#define MAX_SIZE_MIN (4u << 20)

void
options_init(struct options *o)
{
	*o = (struct options){ 0 };
	kv_options_init(&o->kv);
	fs_options_init(&o->fs);
	o->fs.acl = true;
	/* Who may mount by himself may have them anyhow, as with mount(8). */
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

static int
bad_value(const struct option_spec *spec, const char *value, const char *hint)
{
	log_error("-o %s=%s: bad value: %s", spec->name, value, hint);
	return -EINVAL;
}

static int
parse_number(const struct option_spec *spec, const char *value, uint64_t min,
    uint64_t max, bool size, uint64_t *np)
{
	static const char suffixes[] = "KMG";
	char hint[128], low[32], high[32];
	uint64_t n = 0;
	const char *p = value;
	const char *suffix;
	bool ok = isdigit((unsigned char)*p);

	for (; ok && isdigit((unsigned char)*p); p++) {
		ok = !__builtin_mul_overflow(n, 10u, &n) &&
		    !__builtin_add_overflow(n, (uint64_t)(*p - '0'), &n);
	}
	if (ok && size && *p != '\0' &&
	    (suffix = strchr(suffixes, toupper((unsigned char)*p))) != NULL) {
		unsigned shift = 10 * (unsigned)(suffix - suffixes + 1);

		ok = n <= UINT64_MAX >> shift;
		n <<= shift;
		p++;
	}
	if (ok && *p == '\0' && n >= min && n <= max) {
		*np = n;
		return 0;
	}
	if (size) {
		option_format_size(min, low, sizeof(low));
		option_format_size(max, high, sizeof(high));
		snprintf(hint, sizeof(hint), "give a size from %s to %s", low,
		    high);
	} else {
		snprintf(hint, sizeof(hint),
		    "give a number from %" PRIu64 " to %" PRIu64, min, max);
	}
	return bad_value(spec, value, hint);
}

static int
parse_profile(struct options *o, const struct option_spec *spec,
    const char *value)
{
	for (int i = 0; i < NPROFILES; i++) {
		if (strcmp(value, profiles[i].name) == 0) {
			o->profile = i;
			return 0;
		}
	}
	return bad_value(spec, value, "use safe, balanced or fast");
}

/* One of two words, as a bool: true for the first. */
static int
parse_word(const struct option_spec *spec, const char *value, const char *yes,
    const char *no, bool *flagp)
{
	char hint[64];

	if (strcmp(value, yes) == 0) {
		*flagp = true;
	} else if (strcmp(value, no) == 0) {
		*flagp = false;
	} else {
		snprintf(hint, sizeof(hint), "use %s or %s", yes, no);
		return bad_value(spec, value, hint);
	}
	return 0;
}

/* A name in the mount table: any text that the table can hold. */
static int
parse_name(const struct option_spec *spec, const char *value,
    char name[OPTION_NAME_MAX])
{
	if (value[0] == '\0')
		return bad_value(spec, value, "give a name");
	if (strlen(value) >= OPTION_NAME_MAX)
		return bad_value(spec, "...", "give a shorter name");
	strlcpy(name, value, OPTION_NAME_MAX);
	return 0;
}

static int
set_valued(struct options *o, const struct option_spec *spec, const char *value)
{
	uint64_t n = 0;
	int rc;

	switch (spec->id) {
	case OPT_PROFILE:
		return parse_profile(o, spec, value);
	case OPT_SYNC:
		if (kv_options_parse_sync(&o->kv, value) == 0)
			return 0;
		return bad_value(spec, value,
		    "use full, every:N, interval:MS, hybrid:N:MS, checkpoint "
		    "or off");
	case OPT_FLUSH:
		return parse_word(spec, value, "close", "lazy",
		    &o->fs.flush_on_close);
	case OPT_WRITEBACK:
		rc = parse_number(spec, value, 1, 3600000, false, &n);
		if (rc == 0)
			o->fs.writeback_ms = (uint32_t)n;
		return rc;
	case OPT_WRITEBACK_SIZE:
		return parse_number(spec, value, 1u << 20, 1ull << 36, true,
		    &o->fs.writeback_bytes);
	case OPT_WAL_BUFFER:
		return parse_number(spec, value, 0, 64u << 20, true,
		    &o->kv.wal_buffer_bytes);
	case OPT_COMPRESSION:
		return parse_word(spec, value, "snappy", "none",
		    &o->kv.compress);
	case OPT_MEMORY:
		return parse_number(spec, value, 16u << 20, 1ull << 40, true,
		    &o->memory_bytes);
	case OPT_CACHE:
		return parse_number(spec, value, 1u << 20, 1ull << 40, true,
		    &o->kv.cache_bytes);
	case OPT_MEMTABLE:
		return parse_number(spec, value, 1u << 16, 1ull << 32, true,
		    &o->kv.memtable_bytes);
	case OPT_COMPACTION_THREADS:
		rc = parse_number(spec, value, 1, 64, false, &n);
		if (rc == 0)
			o->kv.compaction_threads = (unsigned)n;
		return rc;
	case OPT_MAX_SIZE:
		rc = parse_number(spec, value, 0, 1ull << 60, true, &n);
		if (rc == 0 && n != 0 && n < MAX_SIZE_MIN)
			return bad_value(spec, value,
			    "give 0 for no bound, or at least 4M");
		o->kv.max_bytes = rc == 0 ? n : o->kv.max_bytes;
		return rc;
	case OPT_THREADS:
		rc = parse_number(spec, value, 1, 256, false, &n);
		if (rc == 0)
			o->threads = (unsigned)n;
		return rc;
	case OPT_SPIN:
		rc = parse_number(spec, value, 0, 1000, false, &n);
		if (rc == 0)
			o->spin_us = (unsigned)n;
		return rc;
	case OPT_FSNAME:
		return parse_name(spec, value, o->fsname);
	case OPT_SUBTYPE:
		return parse_name(spec, value, o->subtype);
	case OPT_MAX_BACKGROUND:
		rc = parse_number(spec, value, 1, 65535, false, &n);
		if (rc == 0)
			o->max_background = (unsigned)n;
		return rc;
	default:
		return 0;
	}
}

static void
set_flag(struct options *o, enum option_id id)
{
	switch (id) {
	case OPT_SYNC: /* mount(8)'s "sync" */
		o->kv.sync = KV_SYNC_FULL;
		break;
	case OPT_RO:
	case OPT_RW:
		o->read_only = id == OPT_RO;
		break;
	case OPT_NOATIME:
	case OPT_RELATIME:
		o->fs.atime = id == OPT_RELATIME;
		break;
	case OPT_NOXATTR:
		o->noxattr = true;
		break;
	case OPT_ACL:
	case OPT_NOACL:
		o->fs.acl = o->acl_is_asked = id == OPT_ACL;
		break;
	case OPT_AFFINITY:
	case OPT_NOAFFINITY:
		o->affinity = id == OPT_AFFINITY;
		break;
	case OPT_KERNEL_WRITEBACK:
		o->kernel_writeback = true;
		break;
	case OPT_ALLOW_OTHER:
		o->allow_other = true;
		break;
	case OPT_AUTO_UNMOUNT:
		o->auto_unmount = true;
		break;
	case OPT_SUID:
	case OPT_NOSUID:
		o->nosuid = id == OPT_NOSUID;
		break;
	case OPT_DEV:
	case OPT_NODEV:
		o->nodev = id == OPT_NODEV;
		break;
	case OPT_EXEC:
	case OPT_NOEXEC:
		o->noexec = id == OPT_NOEXEC;
		break;
	default:
		break;
	}
}

/* One "name" or "name=value". */
static int
set_option(struct options *o, const char *text, bool live)
{
	size_t len = strcspn(text, "=");
	const char *value = text[len] == '=' ? text + len + 1 : NULL;
	const struct option_spec *spec;
	int rc = 0;

	if (strncasecmp(text, "x-", 2) == 0 && !live)
		return 0;
	spec = find_spec(text, len);
	if (spec == NULL) {
		log_error("-o %s: unknown option: see kvfs --help", text);
		return -EINVAL;
	}
	if (live && (spec->flags & LIVE) == 0) {
		log_error("%s: cannot change while mounted: unmount, and "
			  "mount with it",
		    text);
		return -EINVAL;
	}
	if (spec->arg == NULL && value != NULL) {
		log_error("-o %s: takes no value: write %s", text, spec->name);
		return -EINVAL;
	}
	if (spec->arg != NULL && value == NULL && spec->id != OPT_SYNC &&
	    spec->id != OPT_IGNORED) {
		log_error("-o %s: needs a value: write %s=%s", text, spec->name,
		    spec->arg);
		return -EINVAL;
	}
	if (value != NULL)
		rc = set_valued(o, spec, value);
	else
		set_flag(o, spec->id);
	if (spec->id < OPT_IGNORED)
		o->given |= GIVEN(spec->id);
	return rc;
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

static void
apply_profile(struct options *o)
{
	const struct profile *p;

	if (o->profile < 0)
		return;
	p = &profiles[o->profile];
	if ((o->given & GIVEN(OPT_SYNC)) == 0)
		(void)kv_options_parse_sync(&o->kv, p->sync);
	if ((o->given & GIVEN(OPT_FLUSH)) == 0)
		o->fs.flush_on_close = p->flush_on_close;
	if ((o->given & GIVEN(OPT_WAL_BUFFER)) == 0)
		o->kv.wal_buffer_bytes = p->wal_buffer;
}

static int
derive(struct options *o)
{
	unsigned given = 0;

	given |= (o->given & GIVEN(OPT_MEMORY)) != 0 ? BUDGET_MEMORY : 0;
	given |= (o->given & GIVEN(OPT_CACHE)) != 0 ? BUDGET_CACHE : 0;
	given |= (o->given & GIVEN(OPT_MEMTABLE)) != 0 ? BUDGET_MEMTABLE : 0;
	given |= (o->given & GIVEN(OPT_WRITEBACK_SIZE)) != 0 ?
	    BUDGET_WRITEBACK :
	    0;
	apply_profile(o);
	o->kv.read_only = o->fs.read_only = o->read_only;
	o->kv.create = !o->read_only;
	return budget_derive(o, given);
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
	if (rc == 0 && o->acl_is_asked && o->noxattr) {
		log_error("-o acl,noxattr: lists are extended attributes: "
			  "leave one of the two out");
		rc = -EINVAL;
	}
	/* Lists are extended attributes. */
	if (o->noxattr)
		o->fs.acl = false;
	if (rc == 0)
		rc = derive(o);
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
		apply_profile(&changed);
		*o = changed;
	}
	free(copy);
	return rc;
}
