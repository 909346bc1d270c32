/* SPDX-License-Identifier: ISC */
/* Prints the table of options: --help, and the options in force. */
#include <string.h>

#include "fuse/options/option_table.h"
#include "fuse/options/option_value.h"
#include "fuse/options/options.h"

static bool
is_set(const struct options *o, const struct option_spec *spec)
{
	const void *field = (const char *)o + spec->offset;

	if (spec->type == &option_flag)
		return *(const bool *)field == spec->sets;
	return spec->type == &option_choice &&
	    *(const unsigned *)field == spec->min;
}

void
options_print(const struct options *o, FILE *out, const char *sep)
{
	char value[OPTION_VALUE_MAX];

	for (size_t i = 0; i < option_count; i++) {
		const struct option_spec *spec = &option_specs[i];

		if ((spec->flags & OPTION_IS_SILENT) != 0)
			continue;
		spec->type->format(o, spec, value, sizeof(value));
		if (value[0] != '\0')
			fprintf(out, "%s=%s%s", spec->name, value, sep);
		else if (is_set(o, spec))
			fprintf(out, "%s%s", spec->name, sep);
	}
}

/* "NAME=ARG", or a name alone. */
static void
format_left(const struct option_spec *spec, char *buf, size_t len)
{
	snprintf(buf, len, "-o %s%s%s%s", spec->name,
	    spec->arg != NULL ? "=" : "", spec->arg != NULL ? spec->arg : "",
	    (spec->flags & OPTION_LIVE) != 0 ? " *" : "");
}

static void
print_help(const struct options *defaults, const struct option_spec *spec,
    FILE *out)
{
	char value[OPTION_VALUE_MAX], left[64];

	format_left(spec, left, sizeof(left));
	spec->type->format(defaults, spec, value, sizeof(value));
	if (spec->standard != NULL)
		strlcpy(value, spec->standard, sizeof(value));
	fprintf(out, "  %-25s %s%s%s%s\n", left, spec->help,
	    value[0] != '\0' ? " (" : "", value, value[0] != '\0' ? ")" : "");
}

void
options_usage(FILE *out)
{
	struct options o;
	char left[64];

	options_init(&o);
	fputs("usage: kvfs [STORE] MOUNTPOINT [-o option[,option...]] "
	      "[-f] [-d]\n"
	      "       kvfs -h | -V\n\n"
	      "Mounts the store in the directory STORE at MOUNTPOINT; without "
	      "STORE the one\nthat belongs to MOUNTPOINT.\n\n"
	      "  -f, --foreground  stay in the foreground\n"
	      "  -d, --debug       -f, and print every request\n"
	      "  -h, --help        print this\n"
	      "  -V, --version     print the version\n\n"
	      "Mount options, and their defaults; sizes take K, M or G; what "
	      "is "
	      "marked * can\nchange while mounted (kvfsctl set):\n",
	    out);
	for (size_t i = 0; i < option_count; i++)
		if (option_specs[i].help != NULL)
			print_help(&o, &option_specs[i], out);
	fputs("\nOptions of mount(8) that are accepted and change nothing:\n",
	    out);
	for (size_t i = 0; i < option_count; i++) {
		if (option_specs[i].help != NULL)
			continue;
		format_left(&option_specs[i], left, sizeof(left));
		fprintf(out, "  %s\n", left);
	}
	fputs("  -o x-*\n", out);
}
