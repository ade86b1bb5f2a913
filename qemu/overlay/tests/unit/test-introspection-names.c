/*
 * Unit test of the names of introspection commands and events.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "../../accel/kvm/introspection/names.h"

static int32_t command(const char *text)
{
    int32_t id = -1;

    introspection_parse_command(text, &id, &error_abort);
    return id;
}

static int32_t event(const char *text)
{
    int32_t id = -1;

    introspection_parse_event(text, &id, &error_abort);
    return id;
}

static void test_names(void)
{
    g_assert_cmpint(command("get-version"), ==, 2);
    g_assert_cmpint(command("vm-read-physical"), ==, 12);
    g_assert_cmpint(command("vm-pause-vcpu"), ==, 16);
    g_assert_cmpint(command("vcpu-translate-gva"), ==, 29);
    g_assert_cmpint(event("unhook"), ==, 0);
    g_assert_cmpint(event("singlestep"), ==, 19);
}

static void test_numbers(void)
{
    g_assert_cmpint(command("0"), ==, 0);
    g_assert_cmpint(command("12"), ==, 12);
    g_assert_cmpint(command("0x8000"), ==, 0x8000);
    g_assert_cmpint(command("2147483647"), ==, INT32_MAX);
    g_assert_cmpint(event("19"), ==, 19);
}

static void test_refused(void)
{
    static const char *const bad[] = {
        "", "-1", "+1", " 1", "1 ", "12x", "4294967295", "2147483648",
        "99999999999999999999", "vm_read_physical", "VM-READ-PHYSICAL",
        "vm-read", "vm-read-physical ", "all",
    };
    size_t i;

    for (i = 0; i < ARRAY_SIZE(bad); i++) {
        Error *err = NULL;
        int32_t id;

        g_assert_false(introspection_parse_command(bad[i], &id, &err));
        error_free_or_abort(&err);
        g_assert_false(introspection_parse_event(bad[i], &id, &err));
        error_free_or_abort(&err);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/introspection/names/known", test_names);
    g_test_add_func("/introspection/names/numbers", test_numbers);
    g_test_add_func("/introspection/names/refused", test_refused);
    return g_test_run();
}
