// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints the tables of docs/vendors.rst, made from include/kvmi/features.h.
 */
#include <stdio.h>
#include <string.h>

#include <kvmi/features.h>

#define WIDTH	80

/* Text in lines of WIDTH, the first behind @first, the others below it. */
static void print_text(const char *first, const char *text)
{
	int indent = (int)strlen(first), column = indent, length;

	printf("%s", first);
	while (*text) {
		length = (int)strcspn(text, " ");
		if (column > indent && column + 1 + length > WIDTH) {
			printf("\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			putchar(' ');
			column++;
		}
		printf("%.*s", length, text);
		column += length;
		text += length + strspn(text + length, " ");
	}
	putchar('\n');
}

static void print_heading(const char *title)
{
	printf("\n%s\n", title);
	for (; *title; title++)
		putchar('=');
	puts("\n\n.. list-table::\n   :header-rows: 1\n");
}

static void print_feature(const char *name, const char *meaning,
			  const char *amd, const char *intel,
			  const char *without)
{
	printf("   * - ``%s``\n", name);
	print_text("     - ", meaning);
	print_text("     - ", amd);
	print_text("     - ", intel);
	print_text("     - ", without);
}

static void print_difference(const char *subject, const char *amd,
			     const char *intel)
{
	print_text("   * - ", subject);
	print_text("     - ", amd);
	print_text("     - ", intel);
}

#define FEATURE(name, meaning, amd, intel, without) \
	print_feature(#name, meaning, amd, intel, without);
#define DIFFERENCE(subject, amd, intel) \
	print_difference(subject, amd, intel);

int main(void)
{
	print_heading("What a host has or lacks");
	puts("   * - Name\n     - What it is\n     - AMD has it by\n"
	     "     - Intel has it by\n     - Without it");
	KVMI_FEATURES(FEATURE)
	print_heading("What differs on each");
	puts("   * - What\n     - AMD\n     - Intel");
	KVMI_DIFFERENCES(DIFFERENCE)
	return 0;
}
