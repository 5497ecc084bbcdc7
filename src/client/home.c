#include "client/home.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

enum { FILE_MAX = 1 << 20 };

typedef char path_t[HOME_PATH_MAX + 1200];

/* --- files --------------------------------------------------------------------- */

static int read_file(const char *path, void *ret, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    ssize_t got = 0;

    if (fd < 0)
        return errno == ENOENT ? 0 : -ROOST_IO;
    while (n < cap && (got = read(fd, (char *)ret + n, cap - n)) > 0)
        n += (size_t)got;
    close(fd);
    return got < 0 ? -ROOST_IO : (int)n;
}

static int sync_dir(const char *file)
{
    path_t dir;

    snprintf(dir, sizeof dir, "%s", file);
    *strrchr(dir, '/') = 0;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int err = fd < 0 || fsync(fd) < 0 ? -ROOST_IO : 0;
    if (fd >= 0)
        close(fd);
    return err;
}

/* Durable when it returns 0. */
static int write_file(const char *path, const void *bytes, size_t len)
{
    path_t temp;
    int err = -ROOST_IO;

    snprintf(temp, sizeof temp, "%s.XXXXXX", path);
    int fd = mkostemp(temp, O_CLOEXEC); /* 0600 */
    if (fd < 0)
        return -ROOST_IO;
    if (write(fd, bytes, len) == (ssize_t)len && fsync(fd) == 0 && rename(temp, path) == 0)
        err = sync_dir(path);
    else
        unlink(temp);
    close(fd);
    return err;
}

static int make_dir(const char *path)
{
    path_t p;

    snprintf(p, sizeof p, "%s", path);
    for (char *at = p + 1; (at = strchr(at, '/')); *at++ = '/') {
        *at = 0;
        if (mkdir(p, 0700) < 0 && errno != EEXIST)
            return -ROOST_IO;
    }
    return mkdir(p, 0700) < 0 && errno != EEXIST ? -ROOST_IO : 0;
}

/* A name of any characters as the name of a file. */
static void file_name(char *to, size_t cap, const char *name)
{
    size_t n = 0;

    for (; *name && n + 4 < cap; name++) {
        unsigned char c = (unsigned char)*name;
        if (c == '/' || c == '%' || c < 0x21 || (c == '.' && !n))
            n += (size_t)snprintf(to + n, cap - n, "%%%02x", c);
        else
            to[n++] = (char)c;
    }
    to[n] = 0;
}

static void session_path(const struct home *h, char *ret, const char *user, const char *end)
{
    char server[600], name[800];

    file_name(server, sizeof server, h->server);
    file_name(name, sizeof name, user);
    snprintf(ret, sizeof(path_t), "%s/sessions/%.300s%s%.255s%s", h->path, server,
             *user || *end ? "/" : "", name, end);
}

/* --- the home -------------------------------------------------------------------- */

static int usual_dir(char *ret, size_t cap)
{
    const char *dir = getenv("ROOST_HOME"), *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    int n;

    if (dir && *dir)
        n = snprintf(ret, cap, "%s", dir);
    else if (data && *data == '/')
        n = snprintf(ret, cap, "%s/roost", data);
    else
        n = home && *home ? snprintf(ret, cap, "%s/.local/share/roost", home) : -1;
    return n > 0 && (size_t)n < cap ? 0 : -ROOST_INVALID;
}

int home_open(struct home *h, const char *dir)
{
    *h = (struct home){ .lock_fd = -1 };
    if (dir && strlen(dir) >= sizeof h->path)
        return -ROOST_INVALID;
    int err = 0;
    if (dir && *dir)
        strcpy(h->path, dir);
    else
        err = usual_dir(h->path, sizeof h->path);
    return err ? err : make_dir(h->path);
}

void home_close(struct home *h)
{
    home_unlock(h);
}

/* Writers of what all programs share wait for each other; it takes milliseconds. */
static int shared_lock(const struct home *h)
{
    path_t p;

    snprintf(p, sizeof p, "%s/lock", h->path);
    int fd = open(p, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    while (fd >= 0 && flock(fd, LOCK_EX) < 0)
        if (errno != EINTR) {
            close(fd);
            return -1;
        }
    return fd;
}

/* 32 random bytes that are made once. */
static int once(struct home *h, const char *name, uint8_t ret[static 32])
{
    path_t p;

    snprintf(p, sizeof p, "%s/%s", h->path, name);
    int n = read_file(p, ret, 32);
    if (n == 32)
        return 0;
    int fd = shared_lock(h);
    if (fd < 0)
        return -ROOST_IO;
    n = read_file(p, ret, 32);
    int err = n == 32 ? 0 : getrandom(ret, 32, 0) == 32 ? write_file(p, ret, 32) : -ROOST_IO;
    close(fd);
    return err;
}

int home_device(struct home *h, uint8_t ret[static 32])
{
    return once(h, "device", ret);
}

int home_identity(struct home *h, uint8_t ret[static 32])
{
    return once(h, "identity", ret);
}

static bool read_line(const char *path, char *ret, size_t cap)
{
    int n = read_file(path, ret, cap - 1);

    if (n <= 0)
        return false;
    ret[n] = 0;
    ret[strcspn(ret, "\n")] = 0;
    return *ret != 0;
}

void home_guest_key(char *ret, size_t cap, const char *code, const char *name)
{
    snprintf(ret, cap, "guest:%s:%s", *code ? code : "new", name);
}

bool home_last_server(const struct home *h, char *ret, size_t cap)
{
    path_t p;

    snprintf(p, sizeof p, "%s/last", h->path);
    return read_line(p, ret, cap);
}

bool home_last_user(const struct home *h, char *ret, size_t cap)
{
    path_t p;

    session_path(h, p, "", "last");
    return read_line(p, ret, cap);
}

/* --- pins ------------------------------------------------------------------------ */

void home_pin_path(const struct home *h, char *ret, size_t cap)
{
    snprintf(ret, cap, "%s/servers", h->path);
}

static char *pins_read(const struct home *h, const char *path)
{
    char *text = malloc(FILE_MAX + 1);
    int n = text ? read_file(path, text, FILE_MAX) : -ROOST_NOMEM;

    (void)h;
    if (n < 0) {
        free(text);
        return NULL;
    }
    text[n] = 0;
    return text;
}

bool home_pin_get(const struct home *h, char ret[static HOME_PRINT_LEN + 1])
{
    path_t p;
    bool found = false;
    size_t n = strlen(h->server);

    home_pin_path(h, p, sizeof p);
    char *text = pins_read(h, p), *save = NULL;
    for (char *l = text ? strtok_r(text, "\n", &save) : NULL; l && !found;
         l = strtok_r(NULL, "\n", &save)) {
        found = strncmp(l, h->server, n) == 0 && l[n] == ' ' && strlen(l + n + 1) == HOME_PRINT_LEN;
        if (found)
            memcpy(ret, l + n + 1, HOME_PRINT_LEN + 1);
    }
    free(text);
    return found;
}

static int pins_write(const struct home *h, const char *path, const char *fingerprint)
{
    char *old = pins_read(h, path), *save = NULL;
    size_t n = strlen(h->server), cap = old ? strlen(old) + n + HOME_PRINT_LEN + 8 : 0;
    char *text = old ? calloc(1, cap) : NULL;
    int err = -ROOST_NOMEM;

    if (text) {
        for (char *l = strtok_r(old, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
            if (strncmp(l, h->server, n) != 0 || l[n] != ' ')
                strcat(strcat(text, l), "\n");
        strcat(strcat(strcat(strcat(text, h->server), " "), fingerprint), "\n");
        err = write_file(path, text, strlen(text));
    }
    free(old);
    free(text);
    return err;
}

int home_pin_set(struct home *h, const char *fingerprint)
{
    path_t p;
    int fd = shared_lock(h);

    if (fd < 0)
        return -ROOST_IO;
    home_pin_path(h, p, sizeof p);
    int err = pins_write(h, p, fingerprint);
    close(fd);
    return err;
}

/* --- texts ------------------------------------------------------------------------ */

char *home_text(const struct home *h, const char *name)
{
    path_t p;

    snprintf(p, sizeof p, "%s/%s", h->path, name);
    return pins_read(h, p);
}

int home_change(struct home *h, const char *name, home_change_fn *change, void *ctx)
{
    path_t p;
    int fd = shared_lock(h), err = 0;
    char *old = fd < 0 ? NULL : home_text(h, name);
    char *text = old ? change(ctx, old, &err) : NULL;

    snprintf(p, sizeof p, "%s/%s", h->path, name);
    if (text)
        err = strlen(text) < FILE_MAX ? write_file(p, text, strlen(text)) : -ROOST_LIMIT;
    else if (!old)
        err = -ROOST_IO;
    free(old);
    free(text);
    if (fd >= 0)
        close(fd);
    return err;
}

/* --- tokens ------------------------------------------------------------------------ */

int home_lock(struct home *h, const char *user)
{
    path_t p;

    if (h->lock_fd >= 0 || !*user)
        return 1;
    session_path(h, p, "", "");
    if (make_dir(p) < 0)
        return -ROOST_IO;
    session_path(h, p, user, ".lock");
    int fd = open(p, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -ROOST_IO;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        bool other = errno == EWOULDBLOCK || errno == EINTR;
        close(fd);
        return other ? 0 : -ROOST_IO;
    }
    h->lock_fd = fd;
    return 1;
}

void home_unlock(struct home *h)
{
    if (h->lock_fd >= 0)
        close(h->lock_fd);
    h->lock_fd = -1;
}

int home_token_load(const struct home *h, const char *user, uint8_t *ret, size_t cap)
{
    path_t p;

    if (!*user)
        return 0;
    session_path(h, p, user, ".token");
    return read_file(p, ret, cap);
}

int home_token_save(struct home *h, const char *user, const uint8_t *token, size_t len)
{
    path_t p;

    session_path(h, p, "", "");
    int err = make_dir(p);
    session_path(h, p, user, ".token");
    return err ? err : write_file(p, token, len);
}

int home_last_save(struct home *h, const char *user)
{
    path_t p;
    char line[400];
    int err = 0;

    session_path(h, p, "", "last");
    if (!read_line(p, line, sizeof line) || strcmp(line, user) != 0)
        err = write_file(p, user, strlen(user));
    snprintf(p, sizeof p, "%s/last", h->path);
    if (!err && (!read_line(p, line, sizeof line) || strcmp(line, h->server) != 0))
        err = write_file(p, h->server, strlen(h->server));
    return err;
}

void home_token_forget(struct home *h, const char *user, const uint8_t *token, size_t len)
{
    path_t p;
    uint8_t now[64];

    if (!*user || len > sizeof now)
        return;
    if (home_token_load(h, user, now, sizeof now) == (int)len && memcmp(now, token, len) == 0) {
        session_path(h, p, user, ".token");
        unlink(p);
    }
}
