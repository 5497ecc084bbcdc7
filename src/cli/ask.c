#include "cli/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "cli/line.h"

enum { CTRL_C = 3 };

void ask_forget(char *password)
{
    if (!password)
        return;
    explicit_bzero(password, strlen(password));
    free(password);
}

static char *dup_line(const char *p, size_t len)
{
    while (len && (p[len - 1] == '\n' || p[len - 1] == '\r'))
        len--;
    return strndup(p, len);
}

/* --- terminal --- */

/* The file is opened for writing too: the prompt goes where the answer is typed. */
static int open_terminal(void)
{
    return open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
}

static void put(int fd, const char *s)
{
    size_t len = strlen(s);
    while (len) {
        ssize_t n = write(fd, s, len);
        if (n <= 0 && errno != EINTR)
            return;
        if (n > 0) {
            s += n;
            len -= (size_t)n;
        }
    }
}

/* One line without its end; false at the end of input, or when it is too long. */
static bool read_line(int fd, char line[static ASK_PASSWORD_MAX])
{
    size_t n = 0;

    while (n < ASK_PASSWORD_MAX - 1) {
        ssize_t got = read(fd, line + n, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        if (line[n] == CTRL_C)
            break;
        if (line[n] == '\n') {
            line[n] = 0;
            return true;
        }
        n++;
    }
    line[n] = 0;
    return false;
}

/* Without ISIG a Ctrl+C ends the line and means "no": as a signal it would leave a
 * terminal without echo behind. */
static char *read_hidden(int fd, const char *prompt)
{
    struct termios old, mute;
    sigset_t block, before;
    char line[ASK_PASSWORD_MAX];

    if (tcgetattr(fd, &old))
        return NULL;
    sigemptyset(&block);
    sigaddset(&block, SIGTSTP);
    sigprocmask(SIG_BLOCK, &block, &before);
    mute = old;
    mute.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    mute.c_lflag |= ICANON;
    mute.c_iflag |= ICRNL;
    mute.c_cc[VEOL] = CTRL_C;
    tcsetattr(fd, TCSAFLUSH, &mute);
    put(fd, prompt);
    bool ok = read_line(fd, line);
    put(fd, "\n");
    tcsetattr(fd, TCSAFLUSH, &old);
    sigprocmask(SIG_SETMASK, &before, NULL);

    char *password = ok ? strdup(line) : NULL;
    explicit_bzero(line, sizeof line);
    return password;
}

/* --- passwords --- */

static void fail_file(struct cli *c, const char *file)
{
    struct buf wrong = { 0 };

    buf_printf(&wrong, "the password file %s cannot be read, or its first line is empty", file);
    cli_fail(c, CLI_USAGE, buf_str(&wrong), "write the password into its first line");
    buf_fini(&wrong);
}

static char *from_file(struct cli *c, const char *file)
{
    char line[ASK_PASSWORD_MAX];
    int fd = strcmp(file, "-") ? open(file, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    char *password = NULL;

    if (fd >= 0) {
        read_line(fd, line);
        password = *line ? dup_line(line, strlen(line)) : NULL;
        explicit_bzero(line, sizeof line);
        if (fd != STDIN_FILENO)
            close(fd);
    }
    if (!password)
        fail_file(c, file);
    return password;
}

static char *from_terminal(struct cli *c, const char *what, const char *prompt, const char *advice)
{
    char why[80];

    int fd = open_terminal();
    char *password = NULL;

    if (fd < 0) {
        snprintf(why, sizeof why, "a %s is needed, and there is no terminal to ask on", what);
        cli_fail(c, CLI_USAGE, why, advice);
        return NULL;
    }
    line_suspend(c->line);
    password = read_hidden(fd, prompt);
    line_resume(c->line);
    close(fd);
    snprintf(why, sizeof why, "no %s was typed", what);
    if (!password)
        cli_fail(c, CLI_USAGE, why, "try again");
    return password;
}

char *ask_word(struct cli *c, const char *prompt)
{
    return from_terminal(c, "word", prompt, "set ROOST_WORD or give --word WORD");
}

bool ask_has_password(const struct cli *c)
{
    return c->password_file || getenv("ROOST_PASSWORD");
}

char *ask_password(struct cli *c, const char *prompt)
{
    const char *env = getenv("ROOST_PASSWORD");

    if (c->password_file)
        return from_file(c, c->password_file);
    if (env)
        return strdup(env);
    return from_terminal(c, "password", prompt, "set ROOST_PASSWORD or use --password-file FILE");
}

char *ask_new_password(struct cli *c, const char *file, const char *variable, const char *prompt)
{
    const char *env = getenv(variable);

    if (file)
        return from_file(c, file);
    if (env)
        return strdup(env);

    char advice[80];
    snprintf(advice, sizeof advice, "set %s or give it in a file", variable);
    char *password = from_terminal(c, "password", prompt, advice);
    char *again = password ? from_terminal(c, "password", "The same again: ", advice) : NULL;
    if (again && strcmp(password, again) != 0) {
        cli_fail(c, CLI_USAGE, "the two passwords differ", "try again");
        ask_forget(password);
        password = NULL;
    } else if (!again) {
        ask_forget(password);
        password = NULL;
    }
    ask_forget(again);
    return password;
}

/* --- yes or no --- */

/* What was typed for something else is no answer. */
bool ask_answer(const char *line, bool *ret_yes)
{
    *ret_yes = !strcasecmp(line, "y") || !strcasecmp(line, "yes");
    return *ret_yes || !*line || !strcasecmp(line, "n") || !strcasecmp(line, "no");
}

bool ask_yes(struct cli *c, const char *question)
{
    int fd = open_terminal();
    char line[ASK_PASSWORD_MAX];
    bool yes = false;

    if (fd < 0)
        return false;
    line_suspend(c->line);
    do {
        put(fd, question);
        put(fd, " [y/N] ");
    } while (read_line(fd, line) && !ask_answer(line, &yes));
    line_resume(c->line);
    close(fd);
    return yes;
}

enum roost_trust_answer ask_trust(void *arg, const struct roost_trust *q)
{
    struct cli *c = arg;

    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        fprintf(stderr, "roost: %s is new here; from now on only its certificate %s is taken\n",
                q->server, q->fingerprint);
        return ROOST_TRUST_YES;
    }
    fprintf(stderr,
            "%s is new here. Its certificate has the fingerprint\n  %s\n"
            "The server shows the same one when it starts.\n",
            q->server, q->fingerprint);
    return ask_yes(c, "Is it the right server?") ? ROOST_TRUST_YES : ROOST_TRUST_NO;
}
