/* Processes that do not behave, for the tests: `unruly <kind> [number]`. Each ends by itself after a minute. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static time_t until;

static void stay(void) {
    while (time(NULL) < until) sleep(1);
    _exit(0);
}

/* Double fork, a session of its own, deaf to TERM. */
static void daemon_process(void) {
    if (fork() > 0) return;
    setsid();
    if (fork() > 0) _exit(0);
    stay();
}

/* A tree of `left` processes; every second one has a session of its own. */
static void bomb(int left) {
    while (left > 0) {
        int half = (left + 1) / 2;
        if (fork() == 0) {
            if (half % 2) setsid();
            left = half - 1;
            continue;
        }
        left -= half;
    }
    stay();
}

/* A process that is another one each time one looks. */
static void chain(int own_session) {
    while (time(NULL) < until) {
        if (fork() > 0) _exit(0);
        if (own_session) setsid();
    }
    _exit(0);
}

static void *thread(void *nothing) {
    (void)nothing;
    stay();
    return NULL;
}

int main(int count, char **words) {
    const char *kind = count > 1 ? words[1] : "";
    int number = count > 2 ? atoi(words[2]) : 0;
    until = time(NULL) + 60;
    signal(SIGTERM, SIG_IGN);
    if (!strcmp(kind, "daemon")) {
        daemon_process();
    } else if (!strcmp(kind, "bomb")) {
        bomb(number);
    } else if (!strcmp(kind, "chain")) {
        if (fork() == 0) chain(0);
    } else if (!strcmp(kind, "hop")) {
        if (fork() == 0) chain(1);
    } else if (!strcmp(kind, "headless")) {
        /* Its first thread has ended, and the kernel shows a zombie that lives. */
        if (fork() == 0) {
            pthread_t other;
            setsid();
            pthread_create(&other, NULL, thread, NULL);
            pthread_exit(NULL);
        }
    } else if (!strcmp(kind, "zombies")) {
        for (int i = 0; i < number; i++)
            if (fork() == 0) _exit(0);
        stay();
    } else if (!strcmp(kind, "write")) {
        /* `number` MB without a line end, whatever is asked of it. */
        static char block[1 << 20];
        memset(block, 'x', sizeof block);
        for (int i = 0; i < number; i++)
            if (write(1, block, sizeof block) < 0) _exit(1);
    } else {
        return 2;
    }
    return 0;
}
