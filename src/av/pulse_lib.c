#include "av/pulse_lib.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

struct pulse_calls pulse_lib;
static bool loaded;

/* A function's address, which ISO C keeps apart from those of objects and POSIX does not. */
static bool find(void *lib, const char *name, void *at)
{
    void *symbol = dlsym(lib, name);

    memcpy(at, &symbol, sizeof symbol);
    return symbol != NULL;
}

static void load(void)
{
    void *lib = dlopen("libpulse.so.0", RTLD_NOW | RTLD_LOCAL);

    loaded = lib != NULL;
#define FIND(name) loaded = loaded && find(lib, "pa_" #name, &pulse_lib.name);
    PULSE_CALLS(FIND)
#undef FIND
}

bool pulse_load(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, load);
    return loaded;
}
