/* hash_process.h - a process of its own for argon2id.
 *
 * Hashing fills tens of megabytes, over and over. In the server's own memory each hash would stop
 * the loop: for the lock of the address space, and for the processors that are told what is no
 * longer mapped. So a small child hashes, made before the server has secrets, threads or a sandbox,
 * with no right but to read jobs from its socket, write answers, compute and have memory.
 *
 * Two processes: one that keeps (it waits, and reads nothing), and below it one that hashes. When
 * that dies, the keeper makes the next and tells (an answer with the id 0). When the keeper dies,
 * both are gone (end of file), and a thread of the server stands in. Both die with the server.
 * They ignore what is meant for the server: they live until the last login is answered.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "seal/password.h"
#include "server/sandbox.h"

enum {
    HASH_PROCESS_THREADS_MAX = 64,
    HASH_PASSWORD_MAX = 1024, /* bytes with the zero; the hub takes far shorter ones */
};

/* What goes over the socket, whole or not at all. Who holds one wipes it. */
struct hash_job {
    uint64_t id; /* not 0 */
    struct password_params params;
    bool verify;
    uint8_t salt[16];
    char password[HASH_PASSWORD_MAX];
    char encoded[PASSWORD_ENCODED_MAX]; /* verify: to compare with */
};

struct hash_answer {
    uint64_t id; /* 0: what was under way is lost */
    int32_t err; /* of password.h; a hash that is none is no error: nothing equals it */
    bool ok;
    char encoded[PASSWORD_ENCODED_MAX]; /* what was made */
};

struct hash_process {
    int fd;           /* a packet socket, not blocking; the server's end */
    pid_t keeper;     /* 0: none */
    unsigned threads; /* so many jobs at once */
    uint64_t last_id; /* ids are not used twice while the process lives */
    bool stands_in;   /* a thread of ours is at the other end */
    pthread_t thread;
};

/* threads 0: one fewer than processors, 1 to 4. Call it while there is one thread. Where no
 * process can be made, a thread stands in. -ROOST_NOMEM. */
int hash_process_start(struct hash_process *ret, unsigned threads, enum sandbox how);
/* The other end is gone: a thread stands in, at the same fd. -ROOST_NOMEM. */
int hash_process_stand_in(struct hash_process *p);
void hash_process_end(struct hash_process *p);
