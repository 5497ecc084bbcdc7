/* tls.c - a file over TLS 1.3 and TCP, as plainly and as fast as OpenSSL does it: what
 * bench/run loopback compares with.
 *
 *     roost-tls receive PORT CERTIFICATE KEY FILE
 *     roost-tls send PORT FILE
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 128 * 1024 };

static _Noreturn void give_up(const char *what)
{
    perror(what);
    exit(1);
}

static struct sockaddr_in address(const char *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static SSL *talk(SSL_CTX *ctx, int fd, int (*begin)(SSL *))
{
    SSL *ssl = SSL_new(ctx);

    if (!ssl || !SSL_set_fd(ssl, fd) || begin(ssl) != 1)
        give_up("TLS");
    return ssl;
}

static void receive(const char *port, const char *certificate, const char *key, const char *file)
{
    static char bytes[PIECE];
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    struct sockaddr_in at = address(port);
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, n;
    int out = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (!ctx || SSL_CTX_use_certificate_file(ctx, certificate, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 || out < 0 ||
        bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 1))
        give_up("receive");
    SSL *ssl = talk(ctx, accept(listener, NULL, NULL), SSL_accept);
    while ((n = SSL_read(ssl, bytes, sizeof bytes)) > 0)
        if (write(out, bytes, (size_t)n) != n)
            give_up("write");
    if (fsync(out) || close(out))
        give_up("write");
    SSL_shutdown(ssl);
}

static void send_it(const char *port, const char *file)
{
    static char bytes[PIECE];
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    struct sockaddr_in at = address(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0), in = open(file, O_RDONLY);
    ssize_t n;

    if (!ctx || SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256") != 1 || in < 0 ||
        connect(fd, (struct sockaddr *)&at, sizeof at))
        give_up("send");
    SSL *ssl = talk(ctx, fd, SSL_connect);
    while ((n = read(in, bytes, sizeof bytes)) > 0)
        if (SSL_write(ssl, bytes, (int)n) != n)
            give_up("send");
    SSL_shutdown(ssl);
    SSL_read(ssl, bytes, 1); /* until the other side has all */
}

int main(int argc, char **argv)
{
    if (argc == 6 && !strcmp(argv[1], "receive"))
        receive(argv[2], argv[3], argv[4], argv[5]);
    else if (argc == 4 && !strcmp(argv[1], "send"))
        send_it(argv[2], argv[3]);
    else
        return 2;
    return 0;
}
