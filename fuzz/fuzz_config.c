/* The configuration file of roostd: an error has a sentence, and a configuration
 * without one passes its own check or says why not. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char error[CONFIG_ERROR_MAX] = "";
    struct config c;

    config_default(&c);
    assert(config_check(&c, error) == 0 && "the defaults are fine");
    if (config_parse(&c, "fuzz.conf", (const char *)data, len, error) < 0)
        assert(error[0] && memchr(error, 0, sizeof error));
    if (config_check(&c, error) < 0)
        assert(error[0] && memchr(error, 0, sizeof error));

    char *text = malloc(len + 1);
    if (text) {
        memcpy(text, data, len);
        text[len] = 0;
        if (config_set_pair(&c, text, error) < 0)
            assert(error[0]);
        int64_t ms;
        uint64_t bytes;
        if (config_duration(text, &ms) == 0)
            assert(ms >= 0);
        config_size(text, &bytes);
    }
    free(text);
    if (len == 0)
        free(config_help()); /* the same each time */
    return 0;
}
