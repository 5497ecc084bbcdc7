#include "server/config.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

static struct config config;
static char error[CONFIG_ERROR_MAX];

static int parse(const char *text)
{
    config_default(&config);
    return config_parse(&config, "x.conf", text, strlen(text), error);
}

static void the_defaults_are_those_of_the_manual(void)
{
    config_default(&config);
    CHECK(config.port == 5000 && config.media_port == 0);
    CHECK(config.hub.registration == REGISTRATION_INVITE && !config.hub.open_to_local);
    CHECK(config.hub.login_tries == 5);
    CHECK(config.hub.login_window_ms == 10 * 60000);
    CHECK(config.hub.login_block_ms == 10000);
    CHECK(config.hub.login_block_max_ms == 15 * 60000);
    CHECK(config.hub.say_rate == 10 && config.hub.say_burst == 50);
    CHECK(config.hub.text_max == 16384);
    CHECK(!config.hub.log_private_text);
    CHECK(config.hash_threads == 0);
    CHECK(!strcmp(config.listen, "::,0.0.0.0"));
    CHECK(config_check(&config, error) == 0);
}

static void a_file_has_keys_values_and_comments(void)
{
    CHECK(parse("# the class\n"
                "\n"
                "port = 6000   # not 5000\r\n"
                "  login.block=3s\n"
                "registration = open\n"
                "broadcast=admins\n"
                "log_private_text = yes\n"
                "hash.memory = 32M") == 0);
    CHECK(config.port == 6000);
    CHECK(config.hub.login_block_ms == 3000);
    CHECK(config.hub.registration == REGISTRATION_OPEN);
    CHECK(config.hub.broadcast == BROADCAST_ADMINS);
    CHECK(config.hub.log_private_text);
    CHECK(config.hash.memory_kib == 32 * 1024);
}

static void what_is_wrong_has_a_place(void)
{
    CHECK(parse("port = 6000\nlogin.trys = 5\n") < 0);
    CHECK(!strncmp(error, "x.conf:2: there is no setting 'login.trys'", 42));
    CHECK(parse("\n\nport\n") < 0);
    CHECK(!strncmp(error, "x.conf:3: ", 10));
    CHECK(parse("port = 65536\n") < 0);
    CHECK(strstr(error, "from 0 to 65535"));
    CHECK(parse("registration = closed\n") < 0);
    CHECK(strstr(error, "open|invite|admin"));
    CHECK(parse("broadcast = every\n") < 0);
    CHECK(parse("log_private_text = maybe\n") < 0);
    CHECK(parse("listen =\n") < 0);
    CHECK(parse("login.block = 10 lightyears\n") < 0);
}

static void a_key_is_set_once_in_a_file(void)
{
    static const char twice[] = "port = 1\n# port = 3\n\nmdns = no\nport = 2\n";

    config_default(&config);
    CHECK(config_parse(&config, "roostd.conf", twice, sizeof twice - 1, error) < 0);
    CHECK(strstr(error, "roostd.conf:5: port is set in line 1 already"));
    CHECK(config_set_pair(&config, "port=3", error) == 0); /* an option is not in the file */
    CHECK(config_parse(&config, "x", twice, 9, error) == 0 && config.port == 1);
}

static void a_line_is_bounded(void)
{
    char line[3000];

    memset(line, 'a', sizeof line);
    config_default(&config);
    CHECK(config_parse(&config, "x", line, sizeof line, error) < 0);
    CHECK(config_parse(&config, "x", "po\0rt=1\n", 8, error) < 0);
    line[sizeof line - 1] = 0;
    CHECK(config_set_pair(&config, line, error) < 0);
}

static void times_and_sizes_have_units(void)
{
    int64_t ms;
    uint64_t bytes;

    CHECK(!config_duration("10s", &ms) && ms == 10000);
    CHECK(!config_duration("250ms", &ms) && ms == 250);
    CHECK(!config_duration("15m", &ms) && ms == 900000);
    CHECK(!config_duration("2h", &ms) && ms == 7200000);
    CHECK(!config_duration("1d", &ms) && ms == 86400000);
    CHECK(!config_duration("7", &ms) && ms == 7000);
    CHECK(config_duration("", &ms) < 0);
    CHECK(config_duration("-1s", &ms) < 0);
    CHECK(config_duration("s", &ms) < 0);
    CHECK(config_duration("1 s", &ms) < 0);
    CHECK(config_duration("9223372036854775807d", &ms) < 0);
    CHECK(config_duration("99999999999999999999", &ms) < 0);
    CHECK(!config_size("16K", &bytes) && bytes == 16384);
    CHECK(!config_size("1M", &bytes) && bytes == 1 << 20);
    CHECK(!config_size("3", &bytes) && bytes == 3);
    CHECK(config_size("1T", &bytes) < 0);
}

static void settings_fit_together(void)
{
    config_default(&config);
    CHECK(!config_set_pair(&config, "tls.certificate = a.pem", error));
    CHECK(config_check(&config, error) < 0);
    CHECK(!config_set_pair(&config, "tls.key=b.pem", error));
    CHECK(!config_check(&config, error));
    CHECK(!config_set_pair(&config, "login.block_max=5s", error));
    CHECK(config_check(&config, error) < 0);
    config_default(&config);
    CHECK(!config_set_pair(&config, "hash.memory=8K", error));
    CHECK(!config_set_pair(&config, "hash.lanes=8", error));
    CHECK(config_check(&config, error) < 0);
    config_default(&config);
    CHECK(!config_set_pair(&config, "metrics.token=too-short", error));
    CHECK(config_check(&config, error) < 0);
    CHECK(!config_set_pair(&config, "metrics.token=long but with spaces", error));
    CHECK(config_check(&config, error) < 0);
    CHECK(!config_set_pair(&config, "metrics.token=long-and-without-spaces", error));
    CHECK(!config_check(&config, error));
}

static void a_word_that_is_nearly_right(void)
{
    config_default(&config);
    CHECK(config_set_pair(&config, "login.trys=3", error) < 0 && strstr(error, "login.tries"));
    CHECK(config_set_pair(&config, "prot=3", error) < 0 && strstr(error, "was it port"));
    CHECK(config_set_pair(&config, "tls.cert=x", error) < 0);
    CHECK(config_set_pair(&config, "wholly_unlike_anything=3", error) < 0);
    CHECK(strstr(error, "--help"));
}

/* What is printed, with every # before a setting taken away, is the defaults. */
static void what_is_printed_can_be_read(void)
{
    static struct config again;
    char *text = config_print(), *p = text;

    CHECK(text);
    config_default(&config);
    config_default(&again);
    CHECK(!config_parse(&again, "x.conf", text, strlen(text), error));
    for (; text && (p = strstr(p, "\n#")); p++)
        if (p[2] != ' ' && p[2] != '#')
            p[1] = ' ';
    CHECK(!config_parse(&again, "x.conf", text, strlen(text), error));
    CHECK(!memcmp(&config, &again, sizeof again));
    CHECK(strstr(text, " store.batch = 1024\n"));
    free(text);
}

static void help_shows_all(void)
{
    char *help = config_help();

    CHECK(help);
    CHECK(strstr(help, "login.block_max=15m"));
    CHECK(strstr(help, "open|invite|admin"));
    CHECK(strstr(help, "store.batch"));
    free(help);
}

TEST_MAIN({ "the_defaults_are_those_of_the_manual", the_defaults_are_those_of_the_manual },
          { "a_file_has_keys_values_and_comments", a_file_has_keys_values_and_comments },
          { "what_is_wrong_has_a_place", what_is_wrong_has_a_place },
          { "a_key_is_set_once_in_a_file", a_key_is_set_once_in_a_file },
          { "a_line_is_bounded", a_line_is_bounded },
          { "times_and_sizes_have_units", times_and_sizes_have_units },
          { "settings_fit_together", settings_fit_together }, { "help_shows_all", help_shows_all },
          { "a_word_that_is_nearly_right", a_word_that_is_nearly_right },
          { "what_is_printed_can_be_read", what_is_printed_can_be_read })
